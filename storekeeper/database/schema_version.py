"""The schema's version: bringing a database up to it, under a lock, and telling whether it is there."""

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from storekeeper.database.compiled_query import CompiledQuery
from storekeeper.database.dialects import serialize
from storekeeper.database.engine import create_engine, transaction
from storekeeper.database.records import scalar

MIGRATIONS = Path(__file__).parent.parent / "migrations"
HEAD = max(path.name for path in MIGRATIONS.glob("versions/[0-9]*.py"))[:4]  # the newest migration's number

# What a migration sets SQLite's `user_version` to where old bytes have to leave the file, which only VACUUM does.
VACUUM_DUE = 1

_one = sa.column("one", sa.Integer)
_version = sa.table("alembic_version", sa.column("version_num"))
# By these, and not by an inspector, which takes four times as long: each server asks every two seconds.
_current: CompiledQuery[str] = CompiledQuery(sa.select(_version.c.version_num), scalar)
_has_table = {
    "sqlite": CompiledQuery(sa.text("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").columns(_one)),
    "postgresql": CompiledQuery(sa.text("SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL").columns(_one)),
}

Notify = Callable[[str], None]


class SchemaError(Exception):
    """The database cannot be used by this version of the server."""


def version(conn: Connection) -> str | None:
    """The database's version; None if it has no tables of ours."""
    if not _has_table[conn.dialect.name].fetch_first(conn):
        return None
    return _current.fetch_first(conn)


def is_current(conn: Connection) -> bool:
    return version(conn) == HEAD


def require(conn: Connection) -> None:
    """SchemaError unless the database has this version's tables. Says what to do."""
    now = version(conn)
    if now is None:
        raise SchemaError("The database has no tables yet: `storekeeper migrate` makes them.")
    _refuse_later(now)
    if now != HEAD:
        raise SchemaError(f"The database is of version {now}, not {HEAD}: `storekeeper migrate` brings it up to date.")


def open_engine(url: str) -> sa.Engine:
    """An engine for a database that is there and has this version's tables. SchemaError where it has not."""
    engine = engine_of_existing(url)
    with engine.connect() as conn:
        require(conn)
    return engine


def engine_of_existing(url: str) -> sa.Engine:
    """An engine for a database that is there, of whatever version. SchemaError where it is not."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").exists():  # SQLite would make it
        raise SchemaError("There is no database yet: `storekeeper migrate` creates it.")
    return engine


def _refuse_later(now: str) -> None:
    if now > HEAD:
        raise SchemaError(f"The database is of a later version ({now}) than this program ({HEAD}): upgrade it.")


def _log_notice(notice: str) -> None:
    structlog.get_logger().warning("migration_notice", notice=notice)


def migrate(engine: sa.Engine, notify: Notify = _log_notice) -> bool:
    """Create the tables or bring them up to date; whether there was anything to do. Of two starters, one does it.

    `notify` is called with what the operator has to know of what a migration found in the rows, a sentence or more.
    """
    is_changed, notices = _migrate(engine)
    for notice in notices:
        notify(notice)
    if engine.dialect.name == "sqlite":
        _vacuum(engine, notify)
    return is_changed


def _migrate(engine: sa.Engine) -> tuple[bool, list[str]]:
    with transaction(engine) as conn:
        _take_time(conn)
        serialize(conn, "migrate")
        now = version(conn)
        if now == HEAD:
            return False, []
        if now is not None:
            _refuse_later(now)
        return True, _upgrade(conn)


def _vacuum(engine: sa.Engine, notify: Notify) -> None:
    """Write SQLite's file anew if a migration asked for it, now or at a start that was cut short."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        if conn.exec_driver_sql("PRAGMA user_version").scalar() != VACUUM_DUE:
            return
        try:
            conn.exec_driver_sql("VACUUM")
            is_busy = bool(conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar())
        except OperationalError as error:  # the disk is full, or another process uses the file
            structlog.get_logger().warning("vacuum_failed", reason=str(error.orig))
            is_busy = True
        if is_busy:
            notify("The database file could not be written anew, so old bytes stay in it. The next start tries again.")
            return
        conn.exec_driver_sql("PRAGMA user_version = 0")


def _take_time(conn: Connection) -> None:
    """A large table may take longer to change than any request may, and the other starter has to wait for it."""
    if conn.dialect.name != "sqlite":
        for limit in ("statement_timeout", "lock_timeout"):
            conn.execute(sa.text(f"SET LOCAL {limit} = 0"))


def _upgrade(conn: Connection, to: str = "head") -> list[str]:
    """Run the migrations up to that one. What they say to the operator."""
    # Slow to import, and seldom needed.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    notices: list[str] = []
    config.attributes.update(connection=conn, notices=notices)
    command.upgrade(config, to)
    return notices
