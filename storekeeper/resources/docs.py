"""/openapi.json and /docs: the API described, for programs and for people. Nothing is loaded from another host."""

from collections.abc import Callable
from functools import partial
from importlib.resources import files
from typing import Any

import falcon
from falcon.asgi import Response

from storekeeper.errors import NotFound
from storekeeper.http import responses
from storekeeper.http.compression import Compression
from storekeeper.http.operation import counts, public
from storekeeper.http.request import Request
from storekeeper.http.static_content import StaticContent

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
# By name: the package it comes in, the file there, and what it is.
ASSETS = {
    "swagger.js": ("offapi", "swagger_bundle.js", "text/javascript; charset=utf-8"),
    "swagger.css": ("offapi", "swagger_style.css", "text/css; charset=utf-8"),
    "page.css": ("storekeeper", "resources/docs_page/page.css", "text/css; charset=utf-8"),
    "start.js": ("storekeeper", "resources/docs_page/start.js", "text/javascript; charset=utf-8"),
    "icon.svg": ("storekeeper", "resources/docs_page/icon.svg", "image/svg+xml"),
}


class HomeResource:
    """/"""

    @public
    @counts(0)
    async def on_get(self, req: Request, resp: Response) -> None:
        """Redirect a browser to the console, and a program to the documentation."""
        is_browser = "text/html" in req.accept.lower()
        resp.status, resp.location = falcon.HTTP_FOUND, "/console" if is_browser else "/docs"
        resp.append_header("Vary", "Accept")


class OpenApiResource:
    """/openapi.json

    Made when it is first asked for: that takes as long as all the rest of an application's start.
    """

    def __init__(self, describe: Callable[[], dict[str, Any]], compression: Compression) -> None:
        self._document = StaticContent(lambda: responses.encode(describe()), falcon.MEDIA_JSON, compression)

    @public
    @counts(0)
    async def on_get(self, req: Request, resp: Response) -> None:
        await self._document.send(req, resp)


class DocsPageResource:
    """/docs"""

    @public
    @counts(0)
    async def on_get(self, req: Request, resp: Response) -> None:
        resp.data = _read("storekeeper", "resources/docs_page/page.html")
        resp.content_type = "text/html; charset=utf-8"
        resp.set_header("Content-Security-Policy", POLICY)


class DocsAssetResource:
    """/docs/{name}"""

    def __init__(self, compression: Compression) -> None:
        self._assets = {
            name: StaticContent(partial(_read, package, file), content_type, compression)
            for name, (package, file, content_type) in ASSETS.items()
        }

    @public
    @counts(0)
    async def on_get(self, req: Request, resp: Response, name: str) -> None:
        if name not in self._assets:
            raise NotFound
        await self._assets[name].send(req, resp)


def _read(package: str, file: str) -> bytes:
    return files(package).joinpath(file).read_bytes()
