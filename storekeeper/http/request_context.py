"""The context of a request: its id, origin and body, which is read within limits of size and time."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from storekeeper.errors import Invalid, RequestTimeout, TooLarge
from storekeeper.http.asgi_types import Event, Receive
from storekeeper.http.decompression import decompress
from storekeeper.http.operation import BODY_BYTES

SLOWEST = 16 * 1024  # bytes per second that a long body has to make, beyond the seconds that every body has

FROM_PROXY = "storekeeper.from_proxy"  # in a scope: a trusted proxy has sent this request


class RequestContext:
    """What the server knows of a request: its id, where it comes from, its unread body; and later, whose it is.

    `client_id` is the id that its sender has given it, who is nobody to be believed.
    """

    __slots__ = (
        "accept_encoding",
        "address",
        "client_id",
        "digest",
        "endings",
        "follows",
        "hashes_body",
        "id",
        "key",
        "key_seconds",
        "pending_units",
        "receive",
        "repeated_at",
        "seconds",
        "sender",
        "user_id",
    )

    def __init__(self, id: str, client_id: str | None, address: str, receive: Receive, seconds: float) -> None:
        self.id = id
        self.client_id = client_id
        self.address = address
        self.receive = receive
        self.seconds = seconds
        self.accept_encoding: bytes | None = None
        self.user_id: int | None = None
        self.key: str | None = None
        self.digest: Any = None
        self.hashes_body = False
        self.key_seconds = 0.0  # for how long to wait for another request with the key
        self.repeated_at: int | None = None  # when the change was made, if that was by an earlier request with the key
        self.pending_units = 0  # units of its sender's own limits, to be counted once the session is found to be live
        self.sender: Any = None  # whose limits it was counted for
        self.follows = False  # whether the answer goes on for as long as its reader listens
        self.endings: tuple[Callable[[], object], ...] = ()

    def take_key(self, key: str, request: str, *, hashes_body: bool = True) -> None:
        """Keep a hash of the request, with all of its body, that only whoever knows its Idempotency-Key can make.

        Where the body itself holds the key, whoever reads it adds to the hash what it says.
        """
        self.key = key
        self.hashes_body = hashes_body
        self.digest = hashlib.blake2b(request.encode(), key=hashlib.sha256(key.encode()).digest(), digest_size=32)

    async def read_body(
        self, max_bytes: int = BODY_BYTES, length: int | None = None, *, is_gzip: bool = False
    ) -> bytes:
        """The whole body, within its bounds. A cut one raises: nothing may be done with it."""
        return b"".join([piece async for piece in self.pieces(max_bytes, length, is_gzip=is_gzip)])

    def pieces(self, max_bytes: int, length: int | None, *, is_gzip: bool = False) -> AsyncIterator[bytes]:
        """The body as it arrives. It is good only when the last piece has come: a body may be cut, or too large.

        One in gzip comes decompressed, and neither it nor its content may have more than `max_bytes`.
        """
        pieces = self._received_pieces(max_bytes, length)
        if is_gzip:
            pieces = decompress(pieces, max_bytes)
        return self._hashed(pieces) if self.hashes_body else pieces

    async def _hashed(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Content is hashed, not its coding: who compresses it anew for another attempt may get other bytes."""
        async for piece in pieces:
            self.digest.update(piece)
            yield piece

    async def _received_pieces(self, max_bytes: int, length: int | None) -> AsyncIterator[bytes]:
        if (length or 0) > max_bytes:
            raise TooLarge(maximum=max_bytes)
        size, deadline = 0, asyncio.get_running_loop().time() + self.seconds
        while True:
            event = await self._receive_before(deadline + size / SLOWEST)
            if event["type"] == "http.disconnect":
                raise Invalid("body_cut")
            if (size := size + len(event.get("body", b""))) > max_bytes:
                raise TooLarge(maximum=max_bytes)
            yield event.get("body", b"")
            if not event.get("more_body"):
                break
        if length is not None and length != size:
            raise Invalid("body_cut")

    async def _receive_before(self, deadline: float) -> Event:
        try:
            async with asyncio.timeout_at(deadline):
                return await self.receive()
        except TimeoutError:
            raise RequestTimeout from None

    async def wait_for_disconnect(self) -> None:
        """Wait for the reader of the answer to hang up, or the server to end."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def watch(self) -> asyncio.Task[None]:
        """A task that is done when the reader of the answer has hung up. The end of the request ends it, too."""
        watch = asyncio.create_task(self.wait_for_disconnect())
        self.at_end(watch.cancel)
        return watch

    def at_end(self, then: Callable[[], object]) -> None:
        """Have this done when the request is over: answered, refused, cut off or cancelled."""
        self.endings = (then, *self.endings)

    def end(self) -> None:
        """The request is over."""
        endings, self.endings = self.endings, ()  # they may lead back to the context: only a collection would free them
        for then in endings:
            then()
