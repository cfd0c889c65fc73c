"""One line of JSON for each request and event, written by a thread so that a slow reader of the log slows nobody."""

import json
import logging
import os
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from select import PIPE_BUF
from threading import Event, Lock, Thread
from typing import Any

import msgspec
import structlog
from msgspec import UnsetType
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict

WAITING = 20_000  # lines; when the log's reader stands still, more are dropped, and counted
GATHER_SECONDS = 0.02
# DEL and the controls of C1, the two line ends of Unicode, and the marks that turn the direction of a text around.
UNSAFE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class LogWriter:
    """Takes lines from any thread and writes them in batches to a file descriptor.

    Not to Python's stream: its buffer would cut lines where it is full, and keep what could not be written.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: deque[bytes] = deque()
        self._dropped = 0
        self._counting = Lock()
        self._woken = Event()
        self._closing = Event()
        self._thread = Thread(target=self._work, daemon=True, name="log-writer")
        self._thread.start()

    def msg(self, line: bytes) -> None:
        if len(self._lines) >= WAITING:
            self._drop(1)
            return
        self._lines.append(line)
        if not self._woken.is_set():
            self._woken.set()

    debug = info = warning = error = critical = exception = msg

    def close(self) -> None:
        """Write what is left. Wait only a limited time for a reader that has stopped."""
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
        with self._counting:
            dropped, self._dropped = self._dropped, 0
        report = [_tell(dropped)] if dropped else []
        try:
            for batch in _batches(lines + report):
                self._put(batch)
        except OSError:  # the disk is full, or the reader is gone: it may come to itself, and the server goes on
            self._drop(len(lines) + dropped)

    def _put(self, batch: bytes) -> None:
        while batch:
            try:
                batch = batch[os.write(self._descriptor, batch) :]
            except BlockingIOError:  # some other program has told the terminal that we share not to block
                time.sleep(GATHER_SECONDS)

    def _drop(self, count: int) -> None:
        with self._counting:
            self._dropped += count


def _batches(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines, as many as a pipe takes in one piece: the workers share one, and would cut into each other's."""
    batch = b""
    for line in lines:
        if batch and len(batch) + len(line) >= PIPE_BUF:
            yield batch
            batch = b""
        batch += line + b"\n"
    yield batch


def _tell(dropped: int) -> bytes:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return encode({"lines": dropped, "event": "lines_dropped", "level": "error", "time": now})


class RequestLine(msgspec.Struct):
    """The line that each request leaves. Made without structlog, which would take longer than a look-up."""

    method: str
    path: str
    status: int
    ms: float
    request: str
    client_request: str | UnsetType
    address: str
    user_id: int | None
    event: str = "request"
    level: str = "info"
    time: datetime = msgspec.field(default_factory=partial(datetime.now, UTC))


def request_log() -> Callable[[bytes], object] | None:
    """Where lines that are encoded already go; None where the level leaves them out."""
    if not structlog.get_logger().bind().is_enabled_for(logging.INFO):
        return None
    write: Callable[[bytes], object] = structlog.get_config()["logger_factory"]().info
    return write


class StdlibHandler(logging.Handler):
    """Hands the records of other libraries, such as Uvicorn, to the same log."""

    def emit(self, record: logging.LogRecord) -> None:
        more = {"exc_info": record.exc_info} if record.exc_info else {}
        structlog.get_logger().log(record.levelno, record.getMessage(), source=record.name, **more)


def configure(level: str) -> LogWriter:
    """Send everything that is logged, by us or by a library, to stderr as JSON lines."""
    writer = LogWriter(sys.stderr.fileno())
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _stamp,
            structlog.processors.ExceptionRenderer(_tracebacks()),
            structlog.processors.JSONRenderer(encode),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: writer,
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[StdlibHandler()], level=max(number, logging.INFO), force=True)
    return writer


def _tracebacks() -> ExceptionDictTransformer:
    """Without the values of variables: there are passwords and tokens among them."""
    return ExceptionDictTransformer(show_locals=False)


def _stamp(_logger: Any, _method: str, event: EventDict) -> EventDict:
    event["time"] = datetime.now(UTC)  # msgspec writes it as RFC 3339, faster than structlog's own stamper
    return event


def _escape(line: bytes) -> bytes:
    """Without what a terminal or an editor obeys, or takes for the end of a line; JSON has other words for it."""
    return UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", line.decode()).encode()


def encode(event: Any, **_: Any) -> bytes:
    try:
        line = msgspec.json.encode(event, enc_hook=str)
        return line if line.isascii() and b"\x7f" not in line else _escape(line)
    except (ValueError, TypeError):  # such as half of a surrogate pair, in a file's name
        return json.dumps(event, default=str, skipkeys=True).encode("ascii")
