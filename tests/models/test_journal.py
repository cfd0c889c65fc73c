"""The journal: a row for each change, written with it, in an order that no cursor gets wrong."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.components import Parts
from storekeeper.database.engine import create_engine
from storekeeper.database.executor import Database
from storekeeper.domain.money import PriceInput
from storekeeper.errors import AlreadyExists, ResyncRequired
from storekeeper.models import item, journal, journal_feed, store
from storekeeper.models.item import Item
from storekeeper.models.item_fields import Fields
from storekeeper.models.journal import Author, AuthorMissing, changes
from storekeeper.models.journal_feed import Change
from storekeeper.models.store import Store
from storekeeper.models.store_member import Member
from storekeeper.models.user import User, users
from storekeeper.security import setup_token
from storekeeper.settings import Settings
from tests.conftest import Clock, Person
from tests.support import images
from tests.support.cast import PASSWORD
from tests.support.cli_runner import run_with
from tests.support.databases import transaction
from tests.support.imports import bring, carry_out

WRITERS = 32
EACH = 12

PNG = {"headers": {"Content-Type": "image/png"}, "body": images.encoded(images.two_colours(), "PNG")}


def rows(engine: sa.Engine, after: int = 0) -> list[Any]:
    with engine.connect() as conn:
        return list(conn.execute(sa.select(changes).where(changes.c.id > after).order_by(changes.c.id)))


def last(engine: sa.Engine) -> int:
    return max((row.id for row in rows(engine)), default=0)


def members(text: str | None) -> set[str]:
    return set(json.loads(text)) if text else set()


ITEM = set(Item.__struct_fields__)
STORE = {"id", "name", "currency", "negative_stock", "version"}
MEMBER = {"user_id", "username", "role"}
USER = {"id", "username", "is_admin", "is_active", "must_change_password"}

# What is done, in this order, and what the journal tells of it: kind, action, and the members of `before` and `after`.
DONE: tuple[tuple[str, str, dict[str, Any], list[tuple[str, str, set[str], set[str]]]], ...] = (
    ("POST", "/item/lamp", {"json": {"price": 5, "store_id": 1}}, [("item", "create", set(), ITEM)]),
    ("PUT", "/item/lamp", {"json": {"price": 6, "store_id": 1}}, [("item", "update", {"price"}, ITEM)]),
    ("PUT", "/item/lamp", {"json": {"price": 6, "store_id": 1}}, []),
    ("PUT", "/item/rug", {"json": {"price": 6, "store_id": 1}}, [("item", "create", set(), ITEM)]),
    ("PATCH", "/item/rug", {"json": {"name": "mat", "tags": ["a"]}}, [("item", "update", {"name", "tags"}, ITEM)]),
    ("POST", "/item/lamp/stock", {"json": {"delta": 3}}, [("item", "update", {"stock"}, ITEM)]),
    ("PUT", "/item/lamp/image", PNG, [("item", "update", {"image"}, ITEM)]),
    ("DELETE", "/item/lamp/image", {}, [("item", "update", {"image"}, ITEM)]),
    (
        "POST",
        "/items/bulk",
        {"json": [{"store_id": 1, "name": name, "price": 7} for name in ("lamp", "mat", "new")]},
        [("item", "update", {"price"}, ITEM)] * 2 + [("item", "create", set(), ITEM)],
    ),
    ("DELETE", "/item/mat", {}, [("item", "delete", ITEM, set())]),
    ("POST", "/store/shed", {}, [("store", "create", set(), STORE), ("member", "create", set(), MEMBER)]),
    ("PATCH", "/store/shed", {"json": {"currency": "JPY"}}, [("store", "update", {"currency"}, STORE)]),
    ("PATCH", "/store/shed", {"json": {"currency": "JPY"}}, []),
    ("PUT", "/store/shed/members/carol", {"json": {"role": "clerk"}}, [("member", "create", set(), MEMBER)]),
    ("PUT", "/store/shed/members/carol", {"json": {"role": "owner"}}, [("member", "update", {"role"}, MEMBER)]),
    ("DELETE", "/store/shed/members/carol", {}, [("member", "delete", MEMBER, set())]),
    ("DELETE", "/store/shed", {}, [("store", "delete", STORE, set())]),
    (
        "DELETE",
        "/store/ikea?with_items=true",
        {},
        [("item", "delete", ITEM, set())] * 3 + [("store", "delete", STORE, set())],
    ),
    ("PATCH", "/user/2", {"json": {"is_active": False}}, [("user", "update", {"is_active"}, USER)]),
    (
        "PUT",
        "/user/4/password",
        {"json": {"current_password": PASSWORD, "new_password": "another horse battery"}},
        [("user", "password", set(), USER)],
    ),
    ("DELETE", "/user/2", {}, [("user", "delete", USER, set())]),
)


def test_each_change_is_told_with_who_and_which_request(root: Person, engine: sa.Engine) -> None:
    root.log_in()
    for number, (method, path, more, told) in enumerate(DONE):
        before = last(engine)
        headers = more.get("headers", {}) | {"X-Request-ID": f"mine-{number}"}
        answer = root.call(method, path, **(more | {"headers": headers}))
        assert answer.status_code in (200, 201), (path, answer.text)
        found = rows(engine, before)
        assert [(row.kind, row.action, members(row.before), members(row.after)) for row in found] == told, path
        id = answer.headers["x-request-id"]
        authors = {(row.author_kind, row.user_id, row.request, row.client_request) for row in found}
        assert authors <= {("user", 4, id, f"mine-{number}")}
        for row in found:
            check_values(root, row, rows(engine))


RECORDS = {"item": Item, "store": Store, "member": Member, "user": User}


def check_values(root: Person, row: Any, journal: list[Any]) -> None:
    """What a row says is so: `after` is what the API answers now, `before` what the row before it said otherwise."""
    earlier = [each for each in journal if (each.kind, each.subject_id, each.store_id) == subject(row)]
    was = next((json.loads(each.after) for each in reversed(earlier) if each.id < row.id and each.after), {})
    before, after = (json.loads(text) if text else None for text in (row.before, row.after))
    assert before == (None if row.action == "create" else {name: was[name] for name in before}), row.action
    for state in (after, {**(after or {}), **before} if before else None):
        if state is not None:
            msgspec.convert(state, RECORDS[row.kind])  # strictly: a text is no boolean, nor a hash
    paths = {"item": "/item/{name}?store_id={store_id}", "store": "/store/{name}", "user": "/user/{id}"}
    if after and row.kind in paths:
        answer = root.get(paths[row.kind].format_map(after)).json
        assert after == {name: answer[name] for name in after}


def subject(row: Any) -> tuple[str, int, int]:
    return row.kind, row.subject_id, row.store_id


def test_accounts_are_told_as_they_are(
    root: Person, client: testing.TestClient, settings: Settings, engine: sa.Engine
) -> None:
    """However they come about. Their passwords' hashes are nowhere but in `users`."""
    before = last(engine)
    for name in ("dave", "erin"):
        body = {"username": name, "password": PASSWORD}
        assert client.simulate_post("/register", json=body).status_code == 201
    for command in ("create-admin", "users add"):
        done = run_with(settings, *command.split(), command[:5], "--password-stdin", stdin=PASSWORD)
        assert done.exit_code == 0, done.output
    expected = [("dave", False), ("erin", False), ("creat", True), ("users", False)]
    states = [
        {"id": id, "username": name, "is_admin": is_admin, "is_active": True, "must_change_password": False}
        for id, (name, is_admin) in enumerate(expected, 5)
    ]
    assert [json.loads(row.after) for row in rows(engine, before)] == states
    shown = root.get("/audit?kind=user&limit=4").json["changes"]
    assert [each["after"] for each in reversed(shown)] == states


def test_who_registers_is_the_author(client: testing.TestClient, parts: Parts, engine: sa.Engine) -> None:
    before = last(engine)
    dave = {"username": "dave", "password": PASSWORD}
    assert client.simulate_post("/register", json=dave).status_code == 201
    with transaction(engine) as conn:
        conn.execute(sa.update(users).values(is_admin=False))
    erin = dave | {"username": "erin", "setup_token": setup_token.create(parts.keys)}
    assert client.simulate_post("/register", json=erin).status_code == 201
    found = rows(engine, before)
    assert [(row.author_kind, row.user_id, row.subject_id) for row in found] == [("user", 5, 5), ("user", 6, 6)]
    assert PASSWORD not in str(found)


def test_what_is_done_at_the_command_line_is_the_operators(root: Person, settings: Settings, engine: sa.Engine) -> None:
    before = last(engine)
    for command in ("create-admin anna", "users add ben"):
        assert run_with(settings, *command.split(), "--password-stdin", stdin=PASSWORD).exit_code == 0
    assert run_with(settings, "users", "set", "ben", "--inactive").exit_code == 0
    assert {(row.author_kind, row.user_id, row.request) for row in rows(engine, before)} == {("operator", None, "")}
    shown = root.get("/audit?limit=3").json["changes"]
    assert {(each["author_kind"], each["user_id"], each["username"]) for each in shown} == {("operator", None, None)}
    assert run_with(settings, "audit", "--limit", "1").output.split("  ")[1] == "the operator"


def test_a_change_that_nobody_signs_is_refused(db: Database, engine: sa.Engine) -> None:
    """Also after one that was signed, on the same connection: it is not put down to whoever wrote before."""
    before = last(engine)

    def signed(conn: sa.Connection) -> None:
        with journal.signed(conn, Author("user", 1, "of alice")):
            store.insert(conn, "shed", "EUR")

    def unsigned(conn: sa.Connection) -> None:
        store.insert(conn, "barn", "EUR")

    async def scenario() -> None:
        await db.write(signed)
        for _ in range(2):
            with pytest.raises(AuthorMissing):
                await db.write(unsigned)
        with pytest.raises(AuthorMissing):
            await asyncio.gather(db.write(signed_badly), db.write(unsigned))

    def signed_badly(conn: sa.Connection) -> None:
        with journal.signed(conn, Author("user", 1)), suppress(AlreadyExists):
            store.insert(conn, "shed", "EUR")

    asyncio.run(scenario())
    assert [(row.user_id, row.request) for row in rows(engine, before)] == [(1, "of alice")]


def test_what_an_older_server_writes_has_an_author_too(root: Person, engine: sa.Engine) -> None:
    """It knows no kinds: a user, or without one the operator."""
    with engine.begin() as conn:
        for user_id in (1, None):
            row = {"at": 0, "user_id": user_id, "request": "r", "kind": "store", "action": "update", "subject_id": 1}
            conn.execute(sa.insert(changes).values(row))
    shown = root.get("/audit?limit=2").json["changes"]
    assert [(each["author_kind"], each["username"]) for each in shown] == [("operator", None), ("user", "alice")]


def test_before_and_after_are_as_the_api_shows_them(alice: Person, engine: sa.Engine) -> None:
    was = alice.get("/item/chair").json
    alice.patch("/item/chair", {"price": "12.90", "tags": ["oak"], "stock": 4})
    row = rows(engine)[-1]
    assert json.loads(row.after) == alice.get("/item/chair").json
    assert json.loads(row.before) == {name: was[name] for name in ("price", "tags", "stock")}
    assert '"price":12.90' in row.after, "with all its digits"
    assert (row.version, row.store_id, row.subject_id, row.price_minor) == (2, 1, 1, 1290)


def test_what_fails_is_not_told(alice: Person, carol: Person, engine: sa.Engine) -> None:
    before = last(engine)
    assert carol.patch("/item/chair", {"price": 1}).status_code == 403
    assert alice.patch("/item/chair", {"price": "1.234"}).status_code == 400
    assert alice.post("/item/chair/stock", {"delta": -1}).status_code == 409
    assert alice.post("/items/bulk", [{"store_id": 1, "name": "a", "price": 1}, {"store_id": 1}]).status_code == 400
    assert rows(engine, before) == []


def test_a_change_that_is_undone_leaves_no_row(db: Database, engine: sa.Engine) -> None:
    before = last(engine)

    def fail(conn: sa.Connection) -> None:
        store.insert(conn, "shed", "EUR")
        raise ResyncRequired

    with pytest.raises(ResyncRequired), transaction(engine) as conn:
        fail(conn)
    assert rows(engine, before) == []


def test_what_is_written_stays_as_it_is(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.DatabaseError, match="not to be altered"), transaction(engine) as conn:
        conn.execute(sa.update(changes).values(user_id=7))


def test_an_import_is_told_as_its_users(bob: Person, settings: Settings, engine: sa.Engine) -> None:
    before = last(engine)
    assert bring(bob, settings, b"name,price\nchair,5\nlamp,6\n")["state"] == "done"
    found = rows(engine, before)
    told = [(row.kind, row.action, row.author_kind, row.user_id, row.request) for row in found]
    assert told == [("item", "update", "user", 2, "import 1"), ("item", "create", "user", 2, "import 1")]
    assert members(found[0].before) == {"price"}


def test_an_import_is_told_as_of_whoever_confirmed_it(
    alice: Person, bob: Person, settings: Settings, engine: sa.Engine
) -> None:
    """Who only made the plan has changed nothing."""
    before = last(engine)
    for price in (5, 6):
        assert bring(bob, settings, f"name,price\nchair,{price}\n", dry_run="true")["state"] == "planned"
    assert alice.post("/imports/1").status_code == 202
    carry_out(settings)
    assert run_with(settings, "imports", "confirm", "2").exit_code == 0
    authors = [(row.author_kind, row.user_id, row.request) for row in rows(engine, before)]
    assert authors == [("user", 1, "import 1"), ("operator", None, "import 2")]


def test_an_import_needs_the_right_of_whoever_confirmed_it(
    alice: Person, bob: Person, root: Person, settings: Settings, engine: sa.Engine
) -> None:
    before = last(engine)
    assert bring(alice, settings, "name,price\nchair,5\n", dry_run="true")["state"] == "planned"
    assert bob.post("/imports/1").status_code == 202
    alice.delete("/store/ikea/members/bob")
    carry_out(settings)
    assert root.get("/imports/1").json["state"] == "failed"
    assert [row.kind for row in rows(engine, before)] == ["member"]


# The order


@pytest.fixture
def lamps(engine: sa.Engine) -> list[str]:
    """Items for many writers."""
    names = [f"lamp {number}" for number in range(4)]
    with transaction(engine) as conn:
        for name in names:
            item.add(conn, 1, 1, name, Fields(price=PriceInput("1")))
    return names


def follow(engine: sa.Engine, is_over: Callable[[], bool]) -> list[Change]:
    """All changes, a few at a time, until those that write have ended and nothing is left."""
    seen: list[Change] = []
    cursor = 0
    while True:
        ended = is_over()
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            found = journal_feed.page(conn, None, cursor, 7)
        seen += found.changes
        cursor = found.cursor
        if ended and not found.changes:
            return seen


def test_whoever_follows_many_writers_sees_each_change_once(lamps: list[str], url: str, engine: sa.Engine) -> None:
    """On the same few items. No cursor passes a change that is committed late, and of each item they are in order."""
    errors: SimpleQueue[Exception] = SimpleQueue()

    def write(number: int) -> None:
        mine = create_engine(url, 60)
        try:
            for turn in range(EACH):
                with transaction(mine) as conn:
                    item.adjust_stock(conn, 1, item.ItemRef(lamps[(number + turn) % len(lamps)]), 1)
        except Exception as error:
            errors.put(error)

    threads = [Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    seen = follow(engine, lambda: not any(thread.is_alive() for thread in threads))
    assert errors.empty(), errors.get()
    ids = [change.id for change in seen]
    assert ids == sorted(set(ids))
    assert ids == [row.id for row in rows(engine) if row.kind in ("item", "store")], "each, and each once"
    for id in range(2, 2 + len(lamps)):
        versions = [change.version for change in seen if (change.kind, change.subject_id) == ("item", id)]
        assert versions == list(range(1, 2 + WRITERS * EACH // len(lamps)))


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_cursor_waits_for_what_is_committed_late(url: str, engine: sa.Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as reader:
        start = journal_feed.newest(reader).cursor
        with transaction(create_engine(url)) as slow:
            store.insert(slow, "slow", "EUR")
            with transaction(create_engine(url)) as quick:
                store.insert(quick, "quick", "EUR")
            assert journal_feed.page(reader, None, start, 10) == journal_feed.Feed([], start), (
                "quick is there, but not its turn"
            )
        found = journal_feed.page(reader, None, start, 10)
        assert [change.subject_id for change in found.changes] == [2, 3]
        undone = create_engine(url).connect()
        with journal.signed(undone, journal.OPERATOR):
            store.insert(undone, "undone", "EUR")
        undone.close()
        assert journal_feed.page(reader, None, found.cursor, 10).changes == []


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_many_rows_at_once_hold_the_cursor_as_well(url: str, engine: sa.Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as reader:
        start = journal_feed.newest(reader).cursor
        with transaction(create_engine(url)) as slow:
            journal.append(slow, *(journal.NewChange("store", "update", 1, 1) for _ in range(3)))
            with transaction(create_engine(url)) as quick:
                store.insert(quick, "quick", "EUR")
            assert journal_feed.page(reader, None, start, 10).changes == []
        assert len(journal_feed.page(reader, None, start, 10).changes) == 4


# The feed


def test_pages_of_changes_and_where_to_go_on(alice: Person) -> None:
    for price in range(1, 6):
        alice.patch("/item/chair", {"price": price})
    first = alice.get("/changes?limit=4").json
    assert [change["action"] for change in first["changes"]] == ["create", "create", "update", "update"]
    assert first["next"] == f"/changes?after={first['cursor']}&limit=4"
    second = alice.get(first["next"]).json
    assert [change["after"]["price"] for change in second["changes"]] == [3, 4, 5]
    third = alice.get(second["next"]).json
    assert (third["changes"], third["cursor"]) == ([], second["cursor"])
    alice.delete("/item/chair")
    assert [change["action"] for change in alice.get(third["next"]).json["changes"]] == ["delete"]


def test_people_are_not_in_the_feed(alice: Person) -> None:
    alice.put("/store/ikea/members/carol", {"role": "clerk"})
    answer = alice.get("/changes").json
    assert {change["kind"] for change in answer["changes"]} == {"item", "store"}
    assert not {"user_id", "username", "request"} & set(answer["changes"][0])


def test_the_feed_of_one_store_goes_on_past_the_others(alice: Person) -> None:
    alice.post("/store/shed")
    alice.put("/item/lamp", {"price": 1, "store_id": 2})
    alice.patch("/item/chair", {"price": 1})
    found = alice.get("/changes?store_id=2").json
    assert [(change["kind"], change["action"]) for change in found["changes"]] == [
        ("store", "create"),
        ("item", "create"),
    ]
    assert found["cursor"] == alice.get("/changes?after=now").json["cursor"]
    assert found["next"] == f"/changes?after={found['cursor']}&store_id=2"


def test_a_cursor_of_another_database_has_to_begin_anew(alice: Person) -> None:
    cursor = alice.get("/changes?after=now").json["cursor"]
    answer = alice.get(f"/changes?after={cursor + 1}")
    assert (answer.status_code, answer.json["error"], answer.json["cursor"]) == (410, "resync_required", cursor)


@pytest.mark.parametrize("after", ["-1", "x", "", "1.5", "00", "99999999999999999"])
def test_what_is_no_cursor_is_refused(after: str, alice: Person) -> None:
    answer = alice.get(f"/changes?after={after}")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "after")


# What is forgotten


def test_old_changes_are_forgotten_and_their_readers_told(
    alice: Person, clock: Clock, db: Database, engine: sa.Engine
) -> None:
    kept_from = alice.get("/changes?after=now").json["cursor"]
    clock.now += 100
    alice.log_in()
    alice.patch("/item/chair", {"price": 1})
    with transaction(engine) as conn:
        assert journal.forget(conn, int(clock.now)) == kept_from
        assert journal.forget(conn, int(clock.now)) == 0
    answer = alice.get("/changes")
    assert (answer.status_code, answer.json["error"]) == (410, "resync_required")
    assert alice.get(f"/changes?after={kept_from - 1}").status_code == 410
    assert len(alice.get(f"/changes?after={kept_from}").json["changes"]) == 1
    assert alice.get(f"/changes?after={answer.json['cursor']}").json["changes"] == []
    assert len(alice.get("/item/chair/history").json["changes"]) == 1


def test_no_id_is_given_out_again_when_all_is_forgotten(alice: Person, clock: Clock, engine: sa.Engine) -> None:
    cursor = alice.get("/changes?after=now").json["cursor"]
    with transaction(engine) as conn:
        journal.forget(conn, int(clock.now) + 1)
    assert alice.get(f"/changes?after={cursor}").json["changes"] == []
    alice.patch("/item/chair", {"price": 1})
    assert [change["id"] > cursor for change in alice.get(f"/changes?after={cursor}").json["changes"]] == [True]


# History


def test_the_history_of_an_item_tells_who_did_what(alice: Person, bob: Person, root: Person) -> None:
    bob.patch("/item/chair", {"price": "17.50"}, headers={"X-Request-ID": "till-7"})
    alice.patch("/item/chair", {"name": "stool"})
    for person in (alice, bob, root):
        answer = person.get("/item/stool/history").json
        told = [(each["username"], each["action"], each["before"]) for each in answer["changes"]]
        assert told == [
            ("alice", "update", {"name": "chair"}),
            ("bob", "update", {"price": 15.99}),
            (None, "create", None),
        ]
        assert [each["author_kind"] for each in answer["changes"]] == ["user", "user", "operator"]
        assert [each["client_request"] for each in answer["changes"]] == [None, "till-7", None]
        assert answer == person.get("/store/ikea/item/stool/history").json
    page = alice.get("/item/stool/history?limit=2").json
    assert [each["action"] for each in alice.get(page["next"]).json["changes"]] == ["create"]


def test_the_history_outlives_who_made_it(bob: Person, root: Person) -> None:
    bob.patch("/item/chair", {"price": 1})
    root.delete("/user/2")
    newest = root.get("/item/chair/history").json["changes"][0]
    assert (newest["user_id"], newest["username"]) == (2, None)


def test_the_audit_trail_is_filtered(alice: Person, bob: Person, root: Person, clock: Clock) -> None:
    alice.put("/store/ikea/members/carol", {"role": "clerk"})
    clock.now += 10
    bob.patch("/item/chair", {"price": 1})
    ids = {each["id"]: each for each in root.get("/audit").json["changes"]}
    assert list(ids) == sorted(ids, reverse=True)
    assert [each["kind"] for each in root.get("/audit?kind=member&limit=1").json["changes"]] == ["member"]
    assert {each["username"] for each in root.get("/audit?user_id=2").json["changes"]} == {"bob"}
    assert {each["store_id"] for each in root.get("/audit?store_id=1").json["changes"]} == {1}
    now = int(clock.now)
    assert [each["username"] for each in root.get(f"/audit?since={now}").json["changes"]] == ["bob"]
    assert len(root.get(f"/audit?until={now - 1}").json["changes"]) == len(ids) - 1
    kinds = {each["kind"] for each in alice.get("/store/ikea/history").json["changes"]}
    assert kinds == {"item", "store", "member"}
