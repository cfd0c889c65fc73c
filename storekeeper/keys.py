"""The keys that sign tokens: a file that only its owner can read, shared by every worker and node.

The newest key signs; the older ones go on verifying, so that a rotation signs nobody out.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import msgspec
import structlog
from msgspec import Meta

SECRET_LENGTH = 32  # characters at the least; RFC 7518 section 3.2 asks for 256 bits
VARIETY = SECRET_LENGTH // 4
WELL_KNOWN = ("jose", "secret", "change", "password", "example", "super", "default", "your", "a-string-secret")
LOOK_AGAIN = 1.0  # seconds after which a rotation or removal is known everywhere


class KeyFileError(Exception):
    """The key file cannot be used. The message says why, and never shows a secret."""


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`created_at` is in seconds since 1970. `kid` stands in the head of each token that this key signed."""

    kid: Annotated[str, Meta(min_length=1, max_length=64)]
    secret: str
    created_at: int

    def __repr__(self) -> str:
        return f"Key({self.kid!r})"


class KeyRing:
    """The live keys, as the file has them: looked at again when it has changed, once a second at the most."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: dict[str, Key] = {}
        self._edition = 0
        self._seen: tuple[int, int] | None = None
        self._looked_at = 0.0
        self.look()

    @property
    def newest(self) -> Key:
        return next(reversed(self._keys.values()))

    @property
    def live(self) -> Collection[Key]:
        return self._keys.values()

    def find(self, kid: str) -> Key | None:
        return self._keys.get(kid)

    def look(self) -> int:
        """Look at the file, if the last time was a second ago. A number that is another whenever the keys are."""
        now = time.monotonic()
        if now - self._looked_at >= LOOK_AGAIN or not self._seen:
            self._looked_at = now
            self._read_again()
        return self._edition

    def reload(self) -> None:
        """Read the file now, as SIGHUP asks for, also where it looks unchanged; and say so in the log."""
        seen, self._seen = self._seen, None
        try:
            self._read()
        except KeyFileError as error:
            self._seen = seen
            structlog.get_logger().error("keys_unreadable", reason=str(error))
        else:
            structlog.get_logger().info("keys_reloaded", kids=list(self._keys), pid=os.getpid())

    def _read_again(self) -> None:
        try:
            self._read()
        except KeyFileError as error:
            if not self._seen:
                raise
            # The file may be on its way; until it is there, those that were good go on.
            structlog.get_logger().error("keys_unreadable", reason=str(error))

    def _read(self) -> None:
        status = _stat(self._path)
        if (seen := (status.st_mtime_ns, status.st_ino)) != self._seen:
            self._keys, self._seen = {key.kid: key for key in load(self._path)}, seen
            self._edition += 1


def load(path: Path) -> list[Key]:
    """The keys, oldest first. KeyFileError for a file that is damaged, open to others, or holds a weak key."""
    if _stat(path).st_mode & 0o077:
        raise KeyFileError(f"{path} can be read by others: chmod 600 {path}")
    try:
        keys = msgspec.json.decode(path.read_bytes(), type=list[Key])
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):  # the latter for a text that is not UTF-8
        raise KeyFileError(f"{path} does not hold a list of keys") from None
    for key in keys:
        _refuse_weak(path, key)
    if len({key.kid for key in keys}) < len(keys):
        raise KeyFileError(f"{path}: two keys have the same kid")
    if not keys:
        raise KeyFileError(f"{path} holds no key")
    return sorted(keys, key=lambda key: key.created_at)


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from None


def _refuse_weak(path: Path, key: Key) -> None:
    if len(key.secret) < SECRET_LENGTH or _is_regular(key.secret):
        raise KeyFileError(
            f"{path}: the key '{key.kid}' is too short or too regular: {SECRET_LENGTH} random characters"
        )
    if key.secret.casefold().startswith(WELL_KNOWN):
        raise KeyFileError(f"{path}: the key '{key.kid}' is a well-known one")


def _is_regular(secret: str) -> bool:
    """Whether it has few characters, or few steps from one to the next, or repeats itself."""
    steps = {ord(after) - ord(before) for before, after in pairwise(secret)}
    return min(len(set(secret)), len(steps)) < VARIETY or secret in (secret + secret)[1:-1]


def ensure(path: Path) -> None:
    """Make the file with a first key where there is none. Of two starters, one makes it."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(path):
            if not path.exists():
                _store(path, [_make()])
    load(path)


def rotate(path: Path, keep_seconds: int) -> Key:
    """Add a new key, which signs from now on, and drop those that no live token can need any more."""
    with _locked(path):
        keys = load(path)
        # A key is needed as long as the last token that it may have signed: until its successor came, and then some.
        needed_since = int(time.time()) - keep_seconds
        successors = [key.created_at for key in keys[1:]] + [int(time.time())]
        kept = [key for key, replaced_at in zip(keys, successors, strict=True) if replaced_at >= needed_since]
        _store(path, [*kept, key := _make(after=keys[-1])])
    return key


def remove(path: Path, kid: str) -> None:
    """Drop a key at once: what it signed is no longer good. The last one cannot be dropped."""
    with _locked(path):
        keys = load(path)
        left = [key for key in keys if key.kid != kid]
        if len(left) == len(keys):
            raise KeyFileError(f"there is no key '{kid}'")
        if not left:
            raise KeyFileError(f"'{kid}' is the only key: rotate first")
        _store(path, left)


def _make(after: Key | None = None) -> Key:
    created_at = max(int(time.time()), after.created_at + 1 if after else 0)
    return Key(secrets.token_hex(4), secrets.token_urlsafe(48), created_at)


def _store(path: Path, keys: list[Key]) -> None:
    """All or nothing, and on disk before anything is signed with it."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(keys)) + b"\n")
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with open(path.with_name(path.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
