"""Compression of answers: which content coding a reader is sent, and the coding itself (RFC 9110, 8.4 and 12.5.3)."""

import asyncio
import re
import zlib
from collections.abc import Mapping
from enum import Enum, auto
from functools import lru_cache

import falcon
from falcon.asgi import Response

GZIP = "gzip"
GZIP_NAMES = (GZIP, "x-gzip")  # RFC 9110, section 8.4.1.3: the second means the same
WINDOW_BITS = 31  # of zlib: its largest window, in the format of gzip
# With its head, a shorter answer fits into one packet, however it is coded.
MIN_BYTES = 1024
THREAD_BYTES = 64 * 1024  # what takes longer than half a millisecond does not hold up other requests
LEVEL = 1  # level 6 takes up to six times as long, for a quarter less: see docs/performance.md
STATIC_LEVEL = 9  # for what is compressed once
CACHE_SIZE = 128
MAX_ACCEPT_ENCODING = 500  # characters
MEMBER = re.compile(
    r"[ \t]*([!#$%&'*+.^_`|~0-9a-z-]+)[ \t]*(?:;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*)?", re.I | re.A
)
UNLISTED = 0.0005  # identity is welcome unless it is refused, and any coding that is listed is liked better


class Preference(Enum):
    IDENTITY = auto()
    GZIP = auto()
    ONLY_GZIP = auto()


@lru_cache(CACHE_SIZE)
def read_preference(accept_encoding: str) -> Preference:
    """What a reader likes best, by the weights of gzip and of identity.

    A member that is malformed counts for nothing, and neither does a header that is very long. Who refuses both is sent
    the answer as it is: RFC 9110, section 12.4.1, lets a server do so rather than answer 406.
    """
    if len(accept_encoding) > MAX_ACCEPT_ENCODING:
        return Preference.IDENTITY
    weights = _read_weights(accept_encoding)
    others = weights.get("*")
    gzip = max((weights[name] for name in GZIP_NAMES if name in weights), default=others or 0.0)
    identity = weights.get("identity", UNLISTED if others is None else others)
    if not gzip or identity > gzip:
        return Preference.IDENTITY
    return Preference.GZIP if identity else Preference.ONLY_GZIP


def _read_weights(accept_encoding: str) -> Mapping[str, float]:
    matches = map(MEMBER.fullmatch, accept_encoding.split(","))
    return {match[1].lower(): float(match[2] or 1) for match in matches if match}


class Compression:
    """Sends answers in gzip to those who accept it. If it is off, answers are the same for everybody."""

    def __init__(self, *, is_on: bool) -> None:
        self._is_on = is_on

    def choose(self, accept_encoding: bytes | None, size: int) -> bool:
        """Whether an answer of so many bytes is to be in gzip, by the header of its request."""
        if accept_encoding is None or not self._is_on:
            return False
        preference = read_preference(accept_encoding.decode("latin-1"))
        return preference is Preference.ONLY_GZIP or (preference is Preference.GZIP and size >= MIN_BYTES)

    async def compress(self, accept_encoding: bytes, resp: Response) -> None:
        """Compress an answer that is complete, if its reader wants that. A stream stays as it is."""
        data = resp.data
        if data is None or not self.choose(accept_encoding, len(data)):
            return
        if tag := resp.get_header("ETag"):  # each representation has its own (RFC 9110, section 8.8.1)
            resp.set_header("ETag", coded_tag(tag))
        if resp.status != falcon.HTTP_NOT_MODIFIED:
            resp.data = await compress(data)
            resp.set_header("Content-Encoding", GZIP)


def coded_tag(tag: str) -> str:
    """The entity tag, in its quotes, of the same version in gzip."""
    return f'{tag[:-1]}-{GZIP}"'


async def compress(data: bytes, level: int = LEVEL) -> bytes:
    if len(data) < THREAD_BYTES:
        return zlib.compress(data, level, WINDOW_BITS)
    return await asyncio.to_thread(zlib.compress, data, level, WINDOW_BITS)


class GzipStream:
    """Compresses one answer piece by piece. Each piece can be decompressed when it arrives."""

    def __init__(self) -> None:
        self._encoder = zlib.compressobj(LEVEL, wbits=WINDOW_BITS)

    async def encode(self, piece: bytes, *, is_last: bool) -> bytes:
        return await asyncio.to_thread(self._encode, piece, is_last)

    def _encode(self, piece: bytes, is_last: bool) -> bytes:
        return self._encoder.compress(piece) + self._encoder.flush(zlib.Z_FINISH if is_last else zlib.Z_SYNC_FLUSH)
