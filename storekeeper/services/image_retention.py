"""Removes the files of images 30 days after no item has them any more, and counts those that stores had before.

Files that are found without an item begin their time then: also those of an upload under way, whose item names them
soon, and those from before an upgrade.
"""

import asyncio
from collections.abc import Set

from storekeeper.database.engine import Connection, Engine, transaction
from storekeeper.database.executor import Database
from storekeeper.files import images
from storekeeper.files.storage import Storage
from storekeeper.models import installation, item, store_image, unused_image
from storekeeper.models.unused_image import Difference


async def apply(db: Database, storage: Storage) -> None:
    """For a server. What one run does not finish, the next one does.

    Nothing is done while it is not known that the files are this database's: it would take those of another for unused.
    """
    if not _are_ours(await db.read(installation.storage_mark), await storage.mark()):
        return
    sizes = images.sizes_of(await storage.find_sizes(images.FOLDER))
    await db.write(unused_image.update, await db.read_list(_compare, sizes.keys()))
    for key in await db.read_list(unused_image.due):
        await asyncio.to_thread(images.remove, storage, key)
        await db.write(_forget, key)
    while found := await db.read_list(store_image.find_uncounted):
        await db.write(store_image.count, found, sizes)


def prune(engine: Engine, storage: Storage) -> int | None:
    """For a command: the same, and how many images were removed; None for files that may be another database's."""
    with engine.connect() as conn:
        known = installation.storage_mark(conn)
    if not _are_ours(known, storage.find_mark()):
        return None
    stored = images.keys_of(storage.list(images.FOLDER))
    with transaction(engine) as conn:
        unused_image.update(conn, _compare(conn, stored))
        due = unused_image.due(conn)
    for key in due:
        images.remove(storage, key)
        with transaction(engine) as conn:
            _forget(conn, key)
    return len(due)


def _forget(conn: Connection, key: str) -> None:
    unused_image.forget(conn, [key])
    store_image.forget(conn, key)


def _are_ours(known: str | None, mark: str | None) -> bool:
    return known is not None and known == mark


def _compare(conn: Connection, stored: Set[str]) -> Difference:
    return unused_image.compare(conn, stored - item.images(conn))
