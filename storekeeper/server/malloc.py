"""Settings of the C library's memory allocator."""

import ctypes
from contextlib import suppress

M_ARENA_MAX = -8  # from malloc.h


def share_heap() -> None:
    """One heap for all threads, to be called before there are any. What is free in a thread's own is never given back.

    Where the C library is another, nothing happens.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
