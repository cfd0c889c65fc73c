"""Forms of the console: each counts once, however often it arrives."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.components import Parts
from storekeeper.console import view
from storekeeper.console.form_keys import FIELD, FormKeys
from storekeeper.database.engine import create_engine
from storekeeper.models import idempotency, user
from storekeeper.security.signing_keys import rotate
from storekeeper.security.tokens import Lifetimes, Tokens
from storekeeper.settings import Settings
from tests.api.test_access_table import everything
from tests.conftest import Clock, Person
from tests.console.test_access_table import EXPECTED, FILES, FORMS, LAST, console_world, knock, path_of, tokens, world
from tests.support import concurrent_workers
from tests.support.cast import PASSWORD
from tests.support.concurrent_workers import Call
from tests.support.console_browser import BOUNDARY, SAME_ORIGIN, Browser, fields, said, values, wrong
from tests.support.databases import transaction

CHAIR = "/console/store/ikea/item/chair"
STORE = "/console/store/ikea"
NEW = "another horse battery"
OPEN = ("POST /console/set-up", "POST /console/sign-in", "POST /console/new-password")  # to whoever is not signed in
CHANGES = [each for each in EXPECTED if each.startswith("POST") and each not in OPEN]
__all__ = ["console_world", "tokens", "world"]  # fixtures


def seen(browser: Browser, path: str) -> dict[str, str]:
    """The fields of the first form of a page that changes something and is not in its bar."""
    return fields(browser.get(path))


# Once


def test_a_form_that_arrives_twice_counts_once(alices: Browser, bob: Person, alice: Person) -> None:
    form = seen(alices, STORE) | {"delta.1": "5"}
    first = alices.post(STORE, form)
    assert "Saved: chair, 15.99 EUR, 5 on hand." in said(alices.follow(first))
    bob.post("/item/chair/stock", {"delta": 2})
    again = alices.post(STORE, form)
    assert (again.status_code, again.headers["location"]) == (303, first.headers["location"])
    told = said(alices.follow(again))
    assert re.search(
        r"Saved at \d\d:\d\d UTC : this form has come more than once, and counts once\. Saved: chair", told
    )
    assert "7 on hand." in told, "as it is now"
    assert alice.get("/item/chair").json["stock"] == 7
    assert seen(alices, STORE)[FIELD] != form[FIELD]
    assert seen(alices, STORE)["delta.1"] == ""


def test_a_new_showing_counts_anew(alices: Browser, alice: Person) -> None:
    for _ in range(2):
        assert alices.post(STORE, seen(alices, STORE) | {"delta.1": "5"}).status_code == 303
    assert alice.get("/item/chair").json["stock"] == 10


def test_the_time_of_the_first_is_told(alices: Browser, clock: Clock) -> None:
    clock.now = 1_800_000_000 // 86_400 * 86_400 + 14 * 3600 + 2 * 60
    alices.sign_in("alice")
    form = seen(alices, CHAIR) | {"sku.1": "A-1"}
    alices.post(CHAIR, form)
    clock.now += 600
    page = alices.follow(alices.post(CHAIR, form))
    assert "Saved at 14:02 UTC : this form has come more than once" in said(page)
    assert 'class="clock" datetime="2027-01-15T14:02:00Z"' in page.text
    assert values(page)["sku.1"] == "A-1"


def test_the_key_with_other_content_shows_the_form_again_with_another(alices: Browser, alice: Person) -> None:
    form = seen(alices, STORE) | {"delta.1": "5"}
    alices.post(STORE, form)
    page = alices.post(STORE, form | {"delta.1": "7"})
    assert page.status_code == 422
    assert re.search(
        r"This form was already saved at <time [^>]*>\d\d:\d\d UTC</time>, with other content\.", page.text
    )
    typed = fields(page)
    assert typed["delta.1"] == "7"
    assert alice.get("/item/chair").json["stock"] == 5
    assert alices.post(STORE, typed).status_code == 303
    assert alice.get("/item/chair").json["stock"] == 12


def test_what_was_refused_may_be_put_right(alices: Browser, alice: Person) -> None:
    form = seen(alices, STORE) | {"delta.1": "-5"}
    assert alices.post(STORE, form).status_code == 400
    assert alices.post(STORE, form | {"delta.1": "5"}).status_code == 303, "it had no effect: the key is still good"
    assert alice.get("/item/chair").json["stock"] == 5


def test_the_password_is_changed_once(alices: Browser, alice: Person) -> None:
    form = {FIELD: alices.new_key(), "current_password": PASSWORD, "new_password": NEW, "repeated": NEW}
    alices.post("/console/account/password", form)
    told = said(alices.follow(alices.post("/console/account/password", form)))
    assert re.search(r"Saved at \d\d:\d\d UTC .* Your password is changed", told)


def test_a_secret_is_shown_once(alices: Browser, engine: sa.Engine) -> None:
    form = {FIELD: alices.new_key(), "url": "https://shop.example/hook"}
    secret = values(alices.post(f"{STORE}/webhooks", form))["secret"]
    page = alices.follow(alices.post(f"{STORE}/webhooks", form))
    assert "The secret was shown then, and is shown only once." in said(page)
    assert secret not in page.text
    form = {FIELD: alices.new_key()}
    secret = values(alices.post("/console/webhooks/1/rotate", form))["secret"]
    page = alices.follow(alices.post("/console/webhooks/1/rotate", form))
    assert "The secret was shown then, and is shown only once." in said(page)
    assert secret not in page.text


def test_every_change_counts_once(
    console_world: sa.Engine, settings: Settings, client: testing.TestClient, tokens: Tokens, clock: Clock
) -> None:
    """Each is answered alike, and changes nothing the second time."""
    allowed = [each for each in CHANGES if EXPECTED[each]["admin"] in ("200", "303")]
    for operation in sorted(allowed, key=LAST.__contains__):
        browser = knock(console_world, client, tokens, clock, "admin")
        given = {FIELD: browser.new_key()} | FORMS.get(operation, {})
        first = browser.post(path_of(operation), given, file=FILES.get(operation))
        done = everything(console_world, settings)
        again = browser.post(path_of(operation), given, file=FILES.get(operation))
        assert everything(console_world, settings) == done, operation
        location = again.headers["location"].partition("?")[0]
        expected = first.headers.get("location", "/console/webhooks/")
        if operation == "POST /console/sign-out":
            assert location == expected == "/console/sign-in"
        elif operation == "POST /console/confirm":
            assert location == "/console"
        else:
            assert (operation, location.startswith(expected)) == (operation, True)
            assert (operation, "counts once." in said(browser.follow(again))) == (operation, True)


# At once


@pytest.fixture
def workers(engine: sa.Engine, settings: Settings) -> Iterator[list[Any]]:
    with concurrent_workers.worker(settings) as first, concurrent_workers.worker(settings) as second:
        yield [first, second]


def test_enter_pressed_twice_counts_once(workers: list[Any], parts: Parts, alice: Person) -> None:
    """Without script: the second arrives while the first is worked on, here or at another worker, and waits for it."""
    form = {FIELD: FormKeys(parts.keys).create(1), "delta.1": "5", "back": STORE}
    token = Tokens(parts.keys, Lifetimes()).console(1, sid_of(alice), ends_at=2**40)
    answers = concurrent_workers.at_once(workers, [sent(form, token)] * 8)
    assert concurrent_workers.statuses(answers) == {303: 8}
    assert alice.get("/item/chair").json["stock"] == 5


def sid_of(person: Person) -> int:
    (known,) = person.get("/sessions").json["sessions"]
    return int(known["id"])


def sent(form: dict[str, str], token: str) -> Call:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"storekeeper={token}"} | SAME_ORIGIN
    return Call("POST", STORE, urlencode(form).encode(), more=tuple(headers.items()))


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_form_that_is_still_worked_on_is_shown_again_with_its_key(
    url: str, alices: Browser, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another it would count twice, if the first is carried out after all."""
    monkeypatch.setattr(view, "KEY_SECONDS", 0.0)
    form = seen(alices, STORE) | {"delta.1": "5"}
    engine = create_engine(url)
    with transaction(engine) as conn:
        idempotency.run(conn, idempotency.of(1, form[FIELD], ""), (), user.has_admin, ())
        shown = alices.post(STORE, form)
        conn.rollback()
    engine.dispose()
    assert shown.status_code == 409
    assert "The server is still processing this form." in said(shown)
    again = fields(shown)
    assert (again[FIELD], again["delta.1"]) == (form[FIELD], "5")
    assert alices.post(STORE, again).status_code == 303
    assert alice.get("/item/chair").json["stock"] == 5


# Keys


def test_no_change_is_taken_without_a_key(
    console_world: sa.Engine, settings: Settings, client: testing.TestClient, tokens: Tokens, clock: Clock
) -> None:
    browser = knock(console_world, client, tokens, clock, "admin")
    before = everything(console_world, settings)
    for operation in CHANGES:
        for key in ("", "1.abc.def", f"4.{'x' * 2000}", "4..", "ü"):
            form = FORMS.get(operation, {}) | {FIELD: key}
            answer = browser.post(path_of(operation), form, file=FILES.get(operation))
            assert (operation, answer.status_code) == (operation, 400)
            assert "This form came without its key" in said(answer), operation
    assert everything(console_world, settings) == before


def test_a_form_without_a_key_is_shown_again_as_it_was(alices: Browser, alice: Person) -> None:
    page = alices.post(CHAIR, seen(alices, CHAIR) | {"sku.1": "A-1", "delta.1": "5", FIELD: ""})
    again = fields(page)
    assert (page.status_code, again["sku.1"], again["delta.1"]) == (400, "A-1", "5")
    assert alice.get("/item/chair").json["sku"] is None
    assert alices.post(CHAIR, again).status_code == 303
    assert (alice.get("/item/chair").json["sku"], alice.get("/item/chair").json["stock"]) == ("A-1", 5)


def test_a_form_with_a_file_without_a_key(alices: Browser, alice: Person) -> None:
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nx\r\n--{BOUNDARY}--\r\n'
    )
    headers = SAME_ORIGIN | {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    headers["Cookie"] = f"storekeeper={alices.cookies['storekeeper']}"
    answer = alices.client.simulate_post(f"{CHAIR}/image", body=body, headers=headers)
    assert (answer.status_code, "This form came without its key" in said(answer)) == (400, True)


def test_the_form_of_somebody_who_was_signed_in_before(
    alices: Browser, client: testing.TestClient, bob: Person
) -> None:
    """In another tab somebody else has signed in: what Alice typed is not saved in their name, nor shown to them."""
    form = seen(alices, CHAIR) | {"sku.1": "of-alice"}
    alices.sign_in("bob")
    page = alices.post(CHAIR, form)
    assert (page.status_code, "of-alice" in page.text) == (400, False)
    assert "This form was shown to another user" in said(page)
    assert bob.get("/item/chair").json["sku"] is None


def test_a_key_outlives_the_rotation_of_the_secrets(alices: Browser, parts: Parts, settings: Settings) -> None:
    form = seen(alices, CHAIR) | {"sku.1": "A-1"}
    rotate(settings.keys_path, 3600)
    parts.keys._looked_at = 0.0
    parts.keys.reload()
    assert alices.post(CHAIR, form).status_code == 303
    assert FormKeys(parts.keys).find_user_id(form[FIELD]) == 1


def test_signing_in_needs_none(client: testing.TestClient, engine: sa.Engine) -> None:
    """Nothing is done twice there, and programs that sign in know of none."""
    answer = Browser(client).post("/console/sign-in", {"username": "alice", "password": PASSWORD})
    assert answer.status_code == 303
    assert FIELD in values(Browser(client).get("/console/sign-in"))
    assert wrong(answer) == {}


# What was seen


def test_what_was_seen_stays_what_was_seen_when_a_form_is_refused(alices: Browser, bob: Person, alice: Person) -> None:
    """Or what others have done meanwhile would be undone by who put something else right."""
    form = seen(alices, CHAIR) | {"sku.1": "A-1", "barcode.1": "123"}
    bob.patch("/item/chair", {"sku": "B-1", "tags": ["new"]})
    refused = fields(alices.post(CHAIR, form))
    assert (refused["sku.1"], refused["was-sku.1"]) == ("A-1", "")
    assert (refused["tags.1"], refused["was-tags.1"]) == ("new", "new"), "nothing was typed there"
    page = alices.post(CHAIR, refused | {"barcode.1": ""})
    assert (page.status_code, [*wrong(page)]) == (409, ["sku.1"])
    assert alice.get("/item/chair").json["sku"] == "B-1"
    form = seen(alices, STORE) | {"price.1": "16", "delta.1": "x"}
    bob.patch("/item/chair", {"price": 17})
    refused = fields(alices.post(STORE, form))
    assert (refused["price.1"], refused["was-price.1"]) == ("16", "15.99")
