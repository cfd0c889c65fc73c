"""Consent: nothing is sent to a receiver that has not agreed, and to one that has no more than it should bear."""

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from falcon import testing
from standardwebhooks import Webhook as Verifier

from storekeeper.app import create_app
from storekeeper.components import Parts
from storekeeper.concurrency.rate_limiter import DeliveryLimits, RateLimiter
from storekeeper.models import webhook, webhook_queue
from storekeeper.models.webhook import MAX_OF_STORE, MAX_TESTS, webhooks
from storekeeper.settings import Settings
from tests.conftest import Clock, Person, as_served
from tests.support.cli_runner import run_with, says
from tests.support.databases import transaction
from tests.support.webhook_receiver import HANG, Receive
from tests.support.webhook_senders import PATIENT, add, agree, has_ended, now, sell, send, shown, told

URL = "https://shop.example/hook"


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storekeeper.webhooks.sender.GRACE_SECONDS", 0.05)
    monkeypatch.setattr("storekeeper.webhooks.http_client.BODY_SECONDS", PATIENT)  # a busy machine is no refusal


def ask(engine: sa.Engine, url: str) -> webhook.NewSecret:
    """A webhook of the operator's, whose receiver has not agreed yet."""
    with transaction(engine) as conn:
        return webhook.add(conn, None, url, "ikea")


def nonce(engine: sa.Engine, webhook_id: int = 1) -> str | None:
    with engine.connect() as conn:
        return conn.scalars(sa.select(webhooks.c.nonce).where(webhooks.c.id == webhook_id)).one()


def types(receiver: Any) -> list[str]:
    return [message.json["type"] for message in (*receiver.challenges, *receiver.messages)]


def test_a_receiver_that_repeats_the_challenge_gets_what_was_changed_since(engine: sa.Engine, receive: Receive) -> None:
    receiver = receive(agrees=True)
    hook = ask(engine, receiver.url)
    expected = nonce(engine)
    assert (hook.state, hook.is_active) == ("pending", False)
    sell(engine, 2)
    send(engine, lambda: now(engine).is_active and has_ended(engine))
    assert types(receiver) == ["webhook.challenge", "item.create", "item.create"]
    (challenge,) = receiver.challenges
    Verifier(shown(hook)).verify(challenge.body, challenge.headers)
    assert challenge.json["data"] == {"challenge": expected}
    assert (nonce(engine), now(engine).state) == (None, "active")
    assert next((each.type, each.state) for each in told(engine)) == ("webhook.challenge", "delivered")


@pytest.mark.parametrize("said", [b"", b"{}", b'{"challenge": "no"}', b'{"challenge": 1}', b"[", b'{"challenge":null}'])
def test_any_other_answer_is_no_consent(engine: sa.Engine, receive: Receive, said: bytes) -> None:
    receiver = receive(says=said)
    ask(engine, receiver.url)
    sell(engine)
    send(engine, lambda: now(engine).state == "paused", retries=(0, 0))
    assert types(receiver) == ["webhook.challenge"] * 3
    assert now(engine).reason == "Its receiver has not answered the challenge."
    (failed,) = told(engine)
    assert (failed.state, failed.status) == ("failed", 200)
    assert failed.error == "The answer does not repeat the challenge."
    with transaction(engine) as conn:
        webhook.change(conn, None, 1, None, True)
    receiver.agrees = True
    send(engine, lambda: now(engine).is_active and has_ended(engine))
    assert types(receiver) == ["webhook.challenge"] * 4 + ["item.create"]


def test_an_owner_hands_in_what_the_challenge_said(alice: Person, engine: sa.Engine) -> None:
    alice.post("/webhooks", {"url": URL, "store": "ikea"})
    for path, body in (("test", None), ("replay", {"after": 0}), ("deliveries/1/replay", None)):
        refused = alice.post(f"/webhooks/1/{path}", body)
        assert (refused.status_code, refused.json["error"]) == (409, "webhook_pending"), path
    wrong = alice.post("/webhooks/1/verify", {"challenge": "no"})
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (400, "challenge")
    assert alice.get("/webhooks/1").json["state"] == "pending"
    right = nonce(engine)
    for path in ("/webhooks", "/webhooks/1", "/webhooks/1/deliveries"):
        assert str(right) not in alice.get(path).text
    verified = alice.post("/webhooks/1/verify", {"challenge": right})
    assert (verified.status_code, verified.json["state"], verified.json["is_active"]) == (200, "active", True)
    assert alice.get("/webhooks/1/deliveries").json["deliveries"][0]["state"] == "failed", "nobody asks any more"
    assert alice.post("/webhooks/1/verify", {"challenge": "x"}).json["state"] == "active"
    assert alice.post("/webhooks/1/test").status_code == 202


@pytest.mark.parametrize(
    ("target", "state"),
    [
        ("https://shop.example/other?x", "active"),
        ("https://SHOP.example./hook", "active"),
        ("http://shop.example:443/hook", "active"),
        ("https://shop.example:8443/hook", "pending"),
        ("http://shop.example/hook", "pending"),
        ("https://other.example/hook", "pending"),
    ],
)
def test_another_host_or_port_has_to_agree_as_well(alice: Person, engine: sa.Engine, target: str, state: str) -> None:
    alice.post("/webhooks", {"url": URL, "store": "ikea"})
    before = nonce(engine)
    alice.post("/webhooks/1/verify", {"challenge": before})
    assert alice.patch("/webhooks/1", {"url": target}).json["state"] == state
    waiting = [each for each in told(engine) if each.state == "pending"]
    assert [each.type for each in waiting] == (["webhook.challenge"] if state == "pending" else [])
    if state == "pending":
        assert alice.post("/webhooks/1/verify", {"challenge": before}).status_code == 400


def test_an_answer_to_a_former_challenge_is_no_consent(engine: sa.Engine, receive: Receive) -> None:
    """The URL was changed while the challenge was under way."""
    ask(engine, "http://127.0.0.1:1/")
    with transaction(engine) as conn:
        webhook_queue.claim(conn, "me")
        (parcel,) = webhook_queue.due(conn, 1, (), 10)
        webhook.change(conn, None, 1, "http://127.0.0.1:2/", None)
        webhook_queue.claim(conn, "me")
        webhook_queue.note(conn, "me", parcel, webhook_queue.AttemptResult(200, None, 1, True, None))
    assert now(engine).state == "pending"
    assert [each.type for each in told(engine) if each.state == "pending"] == ["webhook.challenge"]


def test_nothing_is_made_or_sent_for_one_that_is_pending(engine: sa.Engine, receive: Receive) -> None:
    """Another webhook, which its sender comes to in the same round, shows that it had its turn."""
    receiver, other = receive(), receive()
    add(engine, other.url)
    hook = ask(engine, receiver.url)

    def go_round(count: int) -> None:
        send(engine, lambda: len(other.messages) == count and has_ended(engine, 1), retries=(PATIENT,))

    for count in (2, 4):
        sell(engine, 2, price=str(count))
        go_round(count)
    assert types(receiver) == ["webhook.challenge"]
    assert [(each.type, each.state) for each in told(engine, 2)] == [("webhook.challenge", "pending")]
    assert now(engine, 2).cursor == hook.cursor
    with transaction(engine) as conn:
        webhook.verify(conn, None, 2, nonce(engine, 2))
    sell(engine, price="6")
    send(engine, lambda: has_ended(engine, 2) and len(told(engine, 2)) == 6)
    _, *messages = receiver.messages
    data = {message.id: message.json["data"]["after"] for message in messages}
    assert len(messages) == 5
    assert data.keys() == {f"msg_2_{hook.cursor + number}" for number in range(1, 6)}
    assert data[f"msg_2_{hook.cursor + 5}"]["price"] == 6, "the first one after it has agreed"


def test_tests_and_challenges_that_are_asked_for_are_few(alice: Person, clock: Clock, engine: sa.Engine) -> None:
    alice.post("/webhooks", {"url": URL, "store": "ikea"})
    asked = [alice.post("/webhooks/1/verify") for _ in range(MAX_TESTS)]
    assert [each.status_code for each in asked] == [200] * (MAX_TESTS - 1) + [429]
    assert (asked[-1].json["error"], asked[-1].headers["retry-after"]) == ("too_many_tests", "60")
    clock.now += 61
    with transaction(engine) as conn:
        agree(conn)
    tested = [alice.post("/webhooks/1/test").status_code for _ in range(MAX_TESTS + 1)]
    assert tested == [202] * MAX_TESTS + [429]


def test_a_store_has_so_many_and_all_stores_as_many(root: Person, alice: Person, engine: sa.Engine) -> None:
    spare = {"url": URL, "secret": "", "is_active": True, "cursor": 0, "beat_at": 0, "created_at": 0}
    with transaction(engine) as conn:
        conn.execute(sa.insert(webhooks), [spare | {"user_id": 3, "store_id": 1} for _ in range(MAX_OF_STORE)])
        conn.execute(sa.insert(webhooks), [spare | {"owner_kind": "operator"} for _ in range(MAX_OF_STORE - 1)])
    for person in (root, alice):
        refused = person.post("/webhooks", {"url": URL, "store": "ikea"})
        assert (refused.status_code, refused.json["error"]) == (409, "too_many_webhooks")
    assert [root.post("/webhooks", {"url": URL}).status_code for _ in range(2)] == [201, 409]
    with transaction(engine) as conn:
        webhook.add(conn, None, URL, "ikea")  # the operator is not counted


@pytest.mark.parametrize(
    ("creation", "alices", "roots"), [("owners", 201, 201), ("administrators", 403, 201), ("operator", 403, 403)]
)
def test_a_setting_says_who_may_add(
    parts: Parts, settings: Settings, engine: sa.Engine, creation: Any, alices: int, roots: int
) -> None:
    client = testing.TestClient(
        as_served(create_app(msgspec.structs.replace(settings, webhook_creation=creation), parts))
    )
    alice, root = Person(client, "alice", 1), Person(client, "root", 4)
    assert alice.post("/webhooks", {"url": URL, "store": "ikea"}).status_code == alices
    assert root.post("/webhooks", {"url": URL, "store": "ikea"}).status_code == roots
    id = add(engine, URL).id
    changed = {201: 200}.get(alices, alices)
    assert alice.patch(f"/webhooks/{id}", {"url": "https://other.example/"}).status_code == changed
    assert alice.post(f"/webhooks/{id}/takeover").status_code == changed
    assert alice.patch(f"/webhooks/{id}", {"is_active": False}).status_code == 200


# How much goes to one host


def test_a_host_bears_so_many_connections_and_messages_and_the_others_wait_in_order(
    engine: sa.Engine, receive: Receive
) -> None:
    receiver = receive(HANG)
    for path in ("a", "b", "c"):
        add(engine, f"{receiver.url}/{path}")
    sell(engine, 4)
    send(engine, lambda: len(receiver.messages) == 2, limits=DeliveryLimits(1e6, 2))
    assert len(receiver.messages) == 2
    quick = receive()
    with transaction(engine) as conn:
        conn.execute(sa.delete(webhooks))
    hooks = [add(engine, f"{quick.url}/{path}").id for path in ("a", "b")]
    sell(engine, 6, price="6")
    send(engine, lambda: all(has_ended(engine, each) for each in hooks), limits=DeliveryLimits(20, 1))
    for each in hooks:
        mine = [int(id.rpartition("_")[2]) for id in quick.ids if id.startswith(f"msg_{each}_")]
        assert (len(mine), mine) == (6, sorted(mine))


def test_a_pace_is_kept_however_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    at = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: at)
    pace, went = RateLimiter(20), 0
    for _ in range(1000):  # ten seconds
        room = pace.room("a")
        pace.take("a", min(room, 3))
        went += min(room, 3)
        at += 0.01
    assert 20 + 199 <= went <= 20 + 201, "a second's worth at once, and then as many as time goes by"
    assert pace.room("b") == 20
    pace.take("b", 20)
    assert (pace.room("b"), pace.room("c")) == (0, 20)


def test_all_webhooks_of_a_host_are_served_by_one_sender(engine: sa.Engine) -> None:
    for url in ("http://127.0.0.1/a", "http://127.1:8080/b", "http://shop.example/"):
        add(engine, url)
    with transaction(engine) as conn:
        webhook_queue.claim(conn, "first")
        webhook.change(conn, None, 3, "http://SHOP.example./x", None)
    add(engine, "http://127.0.0.1:443/c")
    add(engine, "http://other.example/")
    with transaction(engine) as conn:
        assert [hook.id for hook in webhook_queue.list_held(conn, "second")] == [5]
        webhook_queue.claim(conn, "second")
        webhook_queue.claim(conn, "first")
        held = [
            [hook.id for hook in webhook_queue.list_held(conn, each) if hook.is_ours] for each in ("first", "second")
        ]
        assert held == [[1, 2, 3, 4], [5]]
        webhook.change(conn, None, 1, "http://other.example/", None)
        webhook_queue.claim(conn, "first")
        webhook_queue.claim(conn, "second")
        held = [
            [hook.id for hook in webhook_queue.list_held(conn, each) if hook.is_ours] for each in ("first", "second")
        ]
    assert held == [[2, 3, 4], [1, 5]], "it leads to the other's host now"


# The command line


def test_the_operator_verifies(engine: sa.Engine, settings: Settings) -> None:
    run_with(settings, "webhooks", "add", URL)
    assert run_with(settings, "webhooks", "verify", "1").stdout == "Webhook 1 is pending.\n"
    wrong = run_with(settings, "webhooks", "verify", "1", "no")
    says(wrong, 1, "This is not what the last challenge of this webhook said.")
    assert run_with(settings, "webhooks", "verify", "1", str(nonce(engine))).stdout == "Webhook 1 is active.\n"
