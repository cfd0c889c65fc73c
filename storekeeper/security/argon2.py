"""Argon2id (RFC 9106), by libsodium: of all libraries it is the one that uses what vectors the processor has."""

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id


class Hasher:
    """Makes hashes of one lane with these parameters, and checks hashes with any. `memory` is in KiB."""

    def __init__(self, memory: int, passes: int) -> None:
        self._memory = memory
        self._passes = passes
        self._beginning = f"$argon2id$v=19$m={memory},t={passes},p=1$"

    def hash(self, password: str) -> str:
        """In the form that all libraries of Argon2 share, with a salt of its own."""
        return argon2id.str(password.encode(), self._passes, self._memory * 1024).decode()

    def fits(self, hashed: str, password: str) -> bool:
        """Whether this is the password. It is not where the hash cannot be read."""
        try:
            return argon2id.verify(hashed.encode(), password.encode())
        except (CryptoError, ValueError):  # ValueError for what is longer than any hash
            return False

    def is_outdated(self, hashed: str) -> bool:
        """Whether it was made with other parameters, or by something else."""
        return not hashed.startswith(self._beginning)
