"""Uvicorn's HTTP protocol with the limits that it lacks: the size of a head, and deadlines for heads and bodies.

It depends on Uvicorn's parser callbacks and on a few of its names: check them before you raise the pinned version.
"""

import asyncio
import re
import secrets
from collections.abc import Collection
from typing import Any, Final, cast

import httptools
from msgspec import UNSET
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from storekeeper import log
from storekeeper.errors import BadRequest, HeadTooLarge, RequestTimeout, StorekeeperError, UnknownTransferCoding
from storekeeper.server.response_cycle import ResponseCycle, cors_fields, describe, error_response
from storekeeper.server.transport import LingeringTransport, ReadFlowControl

HEAD_BYTES = 32 * 1024
DRAIN_BYTES = 64 * 1024  # of a body whose request has been answered
PIECE_BYTES = 2 * 1024  # is fed to the parser at once: at most as many requests as fit in there wait at any time

BODY_GRACE_SECONDS = 10  # `http` answers a body that is late; only where nobody waits for it, it ends here
SHUTDOWN_SECONDS = 3  # for a client to send or read the rest of what is under way when the server ends

BETWEEN: Final = 0  # requests
HEAD: Final = 1
BODY: Final = 2

UNDERSCORE = ord("_")  # looking for a number is 8 times faster than for b"_"
HOST = re.compile(rb"[\w.~!$&'()*+;=%:\[\]-]*", re.ASCII)
NOTHING = memoryview(b"")
VERSIONS = ("1.1", "1.0")


class BoundedProtocol(HttpToolsProtocol):
    """Runs a timer only while it waits for a part of a request, so a request that comes whole costs next to nothing."""

    _phase = BETWEEN
    _swallowed = 0  # bytes that the parser has taken without yielding a whole head or some body
    _unwanted = 0  # bytes of a body whose request has been answered
    _ended = False  # the client sends no more
    _hosts: list[bytes] | None = None  # the Host headers last found good
    _held = NOTHING  # what has been read, but waits until the requests before it are answered
    _clock: asyncio.TimerHandle | None = None
    _idle_since = 0.0

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        head_seconds: float,
        body_seconds: float,
        origins: Collection[str] = (),
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._head_seconds = head_seconds
        self._body_seconds = body_seconds + BODY_GRACE_SECONDS
        self._origins = origins

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._raw_transport = transport
        self._lingering_transport = LingeringTransport(transport, self, self._awaits_more)
        self.transport = cast(asyncio.Transport, self._lingering_transport)
        self.flow = self._read_flow = ReadFlowControl(transport, self._read_on)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lingering_transport.lose()
        self._read_flow.stop()
        self._stop_clock()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends no more. Complete requests are still answered."""
        self._ended = True
        if self._phase != BETWEEN:
            self._refuse(BadRequest("request_cut"))
        elif self.cycle is None or self.cycle.response_complete or self._is_endless():
            return False
        else:
            self.cycle.keep_alive = False
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        self._lingering_transport.stall()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._lingering_transport.go_on()

    def shutdown(self) -> None:
        """The server ends: close idle connections, and let the others finish within a time."""
        super().shutdown()
        if self.cycle is not None and self._is_endless():
            self.transport.close()
        self.loop.call_later(SHUTDOWN_SECONDS, self._lose_patience)

    def _is_endless(self) -> bool:
        """Whether the current answer ends only when its reader or the server ends it (server-sent events)."""
        context: Any = self.cycle.scope.get("storekeeper.request_context")
        return context is not None and context.follows and not self.cycle.response_complete

    def _lose_patience(self) -> None:
        if self.flow.write_paused or self.transport.is_closing():
            self._lingering_transport.abort()
        elif self._phase == BODY:
            self._ended = True  # there is no time to linger either
            self._expire()

    def _awaits_more(self) -> bool:
        return self._phase != BETWEEN and not self._ended

    # What comes in

    def data_received(self, data: bytes | memoryview) -> None:
        if len(data) > PIECE_BYTES:
            self._held = memoryview(data)
            self._feed_held()
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrade(bytes(data[upgrade.args[0] :]))
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause if isinstance(cause, StorekeeperError) else BadRequest())
        else:
            if self._phase != BETWEEN:
                self._swallow(len(data))

    def _feed_held(self) -> None:
        while self._held and not self.flow.read_paused and not self.transport.is_closing():
            piece, self._held = self._held[:PIECE_BYTES], self._held[PIECE_BYTES:]
            self.data_received(piece)
        if not self.flow.read_paused:
            self._raw_transport.resume_reading()

    def _read_on(self) -> None:
        if self.pipeline:
            return  # its requests come first
        self.flow.read_paused = False
        if self._held:
            self.loop.call_soon(self._feed_held)  # soon: Uvicorn is about to start the next request
        else:
            self._raw_transport.resume_reading()

    def _swallow(self, size: int) -> None:
        self._swallowed += size
        if self._swallowed > HEAD_BYTES + PIECE_BYTES:  # the first piece may have held an earlier request's end
            self._refuse(HeadTooLarge())
        elif self._clock is None and not self._held:
            self._start_clock()

    def _decline_upgrade(self, rest: bytes) -> None:
        """Read the head once more without its Upgrade, and then the body, which the parser did not expect.

        Some clients, Java's for one, offer h2c with every request and are content with HTTP/1.1. Uvicorn would drop
        the body, and take what comes after for the next request.
        """
        line = b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        fields = [b"%s: %s" % field for field in self.headers if field[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as Uvicorn does
        self._held = memoryview(b"\r\n".join([line, *fields, b"", rest]) + self._held)
        self._feed_held()

    # The parser's callbacks

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._phase = HEAD
        self._swallowed = self._unwanted = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"transfer-encoding" and value.strip().lower() != b"chunked":
            raise UnknownTransferCoding
        if UNDERSCORE in name:
            return  # many a proxy and program would take it for its twin with a dash, which somebody else has checked
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._swallowed:
            self._check_size()
        if self.parser.get_http_version() not in VERSIONS:
            raise BadRequest("http_version_unknown")
        hosts = [value for name, value in self.headers if name == b"host"]
        if hosts != self._hosts:
            self._check_hosts(hosts)
        if self.parser.should_upgrade():
            self._check_upgrade()
            return  # see `_decline_upgrade`
        self._begin()
        self.headers = []  # trailers are not taken for headers
        self._phase = BODY
        if self._clock is not None:
            self._stop_clock()

    def on_body(self, body: bytes) -> None:
        self._swallowed = 0
        super().on_body(body)
        if self.cycle.response_complete:
            self._drain(len(body))

    def on_message_complete(self) -> None:
        if self._phase == BODY:
            self._phase = BETWEEN
            if self._clock is not None:
                self._stop_clock()
            super().on_message_complete()

    def _begin(self) -> None:
        """Start the request, or queue it behind the current one."""
        before, self.cycle = self.cycle, ResponseCycle(self, describe(self.scope, self.parser, self.url))
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _check_size(self) -> None:
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            raise HeadTooLarge

    def _check_hosts(self, hosts: list[bytes]) -> None:
        """RFC 9112, section 3.2."""
        is_missing = not hosts and self.parser.get_http_version() != "1.0"
        if is_missing or len(hosts) > 1 or not all(map(HOST.fullmatch, hosts)):
            raise BadRequest("host_header_invalid")
        self._hosts = hosts or None

    def _check_upgrade(self) -> None:
        if self.parser.get_method() == b"CONNECT":
            raise BadRequest("proxying_refused")

    def _drain(self, size: int) -> None:
        """A body whose request has been answered is read a little way, so that the connection can be used again.

        Not so after `Expect`: a client that has been answered need not send the body, and this may be a new request.
        """
        self._unwanted += size
        if self._unwanted > DRAIN_BYTES or self.expect_100_continue:
            raise BadRequest

    # The clock

    def _start_clock(self) -> None:
        seconds = self._body_seconds if self._phase == BODY else self._head_seconds
        self._clock = self.loop.call_later(seconds, self._expire)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _expire(self) -> None:
        if self._phase == BETWEEN:
            self.transport.close()
        else:
            self._refuse(RequestTimeout("request_late"))

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        self._idle_since = self.loop.time()
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self.timeout_keep_alive_task is None:
            self._watch(self.timeout_keep_alive)

    def _watch(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """See whether the connection is idle for too long. A clock set anew for each answer would cost more."""
        self.timeout_keep_alive_task = None
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if self._phase != BETWEEN or not self.cycle.response_complete:
            return  # the end of that answer sets the next clock
        if left > 0:
            self._watch(left)
        else:
            self.transport.close()

    # The end

    def _refuse(self, error: StorekeeperError) -> None:
        """Answer in place of the application, and close."""
        self._held = NOTHING
        if self._phase == BODY:
            self._refuse_body(error)
        elif self.cycle is None or self.cycle.response_complete:
            self._answer(error)
        else:  # the answers to earlier requests come first, and are the last
            self.cycle.keep_alive = False
            self._read_flow.stop()

    def _refuse_body(self, error: StorekeeperError) -> None:
        self.cycle.disconnected = True  # the application may be waiting for the body
        self.cycle.message_event.set()
        if self.pipeline:  # its turn has not come

            async def refuse(*_: Any) -> None:
                self._answer(error)

            self.pipeline[0] = (self.cycle, refuse)
            self._read_flow.stop()
        elif self.cycle.response_started:
            self.transport.close()
        else:
            self._answer(error)

    def _answer(self, error: StorekeeperError) -> None:
        """An answer like all others: with an id, a line in the log, and for the scripts of listed origins."""
        context: Any = self.cycle.scope.get("storekeeper.request_context") if self._phase == BODY else None
        id = context.id if context else secrets.token_hex(9)
        if context is None:  # of the others, the application writes the line
            self._log_refusal(error, id)
        headers = self.cycle.scope["headers"] if self._phase == BODY else self.headers if self._phase == HEAD else []
        fields = [(b"x-request-id", id.encode()), *cors_fields(headers, self._origins)]
        self.transport.write(error_response(error, [*self.server_state.default_headers, *fields]))
        self.transport.close()

    def _log_refusal(self, error: StorekeeperError, id: str) -> None:
        write = log.request_log()
        if write is None:
            return
        method, url = (self.parser.get_method(), self.url) if self._phase == HEAD and self.url else (b"", b"")
        path = url.partition(b"?")[0].decode("latin-1")
        address = self.client[0] if self.client else ""
        line = log.RequestLine(method.decode(), path, error.status.value, 0.0, id, UNSET, address, None)
        write(log.encode(line))
