"""The request as the resources see it, the strict reading of what it carries, and the error as its sender sees it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote

import falcon
import falcon.asgi
import msgspec
import structlog
from falcon.asgi import Response
from falcon.routing import BaseConverter

from storekeeper import names, operation
from storekeeper.errors import (
    FieldError,
    Forbidden,
    InternalError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    RequestTimeout,
    StorekeeperError,
    TooLarge,
    TooManyAttempts,
    WrongMediaType,
)
from storekeeper.money import Price
from storekeeper.operation import Operation
from storekeeper.tokens import Claims

BODY_BYTES = 64 * 1024
MAX_ID = 2**53 - 1  # the largest whole number that every JSON reader takes exactly
PROBLEM = "application/problem+json"
SLASH = "\ufdd0"  # stands for %2F while a path is taken apart: no name may hold it

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)

T = TypeVar("T")
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


def read_query(query_string: str, kind: type[T]) -> T:
    """The parameters of a URL, decoded and checked. Unknown and repeated ones are refused by name."""
    try:
        pairs = parse_qsl(query_string, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise Invalid("The query string cannot be read.") from None
    given = dict(pairs)
    if len(given) < len(pairs):
        raise Invalid("A parameter is given twice.")
    return _convert(given, kind, strict=False)


class Reading:
    """Middleware: hands a responder its `query` and its `body`, decoded and checked by their declared types."""

    async def process_resource(self, req: Request, _resp: Response, _resource: object, params: dict[str, Any]) -> None:
        declared = req.operation
        if declared.query is not None:
            params["query"] = read_query(req.query_string, declared.query)
        elif req.query_string:
            read_query(req.query_string, Nothing)
        if declared.body is not None:
            is_absent = declared.body_is_optional and not has_body(req)
            params["body"] = None if is_absent else _convert(await read_json(req), declared.body, strict=True)


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
    return decode_json(body)


def _is_json(req: Request) -> bool:
    media_type, *parameters = (req.content_type or "").lower().replace('"', "").replace(" ", "").split(";")
    is_utf8 = all(each in ("charset=utf-8", "charset=us-ascii", "") for each in parameters)
    return media_type == falcon.MEDIA_JSON and is_utf8 and req.get_header("Content-Encoding") in (None, "identity")


def decode_json(body: bytes) -> Any:
    """Strict JSON (RFC 8259, I-JSON): what others read in different ways is refused. Decimals stay exact."""
    try:
        text = body.decode()
        value = json.loads(text, object_pairs_hook=_object, parse_float=Decimal, parse_constant=_refuse_constant)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False, default=str).encode()  # fails on half of a surrogate pair
    except (ValueError, InvalidOperation, RecursionError):
        raise Invalid("The body is not JSON that can be read in one way only.") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member stands twice")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _convert(value: Any, kind: type[T], *, strict: bool) -> T:
    try:
        return msgspec.convert(value, kind, strict=strict, dec_hook=_read_price)
    except msgspec.ValidationError as error:
        errors = _field_errors(value, kind, strict=strict) if isinstance(value, dict) else []
        raise Invalid(errors[0].message if errors else _sentence(error), errors=errors) from None


def _field_errors(given: dict[str, Any], kind: type[Any], *, strict: bool) -> list[FieldError]:
    """Everything that is wrong with the members, not only what is found first."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    errors = [FieldError(name, f"There is no '{name}' here.") for name in given if name not in fields]
    for name, field in fields.items():
        if name not in given:
            errors += [FieldError(name, f"'{name}' is missing.")] if field.required else []
            continue
        try:
            msgspec.convert(given[name], field.type, strict=strict, dec_hook=_read_price)
        except msgspec.ValidationError as error:
            errors.append(FieldError(name, _sentence(error)))
    return errors


def _sentence(error: msgspec.ValidationError) -> str:
    return str(error).partition(" - at `")[0].rstrip(".") + "."


def _read_price(kind: type[Any], value: Any) -> Any:
    if kind is Price:
        return Price.read(value)
    raise NotImplementedError(kind)


def encode(value: Any) -> bytes:
    return _ENCODER.encode(value)


_ENCODER = msgspec.json.Encoder(decimal_format="number")


async def render_error(req: Request, resp: Response, error: StorekeeperError, _params: Any, **_: Any) -> None:
    """The one renderer: every error of the API leaves through here."""
    if isinstance(error, Forbidden | TooManyAttempts):
        req.log(error.code, method=req.method, path=req.path)
    resp.status = error.status
    resp.set_headers(error.headers())
    body = describe(error)
    if PROBLEM in req.accept:
        resp.content_type = PROBLEM
        body = {
            "type": "about:blank",
            "title": error.status.phrase,
            "status": error.status,
            "detail": str(error),
        } | body
    resp.data = encode(body)
    if error.status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
        resp.set_header("Connection", "close")  # the rest of the body is not read


def describe(error: StorekeeperError) -> dict[str, Any]:
    """The one shape of every error: the course's members, and never fewer than code and message."""
    message = str(error)
    described = {"description": message} if error.described else {}
    return {"error": error.code, "message": message} | described | error.details()


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
