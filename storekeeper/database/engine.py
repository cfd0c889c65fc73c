"""How to reach the database. Only here and in `worker_connections` a transaction begins or ends."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any

import sqlalchemy as sa

from storekeeper.database.worker_connections import LOCK

Connection = sa.Connection  # also for those who only pass one on
Engine = sa.Engine

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts ids by itself only in a column of this exact type.
Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
# Compared and sorted by code point, as SQLite does, whatever the server's locale is.
Text = sa.String().with_variant(sa.String(collation="C"), "postgresql")


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[Connection]:
    """A connection in a transaction: committed at the end, rolled back when something is raised."""
    with engine.begin() as conn:
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql(LOCK)
        yield conn


def create_engine(url: str, seconds: float = 5.0, *, is_read_only: bool = False) -> sa.Engine:
    """An engine without a pool: our threads are the pool. No statement outlives `seconds` by much."""
    # Without its parameters an error may be logged: there are passwords' hashes among them.
    common: dict[str, Any] = {"poolclass": sa.NullPool, "hide_parameters": True}
    if sa.make_url(url).get_backend_name() != "sqlite":
        return sa.create_engine(url, connect_args=_postgresql_options(seconds), **common)
    # "named" lets a query pass its values by name to either driver.
    engine = sa.create_engine(url, module=_sqlite(), paramstyle="named", **common)
    configure = _forbid_changes if is_read_only else partial(_configure_sqlite, seconds)
    sa.event.listen(engine, "connect", configure)
    return engine


def _postgresql_options(seconds: float) -> dict[str, Any]:
    milliseconds = int(seconds * 1000)
    limits = {
        "statement_timeout": milliseconds,
        "lock_timeout": milliseconds,
        "idle_in_transaction_session_timeout": 2 * milliseconds,
    }
    return {
        "application_name": "storekeeper",
        "connect_timeout": 3,
        "tcp_user_timeout": milliseconds,
        "prepare_threshold": 0,
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
    }


def _sqlite() -> Any:
    """The bundled SQLite where there is one: the system's may still have the WAL-reset bug."""
    try:
        return import_module("pysqlite3.dbapi2")
    except ImportError:
        return import_module("sqlite3.dbapi2")


def _configure_sqlite(seconds: float, connection: Any, _record: Any) -> None:
    patience = 0.8 * seconds
    connection.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")  # first: the next line needs the lock
    _use_wal(connection, time.monotonic() + patience)
    connection.execute("PRAGMA synchronous = FULL")  # a commit survives a power cut
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")


def _use_wal(connection: Any, deadline: float) -> None:
    """Also while another starter makes the file: SQLite does not wait for that by itself."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except connection.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _forbid_changes(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA query_only = ON")
