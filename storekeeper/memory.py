"""Memory that nobody needs any more: what the C library keeps, and the system might use."""

import asyncio
import ctypes
from contextlib import suppress

IDLE_SECONDS = 1
M_ARENA_MAX = -8  # from malloc.h


class Trimmer:
    """Gives free memory back once nothing has used it for a moment. Where the C library cannot, nothing happens."""

    def __init__(self) -> None:
        self._clock: asyncio.TimerHandle | None = None

    def note_use(self) -> None:
        """Called after each piece of work that took much, such as a password's hash with its 19 MiB."""
        if self._clock:
            self._clock.cancel()
        self._clock = asyncio.get_running_loop().call_later(IDLE_SECONDS, trim)


def trim() -> None:
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def share_heap() -> None:
    """One heap for all threads, to be called before there are any. What is free in a thread's own is never given back.

    To map each large block by itself, as glibc would be told to, takes a password's hash 30 % longer.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
