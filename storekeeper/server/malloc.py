"""Settings of the C library's memory allocator."""

import ctypes
from contextlib import suppress

M_ARENA_MAX = -8  # from malloc.h


def share_heap() -> None:
    """Use one heap for all threads, as free memory in a thread's own heap is never returned. Call it before any thread
    starts.

    Does nothing with another C library than glibc.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
