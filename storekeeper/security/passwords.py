"""Hashing, checking and validating passwords: Argon2id, off the event loop, a few at a time."""

import gzip
import os
from functools import cache
from importlib.resources import files

from storekeeper.concurrency.bounded_pool import BoundedPool
from storekeeper.domain.ip_networks import MAX_NETWORKS, networks
from storekeeper.domain.names import fold
from storekeeper.errors import Invalid
from storekeeper.security import legacy_hashes
from storekeeper.security.argon2 import Hasher
from storekeeper.settings import Settings

MAX_LENGTH = 256  # characters
WAITING = 16  # for each one under way; beyond, logging in is answered 503


class Passwords:
    def __init__(self, hasher: Hasher, at_once: int, minimum: int) -> None:
        self._hasher = hasher
        self._nobody = hasher.hash("the password of nobody")
        self._pool = BoundedPool("argon2", at_once, WAITING)
        self._least = minimum

    async def hash(self, password: str, address: str) -> str:
        """Hash a password for a client at `address`; clients take turns. Raises Unavailable if too many wait."""
        return await self._pool.run(_sender(address), self._hasher.hash, password)

    async def fit(self, password: str, hashed: str | None, address: str) -> bool:
        """Whether this is the password. Takes as long if there is no such user (`hashed` is None)."""
        fits = await self._pool.run(_sender(address), self._verify, hashed or self._nobody, password)
        return fits and hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash was made with other parameters than the current ones, or by another algorithm."""
        return self._hasher.is_outdated(hashed)

    def check(self, password: str, username: str, field: str = "password") -> None:
        check(password, username, self._least, field)

    def close(self) -> None:
        self._pool.close()

    def _verify(self, hashed: str, password: str) -> bool:
        if legacy_hashes.is_checkable(hashed):
            return legacy_hashes.fits(hashed, password)
        return self._hasher.fits(hashed, password)


def _sender(address: str) -> tuple[str, ...]:
    """The networks of an address as a path of fixed length: IPv4 has fewer than IPv6."""
    names = [network.name for network in networks(address)]
    return (*names, *[""] * (MAX_NETWORKS - len(names)))


def create_passwords(settings: Settings) -> Passwords:
    return Passwords(create_hasher(settings), count_at_once(settings), settings.password_length)


def count_at_once(settings: Settings) -> int:
    """How many passwords to hash at once: the setting, or this worker's share of the cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return settings.logins_at_once or max(1, cores // settings.workers)


def create_hasher(settings: Settings) -> Hasher:
    return Hasher(settings.argon2_memory, settings.argon2_passes)


def check(password: str, username: str, minimum: int, field: str = "password") -> None:
    """Raises Invalid for a password that is too short or easy to guess (ASVS 5.0, section 6.2). Never cuts it."""
    if not minimum <= len(password) <= MAX_LENGTH:
        raise Invalid("password_length", field=field, minimum=minimum, maximum=MAX_LENGTH)
    if password.casefold() in common_passwords():
        raise Invalid("password_common", field=field)
    if fold(password) == fold(username):
        raise Invalid("password_is_username", field=field)


@cache
def common_passwords() -> frozenset[str]:
    packed = files("storekeeper.security").joinpath("common_passwords.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode().split("\n"))
