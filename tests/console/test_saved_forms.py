"""What was typed is here again, once who typed it has signed in, or given their password."""

import re
from html import unescape

import sqlalchemy as sa
from falcon import testing

from storekeeper.components import Parts, create_components
from storekeeper.console.form_keys import FIELD
from storekeeper.console.routes import create_console_components, create_routes
from storekeeper.console.saved_forms import PASSWORDS
from storekeeper.database.engine import transaction
from storekeeper.models import saved_form, session
from storekeeper.models.saved_form import MAX_OF_USER, RETENTION_SECONDS, kept_forms
from storekeeper.settings import Settings
from tests.conftest import Clock, Person
from tests.console.test_access_table import EXPECTED
from tests.support import images
from tests.support.cast import PASSWORD
from tests.support.console_browser import Browser, fields, said, values

STORE = "/console/store/ikea"
CHAIR = f"{STORE}/item/chair"
NEW_ITEM = f"{STORE}/new-item"
HOUR = 3600
SIGNED_OUT = "Your session ended before this was saved."


def end_sessions(engine: sa.Engine, user_id: int = 1) -> None:
    with transaction(engine) as conn:
        session.end_others(conn, user_id)


def sign_in(browser: Browser, asked: testing.Result, username: str = "alice") -> testing.Result:
    """Fill in the page that is led to, and follow to where it leads."""
    page = browser.follow(asked)
    form = {"username": username, "password": PASSWORD, "next": values(page)["next"]}
    return browser.follow(browser.post("/console/sign-in", form))


def kept(engine: sa.Engine) -> list[str]:
    with engine.connect() as conn:
        return list(conn.scalars(sa.select(kept_forms.c.content)))


def test_what_was_typed_is_here_again_after_signing_in(alices: Browser, engine: sa.Engine, alice: Person) -> None:
    form = fields(alices.get(CHAIR)) | {"sku.1": "A-1", "delta.1": "5", "description.1": "Oak.\n<b>"}
    end_sessions(engine)
    asked = alices.post(CHAIR, form)
    assert asked.headers["location"] == f"/console/sign-in?next={CHAIR.replace('/', '%2F')}%3Fkept%3D1"
    signing_in = alices.get(asked.headers["location"])
    assert f"{SIGNED_OUT} Sign in, and your input is here again." in said(signing_in)
    assert "A-1" not in signing_in.text
    page = sign_in(alices, asked)
    assert f"{SIGNED_OUT} Your input is here again: check it, and send it." in said(page)
    typed = fields(page)
    assert (typed["sku.1"], typed["delta.1"], "Oak.\n&lt;b&gt;" in page.text) == ("A-1", "5", True)
    assert typed["was-sku.1"] == ""
    assert alice.get("/item/chair").json["sku"] is None, "nothing is saved by itself"
    assert "Saved." in said(alices.follow(alices.post(CHAIR, typed | {"description.1": "Oak.\n<b>"})))
    assert (alice.get("/item/chair").json["sku"], alice.get("/item/chair").json["stock"]) == ("A-1", 5)
    assert SIGNED_OUT not in said(alices.get(f"{CHAIR}?kept=1")), "once it is saved it is forgotten"


def test_what_had_been_saved_already_counts_once(alices: Browser, engine: sa.Engine, alice: Person) -> None:
    """The answer was lost, and then the session ended."""
    form = fields(alices.get(STORE)) | {"delta.1": "5"}
    alices.post(STORE, form)
    end_sessions(engine)
    again = fields(sign_in(alices, alices.post(STORE, form)))
    assert (again[FIELD], again["delta.1"]) == (form[FIELD], "5")
    assert alices.post(STORE, again).status_code in (303, 422)
    alice.log_in()
    assert alice.get("/item/chair").json["stock"] == 5


def test_what_others_did_meanwhile_is_not_overwritten(
    alices: Browser, engine: sa.Engine, alice: Person, bob: Person
) -> None:
    form = fields(alices.get(STORE)) | {"price.1": "16"}
    end_sessions(engine)
    bob.patch("/item/chair", {"price": 500})
    typed = fields(sign_in(alices, alices.post(STORE, form)))
    assert (typed["price.1"], typed["was-price.1"]) == ("16", "15.99")
    assert alices.post(STORE, typed).status_code == 409
    assert bob.get("/item/chair").json["price"] == 500


def test_the_ticked_items_and_the_list_are_here_again(alices: Browser, engine: sa.Engine) -> None:
    form = [*fields(alices.get(f"{STORE}?sort=-price")).items(), ("item", "1"), ("action", "tag"), ("value", "")]
    form = [(name, "sale" if name == "value" else value) for name, value in form if name != "item"] + [("item", "1")]
    end_sessions(engine)
    page = sign_in(alices, alices.post(f"{STORE}/selection", form))
    assert re.search(r'name="item" value="1"[^>]* checked', page.text)
    assert 'value="tag" selected' in page.text
    assert fields(page)["back"] == f"{STORE}?sort=-price"


def test_a_cookie_that_is_gone_loses_nothing(alices: Browser, engine: sa.Engine) -> None:
    """In another tab somebody has signed out: the key tells whose form it is."""
    form = fields(alices.get(CHAIR)) | {"sku.1": "A-1"}
    alices.cookies.clear()
    assert fields(sign_in(alices, alices.post(CHAIR, form)))["sku.1"] == "A-1"


def test_nobody_else_sees_it(alices: Browser, client: testing.TestClient, engine: sa.Engine) -> None:
    """Neither who signs in at that browser, nor the same user at another."""
    form = fields(alices.get(CHAIR)) | {"sku.1": "of-alice"}
    end_sessions(engine)
    asked = alices.post(CHAIR, form)
    cookies = dict(alices.cookies)
    page = sign_in(alices, asked, "bob")
    assert ("of-alice" in page.text, SIGNED_OUT in said(page)) == (False, False)
    other = Browser(client, "alice")
    assert "of-alice" not in other.get(f"{CHAIR}?kept=1").text
    alices.cookies = cookies
    assert "of-alice" in sign_in(alices, asked).text
    assert "of-alice" not in alices.get(f"{STORE}?kept=1").text, "nor another page"


def test_it_is_forgotten_after_an_hour(alices: Browser, engine: sa.Engine, clock: Clock) -> None:
    form = fields(alices.get(CHAIR)) | {"sku.1": "A-1"}
    end_sessions(engine)
    asked = alices.post(CHAIR, form)
    clock.now += RETENTION_SECONDS + 1
    assert fields(sign_in(alices, asked))["sku.1"] == ""
    end_sessions(engine)
    alices.post(CHAIR, form)
    with transaction(engine) as conn:
        saved_form.forget(conn)
    assert len(kept(engine)) == 1, "what is over is deleted"


def test_so_much_of_a_user_is_kept(alices: Browser, engine: sa.Engine, clock: Clock) -> None:
    form = fields(alices.get(CHAIR))
    end_sessions(engine)
    for number in range(MAX_OF_USER + 3):
        clock.now += 1
        alices.post(CHAIR, form | {"sku.1": f"A-{number}"})
    assert sorted(re.findall(r"A-\d", " ".join(kept(engine)))) == ["A-3", "A-4", "A-5", "A-6", "A-7"]
    asked = alices.post(STORE, form | {"price.1": "1" * 70_000})
    assert "kept" not in asked.headers["location"]
    assert SIGNED_OUT in said(alices.follow(asked))
    assert len(kept(engine)) == MAX_OF_USER


def test_a_stranger_keeps_nothing(client: testing.TestClient, engine: sa.Engine) -> None:
    browser = Browser(client)
    key = values(browser.get("/console/sign-in"))[FIELD]
    for form in ({FIELD: key, "sku.1": "A-1"}, {FIELD: "1.a.b"}, {"sku.1": "A-1"}):
        assert "kept" not in browser.post(CHAIR, form).headers["location"]
    browser.post(CHAIR, {FIELD: key}, {"Sec-Fetch-Site": "cross-site"})
    assert kept(engine) == []


def test_what_was_typed_is_here_again_after_the_password_was_asked_for(
    alices: Browser, clock: Clock, alice: Person
) -> None:
    form = fields(alices.get("/console/account")) | {FIELD: str(alices.new_key())}
    clock.now += 15 * 60 + 31
    place = "/console/account/password"
    typed = form | {"current_password": PASSWORD, "new_password": "another horse battery", "repeated": "x"}
    asked = alices.post(place, typed)
    assert asked.headers["location"] == "/console/confirm?next=%2Fconsole%2Faccount%2Fpassword%3Fkept%3D1"
    page = alices.follow(asked)
    page = alices.follow(alices.post("/console/confirm", {"password": PASSWORD, "next": values(page)["next"]}))
    assert "This requires your password, and is not saved yet." in said(page)
    assert "Passwords are not kept: enter them again." in said(page)
    assert "horse" not in page.text


def test_passwords_are_not_kept(alices: Browser, engine: sa.Engine) -> None:
    key = alices.new_key()
    end_sessions(engine)
    secret = "another horse battery"
    form = {FIELD: key, "current_password": PASSWORD, "new_password": secret, "repeated": secret}
    alices.post("/console/account/password", form)
    (content,) = kept(engine)
    assert "horse" not in content
    assert '"has_passwords":true' in content


def test_every_field_for_a_password_is_known(
    client: testing.TestClient, engine: sa.Engine, parts: Parts, settings: Settings
) -> None:
    browser = Browser(client, "root")
    found = set()
    pages = create_routes(create_console_components(create_components(settings, parts)))
    for template in pages:
        path = re.sub(r"\{(\w+)(:\w+)?\}", lambda match: {"name": "ikea", "user_id": "2"}.get(match[1], "1"), template)
        found |= set(re.findall(r'name="(\w+)" type="password"', browser.get(path).text))
    found |= set(re.findall(r'name="(\w+)" type="password"', Browser(client).get("/console/sign-in").text))
    assert found == PASSWORDS - {"setup_token"}
    assert len(pages) <= len(EXPECTED)


def test_a_file_has_to_be_chosen_again(alices: Browser, engine: sa.Engine) -> None:
    png = images.encoded(images.two_colours(8, 8), "PNG")
    key = alices.new_key()
    end_sessions(engine)
    page = sign_in(alices, alices.post(f"{CHAIR}/image", {FIELD: key}, file=("chair.png", png)))
    assert "Files are not kept: choose your file again." in said(page)
    key = alices.new_key()
    end_sessions(engine)
    form = {FIELD: key, "match": "sku", "columns": "Artikel:name"}
    page = sign_in(alices, alices.post(f"{STORE}/import", form, file=("a.csv", b"name\r\n" * 40_000)))
    assert 'value="sku" selected' in page.text
    assert values(page)["columns"] == "Artikel:name"


def test_a_page_with_other_letters_is_come_back_to(alices: Browser, engine: sa.Engine) -> None:
    alices.post("/console/new-store", {"name": "Möbel/Süd", "currency": "EUR"})
    place = "/console/store/M%C3%B6bel%2FS%C3%BCd"
    form = fields(alices.get(f"{place}/settings")) | {"name": "Möbel & Süd"}
    end_sessions(engine)
    assert (
        alices.get(f"{place}?sort=-price")
        .headers["location"]
        .endswith("M%25C3%25B6bel%252FS%25C3%25BCd%3Fsort%3D-price")
    )
    typed = fields(sign_in(alices, alices.post(f"{place}/settings", form)))
    assert unescape(typed["name"]) == "Möbel & Süd"
