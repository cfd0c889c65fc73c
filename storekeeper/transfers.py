"""Files that come and go: pictures of items, lists to import, and exports. The same for every door."""

from collections.abc import AsyncIterator, Awaitable, Callable
from secrets import token_hex
from typing import Protocol

import msgspec

from storekeeper import cells
from storekeeper.auth import Guard
from storekeeper.cells import Line
from storekeeper.errors import StorekeeperError
from storekeeper.http import Request
from storekeeper.images import Images
from storekeeper.models import export, imports, item, member, undo
from storekeeper.models.imports import Import, Order
from storekeeper.models.item import Item, Target
from storekeeper.models.listing import Filter
from storekeeper.models.paging import Page
from storekeeper.models.unused_image import ImageGone
from storekeeper.runner import Runner
from storekeeper.storage import Storage


class Arriving(Protocol):
    """A file that is still on its way; its `size` is known when all its pieces have come."""

    @property
    def size(self) -> int: ...

    def pieces(self) -> AsyncIterator[bytes]: ...


async def put_image(
    guard: Guard, images: Images, req: Request, read: Callable[[], Awaitable[bytes]], target: Target
) -> Item:
    """First the right to do it, then the files, then the row: no row names a file that is not there."""
    now = await guard.read(req, item.get, target.name, target.which)
    await guard.read(req, member.require_clerk, req.caller.user_id, now.store_id)
    key = await images.add(await read(), req.caller.user_id)
    return await guard.write(req, item.set_image, req.caller.user_id, target, key)


async def undo_change(guard: Guard, images: Images, req: Request, store: int | str, change_id: int) -> Item:
    """Take back a change of an item. ImageGone where it would name a picture whose files are not there."""
    key = await guard.read(req, undo.find_image, req.caller.user_id, store, change_id)
    if key is not None and not await images.exists(key):
        raise ImageGone
    return await guard.write(req, undo.change, req.caller.user_id, store, change_id)


async def start_import(
    guard: Guard, storage: Storage, runner: Runner, req: Request, order: Order, upload: Arriving
) -> Import:
    """Keep the file that is ordered to be imported, and let the work begin. It goes on by itself."""
    await guard.read(req, imports.require_room, req.caller.user_id, order.store)
    file = f"imports/{token_hex(16)}"
    await storage.put_pieces(file, upload.pieces())
    order = msgspec.structs.replace(order, file=file, size=upload.size)
    try:
        added = await guard.write(req, imports.add, req.caller.user_id, order)
    except StorekeeperError:
        await storage.delete(file)
        raise
    if req.visit.repeated_at is not None:  # the job has the file that came first
        await storage.delete(file)
    runner.wake()
    return added


async def export_lines(
    guard: Guard, req: Request, wanted: Filter, is_csv: bool, page: Page[Line]
) -> AsyncIterator[bytes]:
    """A page at a time. The session is checked for each: what fails then cuts the answer, and its reader sees that."""
    if req.is_head:
        return
    write = cells.csv_line if is_csv else cells.json_line
    if is_csv:
        yield cells.csv_head()
    while True:
        yield b"".join(map(write, page.rows))
        if page.cursor is None:
            return
        page = await guard.browse(req, export.page, wanted, page.cursor)
