"""The server as an operator sees it: its database, how large that is and how much it holds, and its last backup."""

from typing import Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import dialects
from storekeeper.database.engine import metadata
from storekeeper.models.item import items
from storekeeper.models.store import stores
from storekeeper.models.user import users

backups = sa.Table("backups", metadata, sa.Column("made_at", sa.BigInteger, primary_key=True, autoincrement=False))

Status = Literal["ready", "read_only", "unavailable"]
STATUSES: tuple[Status, ...] = ("ready", "read_only", "unavailable")  # each is worse than the one before


class Condition(msgspec.Struct, frozen=True):
    """What was found of one thing. `message` is for everybody, `reason` for administrators. `since` is in seconds."""

    name: str
    status: Status = "ready"
    message: str = "ready"
    reason: str | None = None
    since: int = 0

    @property
    def severity(self) -> int:
        return STATUSES.index(self.status)


class Facts(msgspec.Struct, frozen=True):
    """`bytes` is what the database takes on its disk."""

    database: str
    bytes: int
    users: int
    stores: int
    items: int


def describe(conn: Connection) -> Facts:
    is_sqlite = conn.dialect.name == "sqlite"
    version, size = _SQLITE if is_sqlite else _POSTGRESQL
    name = "SQLite" if is_sqlite else "PostgreSQL"
    counts = {table.name: conn.scalars(sa.select(sa.func.count()).select_from(table)).one() for table in _COUNTED}
    return Facts(f"{name} {conn.scalar(sa.text(version))}", conn.scalars(sa.text(size)).one(), **counts)


def note_backup(conn: Connection, made_at: int) -> None:
    """A backup has what there was at this time, in seconds since 1970. Those before it need not be known any more."""
    conn.execute(sa.delete(backups).where(backups.c.made_at < made_at))
    dialects.insert_if_new(conn, backups, {"made_at": made_at})


def last_backup(conn: Connection) -> int | None:
    """When the last one was made; None if none was noted."""
    made_at: int | None = conn.scalars(sa.select(sa.func.max(backups.c.made_at))).one()
    return made_at


_COUNTED = (users, stores, items)
_SQLITE = (
    "SELECT sqlite_version()",
    "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
)
_POSTGRESQL = ("SHOW server_version", "SELECT pg_database_size(current_database())")
