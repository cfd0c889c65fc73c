"""Changes that are made once, however often they are asked for (draft-ietf-httpapi-idempotency-key-header).

What a change returned is written down in its own transaction: either both are there, or none is. Whoever asks again is
answered from that, as the first time, if they still have the rights that the change needed. Neither the key nor the
request can be read from what is stored, and of secrets in the answer there is null.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar, get_type_hints

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import dialects, records
from storekeeper.database.compiled_query import delete_some
from storekeeper.database.engine import metadata
from storekeeper.errors import KeyInUse, KeyReused
from storekeeper.models import idempotency_space, noted_rights, store_member
from storekeeper.models.noted_rights import Right
from storekeeper.security import secret

T = TypeVar("T")

RETENTION_SECONDS = 86_400
SWEPT_AT_ONCE = 20

keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("request", sa.String(64), nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
    sa.Column("rights", sa.Text),  # JSON: those that the change needed and left; none is from before there was this
)


class _StoredAnswer(NamedTuple):
    """What a change returned, as JSON, and the rights that it needed and left."""

    request: str
    result: str
    at: int
    rights: str | None


class KeyedRequest(msgspec.Struct, frozen=True):
    """A user, and their key and the request that it came with, both hashed.

    All their stored answers may take `max_bytes`; 0 is no limit.
    """

    user_id: int
    key: str
    request: str
    max_bytes: int = 0


def of(user_id: int, key: str, request: str, max_bytes: int = 0) -> KeyedRequest:
    """`request` is a hash of the request that only whoever knows the key can make."""
    return KeyedRequest(user_id, hashlib.sha256(f"{user_id} {key}".encode()).hexdigest(), request, max_bytes)


class Answer(NamedTuple, Generic[T]):
    """What a change returned; `repeated_at` is when it was made, if that was for an earlier request."""

    result: T
    repeated_at: int | None = None


def run(
    conn: Connection, keyed: KeyedRequest, needed: Sequence[Right], function: Callable[..., T], args: tuple[Any, ...]
) -> Answer[T]:
    """What the function returns, or returned when it was run for this key. `needed` is checked before it runs.

    KeyReused for another request with the key, KeyInUse while the first one is not done. AnswerSpaceFull for a new key
    where there is no room for another answer of the user's. Forbidden or NotFound for whoever has lost a right that the
    function needed, unless by the function itself: that is how a store is left.
    """
    if not dialects.try_serialize(conn, keyed.key):
        raise KeyInUse
    known = _find(conn, keyed)
    if known is None:
        return Answer(_run(conn, keyed, needed, function, args))
    before: T = msgspec.json.decode(known.result, type=get_type_hints(function)["return"])
    return Answer(before, known.at)


def find_time(conn: Connection, keyed: KeyedRequest) -> int | None:
    """When the change of this key was made, in seconds since 1970; None if it was not. KeyReused as `run` has it."""
    known = _find(conn, keyed)
    return known.at if known else None


def is_known(conn: Connection, keyed: KeyedRequest) -> bool:
    """Whether there is an answer for this key, to whatever request."""
    return conn.execute(sa.select(keys.c.key).where(keys.c.key == keyed.key)).first() is not None


def _find(conn: Connection, keyed: KeyedRequest) -> _StoredAnswer | None:
    known = records.fetch_first(conn, sa.select(keys).where(keys.c.key == keyed.key), _StoredAnswer)
    if known is None:
        return None
    if known.request != keyed.request:
        raise KeyReused(known.at)
    for each in msgspec.json.decode(known.rights or "[]", type=list[Right]):
        store_member.require(conn, keyed.user_id, each)
    return known


def _run(
    conn: Connection, keyed: KeyedRequest, needed: Sequence[Right], function: Callable[..., T], args: tuple[Any, ...]
) -> T:
    idempotency_space.require(conn, keyed.user_id, keyed.max_bytes)
    with noted_rights.noting(conn) as noted:
        for each in needed:
            store_member.require(conn, keyed.user_id, each)
        result = function(conn, *args)
    now = int(time.time())
    _sweep(conn, now)
    left = [each for each in noted if store_member.holds(conn, keyed.user_id, each)]
    texts = {"key": keyed.key, "request": keyed.request, "result": _ENCODER.encode(result).decode()}
    texts["rights"] = msgspec.json.encode(left).decode()
    conn.execute(sa.insert(keys).values(texts | {"at": now}))
    idempotency_space.note(conn, keyed.user_id, keyed.key, sum(len(text.encode()) for text in texts.values()))
    return result


def _sweep(conn: Connection, now: int) -> None:
    """Takes away a few that are old, so that they need no other sweeper."""
    old = sa.select(keys.c.key).where(keys.c.at < now - RETENTION_SECONDS)
    conn.execute(delete_some(old, SWEPT_AT_ONCE))


_ENCODER = msgspec.json.Encoder(enc_hook=secret.conceal)
