"""What every request passes on its way in and every answer on its way out: id, headers, log line, bounds."""

import asyncio
import itertools
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import unquote

import structlog

from storekeeper import http, log
from storekeeper.errors import InternalError, StorekeeperError, Unavailable
from storekeeper.exchange import SECURITY_HEADERS, Field
from storekeeper.http import NO_SLASH, SLASH
from storekeeper.visit import Event, Receive, Visit

Scope = dict[str, Any]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

SECURITY_NAMES = frozenset(name for name, _ in SECURITY_HEADERS)
REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
ESCAPED_SLASH = re.compile("%2[Ff]")
NO_ASCII = re.compile(rb"[\x80-\xff]")


async def _no_body() -> Event:
    """What Falcon is told. It would await the body before it routes, without a deadline; we read it when it is due."""
    return {"type": "http.request", "body": b"", "more_body": False}


class Later:
    """An application that is made when it is first asked for; on a thread, as its imports would hold up the loop."""

    def __init__(self, make: Callable[[], App]) -> None:
        self._make = make
        self._app: App | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app or await self._prepare()
        await app(scope, receive, send)

    async def _prepare(self) -> App:
        async with self._lock:  # whoever else is first waits for it
            if self._app is None:
                self._app = await asyncio.to_thread(self._make)
            return self._app


class Door:
    """The outermost ASGI application: before the API, and before the pages below /console.

    Each of the two has its own middleware and its own way to say what went wrong.
    """

    def __init__(self, api: App, pages: App, body_seconds: float) -> None:
        self._api = api
        self._pages = pages
        self._body_seconds = body_seconds
        self._log = structlog.get_logger().bind()
        self._write = log.writer()
        self._prefix = secrets.token_hex(6)
        self._numbers = itertools.count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._api(scope, receive, send)
            return
        began = time.perf_counter()
        visit = scope["storekeeper.visit"] = self._visit(scope, receive)
        answer = Answer(send, visit.id)
        try:
            await self._wing(scope["path"])(_routed(scope), _no_body, answer.send)
        except asyncio.CancelledError:  # the server ends, and has waited long enough
            await answer.fail(Unavailable("The server is being stopped. Try again soon."))
        except Exception as error:
            self._log.error("bug", request=visit.id, exc_info=error)
            await answer.fail(InternalError())
        finally:
            self._note(scope, visit, answer.status, time.perf_counter() - began)
            del scope["storekeeper.visit"]  # it leads back to the scope: only a collection would free them

    def _wing(self, path: str) -> App:
        return self._pages if path.startswith("/console") and path[8:9] in ("", "/") else self._api

    def _visit(self, scope: Scope, receive: Receive) -> Visit:
        client = scope.get("client")
        return Visit(self._request_id(scope["headers"]), client[0] if client else "", receive, self._body_seconds)

    def _request_id(self, headers: list[tuple[bytes, bytes]]) -> str:
        """The sender's id for the request, if it is a sound one; else one that no other process gives out."""
        for name, value in headers:
            if name == b"x-request-id" and REQUEST_ID.fullmatch(value):
                return value.decode()
        return f"{self._prefix}-{next(self._numbers)}"

    def _note(self, scope: Scope, visit: Visit, status: int, seconds: float) -> None:
        if self._write:
            ms = round(seconds * 1000, 2)
            line = log.RequestLine(scope["method"], scope["path"], status, ms, visit.id, visit.address, visit.user_id)
            self._write(log.encode(line))


class Answer:
    """Adds to an answer what every answer has, and remembers its status."""

    __slots__ = ("_request_id", "_send", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status = 0

    async def send(self, event: Event) -> None:
        if event["type"] == "http.response.start":
            self.status = event["status"]
            event["headers"] = _complete(event["headers"], self._request_id)
        await self._send(event)

    async def fail(self, error: StorekeeperError) -> None:
        """Answer for code that could not; nothing can be done where the answer has begun."""
        if self.status:
            return
        headers = [(name.lower().encode(), value.encode()) for name, value in error.headers().items()]
        headers.append((b"content-type", b"application/json"))
        await self.send({"type": "http.response.start", "status": error.status.value, "headers": headers})
        await self._send({"type": "http.response.body", "body": http.encode(http.describe(error))})


def _complete(given: Iterable[Field], request_id: str) -> list[Field]:
    """With the request's id and the security headers that the responder did not set itself."""
    headers = [*given, (b"x-request-id", request_id.encode())]
    if SECURITY_NAMES.isdisjoint([name for name, _ in headers]):
        return [*headers, *SECURITY_HEADERS]
    own = {name for name, _ in headers}
    return [*headers, *(each for each in SECURITY_HEADERS if each[0] not in own)]


def _routed(scope: Scope) -> Scope:
    """The scope as Falcon shall see it. The server's own stays as it is: it remembers there that this is a HEAD."""
    raw_path, query = scope.get("raw_path") or b"", scope["query_string"]
    is_plain = b"%" not in raw_path and query.isascii() and scope["path"].isascii()
    return scope if is_plain and scope["method"] != "HEAD" else _rewritten(scope, raw_path, query)


def _rewritten(scope: Scope, raw_path: bytes, query: bytes) -> Scope:
    routed = {**scope}
    if scope["method"] == "HEAD":
        routed |= {"method": "GET", "storekeeper.is_head": True}
    if not query.isascii():  # Falcon would fail
        routed["query_string"] = NO_ASCII.sub(lambda found: b"%%%02X" % found[0][0], query)
    if b"%2F" in raw_path or b"%2f" in raw_path:
        pieces = ESCAPED_SLASH.split(raw_path.decode("ascii"))
        routed["path"] = SLASH.join(unquote(piece).replace(SLASH, NO_SLASH) for piece in pieces)
    elif SLASH in scope["path"]:
        routed["path"] = scope["path"].replace(SLASH, NO_SLASH)
    return routed
