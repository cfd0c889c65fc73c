"""The database's threads: where a transaction begins and ends, what waits for whom, and what is refused."""

import ast
import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier, Event
from threading import enumerate as enumerate_threads
from typing import Any

import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

import storekeeper
from storekeeper import models
from storekeeper.database.compiled_query import CompiledQuery
from storekeeper.database.executor import Database
from storekeeper.database.records import reader
from storekeeper.domain.money import PriceInput
from storekeeper.errors import Conflict, NotFound, Unavailable
from storekeeper.models import (
    idempotency_space,
    installation,
    item,
    item_list,
    item_lookup,
    item_price_history,
    journal,
    login_network,
    login_throttle,
    network_rate,
    paging,
    session,
    store,
    unused_image,
    user,
)
from storekeeper.models.item_fields import Fields
from storekeeper.models.item_lookup import AuthorizedLookup
from storekeeper.models.login_throttle import LoginThrottleLimits
from storekeeper.models.session import SessionLimits
from tests.support.cast import HASHED
from tests.support.server_process import await_that

# For every parameter that a query may have.
VALUES = {"name": "chair", "store": "ikea", "id": 1, "store_id": 1, "session_id": 1, "user_id": 1, "key": "alice"}
VALUES |= {"address": "address", "everybody": "everybody", "since": 0, "hash": HASHED}
VALUES |= {"item_id": 1, "start": 0, "end": 2**40, "first": 0, "last": 1}
ATTEMPT = login_throttle.login("chair", "192.0.2.7", LoginThrottleLimits())
VALUES |= {"until": 2**53, "minute": 0, "network": "n"} | dict.fromkeys(
    login_throttle._COUNTED, next(iter(ATTEMPT.bounds))
)
VALUES |= dict.fromkeys(network_rate._BUCKETS, "b") | dict.fromkeys(network_rate._BOUNDS, 2)


@contextmanager
def database(url: str, **more: Any) -> Iterator[Database]:
    db = Database(url, **more)
    try:
        yield db
    finally:
        db.close()


def read(db: Database, function: Callable[..., Any], *args: Any) -> Any:
    return asyncio.run(db.read(function, *args))


def write(db: Database, function: Callable[..., Any], *args: Any) -> Any:
    return asyncio.run(db.write(by_operator, function, *args))


def by_operator(conn: Connection, function: Callable[..., Any], *args: Any) -> Any:
    with journal.signed(conn, journal.OPERATOR):
        return function(conn, *args)


# Transactions


def test_a_change_is_kept_when_it_returns(db: Database) -> None:
    assert write(db, store.insert, "corner", "EUR").name == "corner"
    assert read(db, store.get, "corner").currency == "EUR"


@pytest.mark.parametrize("error", [NotFound(), ValueError("a bug")])
def test_an_error_undoes_the_whole_change(db: Database, error: Exception) -> None:
    def fail(conn: Connection) -> None:
        store.insert(conn, "corner", "EUR")
        user.set_password(conn, 1, "")
        raise error

    with pytest.raises(type(error)):
        write(db, fail)
    assert read(db, store.find, "corner") is None
    assert read(db, user.get_login, 1).password_hash != ""
    write(db, store.insert, "corner", "EUR")


def test_only_the_database_ends_a_transaction() -> None:
    """A function that takes a connection never commits: what its caller does with it belongs together."""
    found = []
    for path in Path(storekeeper.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                ends = node.func.attr in ("commit", "rollback", "begin_nested")
                if ends or (node.func.attr == "begin" and not node.args):
                    found.append(path.name)
    assert set(found) == {"engine.py", "worker_connections.py"}


def test_a_broken_constraint_is_a_conflict_and_undone(db: Database) -> None:
    def break_one(conn: Connection) -> None:
        store.insert(conn, "corner", "EUR")
        conn.execute(sa.insert(item.items).values(store_id=99, name="pen", price_minor=1))

    with pytest.raises(Conflict) as raised:
        write(db, break_one)
    assert (raised.value.status, raised.value.code) == (409, "conflict")
    assert read(db, store.find, "corner") is None


def test_a_constraint_that_breaks_at_the_commit_is_a_conflict_too(db: Database) -> None:
    def defer(conn: Connection) -> None:
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        conn.execute(sa.insert(item.items).values(store_id=99, name="pen", price_minor=1))

    with pytest.raises(Conflict):
        write(db, defer)
    write(db, store.insert, "corner", "EUR")
    assert read(db, item_list.page, item_list.Filter(), paging.PageRequest()).rows == [read(db, item.get, "chair")]


def test_writers_queue(db: Database, url: str) -> None:
    """None fails and none overwrites another, however they read before they write, in whichever worker."""

    def raise_price(conn: Connection) -> None:
        row = sa.select(item.items.c.price_minor).where(item.items.c.id == 1).with_for_update()
        conn.execute(sa.update(item.items).values(price_minor=conn.execute(row).scalar_one() + 1))

    async def scenario(*databases: Database) -> None:
        await asyncio.gather(*(databases[n % 2].write(raise_price) for n in range(40)))

    with database(url) as other:
        asyncio.run(scenario(db, other))
    assert read(db, item.get, "chair").price == PriceInput("15.99") + PriceInput("0.40")


def test_reads_see_every_change_at_once(db: Database, url: str) -> None:
    """No reader holds on to what it saw before: neither after an answer nor after a refusal."""
    limits = LoginThrottleLimits(each=1)
    attempt = login_throttle.login("alice", "192.0.2.1", limits)
    with database(url) as other:
        for n in range(3):
            write(other, login_throttle.count, login_throttle.login(f"{n}", f"192.0.2.{n + 2}", limits))
        write(other, login_throttle.count, attempt)
        for price in range(3):
            for look in (db.read, db.read_list):
                with pytest.raises(login_throttle.TooManyAttempts):
                    asyncio.run(look(login_throttle.check, attempt))
            write(other, item.put, 1, 1, "chair", Fields(price=PriceInput(price)))
            assert read(db, item.get, "chair").price == price
            assert asyncio.run(db.read_list(item.get, "chair")).price == price
        assert _open_snapshots(other) == 0


def _open_snapshots(db: Database) -> int:
    """How many connections are in a transaction, although nobody asks anything."""
    if db.engine.dialect.name == "sqlite":
        return int(read(db, lambda conn: conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()))
    ours = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return int(read(db, lambda conn: conn.exec_driver_sql(f"{ours} AND state <> 'idle'").scalar_one()))


# Changes that go to disk together


def _together(db: Database, *functions: Callable[..., Any]) -> list[Any]:
    """What comes of changes that wait while another one is made; and how often something was committed, on SQLite."""
    release, commits = Event(), []
    sa.event.listen(db.engine, "commit", commits.append)

    async def scenario() -> list[Any]:
        first = asyncio.create_task(db.write(lambda _: release.wait(30)))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(db.write(function)) for function in functions]
        await asyncio.sleep(0.05)
        release.set()
        await first
        return await asyncio.gather(*others, return_exceptions=True)

    return [*asyncio.run(scenario()), len(commits) - 1 if db.engine.dialect.name == "sqlite" else None]


def _add(name: str, error: Exception | None = None) -> Callable[[Connection], Any]:
    def add(conn: Connection) -> str:
        added = by_operator(conn, store.insert, name, "EUR")
        if error:
            raise error
        return added.name

    return add


def test_what_waits_is_kept_at_once(db: Database) -> None:
    *names, commits = _together(db, *(_add(f"s{n}") for n in range(9)))
    assert (names, commits) in [([f"s{n}" for n in range(9)], expected) for expected in (1, None)]
    assert all(read(db, store.find, f"s{n}") for n in range(9))


def test_a_change_that_is_refused_undoes_itself_alone(db: Database) -> None:
    first, refused, last, commits = _together(db, _add("a"), _add("b", NotFound("item_not_found")), _add("c"))
    assert (first, str(refused), last) == ("a", "Item not found.", "c")
    assert commits in (1, None)
    assert [bool(read(db, store.find, name)) for name in "abc"] == [True, False, True]


@pytest.mark.parametrize("error", [ValueError("a bug"), sa.exc.OperationalError("", {}, Exception("locked"))])
def test_a_change_that_fails_otherwise_harms_no_other(db: Database, error: Exception) -> None:
    """All are undone then, and each is made once more, by itself."""
    first, failed, last, commits = _together(db, _add("a"), _add("b", error), _add("c"))
    assert (first, last) == ("a", "c")
    assert commits in (2, None)
    assert isinstance(failed, Exception)
    assert [bool(read(db, store.find, name)) for name in "abc"] == [True, False, True]


def test_a_constraint_that_breaks_at_the_commit_harms_no_other(db: Database) -> None:
    def defer(conn: Connection) -> None:
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        conn.execute(sa.insert(item.items).values(store_id=99, name="pen", price_minor=1))

    first, failed, last, _ = _together(db, _add("a"), defer, _add("c"))
    assert (first, type(failed), last) == ("a", Conflict, "c")
    assert [bool(read(db, store.find, name)) for name in "ac"] == [True, True]


def test_what_is_given_up_meanwhile_is_undone_and_the_others_are_kept(db: Database) -> None:
    gate, begun, release = Event(), Event(), Event()

    def slow(conn: Connection) -> None:
        by_operator(conn, store.insert, "b", "EUR")
        begun.set()
        assert release.wait(30)

    async def scenario() -> str:
        tasks = [asyncio.create_task(db.write(lambda _: gate.wait(30)))]
        await asyncio.sleep(0.05)
        tasks += [asyncio.create_task(db.write(slow)), asyncio.create_task(db.write(_add("c")))]
        await asyncio.sleep(0.05)
        gate.set()
        assert await asyncio.to_thread(begun.wait, 30)
        tasks[1].cancel()
        await asyncio.sleep(0)
        release.set()
        done: list[Any] = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(done[1], asyncio.CancelledError)
        return str(done[2])

    assert asyncio.run(scenario()) == "c"
    assert [bool(read(db, store.find, name)) for name in "bc"] == [False, True]


# Queries


def _queries() -> dict[str, CompiledQuery[Any]]:
    """All of the models' that go around SQLAlchemy."""
    found = {}
    for module in (item_lookup, item_price_history, *map(models.__dict__.get, models.__all__)):
        for name, value in vars(module).items():
            query = value._query if isinstance(value, AuthorizedLookup) else value
            if isinstance(query, CompiledQuery) and isinstance(query._statement, sa.Select):
                found[f"{module.__name__}.{name}"] = query
    return found


@pytest.mark.parametrize("name", _queries())
def test_a_query_gives_what_core_gives(db: Database, name: str) -> None:
    query = _queries()[name]

    def compare(conn: Connection) -> list[Any]:
        made = query._statement.compile()
        values = {key: VALUES[key] for key in made.params if key in made.binds and key in VALUES}
        rows, expected = (
            CompiledQuery(query._statement).fetch_all(conn, **values),
            conn.execute(query._statement, values).all(),
        )
        assert [tuple(row) for row in rows] == [tuple(row) for row in expected]
        assert [list(map(type, row)) for row in rows] == [list(map(type, row)) for row in expected]
        if query._record:
            read = reader(query._record, query._statement.exported_columns)
            assert query.fetch_all(conn, **values) == list(map(read, rows))
        return rows

    def fill(conn: Connection) -> None:
        session.begin(conn, 1, SessionLimits(60), "", "")
        conn.execute(sa.insert(installation.signing_keys).values(kid="k", fingerprint="f", created_at=1, signs_at=1))
        conn.execute(sa.insert(journal.forgotten).values(id=1, last_id=1, last_at=1))
        login_throttle.count(conn, ATTEMPT)
        conn.execute(sa.insert(network_rate.rates).values(bucket="b", minute=0, count=1))
        idempotency_space.note(conn, 1, "0" * 64, 5)
        conn.execute(sa.update(idempotency_space.answer_space).values(hour=1))
        conn.execute(sa.insert(login_network.sign_ins).values(user_id=1, network="n", last_at=1))
        conn.execute(sa.insert(unused_image.unused_images).values(key="alice", since=1))
        conn.execute(sa.update(item.items).values(image="alice"))
        store.insert(conn, "Käthe", "KWD")
        item.put(conn, 4, "Käthe", "chair", Fields(price=PriceInput("1000000000")))

    write(db, fill)
    assert read(db, compare)
    assert asyncio.run(db.read_list(compare)) == write(db, compare)


# What waits, and what is refused


def test_a_slow_change_is_given_up_and_undone(engine: sa.Engine, url: str) -> None:
    release = Event()

    def slow(conn: Connection) -> None:
        store.insert(conn, "corner", "EUR")
        release.wait(30)

    with database(url, seconds=0.05) as db:
        with pytest.raises(Unavailable):
            write(db, slow)
        release.set()
    with database(url) as db:
        write(db, store.insert, "kiosk", "EUR")
        assert read(db, store.find, "corner") is None


def test_what_was_given_up_is_not_tried_again(engine: sa.Engine, url: str) -> None:
    release, calls = Event(), []

    def lose(conn: Connection) -> None:
        calls.append(conn)
        release.wait(30)
        raise engine.dialect.loaded_dbapi.InterfaceError("the connection is lost")

    with database(url, seconds=0.05) as db:
        with pytest.raises(Unavailable):
            write(db, lose)
        release.set()
    assert len(calls) == 1


def test_a_full_queue_refuses_at_once(engine: sa.Engine, url: str) -> None:
    """Also when those who wait have given up: the threads are busy all the same."""
    release = Event()

    async def scenario(db: Database) -> None:
        waiting = [asyncio.create_task(db.read(lambda _: release.wait(30))) for _ in range(6)]
        await asyncio.sleep(0)
        for task in waiting[3:]:
            task.cancel()
        with pytest.raises(Unavailable):
            await db.read(store.get, "ikea")
        assert not any(task.done() for task in waiting[:3])
        assert (await db.write(by_operator, store.insert, "corner", "EUR")).name == "corner"
        release.set()
        assert await asyncio.gather(*waiting[:3]) == [True] * 3
        assert (await db.read(store.get, "ikea")).id == 1

    try:
        with database(url, limit=6, seconds=60) as db:
            asyncio.run(scenario(db))
    finally:
        release.set()


def test_a_closed_database_leaves_nothing_and_opens_again(engine: sa.Engine, url: str) -> None:
    before, others = set(enumerate_threads()), set(_connections(engine))
    with database(url) as db:
        for _ in range(2):
            assert read(db, store.get, "ikea").id == 1
            assert asyncio.run(db.read_list(store.get, "ikea")).id == write(db, store.get, "ikea").id
            assert set(enumerate_threads()) > before
            db.close()
            assert set(enumerate_threads()) == before
            await_that(lambda: set(_connections(engine)) <= others)  # the server notices a little later


def _connections(engine: sa.Engine) -> list[Any]:
    """Those that are open, of whomever: tests before this one may have left some to the garbage collector."""
    if engine.dialect.name == "sqlite":
        return [file for file in psutil.Process().open_files() if file.path.startswith(str(engine.url.database))]
    others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        return list(conn.exec_driver_sql(others).all())


def test_postgresql_changes_different_things_side_by_side(postgresql_url: str) -> None:
    """Two transactions wait for each other: they cannot be one after the other."""
    barrier = Barrier(2)

    async def scenario(db: Database) -> list[Any]:
        return await asyncio.gather(*(db.write(lambda _: barrier.wait(30)) for _ in range(2)))

    with database(postgresql_url, seconds=60) as db:
        assert sorted(asyncio.run(scenario(db))) == [0, 1]


def test_postgresql_gives_up_by_itself_and_keeps_what_it_acknowledges(postgresql_url: str) -> None:
    def show(conn: Connection) -> list[str]:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "synchronous_commit")
        return [conn.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names]

    with database(postgresql_url, seconds=3) as db:
        assert read(db, show) == write(db, show) == ["3s", "3s", "6s", "on"]
