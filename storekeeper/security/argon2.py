"""Argon2id (RFC 9106), by libsodium, which uses the vector instructions of the processor."""

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id


class Hasher:
    """Makes hashes of one lane with these parameters, and checks hashes with any. `memory` is in KiB."""

    def __init__(self, memory: int, passes: int) -> None:
        self._memory = memory
        self._passes = passes
        self._beginning = f"$argon2id$v=19$m={memory},t={passes},p=1$"

    def hash(self, password: str) -> str:
        """The hash in the common encoded form (`$argon2id$...`), with its own salt."""
        return argon2id.str(password.encode(), self._passes, self._memory * 1024).decode()

    def fits(self, hashed: str, password: str) -> bool:
        """Whether this is the password. False for a hash that cannot be parsed."""
        try:
            return argon2id.verify(hashed.encode(), password.encode())
        except (CryptoError, ValueError):  # ValueError for what is longer than any hash
            return False

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash was made with other parameters or by another algorithm."""
        return not hashed.startswith(self._beginning)
