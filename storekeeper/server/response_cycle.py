"""One request and its response on the connection: Uvicorn's cycle, with a cheaper response head.

Uvicorn searches each header of every response for forbidden characters. The headers at the end of nearly all
responses are known to be valid, and are written in one piece; only the others are searched here.
"""

from asyncio import Event
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import msgspec
from httptools import HttpRequestParser, parse_url
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from storekeeper.errors import StorekeeperError
from storekeeper.http.response_headers import COMMON_HEADERS, EXPOSED_HEADERS, Field

USUAL_END = list(COMMON_HEADERS)
USUAL_LINES = b"".join(b"%s: %s\r\n" % field for field in COMMON_HEADERS)
FRAMING = (b"content-length", b"transfer-encoding", b"connection")
BODILESS = (204, 304)


class ResponseCycle(RequestResponseCycle):
    _head = b""  # waits for the body, to be written with it in one piece
    _ends_with_connection = False  # of an answer without a length to HTTP/1.0, which knows no chunks

    def __init__(self, protocol: HttpToolsProtocol, scope: Any) -> None:
        super().__init__(
            scope=scope,
            transport=protocol.transport,
            flow=protocol.flow,
            logger=protocol.logger,
            access_logger=protocol.access_logger,
            access_log=False,
            default_headers=protocol.server_state.default_headers,
            message_event=Event(),
            expect_100_continue=protocol.expect_100_continue,
            keep_alive=scope["http_version"] != "1.0" and protocol.parser.should_keep_alive(),
            on_response=protocol.on_response_complete,
        )

    async def send(self, message: Any) -> None:
        if self._ends_with_connection:
            await self._send_piece(message)
            return
        if self._head:
            head, self._head = self._head, b""
            if self._is_whole(message):
                self._finish(head + message["body"])
                return
            self.transport.write(head)
        if self.response_started or self.disconnected or self.flow.write_paused:
            await super().send(message)
        else:
            self._begin(message["status"], message["headers"])

    async def _send_piece(self, message: Any) -> None:
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        self.transport.write(message.get("body", b""))
        if not message.get("more_body", False):
            self._finish(b"")

    def _is_whole(self, message: Any) -> bool:
        """Whether this body is all of the answer, and can be written now."""
        is_held_up = self.disconnected or self.flow.write_paused
        return not is_held_up and len(message.get("body", b"")) == self.expected_content_length

    def _begin(self, status: int, fields: Sequence[Field]) -> None:
        lines, framing = [STATUS_LINE[status]], {}
        is_usual = fields[-len(USUAL_END) :] == USUAL_END
        for name, value in (*self.default_headers, *(fields[: -len(USUAL_END)] if is_usual else fields)):
            lines.append(_line(name, value))
            if name in FRAMING:
                framing[name] = value
        lines += [USUAL_LINES] if is_usual else []
        self._frame(status, framing, lines)
        self.response_started = True
        self.waiting_for_100_continue = False
        lines.append(b"\r\n")
        self._write_head(b"".join(lines))

    def _write_head(self, head: bytes) -> None:
        if self.expected_content_length and self.scope["method"] != "HEAD":
            self._head = head
        else:
            self.transport.write(head)

    def _finish(self, answer: bytes) -> None:
        self.transport.write(answer)
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _frame(self, status: int, headers: Mapping[bytes, bytes], lines: list[bytes]) -> None:
        """Note how long the answer is, and whether the connection ends with it; say so where that is not said yet."""
        if b"content-length" in headers:
            self.expected_content_length = int(headers[b"content-length"])
            self.chunked_encoding = False
        elif headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            self.chunked_encoding = True
        elif status not in BODILESS and self.scope["method"] != "HEAD":
            if self.scope["http_version"] == "1.0":
                self._ends_with_connection = True
            else:
                self.chunked_encoding = True
                lines.append(b"transfer-encoding: chunked\r\n")
        if b"close" in headers.get(b"connection", b"").lower():
            self.keep_alive = False
        elif not self.keep_alive:
            lines.append(b"connection: close\r\n")


def cors_fields(headers: Iterable[Field], origins: Collection[str]) -> list[Field]:
    """What lets a script of a listed origin read an answer that comes from before the application."""
    origin = next((value for name, value in headers if name == b"origin"), b"")
    if origin.decode("latin-1") not in origins:
        return []
    exposed = ", ".join(EXPOSED_HEADERS).encode()
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", exposed),
        (b"vary", b"Origin"),
    ]


def error_response(error: StorekeeperError, default_headers: Sequence[Field]) -> bytes:
    """A complete response in place of the application's, and the last one on its connection."""
    body = msgspec.json.encode({"error": error.code, "message": str(error)})
    fields = (
        *default_headers,
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    )
    lines = [b"%s: %s\r\n" % field for field in fields]
    return b"".join([STATUS_LINE[error.status], *lines, USUAL_LINES, b"\r\n", body])


def describe(scope: Any, parser: HttpRequestParser, target: bytes) -> Any:
    """The scope, with what the request's first line says."""
    raw_path, query = _split(target)
    path = raw_path.decode("ascii")
    scope["http_version"] = parser.get_http_version()
    scope["method"] = parser.get_method().decode("ascii")
    scope["path"] = unquote(path) if "%" in path else path
    scope["raw_path"] = raw_path
    scope["query_string"] = query
    return scope


def _split(target: bytes) -> tuple[bytes, bytes]:
    """The path and the query of what is asked for, which may be a whole URL (RFC 9112, section 3.2)."""
    if target.startswith(b"/") and b"#" not in target:
        path, _, query = target.partition(b"?")
        return path, query
    url = parse_url(target)
    return url.path, url.query or b""


def _line(name: bytes, value: bytes) -> bytes:
    """A field as it is written. RuntimeError for one that would be taken for two."""
    if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
        raise RuntimeError("A field of the answer holds what no field may hold.")
    return b"%s: %s\r\n" % (name, value)
