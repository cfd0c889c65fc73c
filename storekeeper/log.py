"""One line of JSON for each request and event, written by a thread so that a slow reader of the log slows nobody."""

import logging
import sys
from collections import deque
from threading import Event, Thread
from typing import Any, BinaryIO

import msgspec
import structlog

WAITING = 20_000  # lines; when the log's reader stands still, more are dropped, and counted
GATHER_SECONDS = 0.02


class Scribe:
    """Takes lines from any thread and writes them in batches."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lines: deque[bytes] = deque()
        self._dropped = 0
        self._woken = Event()
        self._closing = Event()
        self._thread = Thread(target=self._work, daemon=True, name="scribe")
        self._thread.start()

    def msg(self, line: bytes) -> None:
        if len(self._lines) >= WAITING:
            self._dropped += 1
            return
        self._lines.append(line)
        if not self._woken.is_set():
            self._woken.set()

    debug = info = warning = error = critical = exception = msg

    def close(self) -> None:
        """Write what is left, but do not wait for ever for a reader that stands still."""
        self._closing.set()
        self._woken.set()
        self._thread.join(1.0)

    def _work(self) -> None:
        while not self._closing.is_set():
            self._woken.wait()
            self._closing.wait(GATHER_SECONDS)
            self._woken.clear()
            self._write()
        self._write()

    def _write(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if self._dropped:
            lines.append(msgspec.json.encode({"event": "lines_dropped", "lines": self._dropped}))
            self._dropped = 0
        if lines:
            self._stream.write(b"\n".join(lines) + b"\n")
            self._stream.flush()


class Foreign(logging.Handler):
    """Hands the records of other libraries, such as Uvicorn, to the same log."""

    def emit(self, record: logging.LogRecord) -> None:
        more = {"exc_info": record.exc_info} if record.exc_info else {}
        structlog.get_logger().log(record.levelno, record.getMessage(), source=record.name, **more)


def configure(level: str) -> Scribe:
    """Send everything that is logged, by us or by a library, to stderr as JSON lines."""
    scribe = Scribe(sys.stderr.buffer)
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(_encode),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: scribe,
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[Foreign()], level=max(number, logging.INFO), force=True)
    return scribe


def _encode(event: Any, **_: Any) -> bytes:
    return msgspec.json.encode(event, enc_hook=str)
