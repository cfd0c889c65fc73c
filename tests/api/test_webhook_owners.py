"""Whose a webhook is: it sends while its owner may have the changes, and then pauses until it is taken over."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from storekeeper.database import schema_version
from storekeeper.database.engine import create_engine
from storekeeper.models import store_items, store_member, user, webhook, webhook_delivery, webhook_queue
from storekeeper.models.webhook import MAX_OF_USER, webhooks
from storekeeper.settings import Settings
from tests.conftest import Person
from tests.database.test_schema import empty_url  # noqa: F401  a fixture
from tests.support.cast import HASHED
from tests.support.cli_runner import run_with
from tests.support.databases import transaction
from tests.support.older_databases import migrate_to
from tests.support.webhook_receiver import Receive
from tests.support.webhook_senders import PATIENT, add, agree, has_ended, now, sell, send, shown, told

ROOT = 4

Lose = Callable[[Person, Person], Any]

# How Alice, one of two owners of "ikea", loses her right to its changes, and why her webhook then pauses.
WAYS: dict[str, tuple[Lose, str]] = {
    "removed": (lambda alice, root: root.delete("/store/ikea/members/alice"), "Its owner no longer owns the store."),
    "left": (lambda alice, root: alice.delete("/store/ikea/members/alice"), "Its owner no longer owns the store."),
    "a clerk": (
        lambda alice, root: root.put("/store/ikea/members/alice", {"role": "clerk"}),
        "Its owner no longer owns the store.",
    ),
    "deactivated": (
        lambda alice, root: root.patch("/user/1", {"is_active": False}),
        "Its owner's account was deactivated.",
    ),
    "deleted": (lambda alice, root: root.delete("/user/1"), "The account of its owner was deleted."),
}


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storekeeper.webhooks.sender.GRACE_SECONDS", 0.05)


@pytest.fixture
def bob(bob: Person, engine: sa.Engine) -> Person:
    """An owner of "ikea", too."""
    with transaction(engine) as conn:
        store_member.put(conn, 1, "ikea", "bob", "owner")
    return bob


def add_for(engine: sa.Engine, user_id: int, url: str, store: str | None = "ikea") -> str:
    """A user's webhook; its secret."""
    with transaction(engine) as conn:
        secret = shown(webhook.add(conn, user_id, url, store))
        agree(conn)
    return secret


def spare(user_id: int, store_id: int = 1) -> dict[str, Any]:
    """The row of a webhook that is one too many."""
    row = {"url": "http://shop.example/", "secret": "", "is_active": True, "cursor": 0, "beat_at": 0, "created_at": 0}
    return row | {"user_id": user_id, "store_id": store_id}


def is_paused(engine: sa.Engine, webhook_id: int = 1) -> bool:
    """Whether that is written down."""
    with engine.connect() as conn:
        return not conn.scalars(sa.select(webhooks.c.is_active).where(webhooks.c.id == webhook_id)).one()


@pytest.mark.parametrize("way", WAYS)
def test_whoever_has_lost_the_right_is_sent_nothing_and_another_owner_takes_over(
    way: str, engine: sa.Engine, receive: Receive, alice: Person, bob: Person, root: Person
) -> None:
    lose, reason = WAYS[way]
    receiver, others = receive(), receive()
    old = add_for(engine, 1, receiver.url)
    add_for(engine, 2, others.url)
    alice.log_in()
    assert lose(alice, root).status_code == 200
    sell(engine, 3, user_id=ROOT)
    shown_to_bob = bob.get("/webhooks/1").json
    assert (shown_to_bob["is_active"], shown_to_bob["state"]) == (False, "orphaned")
    assert shown_to_bob["reason"] == f"{reason} It pauses until somebody takes it over."
    send(engine, lambda: is_paused(engine) and has_ended(engine, 2))
    assert (receiver.messages, told(engine)) == ([], [])
    assert [message.json["type"] for message in others.messages].count("item.create") == 3
    assert bob.get("/webhooks/1").json == shown_to_bob
    refused = bob.patch("/webhooks/1", {"is_active": True})
    assert (refused.status_code, refused.json["error"]) == (409, "webhook_orphaned")

    taken = bob.post("/webhooks/1/takeover").json
    assert (taken["user_id"], taken["owner_kind"], taken["is_active"], taken["state"]) == (2, "user", True, "active")
    assert taken["reason"] is None
    send(engine, lambda: has_ended(engine))
    assert len(receiver.messages) >= 3
    for message in receiver.messages:
        Verifier(taken["secret"]).verify(message.body, message.headers)
        with pytest.raises(WebhookVerificationError):
            Verifier(old).verify(message.body, message.headers)


def test_a_demoted_administrator_is_sent_nothing(engine: sa.Engine, receive: Receive, root: Person) -> None:
    receiver = receive()
    with transaction(engine) as conn:
        user.add(conn, "second", HASHED, True)
    add_for(engine, 5, receiver.url, None)
    assert root.patch("/user/5", {"is_admin": False}).status_code == 200
    sell(engine, user_id=ROOT)
    send(engine, lambda: is_paused(engine))
    assert receiver.messages == []
    assert root.get("/webhooks/1").json["reason"].startswith("Its owner is no longer an administrator.")
    assert root.post("/webhooks/1/takeover").status_code == 200
    send(engine, lambda: has_ended(engine))
    assert "item.create" in {message.json["type"] for message in receiver.messages}


def test_what_waits_to_be_sent_again_is_not(engine: sa.Engine, receive: Receive, bob: Person, root: Person) -> None:
    receiver = receive(500)
    add_for(engine, 1, receiver.url)
    sell(engine, user_id=ROOT)
    send(engine, lambda: bool(told(engine)) and told(engine)[0].attempts == 1, retries=(PATIENT,))
    with transaction(engine) as conn:
        webhook_delivery.replay(conn, None, 1, told(engine)[0].id)
    root.delete("/store/ikea/members/alice")
    send(engine, lambda: is_paused(engine))
    assert len(receiver.messages) == 1


def test_a_right_that_is_lost_after_the_last_look_counts(engine: sa.Engine, bob: Person, root: Person) -> None:
    add_for(engine, 1, "http://127.0.0.1/")
    sell(engine, user_id=ROOT)
    with transaction(engine) as conn:
        webhook_queue.claim(conn, "me")
        webhook_queue.fan_out(conn, "me", 1)
        assert len(webhook_queue.due(conn, 1, (), 10)) == 1
    sell(engine, 2, user_id=ROOT)
    root.delete("/store/ikea/members/alice")
    with transaction(engine) as conn:
        assert webhook_queue.due(conn, 1, (), 10) == []
        assert webhook_queue.fan_out(conn, "me", 1) is False
    assert len(told(engine)) == 1


def test_whoever_had_lost_the_right_is_not_told_of_the_end_of_the_store(
    engine: sa.Engine, receive: Receive, bob: Person, root: Person
) -> None:
    """With the store its members go: by then it has to be known whose webhooks may tell of that."""
    former, owners = receive(), receive()
    add_for(engine, 1, former.url)
    add_for(engine, 2, owners.url)
    root.delete("/store/ikea/members/alice")
    with transaction(engine) as conn:
        store_items.delete_store(conn, 2, "ikea", True)
    send(engine, lambda: len(owners.messages) == 2)
    assert former.messages == []
    assert sorted(message.json["type"] for message in owners.messages) == ["item.delete", "store.delete"]


def test_the_operators_goes_on(engine: sa.Engine, receive: Receive, root: Person) -> None:
    receiver = receive()
    add(engine, receiver.url)
    root.patch("/user/1", {"is_active": False})
    sell(engine, user_id=ROOT)
    send(engine, lambda: has_ended(engine))
    assert [message.json["type"] for message in receiver.messages] == ["item.create"]
    assert (now(engine).owner_kind, now(engine).user_id, now(engine).state) == ("operator", None, "active")


def test_an_administrator_who_owns_no_store_has_those_of_one_sent(engine: sa.Engine, receive: Receive) -> None:
    receiver = receive()
    add_for(engine, 4, receiver.url)
    sell(engine, user_id=ROOT)
    send(engine, lambda: has_ended(engine))
    assert [message.json["type"] for message in receiver.messages] == ["item.create"]


def test_what_is_taken_over_counts_for_who_takes_it(engine: sa.Engine, alice: Person, bob: Person) -> None:
    add(engine, "http://shop.example/")
    with transaction(engine) as conn:
        conn.execute(sa.insert(webhooks), [spare(2) for _ in range(MAX_OF_USER)])
    refused = bob.post("/webhooks/1/takeover")
    assert (refused.status_code, refused.json["error"]) == (409, "too_many_webhooks")
    assert bob.post("/webhooks/2/takeover").status_code == 200, "it is theirs already"
    assert alice.post("/webhooks/1/takeover").json["user_id"] == 1


def test_the_operator_takes_over(engine: sa.Engine, settings: Settings, bob: Person, root: Person) -> None:
    old = add_for(engine, 1, "http://shop.example/")
    root.delete("/store/ikea/members/alice")
    assert run_with(settings, "webhooks", "list").stdout == "1\torphaned\tikea\thttp://shop.example/\n"
    id, new = run_with(settings, "webhooks", "take-over", "1").stdout.strip().split("\t")
    assert (id, new[:6]) == ("1", "whsec_")
    assert new != old
    assert (now(engine).owner_kind, now(engine).user_id, now(engine).is_active) == ("operator", None, True)


def test_at_the_upgrade_those_without_a_user_are_the_operators(empty_url: str) -> None:  # noqa: F811
    """0011. They go on; those of users are theirs, and no stored answer has a secret left."""
    engine = create_engine(empty_url)
    migrate_to(engine, "0010")
    add_old = """
        INSERT INTO webhooks (url, user_id, secret, is_active, cursor, beat_at, created_at)
        VALUES ('http://shop.example/', {}, 'whsec_old', {}, 0, 0, 0)
    """
    stored = """{"id":2,"store":"caf\u00e9 \\"secret\\":","secret":"whsec_c2VjcmV0"}"""
    with engine.begin() as conn:
        active = "true" if engine.dialect.name == "postgresql" else "1"
        conn.exec_driver_sql(
            "INSERT INTO users (username, username_key, password_hash, is_admin, is_active) "
            f"VALUES ('root', 'root', 'x', {active}, {active})"
        )
        conn.exec_driver_sql(add_old.format("NULL", active))
        conn.exec_driver_sql(add_old.format("1", active))
        keys = sa.text("INSERT INTO idempotency_keys (key, request, result, at) VALUES (:key, '', :result, 0)")
        conn.execute(keys, [{"key": "a", "result": stored}, {"key": "b", "result": '{"secret":true}'}])
    assert schema_version.migrate(engine)
    with transaction(engine) as conn:
        kinds = [(each.owner_kind, each.is_active) for each in (webhook.get(conn, None, 1), webhook.get(conn, None, 2))]
        results = list(conn.scalars(sa.text("SELECT result FROM idempotency_keys ORDER BY key")))
        hosts = list(conn.scalars(sa.text("SELECT host FROM webhooks")))
    assert kinds == [("operator", True), ("user", True)], "they need no challenge"
    assert hosts == ["shop.example"] * 2
    assert results == [stored.replace('"whsec_c2VjcmV0"', "null"), '{"secret":true}']
    engine.dispose()
