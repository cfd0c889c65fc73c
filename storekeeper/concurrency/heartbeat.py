"""Heartbeats that a background process sends to the server that started it, as lines on a pipe.

Each line is the name under which the process holds its leases in the database, and the ids of its current jobs or
webhooks: `3f2a9c 17 42`. The last line counts.
"""

import os
from collections.abc import Iterable
from contextlib import suppress

import msgspec

MAX_LINE_BYTES = 4096  # what a pipe takes in one piece, by POSIX's PIPE_BUF on Linux


class Heartbeat(msgspec.Struct, frozen=True):
    """The last heartbeat of a process. `name` is empty if there was none."""

    name: str = ""
    under_way: tuple[int, ...] = ()


class HeartbeatWriter:
    """The sending side, in the process. Without a descriptor, it sends nothing."""

    def __init__(self, name: str, descriptor: int | None = None) -> None:
        self.name = name
        self._descriptor = descriptor
        self.is_heard = True  # false once whoever listened is gone
        if descriptor is not None:
            os.set_blocking(descriptor, False)  # a server that does not listen must not hold up the work

    def beat(self, under_way: Iterable[int] = ()) -> None:
        """Send a heartbeat with the ids of the current jobs."""
        if self._descriptor is None:
            return
        line = " ".join([self.name, *map(str, under_way)]).encode()
        if len(line) >= MAX_LINE_BYTES:  # without the number that would be cut
            line = line[:MAX_LINE_BYTES].rpartition(b" ")[0]
        try:
            with suppress(BlockingIOError):
                os.write(self._descriptor, line + b"\n")
        except BrokenPipeError:
            self.is_heard = False


def read_last(text: bytes) -> Heartbeat | None:
    """The last complete line, or None if there is none."""
    lines = text.split(b"\n")
    if len(lines) < 2:
        return None
    name, *numbers = lines[-2].decode("ascii", "replace").split(" ")
    return Heartbeat(name, tuple(int(number) for number in numbers if number.isdecimal()))
