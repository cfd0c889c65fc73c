"""Files that come and go: pictures of items, lists to import, and exports. The same for every door."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from secrets import token_hex
from typing import Any, Protocol, TypeVar

import msgspec
from falcon.asgi import Response

from storekeeper.auth import Guard
from storekeeper.db import Connection
from storekeeper.errors import StorekeeperError
from storekeeper.http import Request
from storekeeper.images import Images
from storekeeper.models import export, imports, item, member, undo
from storekeeper.models.export import Format, Piece
from storekeeper.models.imports import Import, Order
from storekeeper.models.item import Item, Target
from storekeeper.models.listing import Filter
from storekeeper.models.unused_image import ImageGone
from storekeeper.places import Places
from storekeeper.runner import Runner
from storekeeper.storage import Storage

P = TypeVar("P")
Read = Callable[[Connection, P | None], Piece[P]]
See = Callable[..., Awaitable[Any]]  # `Guard.browse`, or a page's own

MEDIA_TYPES = {"csv": "text/csv", "jsonl": "application/jsonl"}  # by the format of a file
BYTES_OF_A_UNIT = 16 * 1024  # of the limits, of an export


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
    images.require_room()
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
    storage.disk.require_room(req.content_length or 0)
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


class Exports:
    """Answers that are files, made while they are read: a piece at a time, and of so many files at once."""

    def __init__(self, places: Places) -> None:
        self._places = places

    async def send_items(self, see: See, req: Request, resp: Response, wanted: Filter, format: Format) -> None:
        """Answer with all items that are wanted."""
        await self.send(see, req, resp, partial(export.piece, wanted=wanted, format=format), f"items.{format}")

    async def send(self, see: See, req: Request, resp: Response, read: Read[P], name: str) -> None:
        """Answer with the pieces that are read one after the other. What is wrong with the first is an error.

        `see` runs a query for the sender if their session is live: what fails later cuts the answer, and its reader
        sees that. The place is given back when the request is over, whether or not the answer has begun.
        """
        req.visit.at_end(await self._places.take(req.caller.user_id))
        first = await see(req, read, None)
        resp.content_type = f"{MEDIA_TYPES[name.rpartition('.')[2]]}; charset=utf-8"
        resp.set_header("Content-Disposition", f'attachment; filename="{name}"')
        resp.stream = _pieces(see, req, read, first)


async def _pieces(see: See, req: Request, read: Read[P], piece: Piece[P]) -> AsyncIterator[bytes]:
    """Until the reader hangs up. Of one who reads nothing, `wire` takes it that they have."""
    if req.is_head:
        return
    end = req.visit.watch()
    req.charge(len(piece.data) // BYTES_OF_A_UNIT)
    yield piece.data
    while piece.following is not None and not end.done():
        piece = await see(req, read, piece.following)
        req.charge(len(piece.data) // BYTES_OF_A_UNIT)
        yield piece.data
