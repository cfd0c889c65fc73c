"""What SQLite is told on every connection, and what becomes of a change when it is locked, full or killed."""

import asyncio
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database.engine import create_engine
from storekeeper.database.executor import Database
from storekeeper.domain.money import PriceInput
from storekeeper.models import item, item_list, item_queries, item_search
from storekeeper.models.item_fields import Fields
from storekeeper.models.item_list import Filter
from storekeeper.settings import Settings
from tests.support import databases
from tests.support.cast import HASHED
from tests.support.concurrent_workers import Call, at_once, call, log_in, statuses, worker
from tests.support.databases import transaction

CAST = """INSERT INTO users (username, username_key, password_hash, is_admin, is_active)
    VALUES ('alice', 'alice', '{hashed}', 1, 1);
    INSERT INTO stores (name, currency) VALUES ('ikea', 'EUR');"""


@pytest.fixture
def path(template: Path, tmp_path: Path) -> Path:
    """A database with an administrator and a store."""
    databases.copy_file(template, tmp_path)
    with closing(connect(tmp_path / "storekeeper.db")) as connection:
        connection.executescript(CAST.format(hashed=HASHED))
    return tmp_path / "storekeeper.db"


@pytest.fixture
def settings(path: Path) -> Settings:
    return Settings(data=str(path.parent), database_url=f"sqlite:///{path}", database_seconds=1)


def connect(path: Path) -> Any:
    """Somebody else's connection, which does not wait."""
    module: Any = create_engine("sqlite://").dialect.loaded_dbapi
    return module.connect(path, timeout=0, isolation_level=None)


@pytest.fixture
def db(settings: Settings) -> Iterator[Database]:
    db = Database(settings.database)
    yield db
    db.close()


def pragmas(conn: Connection) -> dict[str, Any]:
    names = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys", "trusted_schema")
    return {name: conn.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names}


async def on_every_connection(db: Database) -> list[dict[str, Any]]:
    return [await each(pragmas) for each in (db.read, db.read_list, db.write)]


def test_every_connection_is_durable_patient_and_strict(db: Database) -> None:
    """synchronous 2 is FULL: a commit survives a power cut."""
    told = {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 4000, "foreign_keys": 1, "trusted_schema": 0}
    assert asyncio.run(on_every_connection(db)) == [told] * 3
    db.close()
    assert asyncio.run(on_every_connection(db)) == [told] * 3


@pytest.mark.skipif(sys.platform != "linux", reason="SQLite is bundled for Linux only")
def test_the_library_does_not_lose_pages_of_the_wal(db: Database) -> None:
    """3.51.3 is the first without the WAL-reset bug."""
    found = asyncio.run(db.read(lambda conn: conn.exec_driver_sql("SELECT sqlite_version()").scalar_one()))
    assert tuple(map(int, found.split("."))) >= (3, 51, 3)


def test_a_writer_has_the_lock_before_it_reads(db: Database, path: Path) -> None:
    def is_locked(_conn: Connection) -> bool:
        with closing(connect(path)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except other.OperationalError:
                return True
        return False

    assert asyncio.run(db.write(is_locked)) is True
    assert asyncio.run(db.read(is_locked)) is False


def test_a_locked_database_answers_503_and_then_goes_on(settings: Settings, path: Path) -> None:
    with worker(settings, seconds=0.4) as app:
        token = log_in(app, "alice")["access_token"]
        put = Call("PUT", "/item/pen", {"price": 1, "store_id": 1}, token)
        with closing(connect(path)) as other:
            other.execute("BEGIN EXCLUSIVE")
            answers = at_once([app], [put, put, Call("GET", "/item/pen", None, token)])
            assert [answer.status for answer in answers] == [503, 503, 404]
            assert answers[0].headers["retry-after"] == "1"
        assert statuses(at_once([app], [put, put])) == {200: 1, 201: 1}


def test_a_full_disk_answers_503_and_keeps_what_was_acknowledged(settings: Settings) -> None:
    with worker(settings) as app:
        token = log_in(app, "alice")["access_token"]
    sa.event.listen(sa.Engine, "connect", _allow_no_more_pages)
    try:
        with worker(settings) as app:
            answers = [_put(app, token, n) for n in range(100)]
            held = call(app, "GET", "/store/ikea?limit=200").body["items"]
    finally:
        sa.event.remove(sa.Engine, "connect", _allow_no_more_pages)
    assert set(statuses(answers)) == {201, 503}
    assert answers[-1].headers["retry-after"] == "1"
    assert [item["price"] for item in held] == [n for n, answer in enumerate(answers) if answer.status == 201]
    with worker(settings) as app:
        assert _put(app, token, 100).status == 201


def test_a_disk_that_fills_up_at_the_commit_answers_503(settings: Settings, path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with worker(settings) as app:
        token = log_in(app, "alice")["access_token"]
        size = path.with_name(f"{path.name}-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            refused = _put(app, token, 0)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert [_put(app, token, n).status for n in range(3)] == [201] * 3
    with closing(connect(path)) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _allow_no_more_pages(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA max_page_count = 1")


def _put(app: Any, token: str, n: int) -> Any:
    return call(app, "PUT", f"/item/{n:03}{'x' * 70}", {"price": n, "store_id": 1}, token)


# A program that writes a line when an answer leaves: the trace then shows what was on disk by then.
ANSWERING = """
import asyncio, os, sys
from tests.support.concurrent_workers import Call, log_in, send, worker
from storekeeper.settings import Settings

with worker(Settings(data=sys.argv[1])) as app:
    token = log_in(app, "alice")["access_token"]

    async def answering(scope, receive, respond):
        async def note(event):
            if event["type"] == "http.response.start":
                os.write(1, b"ANSWER %d" % event["status"])
            await respond(event)

        await app(scope, receive, note)

    for n in range(3):
        os.write(1, b"ASK")
        asyncio.run(send(answering, Call("PUT", "/item/pen", {"price": n, "store_id": 1}, token)))
"""
TRACED = "trace=write,pwrite64,fsync,fdatasync"


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_a_change_is_on_disk_before_its_answer_leaves(path: Path) -> None:
    trace = path.parent / "trace"
    command = ["strace", "-f", "-y", "-e", TRACED, "-o", trace, sys.executable, "-c", ANSWERING, path.parent]
    done = subprocess.run(command, check=False, capture_output=True, cwd=Path(__file__).parents[2])
    if b"ptrace" in done.stderr:
        pytest.skip("tracing is not allowed here")
    assert done.returncode == 0, done.stderr
    between = re.findall(r"\"ASK\"(.*?)\"ANSWER 20\d\"", trace.read_text(), re.DOTALL)
    assert len(between) == 3
    for calls in between:
        to_log = [line for line in calls.splitlines() if f"{path}-wal" in line]
        assert "write" in to_log[0]
        assert re.search(r"f(data)?sync\(", to_log[-1])


def test_a_catalogue_that_began_small_is_searched_by_its_index(path: Path) -> None:
    """Statistics of one item had SQLite look at every item, for each search, when there were many."""
    engine = create_engine(f"sqlite:///{path}")
    with transaction(engine) as conn:
        item.add(conn, 1, 1, "chair", Fields(price=PriceInput("1"), tags=["oak"]))
        item_search.analyze(conn)
    with engine.connect() as conn:
        shape, values = item_list.prepare(conn, Filter(tag="oak"))
        select, columns = item_queries.select_items(shape)
        select = select.params(values).order_by(columns["id"]).limit(2)
        query = select.compile(conn, compile_kwargs={"literal_binds": True})
        first, *_ = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")
    assert first.detail.startswith("SCAN item_search"), first
