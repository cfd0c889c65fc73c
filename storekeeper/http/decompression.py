"""Request bodies in gzip, decompressed while they arrive (RFC 1952)."""

import zlib
from collections.abc import AsyncIterator, Iterator

from storekeeper.errors import Invalid, TooLarge
from storekeeper.http.compression import WINDOW_BITS

STEP = 64 * 1024  # bytes that are decompressed at once: a body of a kilobyte may hold a megabyte
MAX_MEMBERS = 10_000


async def decompress(pieces: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[bytes]:
    """The content of a body. TooLarge as soon as it has more than `max_bytes`, Invalid where it is damaged or cut."""
    decoder = _Decoder(max_bytes)
    async for piece in pieces:
        for content in decoder.decode(piece):
            yield content
    decoder.end()


class _Decoder:
    """Decodes a series of members, which gzip allows: `cat a.gz b.gz` makes one."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._members = 1
        self._member = zlib.decompressobj(WINDOW_BITS)

    def decode(self, data: bytes) -> Iterator[bytes]:
        has_more = False  # inside the decoder: of what it has taken, not all has come out
        while data or has_more:
            if self._member.eof:
                self._begin_member()
            content = self._decompress(data)
            data = self._member.unused_data or self._member.unconsumed_tail
            has_more = len(content) == STEP and not self._member.eof
            yield content

    def end(self) -> None:
        if not self._member.eof:
            raise Invalid("gzip_cut")

    def _begin_member(self) -> None:
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise Invalid("gzip_damaged")
        self._member = zlib.decompressobj(WINDOW_BITS)

    def _decompress(self, data: bytes) -> bytes:
        try:
            content = self._member.decompress(data, STEP)
        except zlib.error:
            raise Invalid("gzip_damaged") from None
        self._size += len(content)
        if self._size > self._max_bytes:
            raise TooLarge(maximum=self._max_bytes)
        return content
