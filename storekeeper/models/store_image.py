"""The images that each store has in the storage, and how many bytes they take: a row as long as their files are there.

One that no item has any more counts until its files are removed: else whoever replaces images again and again would
fill the disk.
"""

from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import dialects
from storekeeper.database.engine import metadata
from storekeeper.errors import ImageSpaceFull
from storekeeper.models import item, quota
from storekeeper.models.item import Item, ItemRef, items

FOUND_AT_ONCE = 1000

store_images = sa.Table(
    "store_images",
    metadata,
    sa.Column("store_id", sa.ForeignKey("stores.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("key", sa.String, primary_key=True, index=True),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Index("ix_store_images_store_id_bytes", "store_id", "bytes"),
)


class Kept(msgspec.Struct, frozen=True):
    """An image among the stored files: its key, and the bytes that its files have together."""

    key: str
    size: int


def give(conn: Connection, user_id: int, target: ItemRef, image: Kept, max_bytes: int) -> Item:
    """Name the image of an item. ImageSpaceFull where it is new to the store, which has no room for it."""
    given = item.set_image(conn, user_id, target, image.key)
    dialects.serialize(conn, f"images of store {given.store_id}")
    require_room(conn, user_id, given.store_id, image, max_bytes)
    values = {"store_id": given.store_id, "key": image.key, "bytes": image.size}
    dialects.insert_if_new(conn, store_images, values)
    return given


def require_room(conn: Connection, user_id: int, store_id: int, image: Kept, max_bytes: int) -> None:
    """ImageSpaceFull where `give` would say so."""
    mine = store_images.c.store_id == store_id
    known = sa.select(store_images.c.key).where(mine, store_images.c.key == image.key)
    if conn.execute(known).first() is None and quota.binds(conn, user_id, max_bytes):
        used = conn.scalars(sa.select(sa.func.coalesce(sa.func.sum(store_images.c.bytes), 0)).where(mine)).one()
        quota.check(ImageSpaceFull, max_bytes, int(used), image.size)


def find_uncounted(conn: Connection) -> list[tuple[int, str]]:
    """Some of the images that items have and that nobody has counted, with their stores: from before there was this."""
    is_counted = sa.exists().where(store_images.c.store_id == items.c.store_id, store_images.c.key == items.c.image)
    found = sa.select(items.c.store_id, items.c.image).where(items.c.image.is_not(None), ~is_counted).distinct()
    return [(row.store_id, row.image) for row in conn.execute(found.limit(FOUND_AT_ONCE))]


def count(conn: Connection, found: Sequence[tuple[int, str]], sizes: Mapping[str, int]) -> None:
    """Write down images that were there, with their sizes by key. One without files takes no room."""
    rows = [{"store_id": store_id, "key": key, "bytes": sizes.get(key, 0)} for store_id, key in found]
    dialects.upsert(conn, store_images, rows, ("store_id", "key"), ("bytes",))


def forget(conn: Connection, key: str) -> None:
    """The files of this image are removed."""
    conn.execute(sa.delete(store_images).where(store_images.c.key == key))
