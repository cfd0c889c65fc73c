"""The outermost ASGI application: request id, response headers, log line and bounds, for API and console."""

import asyncio
import itertools
import re
import secrets
import time
from collections.abc import Callable, Iterable
from urllib.parse import unquote

import structlog
from msgspec import UNSET

from storekeeper import log
from storekeeper.errors import InternalError, StorekeeperError, Unavailable
from storekeeper.http import responses
from storekeeper.http.asgi_types import App, Event, Receive, Scope, Send
from storekeeper.http.request import NO_SLASH, SLASH
from storekeeper.http.request_context import FROM_PROXY, RequestContext
from storekeeper.http.response_headers import COMMON_HEADERS, SECURITY_HEADERS, Field

SECURITY_NAMES = frozenset(name for name, _ in SECURITY_HEADERS)
REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
ESCAPED_SLASH = re.compile("%2[Ff]")
NO_ASCII = re.compile(rb"[\x80-\xff]")


async def _no_body() -> Event:
    """What Falcon is told. It would await the body before it routes, without a deadline; we read it when it is due."""
    return {"type": "http.request", "body": b"", "more_body": False}


class LazyApp:
    """An application that is created at its first request, on a thread, as its imports would block the event loop."""

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


class RootApp:
    """The outermost ASGI application: before the API, and before the pages below /console.

    Each of the two has its own middleware and its own way to say what went wrong.
    """

    def __init__(self, api: App, pages: App, body_seconds: float) -> None:
        self._api = api
        self._pages = pages
        self._body_seconds = body_seconds
        self._log = structlog.get_logger().bind()
        self._write = log.request_log()
        self._prefix = secrets.token_hex(6)
        self._numbers = itertools.count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._api(scope, receive, send)
            return
        began = time.perf_counter()
        context = scope["storekeeper.request_context"] = self._create_context(scope, receive)
        answer = ResponseSender(send, context)
        path = scope["path"]
        app = self._pages if path.startswith("/console") and path[8:9] in ("", "/") else self._api
        try:
            await app(_routed(scope), _no_body, answer.send)
        except asyncio.CancelledError:  # the server ends, and has waited long enough
            await answer.fail(Unavailable("server_stopping"))
        except StorekeeperError as error:  # of an answer that has begun: all others are the applications' to render
            self._log.info("answer_cut", request=context.id, reason=error.code)
            await answer.fail(error)
        except Exception as error:
            self._log.error("bug", request=context.id, exc_info=error)
            await answer.fail(InternalError())
        finally:
            context.end()
            self._note(scope, context, answer.status, time.perf_counter() - began)
            del scope["storekeeper.request_context"]  # it leads back to the scope: only a collection would free them

    def _create_context(self, scope: Scope, receive: Receive) -> RequestContext:
        client = scope.get("client")
        given, accept_encoding = _read_headers(scope["headers"])
        id, client_id = (given, None) if FROM_PROXY in scope else (None, given)
        id = id or f"{self._prefix}-{next(self._numbers)}"  # no other process gives it out
        context = RequestContext(id, client_id, client[0] if client else "", receive, self._body_seconds)
        context.accept_encoding = accept_encoding
        return context

    def _note(self, scope: Scope, context: RequestContext, status: int, seconds: float) -> None:
        if self._write:
            ms = round(seconds * 1000, 2)
            self._write(
                log.encode(
                    log.RequestLine(
                        scope["method"],
                        scope["path"],
                        status,
                        ms,
                        context.id,
                        context.client_id or UNSET,
                        context.address,
                        context.user_id,
                    )
                )
            )


def _read_headers(headers: list[tuple[bytes, bytes]]) -> tuple[str | None, bytes | None]:
    """The id that the sender gives the request, if it is a sound one; and the codings that they accept, if they say."""
    id, accept_encoding = None, None
    for name, value in headers:
        if name == b"accept-encoding":
            accept_encoding = value if accept_encoding is None else accept_encoding + b"," + value
        elif name == b"x-request-id" and id is None and REQUEST_ID.fullmatch(value):
            id = value.decode()
    return id, accept_encoding


class ResponseSender:
    """Adds to an answer what every answer has, and remembers its status."""

    __slots__ = ("_context", "_send", "status")

    def __init__(self, send: Send, context: RequestContext) -> None:
        self._send = send
        self._context = context
        self.status = 0

    async def send(self, event: Event) -> None:
        if event["type"] == "http.response.start":
            self.status = event["status"]
            event["headers"] = _complete(event["headers"], self._context)
        await self._send(event)

    async def fail(self, error: StorekeeperError) -> None:
        """Answer for code that could not; nothing can be done where the answer has begun."""
        if self.status:
            return
        headers = [(name.lower().encode(), value.encode()) for name, value in error.headers().items()]
        headers.append((b"content-type", b"application/json"))
        await self.send({"type": "http.response.start", "status": error.status.value, "headers": headers})
        await self._send({"type": "http.response.body", "body": responses.encode(responses.describe(error))})


def _complete(given: Iterable[Field], context: RequestContext) -> list[Field]:
    """With the request's ids and the usual headers that the responder did not set itself."""
    headers = [*given, (b"x-request-id", context.id.encode())]
    if context.client_id is not None:
        headers.append((b"x-client-request-id", context.client_id.encode()))
    if SECURITY_NAMES.isdisjoint([name for name, _ in headers]):
        return [*headers, *COMMON_HEADERS]
    own = {name for name, _ in headers} & SECURITY_NAMES
    return [*headers, *(each for each in COMMON_HEADERS if each[0] not in own)]


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
