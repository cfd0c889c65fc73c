"""Migrations: they make what the models declare, one starter does it, and /readyz tells whether it was done."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import storekeeper
from storekeeper.app import create_app
from storekeeper.database import schema_version
from storekeeper.database.engine import create_engine, metadata
from storekeeper.database.executor import Database
from storekeeper.database.schema_version import SchemaError
from storekeeper.security.passwords import Passwords
from storekeeper.security.signing_keys import ensure
from storekeeper.settings import Settings
from tests.conftest import make_parts
from tests.support import databases
from tests.support.cast import CHEAP
from tests.support.concurrent_workers import Call, call, send, worker
from tests.support.database_schema import describe

VERSION = sa.table("alembic_version", sa.column("version_num"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with databases.postgresql(request.getfixturevalue("testrun_uid")) as url:
        yield url


def test_the_migrations_end_where_the_program_is() -> None:
    scripts = ScriptDirectory(str(Path(storekeeper.__file__).parent / "migrations"))
    assert scripts.get_heads() == [schema_version.HEAD]


def test_migrations_make_what_the_models_declare(url: str) -> None:
    with create_engine(url).connect() as conn:
        compared = {"compare_type": True, "compare_server_default": True, "include_name": _is_declared}
        context = MigrationContext.configure(conn, opts=compared)
        assert compare_metadata(context, metadata) == []


def _is_declared(name: str | None, kind: str, _parents: Any) -> bool:
    """The index of words is not: it is a virtual table on SQLite."""
    return kind != "table" or not str(name).startswith("item_search")


def test_every_name_is_the_declared_one(empty_url: str) -> None:
    """Of columns, indexes and constraints, with what each of them says: Alembic does not compare all of it."""
    engine = create_engine(empty_url)
    schema_version.migrate(engine)
    migrated = describe(engine)
    with engine.begin() as conn:
        conn.execute(sa.text("DROP TABLE item_search"))
    metadata.drop_all(engine)
    _share_conditions()
    metadata.create_all(engine)
    assert migrated == describe(engine)


def _share_conditions() -> None:
    """The models name an index's condition for SQLite alone, so that a server loads one dialect. It holds for both."""
    for index in [index for table in metadata.sorted_tables for index in table.indexes]:
        index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]


def test_of_many_starters_one_migrates(empty_url: str) -> None:
    done: list[Any] = []
    barrier = Barrier(6)

    def start() -> None:
        barrier.wait(30)
        try:
            done.append(schema_version.migrate(create_engine(empty_url)))
        except Exception as error:
            done.append(error)

    threads = [Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, done)) == ["False"] * 5 + ["True"]
    with create_engine(empty_url).connect() as conn:
        assert schema_version.is_current(conn)
        assert schema_version.version(conn) == schema_version.HEAD


def test_a_starter_waits_for_another_that_makes_the_file(tmp_path: Path) -> None:
    """SQLite itself does not wait there: it fails at once where two make a new file at the same time."""
    engine = create_engine(f"sqlite:///{tmp_path / 'new.db'}")
    done = []
    with closing(engine.dialect.loaded_dbapi.connect(tmp_path / "new.db", isolation_level=None)) as other:
        other.execute("CREATE TABLE alien (id)")
        other.execute("BEGIN IMMEDIATE")
        starter = Thread(target=lambda: done.append(schema_version.migrate(engine)))
        starter.start()
        time.sleep(0.1)  # long enough to fail, were it not to wait
        other.execute("COMMIT")
        starter.join()
    assert done == [True]


def test_a_failed_migration_leaves_nothing(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one transaction: the next start begins where this one did."""
    upgrade = schema_version._upgrade

    def fail(conn: Connection) -> None:
        upgrade(conn)
        raise OSError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(schema_version, "_upgrade", fail)
        with pytest.raises(OSError, match="power"):
            schema_version.migrate(create_engine(empty_url))
    with create_engine(empty_url).connect() as conn:
        assert sa.inspect(conn).get_table_names() == []
    assert schema_version.migrate(create_engine(empty_url)) is True


@contextmanager
def at_version(url: str, version: str) -> Iterator[sa.Engine]:
    engine = create_engine(url)
    with engine.begin() as conn:
        conn.execute(sa.update(VERSION).values(version_num=version))
    try:
        yield engine
    finally:
        with engine.begin() as conn:
            conn.execute(sa.update(VERSION).values(version_num=schema_version.HEAD))


def test_a_migration_may_take_longer_than_a_request(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def change_a_large_table(conn: sa.Connection) -> list[str]:
        if conn.dialect.name == "postgresql":
            conn.execute(sa.text("SELECT pg_sleep(0.4)"))
        return []

    monkeypatch.setattr(schema_version, "_upgrade", change_a_large_table)
    assert schema_version.migrate(create_engine(empty_url, 0.1))


def test_a_database_of_a_later_version_is_refused(url: str) -> None:
    with at_version(url, "9999") as engine, pytest.raises(SchemaError, match="later version"):
        schema_version.migrate(engine)


# /readyz


def test_a_server_is_ready_when_its_tables_are_there(settings: Settings) -> None:
    with worker(settings) as app:
        assert call(app, "GET", "/readyz").body == {"message": "ready", "status": "ready"}


def test_a_server_is_not_ready_for_the_tables_of_another_version(settings: Settings) -> None:
    with at_version(settings.database, "9999"), worker(settings) as app:
        answer = call(app, "GET", "/readyz")
        assert (answer.status, answer.body["message"]) == (503, "The database has the tables of another version.")
    with worker(settings) as app:
        assert call(app, "GET", "/readyz").status == 200


def test_a_server_is_not_ready_without_tables(empty_url: str, tmp_path: Path) -> None:
    with worker(Settings(data=str(tmp_path), database_url=empty_url)) as app:
        answer = call(app, "GET", "/readyz")
        assert (answer.status, answer.body["error"]) == (503, "unavailable")
    schema_version.migrate(create_engine(empty_url))
    with worker(Settings(data=str(tmp_path), database_url=empty_url)) as app:
        assert call(app, "GET", "/readyz").status == 200


def test_a_server_is_not_ready_while_the_database_hangs(settings: Settings) -> None:
    """It says so after a second, though the database would be waited for much longer; /livez does not ask it."""
    release = Event()
    ensure(settings.keys_path)
    db = Database(settings.database, seconds=60)
    passwords = Passwords(CHEAP, 1, 8)
    parts = make_parts(settings, db, passwords)
    app = create_app(settings, parts)

    async def scenario() -> list[int]:
        hanging = [asyncio.create_task(db.read(lambda _: release.wait(30))) for _ in range(8)]
        await asyncio.sleep(0)
        answers = await asyncio.gather(*(app_call(path) for path in ("/readyz", "/livez")))
        assert not any(task.done() for task in hanging)
        release.set()
        await asyncio.gather(*hanging)
        return answers

    async def app_call(path: str) -> int:
        return (await send(app, Call("GET", path))).status

    try:
        assert asyncio.run(scenario()) == [503, 200]
        asyncio.run(parts.health.sample_reads())
        assert call(app, "GET", "/readyz").status == 200
    finally:
        release.set()
        passwords.close()
        db.close()
