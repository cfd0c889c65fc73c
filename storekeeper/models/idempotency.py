"""Changes that are made once, however often they are asked for (draft-ietf-httpapi-idempotency-key-header).

What a change returned is written down in its own transaction: either both are there, or none is. Whoever asks again is
answered from that, as the first time. Neither the key nor the request can be read from what is stored.
"""

import hashlib
import time
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper import dialects
from storekeeper.db import metadata
from storekeeper.errors import KeyInUse, KeyReused

T = TypeVar("T")

KEPT_SECONDS = 86_400
SWEPT_AT_ONCE = 20

keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("request", sa.String(64), nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
)


class Once(msgspec.Struct, frozen=True):
    """A user's key, and the request that it came with, both hashed."""

    key: str
    request: str


def of(user_id: int, key: str, request: str) -> Once:
    """`request` is a hash of the request that only whoever knows the key can make."""
    return Once(hashlib.sha256(f"{user_id} {key}".encode()).hexdigest(), request)


def run(conn: Connection, once: Once, function: Callable[..., T], args: tuple[Any, ...]) -> T:
    """What the function returns, or returned when it was run for this key.

    KeyReused for another request with the key, KeyInUse while the first one is not done.
    """
    if not dialects.try_serialize(conn, once.key):
        raise KeyInUse
    known = conn.execute(sa.select(keys.c.request, keys.c.result).where(keys.c.key == once.key)).one_or_none()
    if known is None:
        return _run(conn, once, function, args)
    if known.request != once.request:
        raise KeyReused
    before: T = msgspec.json.decode(known.result, type=get_type_hints(function)["return"])
    return before


def _run(conn: Connection, once: Once, function: Callable[..., T], args: tuple[Any, ...]) -> T:
    result = function(conn, *args)
    now = int(time.time())
    _sweep(conn, now)
    values = {"key": once.key, "request": once.request, "result": msgspec.json.encode(result).decode(), "at": now}
    conn.execute(sa.insert(keys).values(values))
    return result


def _sweep(conn: Connection, now: int) -> None:
    """Takes away a few that are old, so that they need no other sweeper."""
    old = sa.select(keys.c.key).where(keys.c.at < now - KEPT_SECONDS).limit(SWEPT_AT_ONCE)
    conn.execute(sa.delete(keys).where(keys.c.key.in_(old.with_for_update(skip_locked=True))))
