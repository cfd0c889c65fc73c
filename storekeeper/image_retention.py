"""Removes the files of images 30 days after no item has them any more.

Files that are found without an item begin their time then: also those of an upload under way, whose item names them
soon, and those from before an upgrade.
"""

import asyncio

import sqlalchemy as sa

from storekeeper import images
from storekeeper.db import Connection, Database, transaction
from storekeeper.models import installation, item, unused_image
from storekeeper.models.unused_image import Difference
from storekeeper.storage import Storage


async def apply(db: Database, storage: Storage) -> None:
    """For a server. What one run does not finish, the next one does.

    Nothing is done while it is not known that the files are this database's: it would take those of another for unused.
    """
    known = await db.read(installation.storage_mark)
    if known is None or known != await storage.mark():
        return
    stored = images.keys_of(await storage.find_names(images.FOLDER))
    await db.write(unused_image.update, await db.browse(_compare, stored))
    for key in await db.browse(unused_image.due):
        await asyncio.to_thread(images.remove, storage, key)
        await db.write(unused_image.forget, [key])


def prune(engine: sa.Engine, storage: Storage) -> int:
    """For a command: the same, and how many images were removed."""
    stored = images.keys_of(storage.list(images.FOLDER))
    with transaction(engine) as conn:
        unused_image.update(conn, _compare(conn, stored))
        due = unused_image.due(conn)
    for key in due:
        images.remove(storage, key)
        with transaction(engine) as conn:
            unused_image.forget(conn, [key])
    return len(due)


def _compare(conn: Connection, stored: set[str]) -> Difference:
    return unused_image.compare(conn, stored - item.images(conn))
