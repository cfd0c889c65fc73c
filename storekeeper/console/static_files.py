"""/console/static/{name}: what the pages load. Nothing comes from another host."""

from functools import cache
from importlib.resources import files

from falcon.asgi import Response

from storekeeper.console.templating import STATIC
from storekeeper.console.view import ConsoleRequest
from storekeeper.errors import NotFound
from storekeeper.http.operation import counts, public

TYPES = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
FOR_EVER = "public, max-age=31536000, immutable"  # their addresses change with them


class StaticFileView:
    """/console/static/{name}"""

    def __init__(self) -> None:
        self._read = cache(_read)

    @public
    @counts(0)
    async def on_get(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        if name not in TYPES:
            raise NotFound
        resp.data, resp.content_type = self._read(name), TYPES[name]
        resp.set_header("Cache-Control", FOR_EVER)


def _read(name: str) -> bytes:
    return files("storekeeper").joinpath(STATIC, name).read_bytes()
