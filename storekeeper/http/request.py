"""The request as the resources see it, and the limited reading of its body."""

import re
from collections.abc import AsyncIterator, Sequence
from typing import Any, get_args, get_origin
from urllib.parse import SplitResult, quote, urlsplit

import falcon
import falcon.asgi
import msgspec
import structlog
from falcon.asgi import Response
from falcon.routing import BaseConverter

from storekeeper.domain import names
from storekeeper.errors import (
    MERGE_PATCH,
    Invalid,
    TooLarge,
    WrongMediaType,
)
from storekeeper.http import operation, parsing
from storekeeper.http.compression import GZIP, GZIP_NAMES
from storekeeper.http.operation import Operation
from storekeeper.http.request_context import RequestContext
from storekeeper.security.tokens import Claims

MAX_ID = 2**53 - 1  # the largest whole number that every JSON reader takes exactly
MAX_ACCEPT = 2000  # characters
JSON_IN_UTF8 = re.compile(
    r'application/(json|merge-patch\+json)\s*(?:;\s*(?:charset=("?)(?:utf-8|us-ascii)\2\s*)?)*', re.I | re.A
)
IDEMPOTENCY_KEY = re.compile(r'("?)([!#-\[\]-~]{1,255})\1')
SLASH = "\ufdd0"  # stands for %2F while a path is taken apart: no name may hold it
NO_SLASH = "\ufdd1"  # stands for a SLASH that was in the path already: no name may hold this one either


class Upload:
    """An uploaded file: its declared type, and its bytes, which can be read once."""

    def __init__(self, req: "Request", media_type: str, *, is_gzip: bool) -> None:
        self.media_type = media_type
        self.size = 0
        self._req = req
        self._is_gzip = is_gzip

    async def read(self) -> bytes:
        return b"".join([piece async for piece in self.pieces()])

    async def pieces(self) -> AsyncIterator[bytes]:
        context, max_bytes, length = self._req.request_context, self._req.operation.max_bytes, self._req.content_length
        async for piece in context.pieces(max_bytes, length, is_gzip=self._is_gzip):
            self.size += len(piece)
            yield piece


class Request(falcon.asgi.Request):
    """A request, with the claims of its token."""

    claims: Claims | None = None
    operation: Operation = operation.NONE

    @property
    def request_context(self) -> RequestContext:
        context: RequestContext = self.scope["storekeeper.request_context"]
        return context

    @property
    def caller(self) -> Claims:
        """The claims of the caller. Only for responders that require a token."""
        assert self.claims, f"{self.method} {self.uri_template} is open: it has no caller"
        return self.claims

    @property
    def is_head(self) -> bool:
        """Whether the client wants only the headers; Falcon handles it as a GET."""
        return "storekeeper.is_head" in self.scope

    @property
    def accept(self) -> str:
        """What media types the sender likes. Who lists thousands takes what is usual: reading them takes its time."""
        text: str = super().accept
        return text if len(text) <= MAX_ACCEPT else "*/*"

    @property
    def device(self) -> str:
        return self.get_header("User-Agent", default="")

    def charge(self, units: int) -> None:
        """Count more for what turns out to be dear. This request goes on: those that come next may be refused."""
        if sender := self.request_context.sender:
            sender.charge(units)

    def log(self, event: str, **values: Any) -> None:
        """Log a security event in one line. Never give it a password or a token."""
        context = self.request_context
        known: dict[str, Any] = {} if context.user_id is None else {"user_id": context.user_id}
        if context.client_id is not None:
            known["client_request"] = context.client_id
        structlog.get_logger().info(event, request=context.id, address=context.address, **(known | values))


class NameConverter(BaseConverter):
    """The name of a store or an item in a path: `/item/{name:name}`."""

    def convert(self, value: str) -> str:
        if "\ufffd" in value:
            raise Invalid("path_not_utf8", field="name")
        return names.of_thing(value.replace(SLASH, "/"))


class UsernameConverter(BaseConverter):
    def convert(self, value: str) -> str:
        return names.of_user(value)


class IdConverter(BaseConverter):
    """What is no id is the id of nothing: the route does not match."""

    def convert(self, value: str) -> int | None:
        is_id = value.isascii() and value.isdigit() and len(value) <= len(str(MAX_ID)) and not value.startswith("0")
        return int(value) if is_id and int(value) <= MAX_ID else None


def path(*segments: str) -> str:
    """A path whose segments may contain any characters."""
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


def split_url(text: str) -> SplitResult:
    """The parts of a URL in a header of a browser. All are empty if it is invalid."""
    try:
        return urlsplit(text)
    except ValueError:
        return urlsplit("")


class RequestValidation:
    """Middleware: hands a responder its `query` and its `body`, decoded and checked by their declared types."""

    async def process_resource(self, req: Request, _resp: Response, _resource: object, params: dict[str, Any]) -> None:
        declared = req.operation
        if declared is operation.NONE:  # there is no such method: Falcon says so
            return
        if req.method != "GET" and (key := req.get_header("Idempotency-Key")) is not None:
            req.request_context.take_key(_checked_key(key), f"{req.method} {req.path}?{req.query_string}\n")
        if declared.query is not None:
            query = req.query_string
            params["query"] = parsing.read_query(query, declared.query)
        elif req.query_string:
            parsing.read_query(req.query_string, NoParameters)
        if declared.uploads:
            params["upload"] = _read_upload(req, declared.uploads)
        elif get_origin(declared.body) is list:
            (row,) = get_args(declared.body)
            params["body"] = parsing.convert_rows(await read_json(req), row, declared.max_rows)
        elif declared.body is not None:
            params["body"] = await _read_body(req, declared)


async def _read_body(req: Request, declared: operation.Operation) -> Any:
    """None where there is none, and there need not be: some generated clients send null then."""
    if declared.body_is_optional and not has_body(req):
        return None
    given = await read_json(req)
    if declared.body_is_optional and given is None:
        return None
    return parsing.convert(given, declared.body, strict=True)


class NoParameters(msgspec.Struct, forbid_unknown_fields=True):
    """The query of an operation without parameters."""


def _checked_key(text: str) -> str:
    """As the draft has it, in quotes; or without, as many send it."""
    match = IDEMPOTENCY_KEY.fullmatch(text)
    if match is None:
        raise Invalid("idempotency_key_unreadable")
    return match[2]


def has_body(req: Request) -> bool:
    return bool(req.content_length) or req.get_header("Transfer-Encoding") is not None


async def read_json(req: Request) -> Any:
    if (req.content_length or 0) > req.operation.max_bytes:
        raise TooLarge(maximum=req.operation.max_bytes)
    accepted = ("application/json", MERGE_PATCH) if req.method == "PATCH" else ("application/json",)
    given = JSON_IN_UTF8.fullmatch(req.content_type or "")
    if given is None or f"application/{given[1].lower()}" not in accepted:
        raise WrongMediaType(accepted=accepted)
    is_gzip = _is_gzip(req, accepted)
    context, max_bytes, length = req.request_context, req.operation.max_bytes, req.content_length
    return parsing.decode_json(await context.read_body(max_bytes, length, is_gzip=is_gzip))


def _read_upload(req: Request, known: Sequence[str]) -> Upload:
    """WrongMediaType unless its declared type, without parameters, is a known one."""
    declared = (req.content_type or "").partition(";")[0].strip().lower()
    if declared not in known:
        raise WrongMediaType("upload_type_unknown", known, types=", ".join(known))
    return Upload(req, declared, is_gzip=_is_gzip(req, known))


def _is_gzip(req: Request, accepted: Sequence[str]) -> bool:
    """Whether the body is in gzip. WrongMediaType where it has a coding that the operation does not take."""
    coding = req.get_header("Content-Encoding", default="identity").lower()
    if coding == "identity":
        return False
    if req.operation.accepts_gzip and coding in GZIP_NAMES:
        return True
    known = (GZIP, "identity") if req.operation.accepts_gzip else ("identity",)
    raise WrongMediaType("content_coding_unknown", accepted, known, codings=" or ".join(known))
