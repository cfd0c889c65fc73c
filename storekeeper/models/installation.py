"""What all nodes of an installation have in common, as the database knows it: the keys that sign, and the storage."""

from collections.abc import Container, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import dialects
from storekeeper.database.compiled_query import CompiledQuery
from storekeeper.database.engine import metadata
from storekeeper.security import node_match
from storekeeper.security.signing_keys import Scheduled

STORAGE_MARK = "storage_mark"

signing_keys = sa.Table(
    "signing_keys",
    metadata,
    sa.Column("kid", sa.String(64), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("signs_at", sa.BigInteger, nullable=False),
)

installation = sa.Table(
    "installation",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.String(64), nullable=False),
)

_keys = CompiledQuery(
    sa.select(signing_keys).order_by(signing_keys.c.signs_at, signing_keys.c.created_at),
    Scheduled,
)


def keys(conn: Connection) -> list[Scheduled]:
    """Those that sign or are about to, in their order; none before the first server has recorded its own."""
    return _keys.fetch_all(conn)


def record_keys(conn: Connection, own_keys: Sequence[Scheduled]) -> None:
    """From now on these are the right ones."""
    dialects.serialize(conn, "signing_keys")
    conn.execute(sa.delete(signing_keys))
    conn.execute(sa.insert(signing_keys), [msgspec.structs.asdict(each) for each in own_keys])


def add_keys(conn: Connection, own_keys: Sequence[Scheduled], fingerprints: Container[str]) -> None:
    """Record a node's keys, unless others have been recorded that are not among all that it has."""
    dialects.serialize(conn, "signing_keys")
    if node_match.find_key_mismatch(keys(conn), fingerprints) is None:
        record_keys(conn, own_keys)


def storage_mark(conn: Connection) -> str | None:
    mark: str | None = conn.scalar(sa.select(installation.c.value).where(installation.c.name == STORAGE_MARK))
    return mark


def add_storage_mark(conn: Connection, mark: str) -> None:
    """Record a node's, if it is the first ever."""
    values = {"name": STORAGE_MARK, "value": mark}
    dialects.insert_if_new(conn, installation, values)


def record_storage_mark(conn: Connection, mark: str) -> None:
    """From now on this is the right one."""
    dialects.upsert(conn, installation, [{"name": STORAGE_MARK, "value": mark}], ("name",), ("value",))
