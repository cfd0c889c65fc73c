"""The journal: a row for every change of stores, items, members and users, written with the change it tells of.

Rows are never altered, which the database itself sees to; the oldest may be forgotten. They are in the order of their
ids, in which of two changes of one thing the later comes later. On PostgreSQL an id is given out before its row can be
seen, so a row may turn up behind a later one: whoever reads on from a cursor stops at `settled`, below which none does.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from typing import Any, Literal, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import dialects, records
from storekeeper.database.compiled_query import CompiledQuery, execute
from storekeeper.database.engine import Id, metadata
from storekeeper.database.records import scalar

Kind = Literal["item", "store", "member", "user"]
Action = Literal["create", "update", "delete", "password"]
AuthorKind = Literal["user", "key", "operator", "server"]
Record = msgspec.Struct | None

FORGOTTEN_AT_ONCE = 2000
# Locks of PostgreSQL are numbers. Whoever holds this one plus n writes rows whose ids are above n.
LOCK = 0x53746F72 << 32

changes = sa.Table(
    "changes",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.BigInteger),  # no foreign key: it outlives the user
    sa.Column("request", sa.String, nullable=False),
    sa.Column("kind", sa.String(6), nullable=False),
    sa.Column("action", sa.String(8), nullable=False),
    sa.Column("store_id", sa.BigInteger),
    sa.Column("subject_id", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger),
    sa.Column("price_minor", sa.BigInteger),  # only where the change set a price
    sa.Column("before", sa.Text),  # JSON, as the API shows it
    sa.Column("after", sa.Text),
    sa.Column("author_kind", sa.String(8)),  # none: of the version before, which knew users and the operator alone
    sa.Column("client_request", sa.String),
    sa.Index("ix_changes_kind_subject_id", "kind", "subject_id", "id"),
    sa.Index("ix_changes_store_id_id", "store_id", "id"),
    sa.Index(
        "ix_changes_price",
        "subject_id",
        "id",
        # PostgreSQL's has it as well. To name it here would load that dialect everywhere: see `dialects`.
        sqlite_where=sa.text("price_minor IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

# The last change that was forgotten, and when that had been made; no row while all are there.
forgotten = sa.Table(
    "journal",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("last_id", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),
)


class Horizon(NamedTuple):
    """The last change that was forgotten, and when that had been made."""

    id: int
    at: int


_known_horizon = sa.select(forgotten.c.last_id.label("id"), forgotten.c.last_at.label("at"))
_horizon = CompiledQuery(_known_horizon, Horizon)


def _number(sql: str) -> CompiledQuery[int | None]:
    return CompiledQuery(sa.text(sql).columns(sa.column("number", sa.BigInteger)), scalar)


_ALWAYS = ("updated_at", "version")
_COLUMNS = [column.name for column in changes.c if column.name != "id"]
_LOCKED = f"SELECT pg_advisory_xact_lock_shared({LOCK} + last_value - (NOT is_called)::int) FROM changes_id_seq"  # noqa: S608
_ADD = {
    "sqlite": f"INSERT INTO changes ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)})",  # noqa: S608
    # In one round trip; but first the lock, and then the id.
    "postgresql": f"""
        WITH locked AS MATERIALIZED ({_LOCKED})
        INSERT INTO changes ({", ".join(_COLUMNS)}) SELECT {", ".join(f"%({name})s" for name in _COLUMNS)} FROM locked
    """,  # noqa: S608
}
_LAST = {
    "sqlite": _number("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'changes'"),
    "postgresql": _number("SELECT last_value - (NOT is_called)::int FROM changes_id_seq"),
}
_LOWEST_LOCKED = _number(f"""
    SELECT min((classid::bigint << 32 | objid::bigint) - {LOCK}) FROM pg_locks
    WHERE locktype = 'advisory' AND mode = 'ShareLock' AND objsubid = 1 AND classid::bigint >= {LOCK >> 32}
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")  # noqa: S608


class Author(msgspec.Struct, frozen=True):
    """Who makes a change, and by which request: a user, a user's key, the operator at the command line, or the server.

    Without a kind it is not known yet, as before a registration. `request` is the server's id for it, and
    `client_request` the one that its sender chose.
    """

    kind: AuthorKind | None
    user_id: int | None = None
    request: str = ""
    client_request: str | None = None


OPERATOR = Author("operator")


class AuthorMissing(Exception):
    """A change was to be written down of which nobody has said who makes it: a fault of the program."""


class NewChange(msgspec.Struct, frozen=True):
    """What became of a thing. `before` and `after` are as the API shows it: None where it is not there.

    Where it was only altered, `before` has what differs. `price_minor` is its price, where that is new.
    """

    kind: Kind
    action: Action
    store_id: int | None
    subject_id: int
    before: Any = None
    after: Any = None
    version: int | None = None
    price_minor: int | None = None


@contextmanager
def signed(conn: Connection, author: Author) -> Iterator[None]:
    """Say who makes the changes of this block. Its connection is kept for others, so it must not keep the author."""
    outer = conn.info.get("author")
    conn.info["author"] = author
    try:
        yield
    finally:
        if not conn.invalidated:  # a connection that was lost has forgotten it
            conn.info["author"] = outer


def set_author_user(conn: Connection, user_id: int) -> None:
    """Say that the rest of the block is by this user, who was not known before: somebody who registers."""
    conn.info["author"] = msgspec.structs.replace(_author(conn), kind="user", user_id=user_id)


def _author(conn: Connection) -> Author:
    author: Author | None = conn.info.get("author")
    if author is None:
        raise AuthorMissing
    return author


def append(conn: Connection, *noted: NewChange) -> None:
    """Write down changes that this transaction makes. AuthorMissing outside of `signed`."""
    author = _author(conn)
    if author.kind is None:
        raise AuthorMissing
    at = int(time.time())
    rows = [_row(each, author, at) for each in noted]
    if len(rows) == 1:
        execute(conn, _ADD[conn.dialect.name], rows[0])
    elif rows:
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql(_LOCKED)
        dialects.insert_many(conn, changes.name, rows)


def compare(
    kind: Kind, store_id: int | None, subject_id: int, before: Record, after: Record, price_minor: int | None = None
) -> NewChange:
    """The change from one record of a thing to the next; None where there is none."""
    version = getattr(after or before, "version", None)
    if before is None or after is None:
        action: Action = "create" if before is None else "delete"
        return NewChange(kind, action, store_id, subject_id, before, after, version, price_minor)
    return NewChange(kind, "update", store_id, subject_id, _difference(before, after), after, version, price_minor)


def _difference(before: msgspec.Struct, after: msgspec.Struct) -> dict[str, Any]:
    """What `before` has that `after` has otherwise, by name, but for what every change changes."""
    pairs = ((name, getattr(before, name)) for name in before.__struct_fields__ if name not in _ALWAYS)
    return {name: value for name, value in pairs if value != getattr(after, name)}


def last(conn: Connection) -> int:
    """The highest id that was given out; the row may be one that nobody sees yet, or ever."""
    return _LAST[conn.dialect.name].fetch_only(conn) or 0


def last_visible_id(conn: Connection) -> int:
    """The id up to which all changes are visible, or never will be. On SQLite, with one writer, that is the last id.

    Read the rows in a later statement. For example, the last id is 12, and a running transaction holds the lock for 10:
    it may still add 11, so the result is 10. The result may decrease, but never below a change that was returned.
    """
    newest = last(conn)  # first: a writer that is not among the locked has its ids from after this
    if conn.dialect.name == "sqlite":
        return newest
    lowest = _LOWEST_LOCKED.fetch_first(conn)
    return newest if lowest is None else min(newest, lowest)


def horizon(conn: Connection) -> Horizon:
    """Behind which nothing is forgotten. Zeros while all changes are there."""
    return _horizon.fetch_first(conn) or Horizon(0, 0)


def forget(conn: Connection, before: int) -> int:
    """Drop the oldest rows that were written before that time, some at once; how many they were."""
    oldest = sa.select(changes.c.id, changes.c.at).order_by(changes.c.id).limit(FORGOTTEN_AT_ONCE)
    old = list(takewhile(lambda each: each.at < before, records.fetch_all(conn, oldest, Horizon)))
    if old:
        end = old[-1]
        conn.execute(sa.delete(changes).where(changes.c.id <= end.id))
        conn.execute(sa.delete(forgotten))
        conn.execute(sa.insert(forgotten).values(id=1, last_id=end.id, last_at=end.at))
    return len(old)


def _row(change: NewChange, author: Author, at: int) -> dict[str, Any]:
    return {
        "at": at,
        "author_kind": author.kind,
        "user_id": author.user_id,
        "request": author.request,
        "client_request": author.client_request,
        "kind": change.kind,
        "action": change.action,
        "store_id": change.store_id,
        "subject_id": change.subject_id,
        "version": change.version,
        "price_minor": change.price_minor,
        "before": _json(change.before),
        "after": _json(change.after),
    }


def _json(value: Any) -> str | None:
    return None if value is None else _ENCODER.encode(value).decode()


_ENCODER = msgspec.json.Encoder(decimal_format="number")
