"""The transport beneath the protocol: how a connection is closed, and when reading continues."""

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.flow_control import FlowControl

LINGER_SECONDS = 2
STALL_SECONDS = 30  # for a client to read what has been written to it


class LingeringTransport:
    """The transport as Uvicorn sees it.

    Once closed, it lets the client read the last response, for a limited time, and discards what is still written.
    """

    def __init__(self, transport: asyncio.Transport, protocol: asyncio.Protocol, lingers: Callable[[], bool]) -> None:
        self.write: Callable[[bytes], None] = transport.write
        self.is_closing: Callable[[], bool] = transport.is_closing
        self.close = self._close
        self.abort = transport.abort
        self._transport = transport
        self._protocol = protocol
        self._lingers = lingers
        self._clock: asyncio.TimerHandle | None = None

    def stall(self) -> None:
        """The client does not read, and much output waits for it."""
        self._run_clock(STALL_SECONDS, self.abort)

    def go_on(self) -> None:
        if not self.is_closing():
            self._stop_clock()

    def lose(self) -> None:
        """The connection is lost."""
        self._stop_clock()
        self._shut()

    def _close(self) -> None:
        self._shut()
        if self._lingers():
            self._linger()
        else:
            self._hang_up()

    def _shut(self) -> None:
        self.write = lambda _: None
        self.is_closing = lambda: True
        self.close = lambda: None

    def _linger(self) -> None:
        """Stop writing, but go on reading for a moment.

        Closing while data still arrives sends a RST, which can destroy the response.
        """
        self._transport.set_protocol(DiscardProtocol(self._protocol))
        self._transport.write_eof()
        self._transport.resume_reading()
        self._run_clock(LINGER_SECONDS, self._hang_up)

    def _hang_up(self) -> None:
        self._transport.close()
        self._run_clock(STALL_SECONDS, self.abort)

    def _run_clock(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_clock()
        self._clock = asyncio.get_running_loop().call_later(seconds, then)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()


class ReadFlowControl(FlowControl):
    """Uvicorn's flow control, but the protocol has the last word on when to read on."""

    def __init__(self, transport: asyncio.Transport, read_on: Callable[[], None]) -> None:
        super().__init__(transport)
        self._read_on = read_on

    def resume_reading(self) -> None:
        if self.read_paused:
            self._read_on()

    def stop(self) -> None:
        """Stop reading."""
        self._read_on = lambda: None
        self.pause_reading()


class DiscardProtocol(asyncio.Protocol):
    """Replaces a protocol that has sent its last response, and discards input."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        self._protocol = protocol

    def connection_lost(self, exc: Exception | None) -> None:
        self._protocol.connection_lost(exc)
