"""One request and its answer on the wire: Uvicorn's cycle, but the head of the answer costs less.

Uvicorn searches each field of every answer for what no field may hold. Those that all answers have are known to be
good; only the others are searched here.
"""

from asyncio import Event
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

from httptools import HttpRequestParser, parse_url
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from storekeeper.http import SECURITY_HEADERS

Field = tuple[bytes, bytes]

BODILESS = (204, 304)
FRAMING = (b"content-length", b"transfer-encoding", b"connection")
KNOWN = {field: b"%s: %s\r\n" % field for field in (*SECURITY_HEADERS, (b"content-type", b"application/json"))}


class Exchange(RequestResponseCycle):
    _says_close = False

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
        if self.response_started or self.disconnected or self.flow.write_paused:
            await super().send(message)
        else:
            self._begin(message["status"], message["headers"])

    def _begin(self, status: int, fields: Iterable[Field]) -> None:
        lines = [STATUS_LINE[status]]
        for field in (*self.default_headers, *fields):
            lines.append(KNOWN.get(field) or _line(*field))
            if field[0] in FRAMING:
                self._frame(*field)
        lines += self._end(status)
        self.response_started = True
        self.waiting_for_100_continue = False
        self.transport.write(b"".join(lines))

    def _frame(self, name: bytes, value: bytes) -> None:
        """Note what a field says of the answer's length, or that the connection ends with it."""
        if name == b"content-length" and self.chunked_encoding is None:
            self.expected_content_length = int(value)
            self.chunked_encoding = False
        elif name == b"transfer-encoding" and value.lower() == b"chunked":
            self.chunked_encoding = True
        elif name == b"connection" and b"close" in value.lower():
            self.keep_alive = False
            self._says_close = True

    def _end(self, status: int) -> Iterator[bytes]:
        if not self.keep_alive and not self._says_close:
            yield b"connection: close\r\n"
        if self.chunked_encoding is None and status not in BODILESS and self.scope["method"] != "HEAD":
            self.chunked_encoding = True
            yield b"transfer-encoding: chunked\r\n"
        yield b"\r\n"


def describe(scope: Any, parser: HttpRequestParser, target: bytes) -> Any:
    """The scope, with what the request's first line says."""
    url = parse_url(target)
    path = url.path.decode("ascii")
    scope["http_version"] = parser.get_http_version()
    scope["method"] = parser.get_method().decode("ascii")
    scope["path"] = unquote(path) if "%" in path else path
    scope["raw_path"] = url.path
    scope["query_string"] = url.query or b""
    return scope


def _line(name: bytes, value: bytes) -> bytes:
    """A field as it is written. RuntimeError for one that would be taken for two."""
    if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
        raise RuntimeError("A field of the answer holds what no field may hold.")
    return b"%s: %s\r\n" % (name, value)
