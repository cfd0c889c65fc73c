"""Encodes responses, and renders every error in one shape."""

from http import HTTPStatus
from typing import Any

import falcon
import msgspec
import structlog
from falcon import mediatypes
from falcon.asgi import Response

from storekeeper.errors import (
    InternalError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    OverQuota,
    StorekeeperError,
    TooManyRequests,
)
from storekeeper.http.compression import Compression
from storekeeper.http.request import Request
from storekeeper.http.request_limits import RequestLimits
from storekeeper.security import secret

PROBLEM = "application/problem+json"


class ResponseEncoding:
    """Middleware: encodes the answer while an error can still be answered. Falcon would send a 500 without a body."""

    def __init__(self, limits: RequestLimits, compression: Compression) -> None:
        self._limits = limits
        self._compression = compression

    async def process_response(self, req: Request, resp: Response, _resource: object, succeeded: bool) -> None:
        if resp.media is not None:
            resp.data, resp.media = encode(resp.media), None
        context = req.request_context
        if (sender := context.sender) and succeeded and (sender.is_low or req.operation.units > 1):
            resp.set_headers(self._limits.describe(context))
        if context.accept_encoding is not None and succeeded and req.operation.is_compressible:
            await self._compression.compress(context.accept_encoding, resp)


def encode(value: Any) -> bytes:
    return _ENCODER.encode(value)


_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=secret.reveal)


async def render_error(req: Request, resp: Response, error: StorekeeperError, _params: Any, **_: Any) -> None:
    """Renders every error of the API."""
    begin_error(req, resp, error)
    if _wants_problem(req):
        resp.content_type = PROBLEM
        resp.data = encode(_describe_problem(error))
    else:
        resp.data = encode(describe(error))


def begin_error(req: Request, resp: Response, error: StorekeeperError) -> None:
    """All of the answer to an error but its body; and a line in the log, where it may be an attack."""
    is_of_note = error.status in (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS) or isinstance(error, OverQuota)
    if is_of_note and not isinstance(error, TooManyRequests):
        req.log(error.code, method=req.method, path=req.path)
    resp.status = error.status
    resp.set_headers(error.headers())
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
    resp.set_headers(error.headers or {} if isinstance(error, falcon.HTTPMethodNotAllowed) else {})
    await render_error(req, resp, of_falcon(error), params)


def of_falcon(error: falcon.HTTPError) -> StorekeeperError:
    """The StorekeeperError for one of Falcon's errors."""
    if isinstance(error, falcon.HTTPMethodNotAllowed):
        return MethodNotAllowed()
    if error.status_code == HTTPStatus.NOT_FOUND:
        return NotFound()
    return Invalid()


async def render_bug(req: Request, resp: Response, error: Exception, params: Any, **_: Any) -> None:
    await render_error(req, resp, note_bug(req, error), params)


def note_bug(req: Request, error: Exception) -> InternalError:
    """Write it to the log, with its trace; its sender hears nothing of that."""
    structlog.get_logger().error("bug", request=req.request_context.id, exc_info=error)
    return InternalError()
