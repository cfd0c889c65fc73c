"""Hashing, checking and judging passwords: Argon2id, off the event loop, only a few at a time."""

import asyncio
import gzip
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from importlib.resources import files
from typing import TypeVar, TypeVarTuple

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from storekeeper.errors import Invalid, Unavailable
from storekeeper.names import fold
from storekeeper.settings import Settings

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

MOST = 256  # characters
WAITING = 16  # for each one under way; beyond, logging in is answered 503


class Passwords:
    def __init__(self, hasher: PasswordHasher, at_once: int, least: int) -> None:
        self._hasher = hasher
        self._nobody = hasher.hash("the password of nobody")
        self._pool = ThreadPoolExecutor(at_once, "argon2")
        self._limit = at_once * (1 + WAITING)
        self._unfinished = 0
        self._least = least

    async def hash(self, password: str) -> str:
        return await self._run(self._hasher.hash, password)

    async def fit(self, password: str, hashed: str | None) -> bool:
        """Whether this is the password. Takes as long when there is no such user (hashed is None)."""
        fits = await self._run(self._verify, hashed or self._nobody, password)
        return fits and hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(hashed)

    def check(self, password: str, username: str, field: str = "password") -> None:
        check(password, username, self._least, field)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        if self._unfinished >= self._limit:
            raise Unavailable
        self._unfinished += 1
        work = self._pool.submit(partial(function, *args))
        # Counted until it is done, also when its caller has hung up: the core is busy all the same.
        loop = asyncio.get_running_loop()
        work.add_done_callback(lambda _: loop.call_soon_threadsafe(self._finish))
        return await asyncio.wrap_future(work)

    def _finish(self) -> None:
        self._unfinished -= 1


def create_passwords(settings: Settings) -> Passwords:
    """With the operator's parameters, and as many at once as there are cores for each worker."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    at_once = settings.logins_at_once or max(1, cores // settings.workers)
    return Passwords(create_hasher(settings), at_once, settings.password_length)


def create_hasher(settings: Settings) -> PasswordHasher:
    return PasswordHasher(
        time_cost=settings.argon2_passes,
        memory_cost=settings.argon2_memory,
        parallelism=settings.argon2_lanes,
        type=Type.ID,
    )


def check(password: str, username: str, least: int, field: str = "password") -> None:
    """Invalid for a password that is too short or easy to guess (ASVS 5.0, section 6.2). Never trimmed or cut."""
    if not least <= len(password) <= MOST:
        raise Invalid(f"A password has {least} to {MOST} characters.", field)
    if password.casefold() in common_passwords():
        raise Invalid("This password is one of the 10,000 most common.", field)
    if fold(password) == fold(username):
        raise Invalid("A password is not the user name.", field)


@cache
def common_passwords() -> frozenset[str]:
    packed = files("storekeeper").joinpath("common_passwords.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode().split("\n"))
