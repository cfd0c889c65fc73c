"""Uploads of images and import files, and exports. Shared by the API and the console."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from secrets import token_hex
from time import monotonic
from typing import Any, Protocol, TypeVar

import msgspec
from falcon.asgi import Response

from storekeeper.concurrency.background_process import BackgroundProcess
from storekeeper.concurrency.slots import Slots
from storekeeper.concurrency.user_counter import UserCounter
from storekeeper.database.engine import Connection
from storekeeper.errors import ImportSpaceFull, RequestTimeout, StorekeeperError
from storekeeper.files.images import Images
from storekeeper.files.storage import Storage
from storekeeper.http.compression import GZIP, Compression, GzipStream
from storekeeper.http.guard import Guard
from storekeeper.http.request import Request
from storekeeper.models import import_job, item, item_export, item_undo, quota, store_image, store_member
from storekeeper.models.import_job import Import, ImportRequest, Room
from storekeeper.models.item import Item, ItemRef
from storekeeper.models.item_export import Format, Piece
from storekeeper.models.item_list import Filter
from storekeeper.models.store_image import Kept
from storekeeper.models.unused_image import ImageGone

P = TypeVar("P")
Read = Callable[[Connection, P | None], Piece[P]]
RunQuery = Callable[..., Awaitable[Any]]  # `Guard.read_list`, or a page's own

MEDIA_TYPES = {"csv": "text/csv", "jsonl": "application/jsonl"}  # by the format of a file
BYTES_OF_A_UNIT = 16 * 1024  # of the limits, of an export
# What the reader of an export takes in a second, over a window of their time: half a megabit, which any line has that a
# file is fetched by. `server.transport` hangs up on whoever reads next to nothing; at its 8 KiB/s a place was held
# for hours.
SLOWEST_READER = 64 * 1024
WINDOW_SECONDS = 60.0


class UploadStream(Protocol):
    """A file that is still on its way; its `size` is known when all its pieces have come."""

    @property
    def size(self) -> int: ...

    def pieces(self) -> AsyncIterator[bytes]: ...


class ImageUploads:
    """Takes in images. All those of a store may have `max_bytes`; 0 is no limit."""

    def __init__(self, guard: Guard, images: Images, max_bytes: int) -> None:
        self._guard = guard
        self._images = images
        self._max_bytes = max_bytes

    async def put(self, req: Request, read: Callable[[], Awaitable[bytes]], target: ItemRef) -> Item:
        """First the right to do it, and the room; then the files, then the row: none names a file that is not there."""
        guard, user_id = self._guard, req.caller.user_id
        now = await guard.read(req, item.get, target.name, target.store_ref)
        await guard.read(req, store_member.require_clerk, user_id, now.store_id)
        self._images.require_room()
        picture = await self._images.make(await read(), user_id)
        image = Kept(picture.key, picture.size)
        await guard.read(req, store_image.require_room, user_id, now.store_id, image, self._max_bytes)
        await self._images.keep(picture)
        return await guard.write(req, store_image.give, user_id, target, image, self._max_bytes)


async def undo_change(guard: Guard, images: Images, req: Request, store: int | str, change_id: int) -> Item:
    """Take back a change of an item. ImageGone where it would name a picture whose files are not there."""
    key = await guard.read(req, item_undo.find_image, req.caller.user_id, store, change_id)
    if key is not None and not await images.exists(key):
        raise ImageGone
    return await guard.write(req, item_undo.undo, req.caller.user_id, store, change_id)


class ImportUploads:
    """Takes in files to import. Those of one user may have `max_bytes`; 0 is no limit.

    There is one for a process: it counts the bytes under way, as no row tells of a file before it is there.
    """

    def __init__(self, guard: Guard, storage: Storage, runner: BackgroundProcess, max_bytes: int) -> None:
        self._guard = guard
        self._storage = storage
        self._runner = runner
        self._arriving = UserCounter()
        self._max_bytes = max_bytes

    async def start(self, req: Request, order: ImportRequest, upload: UploadStream, min_bytes: int = 1) -> Import:
        """Keep the file that is ordered to be imported, and let the work begin. It goes on by itself.

        `min_bytes` is what is known of its size, so that one for which there is no room is not read.
        """
        room = await self._require_room(req, order.store, min_bytes)
        self._storage.disk.require_room(req.content_length or 0)
        file = f"imports/{token_hex(16)}"
        try:
            await self._storage.put_pieces(file, self._within(room, req.caller.user_id, upload))
            added = await self._add(req, msgspec.structs.replace(order, file=file, size=upload.size))
        finally:
            self._arriving.add(req.caller.user_id, -upload.size)
        self._runner.start_if_idle()
        return added

    async def _require_room(self, req: Request, store: int | str, min_bytes: int) -> Room:
        """Where the file may be imported. What has come before needs no room: it is only answered again."""
        user_id = req.caller.user_id
        if await self._guard.is_known(req):
            return Room(await self._guard.read(req, store_member.require_clerk, user_id, store), self._max_bytes)
        return await self._guard.read(req, import_job.require_room, user_id, store, self._max_bytes, min_bytes)

    async def _within(self, room: Room, user_id: int, upload: UploadStream) -> AsyncIterator[bytes]:
        """The file as it arrives. ImportSpaceFull as soon as it takes more room than there is."""
        counted = 0
        async for piece in upload.pieces():
            arriving = self._arriving.add(user_id, upload.size - counted)
            counted = upload.size
            if room.max_bytes:
                quota.check(ImportSpaceFull, room.max_bytes, room.used, arriving)
            yield piece

    async def _add(self, req: Request, order: ImportRequest) -> Import:
        try:
            added = await self._guard.write(req, import_job.add, req.caller.user_id, order, self._max_bytes)
        except StorekeeperError:
            await self._storage.delete(order.file)
            raise
        if req.request_context.repeated_at is not None:  # the job has the file that came first
            await self._storage.delete(order.file)
        return added


class Exports:
    """Answers that are files, made while they are read: a piece at a time, and of so many files at once."""

    def __init__(self, places: Slots, compression: Compression) -> None:
        self._places = places
        self._compression = compression

    async def send_items(
        self, run_query: RunQuery, req: Request, resp: Response, item_filter: Filter, format: Format
    ) -> None:
        """Answer with all items that are wanted."""
        await self.send(
            run_query, req, resp, partial(item_export.piece, item_filter=item_filter, format=format), f"items.{format}"
        )

    async def send(self, run_query: RunQuery, req: Request, resp: Response, read: Read[P], name: str) -> None:
        """Answer with the pieces that are read one after the other. What is wrong with the first is an error.

        `run_query` does so for the sender if their session is live: what fails later cuts the answer, and its reader
        sees that. The place is given back when the request is over, whether or not the answer has begun.
        """
        req.request_context.at_end(await self._places.take(req.caller.user_id))
        first = await run_query(req, read, None)
        resp.content_type = f"{MEDIA_TYPES[name.rpartition('.')[2]]}; charset=utf-8"
        resp.set_header("Content-Disposition", f'attachment; filename="{name}"')
        gzip = None
        if self._compression.choose(req.request_context.accept_encoding, len(first.data)):
            gzip = GzipStream()
            resp.set_header("Content-Encoding", GZIP)
        resp.stream = _pieces(run_query, req, read, first, gzip)


class ReadingSpeed:
    """How fast a reader takes an answer, by the time that they themselves need: a busy server is no fault of theirs."""

    def __init__(self) -> None:
        self._bytes = 0
        self._seconds = 0.0

    def note(self, count: int, seconds: float) -> None:
        """So many bytes more were taken in that time. RequestTimeout where a window is over and had too few."""
        self._bytes += count
        self._seconds += seconds
        if self._seconds < WINDOW_SECONDS:
            return
        if self._bytes < self._seconds * SLOWEST_READER:
            raise RequestTimeout("answer_read_slowly")
        self._bytes, self._seconds = 0, 0.0


async def _pieces(
    run_query: RunQuery, req: Request, read: Read[P], piece: Piece[P], gzip: GzipStream | None
) -> AsyncIterator[bytes]:
    """Until the reader hangs up, or is too slow. `server.transport` hangs up on one who reads nothing.

    However it is coded, an answer holds a place for the same time: its reader is as fast as its lines come to them.
    """
    if req.is_head:
        return
    end, taking = req.request_context.watch(), ReadingSpeed()
    while True:
        req.charge(len(piece.data) // BYTES_OF_A_UNIT)
        sent = await gzip.encode(piece.data, is_last=piece.following is None) if gzip else piece.data
        began = monotonic()
        yield sent
        if piece.following is None or end.done():
            return
        taking.note(len(piece.data), monotonic() - began)
        piece = await run_query(req, read, piece.following)
