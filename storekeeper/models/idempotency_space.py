"""The size of the responses that are stored for each user's Idempotency-Keys.

They are counted by the hour, as a sum over thousands of rows would cost more than the change itself. Each hour has
several parts, since on PostgreSQL whoever adds to a row keeps others from it until the commit.
"""

import time
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import dialects
from storekeeper.database.compiled_query import CompiledQuery, delete_some
from storekeeper.database.engine import metadata
from storekeeper.database.records import scalar
from storekeeper.errors import AnswerSpaceFull
from storekeeper.models import quota

HOUR = 3600
HOURS = 24  # that an answer is kept
PARTS = 8
SWEPT_AT_ONCE = 20
CAREFUL_FROM = 0.75  # of the quota: from there on, a user's changes with keys take turns

answer_space = sa.Table(
    "answer_space",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True),  # no foreign key: a user's last change may be their end
    sa.Column("hour", sa.BigInteger, primary_key=True, index=True),
    sa.Column("part", sa.Integer, primary_key=True),
    sa.Column("bytes", sa.BigInteger, nullable=False),
)

_hour = answer_space.c.hour
_bytes = sa.cast(sa.func.coalesce(sa.func.sum(answer_space.c.bytes), 0), sa.BigInteger)


class _Used(NamedTuple):
    """The bytes of all that is kept, and the hour of the oldest; None where nothing is."""

    bytes: int
    oldest: int | None


_used = CompiledQuery(
    sa.select(_bytes.label("bytes"), sa.func.min(_hour).label("oldest")).where(
        answer_space.c.user_id == sa.bindparam("user_id"),
        _hour >= sa.bindparam("first"),
        _hour <= sa.bindparam("last"),
    ),
    _Used,
)
_add: CompiledQuery[int] = CompiledQuery(
    sa.text(
        "INSERT INTO answer_space (user_id, hour, part, bytes) VALUES (:user_id, :hour, :part, :bytes) "
        "ON CONFLICT (user_id, hour, part) DO UPDATE SET bytes = answer_space.bytes + excluded.bytes RETURNING bytes"
    ).columns(sa.column("bytes", sa.BigInteger)),
    scalar,
)
_old = sa.select(answer_space.c.user_id, _hour, answer_space.c.part).where(_hour < sa.bindparam("first"))
_sweep = CompiledQuery(delete_some(_old, SWEPT_AT_ONCE))


def require(conn: Connection, user_id: int, max_bytes: int) -> None:
    """AnswerSpaceFull where there is no room for one more, whose size nobody knows yet. 0 is no limit."""
    if not max_bytes:
        return
    if _find_used(conn, user_id).bytes < CAREFUL_FROM * max_bytes or not quota.binds(conn, user_id, max_bytes):
        return
    dialects.serialize(conn, f"answers of user {user_id}")
    used = _find_used(conn, user_id)
    if used.bytes >= max_bytes:
        oldest = _hour_now() if used.oldest is None else used.oldest
        raise AnswerSpaceFull(max_bytes, used.bytes, max(1, _end(oldest) - int(time.time())))


def note(conn: Connection, user_id: int, key: str, size: int) -> None:
    """One more, of so many bytes. `key` is its hash. With the first of an hour, a few old hours are forgotten."""
    hour = _hour_now()
    now = _add.fetch_only(conn, user_id=user_id, hour=hour, part=int(key[:4], 16) % PARTS, bytes=size)
    if now == size:
        _sweep.execute(conn, first=hour - HOURS)


def _find_used(conn: Connection, user_id: int) -> _Used:
    """What a user's answers take. Hours to come were told by a wrong clock."""
    hour = _hour_now()
    return _used.fetch_only(conn, user_id=user_id, first=hour - HOURS, last=hour + 1)


def _hour_now() -> int:
    return int(time.time()) // HOUR


def _end(hour: int) -> int:
    """When the last answer of that hour is no longer kept."""
    return (hour + 1 + HOURS) * HOUR
