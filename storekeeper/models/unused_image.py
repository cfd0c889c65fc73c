"""Images that no item has any more, and since when: their files are kept for a while, so that a change can be undone.

The rows are made by comparing the storage with the items, a few times a day: see `image_retention`.
"""

import time
from collections.abc import Iterable, Set

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import dialects
from storekeeper.database.compiled_query import CompiledQuery
from storekeeper.database.engine import metadata
from storekeeper.database.records import scalar
from storekeeper.errors import Conflict

RETENTION_SECONDS = 30 * 86_400
MARGIN_SECONDS = 3_600  # between the last undo that brings an image back and its removal: no undo is under way then

unused_images = sa.Table(
    "unused_images",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Index("ix_unused_images_since", "since"),
)

_find_since: CompiledQuery[int] = CompiledQuery(
    sa.select(unused_images.c.since).where(unused_images.c.key == sa.bindparam("key")), scalar
)


class Difference(msgspec.Struct, frozen=True):
    """What the table lacks, and what it has although an item has the image, or its files are gone."""

    new: frozenset[str]
    obsolete: frozenset[str]


class ImageGone(Conflict):
    """Its files were removed, or are about to be."""

    message_code = "image_gone"


def compare(conn: Connection, unused: Set[str]) -> Difference:
    """`unused` are the keys of all images that are stored and that no item has."""
    known = set(conn.scalars(sa.select(unused_images.c.key)))
    return Difference(frozenset(unused - known), frozenset(known - unused))


def update(conn: Connection, difference: Difference) -> None:
    """Write down the new ones, as unused from now on, and forget the obsolete ones."""
    forget(conn, difference.obsolete)
    if difference.new:
        now = int(time.time())
        rows = [{"key": key, "since": now} for key in sorted(difference.new)]
        dialects.upsert(conn, unused_images, rows, ("key",), ("key",))  # what another node has written stays


def due(conn: Connection) -> list[str]:
    """The keys of those whose files are to be removed, the oldest first."""
    is_due = unused_images.c.since <= int(time.time()) - RETENTION_SECONDS - MARGIN_SECONDS
    return list(conn.scalars(sa.select(unused_images.c.key).where(is_due).order_by(unused_images.c.since)))


def forget(conn: Connection, keys: Iterable[str]) -> None:
    """For images that an item has, and those whose files are removed."""
    column = dialects.column_of(conn, sorted(keys))
    conn.execute(sa.delete(unused_images).where(unused_images.c.key.in_(sa.select(column.c.value))))


def require_kept(conn: Connection, key: str) -> None:
    """ImageGone where the time is over in which an item may get it back."""
    since = _find_since.fetch_first(conn, key=key)
    if since is not None and since <= int(time.time()) - RETENTION_SECONDS:
        raise ImageGone
