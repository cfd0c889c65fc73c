"""The request as the resources see it, the bounded reading of its body, and the error as its sender sees it."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import falcon
import falcon.asgi
import msgspec
import structlog
from falcon import mediatypes
from falcon.asgi import Response
from falcon.routing import BaseConverter

from storekeeper import names, operation, parsing
from storekeeper.errors import (
    InternalError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    RequestTimeout,
    StorekeeperError,
    TooLarge,
    WrongMediaType,
)
from storekeeper.operation import Operation
from storekeeper.tokens import Claims

BODY_BYTES = 64 * 1024
MAX_ID = 2**53 - 1  # the largest whole number that every JSON reader takes exactly
PROBLEM = "application/problem+json"
JSON_IN_UTF8 = re.compile(r'application/json\s*(?:;\s*(?:charset=("?)(?:utf-8|us-ascii)\1\s*)?)*', re.I | re.A)
SLASH = "\ufdd0"  # stands for %2F while a path is taken apart: no name may hold it
NO_SLASH = "\ufdd1"  # stands for a SLASH that was in the path already: no name may hold this one either

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)

Event = dict[str, Any]
Receive = Callable[[], Awaitable[Event]]


class Visit:
    """What the door knows of a request: its id, where it comes from, its unread body; and later, whose it is."""

    __slots__ = ("address", "id", "receive", "seconds", "user_id")

    def __init__(self, id: str, address: str, receive: Receive, seconds: float) -> None:
        self.id = id
        self.address = address
        self.receive = receive
        self.seconds = seconds
        self.user_id: int | None = None

    async def read_body(self) -> bytes:
        """The whole body, within its bounds. A cut one raises: nothing may be done with it."""
        pieces, size = [], 0
        try:
            async with asyncio.timeout(self.seconds):
                while True:
                    event = await self.receive()
                    if event["type"] == "http.disconnect":
                        raise Invalid("The body ended early.")
                    pieces.append(event.get("body", b""))
                    if (size := size + len(pieces[-1])) > BODY_BYTES:
                        raise TooLarge
                    if not event.get("more_body"):
                        return b"".join(pieces)
        except TimeoutError:
            raise RequestTimeout from None


class Request(falcon.asgi.Request):
    """A request, and what its token says of its sender."""

    claims: Claims | None = None
    operation: Operation = operation.NONE

    @property
    def visit(self) -> Visit:
        visit: Visit = self.scope["storekeeper.visit"]
        return visit

    @property
    def caller(self) -> Claims:
        """Who is calling. Only for responders that are not open to everybody."""
        assert self.claims, f"{self.method} {self.uri_template} is open: it has no caller"
        return self.claims

    @property
    def device(self) -> str:
        return self.get_header("User-Agent", default="")

    def log(self, event: str, **values: Any) -> None:
        """One line for a security event. Never give it a password or a token."""
        visit = self.visit
        known = {} if visit.user_id is None else {"user_id": visit.user_id}
        structlog.get_logger().info(event, request=visit.id, address=visit.address, **(known | values))


class Name(BaseConverter):
    """The name of a store or an item in a path: `/item/{name:name}`."""

    def convert(self, value: str) -> str:
        if "\ufffd" in value:
            raise Invalid("The path is not UTF-8.", "name")
        return names.of_thing(value.replace(SLASH, "/"))


class Username(BaseConverter):
    def convert(self, value: str) -> str:
        return names.of_user(value)


class Id(BaseConverter):
    """What is no id is the id of nothing: the route does not match."""

    def convert(self, value: str) -> int | None:
        is_id = value.isascii() and value.isdigit() and len(value) <= len(str(MAX_ID)) and not value.startswith("0")
        return int(value) if is_id and int(value) <= MAX_ID else None


def path(*segments: str) -> str:
    """A path whose segments may hold anything."""
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


class Reading:
    """Middleware: hands a responder its `query` and its `body`, decoded and checked by their declared types."""

    async def process_resource(self, req: Request, _resp: Response, _resource: object, params: dict[str, Any]) -> None:
        declared = req.operation
        if declared is operation.NONE:  # there is no such method: Falcon says so
            return
        if declared.query is not None:
            query = req.query_string
            params["query"] = parsing.read_query(query, declared.query) if query else declared.query()
        elif req.query_string:
            parsing.read_query(req.query_string, Nothing)
        if declared.body is not None:
            is_absent = declared.body_is_optional and not has_body(req)
            params["body"] = None if is_absent else parsing.convert(await read_json(req), declared.body, strict=True)


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """The query of an operation that has no parameters."""


def has_body(req: Request) -> bool:
    return bool(req.content_length) or req.get_header("Transfer-Encoding") is not None


async def read_json(req: Request) -> Any:
    length = req.content_length
    if (length or 0) > BODY_BYTES:
        raise TooLarge
    if not _is_json(req):
        raise WrongMediaType
    body = await req.visit.read_body()
    if length is not None and length != len(body):
        raise Invalid("The body ended early.")
    return parsing.decode_json(body)


def _is_json(req: Request) -> bool:
    is_plain = req.get_header("Content-Encoding", default="identity").lower() == "identity"
    return is_plain and JSON_IN_UTF8.fullmatch(req.content_type or "") is not None


class Writing:
    """Middleware: writes the answer while a failure can still be answered. Falcon's own way is a 500 without a body."""

    async def process_response(self, _req: Request, resp: Response, _resource: object, _succeeded: bool) -> None:
        if resp.media is not None:
            resp.data, resp.media = encode(resp.media), None


def encode(value: Any) -> bytes:
    return _ENCODER.encode(value)


_ENCODER = msgspec.json.Encoder(decimal_format="number")


async def render_error(req: Request, resp: Response, error: StorekeeperError, _params: Any, **_: Any) -> None:
    """The one renderer: every error of the API leaves through here."""
    if error.status in (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS):
        req.log(error.code, method=req.method, path=req.path)
    resp.status = error.status
    resp.set_headers(error.headers())
    if _wants_problem(req):
        resp.content_type = PROBLEM
        resp.data = encode(_describe_problem(error))
    else:
        resp.data = encode(describe(error))
    if error.status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
        resp.set_header("Connection", "close")  # the rest of the body is not read


def describe(error: StorekeeperError) -> dict[str, Any]:
    """The one shape of every error: the course's members, and never fewer than code and message."""
    message = str(error)
    described = {"description": message} if error.described else {}
    return {"error": error.code, "message": message} | described | error.details()


def _describe_problem(error: StorekeeperError) -> dict[str, Any]:
    """The same as RFC 9457 has it."""
    problem = {"type": "about:blank", "title": error.status.phrase, "status": error.status, "detail": str(error)}
    return problem | describe(error)


def _wants_problem(req: Request) -> bool:
    """Whether its sender names RFC 9457's type, and does not like plain JSON better. `*/*` is content with that."""
    accept = req.accept.lower()
    if PROBLEM not in accept:
        return False
    try:
        return 0 < mediatypes.quality(PROBLEM, accept) >= mediatypes.quality(falcon.MEDIA_JSON, accept)
    except falcon.InvalidMediaType:
        return False


async def render_http_error(req: Request, resp: Response, error: falcon.HTTPError, params: Any, **_: Any) -> None:
    """Falcon's own errors, such as 404 for an unknown path, in the shape of ours."""
    if isinstance(error, falcon.HTTPMethodNotAllowed):
        resp.set_headers(error.headers or {})
        await render_error(req, resp, MethodNotAllowed(), params)
    elif error.status_code == HTTPStatus.NOT_FOUND:
        await render_error(req, resp, NotFound(), params)
    else:
        await render_error(req, resp, Invalid(error.title or "The request is not valid."), params)


async def render_bug(req: Request, resp: Response, error: Exception, params: Any, **_: Any) -> None:
    structlog.get_logger().error("bug", request=req.visit.id, exc_info=error)
    await render_error(req, resp, InternalError(), params)
