"""Webhooks over HTTP: who may have what sent where, what is shown of it, and what is done with it."""

from typing import Any

import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.app import create_app
from storekeeper.components import Parts
from storekeeper.models import journal, session, store_member, webhook_queue
from storekeeper.models.webhook import MAX_OF_USER, deliveries
from storekeeper.settings import Settings
from tests.conftest import Person, as_served
from tests.support.cli_runner import run_with, says
from tests.support.databases import transaction
from tests.support.webhook_senders import agree

URL = "https://shop.example/hook?key=secret"


def add(person: Person, url: str = URL, **more: Any) -> testing.Result:
    return person.post("/webhooks", {"url": url, "store": "ikea"} | more)


@pytest.fixture
def hook(alice: Person) -> dict[str, Any]:
    """Alice's, for her store."""
    answer = add(alice)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


@pytest.fixture
def active(hook: dict[str, Any], engine: sa.Engine) -> dict[str, Any]:
    """The same, once its receiver has agreed."""
    with transaction(engine) as conn:
        agree(conn)
        conn.execute(sa.delete(deliveries))
    return hook


def test_an_owner_has_the_changes_of_his_store_sent(alice: Person, hook: dict[str, Any]) -> None:
    secret = hook.pop("secret")
    assert secret.startswith("whsec_")
    assert alice.get("/webhooks/1").json == hook
    assert alice.get("/webhooks").json == {"webhooks": [hook]}
    assert (hook["id"], hook["url"], hook["store"], hook["store_id"], hook["user_id"]) == (1, URL, "ikea", 1, 1)
    assert (hook["state"], hook["is_active"], hook["reason"]) == ("pending", False, None)


def test_administrators_have_those_of_all_stores(root: Person, alice: Person, hook: dict[str, Any]) -> None:
    answer = root.post("/webhooks", {"url": URL})
    assert (answer.status_code, answer.headers["location"], answer.json["store"]) == (201, "/webhooks/2", None)
    assert [each["id"] for each in root.get("/webhooks").json["webhooks"]] == [1, 2]
    assert [each["id"] for each in alice.get("/webhooks").json["webhooks"]] == [1]
    assert alice.get("/webhooks/2").status_code == 404
    refused = alice.post("/webhooks", {"url": URL})
    assert (refused.status_code, refused.json["error"]) == (403, "forbidden")
    assert add(alice, store="nowhere").status_code == 404


def test_for_others_there_is_none(bob: Person, carol: Person, hook: dict[str, Any]) -> None:
    for person in (bob, carol):
        assert add(person).status_code == 403
        assert person.get("/webhooks").json == {"webhooks": []}
        for method, path, body in (
            ("GET", "/webhooks/1", None),
            ("PATCH", "/webhooks/1", {"is_active": False}),
            ("DELETE", "/webhooks/1", None),
            ("POST", "/webhooks/1/rotate", None),
            ("POST", "/webhooks/1/test", None),
            ("POST", "/webhooks/1/replay", {"after": 0}),
            ("GET", "/webhooks/1/deliveries", None),
            ("POST", "/webhooks/1/deliveries/1/replay", None),
        ):
            answer = person.call(method, path, body)
            assert (answer.status_code, answer.json["message"]) == (404, "Webhook not found."), path


def test_who_owns_the_store_no_longer_sees_it_no_longer(
    alice: Person, engine: sa.Engine, hook: dict[str, Any], bob: Person
) -> None:
    with transaction(engine) as conn:
        store_member.put(conn, 4, "ikea", "bob", "owner")
        store_member.delete(conn, 1, "ikea", "alice")
    assert alice.get("/webhooks/1").status_code == 404
    assert bob.get("/webhooks/1").status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/latest",
        "http://[::ffff:10.0.0.1]/",
        "http://alice:secret@shop.example/",
        "ftp://shop.example/",
        "shop.example",
        "",
        "http://shop.example/\n",
        "http://shop.example/" + "a" * 2000,
    ],
)
def test_a_url_that_may_not_be_is_refused_and_not_repeated(alice: Person, hook: dict[str, Any], target: str) -> None:
    for answer in (add(alice, target), alice.patch("/webhooks/1", {"url": target})):
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "url")
        assert "secret" not in answer.text
    assert alice.get("/webhooks/1").json["url"] == URL


def test_what_the_operator_allows_may_be(parts: Parts, settings: Settings) -> None:
    allowing = Settings(data=settings.data, database_url=settings.database_url, webhook_networks=("10.0.0.0/8",))
    alice = Person(testing.TestClient(as_served(create_app(allowing, parts))), "alice", 1)
    assert add(alice, "http://10.1.2.3/").status_code == 201
    assert add(alice, "http://127.0.0.1/").status_code == 400


def test_a_user_has_so_many_at_the_most(alice: Person, root: Person) -> None:
    for _ in range(MAX_OF_USER):
        assert add(alice).status_code == 201
    for person in (alice, root):
        refused = add(person)
        assert (refused.status_code, refused.json["error"]) == (409, "too_many_webhooks"), "the store has as many, too"
    assert root.post("/webhooks", {"url": URL}).status_code == 201
    assert alice.delete("/webhooks/1").json == {"message": "Webhook deleted."}
    assert add(alice).status_code == 201


def test_a_secret_is_shown_once_and_changed(alice: Person, hook: dict[str, Any]) -> None:
    rotated = alice.post("/webhooks/1/rotate").json
    assert rotated["secret"] != hook["secret"]
    for path in ("/webhooks", "/webhooks/1", "/webhooks/1/deliveries"):
        assert "whsec_" not in alice.get(path).text


def test_a_key_makes_one_webhook(alice: Person) -> None:
    key = {"Idempotency-Key": "one"}
    first, second = [alice.post("/webhooks", {"url": URL, "store": "ikea"}, headers=key) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json["secret"].startswith("whsec_")
    assert second.json == first.json | {"secret": None}
    assert len(alice.get("/webhooks").json["webhooks"]) == 1


def test_a_ping_waits_to_be_sent(alice: Person, active: dict[str, Any]) -> None:
    pings = [alice.post("/webhooks/1/test").json for _ in range(2)]
    first = pings[0]["id"]
    assert [ping["message_id"] for ping in pings] == [f"msg_1_ping_{first}", f"msg_1_ping_{first + 1}"]
    listed = alice.get("/webhooks/1/deliveries").json["deliveries"]
    assert listed == pings[::-1]
    assert (listed[0]["state"], listed[0]["attempts"], listed[0]["status"], listed[0]["error"]) == (
        "pending",
        0,
        None,
        None,
    )


def test_deliveries_come_in_pages_and_by_state(alice: Person, engine: sa.Engine, active: dict[str, Any]) -> None:
    sent = [alice.post("/webhooks/1/test").json["id"] for _ in range(5)]
    with transaction(engine) as conn:
        ended = {"state": "failed", "next_at": None, "ended_at": 1}
        conn.execute(sa.update(deliveries).where(deliveries.c.id.in_([sent[1], sent[3]])).values(ended))
    path, ids = "/webhooks/1/deliveries?limit=2", []
    while path:
        page = alice.get(path).json
        ids += [each["id"] for each in page["deliveries"]]
        path = page.get("next")
    assert ids == sent[::-1]
    failed = alice.get("/webhooks/1/deliveries?state=failed").json["deliveries"]
    assert [each["id"] for each in failed] == [sent[3], sent[1]]
    again = alice.post(f"/webhooks/1/deliveries/{sent[3]}/replay")
    assert (again.status_code, again.json["state"], again.json["ended_at"]) == (202, "pending", None)
    assert alice.post("/webhooks/1/deliveries/99/replay").json["message"] == "Delivery not found."


def test_one_that_pauses_sends_nothing_on_request(alice: Person, active: dict[str, Any]) -> None:
    alice.post("/webhooks/1/test")
    assert alice.patch("/webhooks/1", {"is_active": False}).json["is_active"] is False
    for path, body in (("test", None), ("replay", {"after": 0}), ("deliveries/1/replay", None)):
        answer = alice.post(f"/webhooks/1/{path}", body)
        assert (answer.status_code, answer.json["error"]) == (409, "webhook_inactive")
    changed = alice.patch("/webhooks/1", {"is_active": True, "url": "https://shop.example/other"}).json
    assert (changed["state"], changed["is_active"], changed["url"]) == ("active", True, "https://shop.example/other")
    assert alice.patch("/webhooks/1", {}).json == changed


def test_going_back_to_what_is_forgotten_is_refused(alice: Person, engine: sa.Engine, active: dict[str, Any]) -> None:
    assert alice.post("/webhooks/1/replay", {"after": 2}).json["cursor"] == 2
    with transaction(engine) as conn:
        journal.forget(conn, 2**40)
    answer = alice.post("/webhooks/1/replay", {"after": 2})
    assert (answer.status_code, answer.json["error"]) == (410, "resync_required")
    assert alice.post("/webhooks/1/replay", {"after": 10**9}).status_code == 410
    assert alice.post("/webhooks/1/replay", {"after": -1}).status_code == 400


def test_a_sender_is_woken_where_nobody_sends(alice: Person, parts: Parts, engine: sa.Engine) -> None:
    woken: list[int] = []
    parts.sender.start_if_idle = lambda: woken.append(1)  # type: ignore[method-assign]
    add(alice)
    assert len(woken) == 1
    with transaction(engine) as conn:
        webhook_queue.claim(conn, "another")
    alice.post("/webhooks/1/test")
    add(alice)
    assert len(woken) == 2


def test_a_demoted_administrator_sees_those_of_all_stores_no_longer(root: Person, engine: sa.Engine) -> None:
    root.post("/webhooks", {"url": URL})
    with transaction(engine) as conn:
        session.change_user(conn, 1, True, None)
        session.change_user(conn, 4, False, None)
    root.log_in()
    assert root.get("/webhooks/1").status_code == 404
    assert root.get("/webhooks").json == {"webhooks": []}


# The command line


def test_the_operator_adds_lists_and_removes(engine: sa.Engine, settings: Settings) -> None:
    id, secret = run_with(settings, "webhooks", "add", URL, "--store", "ikea").stdout.strip().split("\t")
    assert (id, secret[:6]) == ("1", "whsec_")
    run_with(settings, "webhooks", "add", URL)
    assert run_with(settings, "webhooks", "list").stdout == f"1\tpending\tikea\t{URL}\n2\tpending\t\t{URL}\n"
    assert run_with(settings, "webhooks", "remove", "1").stdout == "Webhook 1 is deleted.\n"
    says(run_with(settings, "webhooks", "remove", "1"), 1, "Webhook not found.")
    says(run_with(settings, "webhooks", "add", "http://10.0.0.1/"), 1, "This address may not be reached from here.")
    allowed = {"STOREKEEPER_WEBHOOK_NETWORKS": "10.0.0.0/8"}
    assert run_with(settings, "webhooks", "add", "http://10.0.0.1/", **allowed).exit_code == 0


def test_the_operator_sees_what_was_sent_and_sends_it_again(
    settings: Settings, alice: Person, engine: sa.Engine
) -> None:
    add(alice)
    with transaction(engine) as conn:
        agree(conn)
    ping = alice.post("/webhooks/1/test").json
    line = f"{ping['id']}\t{ping['message_id']}\tping\tpending\t0\t\t\n"
    assert run_with(settings, "webhooks", "deliveries", "1").stdout == line
    assert run_with(settings, "webhooks", "replay", "1", "--delivery", str(ping["id"])).stdout == "It will be sent.\n"
    assert run_with(settings, "webhooks", "replay", "1", "--after", "1").exit_code == 0
    assert alice.get("/webhooks/1").json["cursor"] == 1
    assert run_with(settings, "webhooks", "replay", "1").exit_code == 2
    assert run_with(settings, "webhooks", "replay", "1", "--after", "1", "--delivery", "1").exit_code == 2
