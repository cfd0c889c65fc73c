"""Content that is the same for everybody while the process runs, and that caches keep."""

import asyncio
import zlib
from collections.abc import Callable
from functools import cached_property
from hashlib import blake2b

import falcon
from falcon.asgi import Response

from storekeeper.http.compression import GZIP, STATIC_LEVEL, WINDOW_BITS, Compression, coded_tag
from storekeeper.http.request import Request

HOUR = "public, max-age=3600"


class StaticContent:
    """Made when it is first asked for, and compressed when somebody first accepts that, each once."""

    def __init__(
        self, make: Callable[[], bytes], content_type: str, compression: Compression, cache_control: str = HOUR
    ) -> None:
        self._make = make
        self._content_type = content_type
        self._compression = compression
        self._cache_control = cache_control

    async def send(self, req: Request, resp: Response) -> None:
        """Answer with the content, or with 304 for those who have it in the coding that they accept now."""
        is_gzip = self._compression.choose(req.request_context.accept_encoding, len(self._plain))
        tag = coded_tag(self._tag) if is_gzip else self._tag
        resp.content_type = self._content_type
        resp.set_header("ETag", tag)
        resp.set_header("Cache-Control", self._cache_control)
        if _names(req, tag):
            resp.status = falcon.HTTP_NOT_MODIFIED
            return
        resp.data = self._plain
        if is_gzip:
            resp.data = await asyncio.to_thread(lambda: self._gzip)  # once, this takes a tenth of a second
            resp.set_header("Content-Encoding", GZIP)

    @cached_property
    def _plain(self) -> bytes:
        return self._make()

    @cached_property
    def _tag(self) -> str:
        return f'"{blake2b(self._plain, digest_size=12).hexdigest()}"'

    @cached_property
    def _gzip(self) -> bytes:
        return zlib.compress(self._plain, STATIC_LEVEL, WINDOW_BITS)


def _names(req: Request, tag: str) -> bool:
    """Whether `If-None-Match` names the tag, weak or not. It is a hash: nothing else holds it by chance."""
    known = req.get_header("If-None-Match", default="")
    return tag in known or known.strip() == "*"
