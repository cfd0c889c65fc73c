"""/console/static/{name}: what the pages load. Nothing comes from another host."""

from functools import partial
from importlib.resources import files

from falcon.asgi import Response

from storekeeper.console.templating import STATIC
from storekeeper.console.view import ConsoleRequest
from storekeeper.errors import NotFound
from storekeeper.http.compression import Compression
from storekeeper.http.operation import counts, public
from storekeeper.http.static_content import StaticContent

TYPES = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
FOR_EVER = "public, max-age=31536000, immutable"  # their addresses change with them


class StaticFileView:
    """/console/static/{name}"""

    def __init__(self, compression: Compression) -> None:
        self._files = {
            name: StaticContent(partial(_read, name), content_type, compression, FOR_EVER)
            for name, content_type in TYPES.items()
        }

    @public
    @counts(0)
    async def on_get(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        if name not in self._files:
            raise NotFound
        await self._files[name].send(req, resp)


def _read(name: str) -> bytes:
    return files("storekeeper").joinpath(STATIC, name).read_bytes()
