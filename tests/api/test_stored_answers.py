"""Answers that are stored for an Idempotency-Key: none has a secret, and none goes to who has lost the right to it."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from storekeeper.models import idempotency, noted_rights, store_member, user
from storekeeper.models.idempotency import keys
from storekeeper.models.noted_rights import ADMIN, Right
from tests.api.test_idempotency import CSV, PNG, ask, told
from tests.conftest import Person
from tests.support.cast import HASHED
from tests.support.databases import transaction
from tests.support.webhook_senders import agree

HOOK = {"url": "https://shop.example/hook", "store": "ikea"}

# What owners and clerks may ask for. Alice owns "ikea".
Ask = tuple[str, str, dict[str, Any]]
OF_OWNERS: list[Ask] = [
    ("POST", "/webhooks", {"json": HOOK}),
    ("PATCH", "/webhooks/1", {"json": {"is_active": True}}),
    ("POST", "/webhooks/1/rotate", {}),
    ("POST", "/webhooks/1/takeover", {}),
    ("POST", "/webhooks/1/test", {}),
    ("PATCH", "/store/ikea", {"json": {"negative_stock": True}}),
    ("PUT", "/store/ikea/members/carol", {"json": {"role": "clerk"}}),
    ("DELETE", "/item/lamp", {}),
]
OF_CLERKS: list[Ask] = [
    ("POST", "/item/lamp", {"json": {"price": 5, "store_id": 1}}),
    ("PUT", "/item/chair", {"json": {"price": 5, "store_id": 1}}),
    ("PATCH", "/item/chair", {"json": {"price": 5}}),
    ("POST", "/item/chair/stock", {"json": {"delta": 1}}),
    ("PUT", "/item/chair/image", PNG),
    ("POST", "/items/bulk", {"json": [{"store_id": 1, "name": "a", "price": 7}]}),
    ("POST", "/imports?store=ikea", CSV),
]


@pytest.fixture
def second(engine: sa.Engine, alice: Person) -> Person:
    """Another administrator. The webhook 1 is Alice's."""
    with transaction(engine) as conn:
        user.add(conn, "second", HASHED, True)
    assert alice.post("/webhooks", HOOK).status_code == 201
    with transaction(engine) as conn:
        agree(conn)
    return Person(alice.client, "second", 5)


def asked_all(person: Person, wanted: list[Ask]) -> list[Any]:
    return [ask(person, *each, f"key-{number}") for number, each in enumerate(wanted)]


def test_whoever_has_lost_a_role_in_a_store_is_not_answered(
    second: Person, alice: Person, root: Person, engine: sa.Engine
) -> None:
    with transaction(engine) as conn:
        store_member.put(conn, 1, "ikea", "bob", "owner")
    wanted = [*OF_CLERKS, *OF_OWNERS]
    first = asked_all(alice, wanted)
    assert {each.status_code // 100 for each in first} == {2}
    root.put("/store/ikea/members/alice", {"role": "clerk"})
    again = asked_all(alice, wanted)
    assert [told(each) for each in again[: len(OF_CLERKS)]] == [told(each) for each in first[: len(OF_CLERKS)]]
    assert [each.status_code for each in again[len(OF_CLERKS) :]] == [403] * len(OF_OWNERS)
    root.delete("/store/ikea/members/alice")
    assert [each.status_code for each in asked_all(alice, wanted)] == [403] * len(wanted)
    assert "chair" not in "".join(each.text for each in asked_all(alice, wanted))


def test_whoever_is_no_longer_an_administrator_is_not_answered(second: Person, root: Person) -> None:
    wanted: list[Ask] = [
        ("PATCH", "/user/3", {"json": {"is_active": False}}),
        ("DELETE", "/user/3", {}),
        ("PATCH", "/item/chair", {"json": {"price": 5}}),
        ("POST", "/webhooks", {"json": {"url": HOOK["url"]}}),
        ("POST", "/webhooks/1/test", {}),
    ]
    assert {each.status_code // 100 for each in asked_all(second, wanted)} == {2}
    root.patch("/user/5", {"is_admin": False})
    assert [each.status_code for each in asked_all(second, wanted)] == [403] * len(wanted)


@pytest.mark.parametrize(
    ("username", "wanted"),
    [
        ("bob", ("DELETE", "/store/ikea/members/bob", {})),
        ("alice", ("PUT", "/store/ikea/members/alice", {"json": {"role": "clerk"}})),
        ("alice", ("DELETE", "/store/ikea?with_items=true", {})),
        ("second", ("PATCH", "/user/5", {"json": {"is_admin": False}})),
    ],
    ids=["leaving", "becoming a clerk", "the end of the store", "an administrator's own end"],
)
def test_what_took_the_right_away_itself_is_answered_again(
    username: str, wanted: Ask, second: Person, alice: Person, root: Person
) -> None:
    root.put("/store/ikea/members/carol", {"role": "owner"})
    person = Person(alice.client, username, 0)
    first = ask(person, *wanted)
    assert first.status_code == 200, first.text
    assert told(ask(person, *wanted)) == told(first)


Lose = Callable[[Person, Person], Any]


@pytest.mark.parametrize(
    "lose",
    [
        lambda person, root: person.post("/logout"),
        lambda person, root: root.patch("/user/1", {"is_active": False}),
        lambda person, root: root.delete("/user/1"),
    ],
    ids=["logged out", "deactivated", "deleted"],
)
def test_whoever_has_no_session_is_not_answered(lose: Lose, alice: Person, root: Person) -> None:
    stock: Ask = ("POST", "/item/chair/stock", {"json": {"delta": 1}})
    assert ask(alice, *stock).status_code == 200
    root.put("/store/ikea/members/bob", {"role": "owner"})
    assert lose(alice, root).status_code == 200
    assert ask(alice, *stock).json["error"] == "token_revoked"


def test_a_role_that_came_back_is_answered(alice: Person, root: Person, bob: Person) -> None:
    stock: Ask = ("POST", "/item/chair/stock", {"json": {"delta": 1}})
    first = ask(bob, *stock)
    alice.delete("/store/ikea/members/bob")
    assert ask(bob, *stock).status_code == 403
    alice.put("/store/ikea/members/bob")
    assert told(ask(bob, *stock)) == told(first)


def test_no_secret_is_stored_and_the_answer_says_null(alice: Person, engine: sa.Engine) -> None:
    wanted = [
        ("POST", "/webhooks", {"json": HOOK}),
        *(("POST", f"/webhooks/1/{e}", {}) for e in ("rotate", "takeover")),
    ]
    secrets = {each.json["secret"] for each in asked_all(alice, wanted)}
    assert len(secrets) == 3
    assert [each.json["secret"] for each in asked_all(alice, wanted)] == [None] * 3
    with engine.connect() as conn:
        stored = "".join(conn.scalars(sa.select(keys.c.result)))
    assert "whsec_" not in stored


def test_what_was_stored_by_an_older_release_is_answered(alice: Person, engine: sa.Engine) -> None:
    """It did not note what was needed."""
    stock: Ask = ("POST", "/item/chair/stock", {"json": {"delta": 1}})
    first = ask(alice, *stock)
    with transaction(engine) as conn:
        conn.execute(sa.update(keys).values(rights=None))
    assert told(ask(alice, *stock)) == told(first)


def test_rights_are_noted_for_one_change_alone(engine: sa.Engine) -> None:
    """The connection that they are noted on is the next one's, too."""
    with transaction(engine) as conn:
        with noted_rights.noting(conn) as noted:
            store_member.require_clerk(conn, 2, "ikea")
            store_member.require_clerk(conn, 2, 1)
            user.require_admin(conn, 4)
        store_member.require_owner(conn, 1, "ikea")
        assert noted == [Right(1, ("owner", "clerk")), ADMIN]
        once = idempotency.of(2, "key", "request")
        with pytest.raises(ZeroDivisionError):
            idempotency.run(conn, once, (), lambda _: 1 // 0, ())
        assert "rights" not in conn.info
