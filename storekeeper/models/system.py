"""The server as an operator sees it: which database, how large it is, and how much it holds."""

from typing import Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.models.item import items
from storekeeper.models.store import stores
from storekeeper.models.user import users

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
    def badness(self) -> int:
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


_COUNTED = (users, stores, items)
_SQLITE = (
    "SELECT sqlite_version()",
    "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
)
_POSTGRESQL = ("SHOW server_version", "SELECT pg_database_size(current_database())")
