"""The keys that sign tokens: a file that only its owner can read, shared by all workers and nodes.

A new key verifies at once and signs ten minutes later, when every node has it. Older keys still verify, so a rotation
signs nobody out.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import msgspec
import structlog
from msgspec import Meta

SECRET_LENGTH = 32  # characters at the least; RFC 7518 section 3.2 asks for 256 bits
VARIETY = SECRET_LENGTH // 4
WELL_KNOWN = ("jose", "secret", "change", "password", "example", "super", "default", "your", "a-string-secret")
SIGNS_AFTER = 600  # seconds between the making of a key and its first signature: for copying it to every node
LOOK_AGAIN = 1.0  # seconds after which a rotation or removal is known everywhere


class KeyFileError(Exception):
    """The key file cannot be used. The message says why, and never contains a secret."""


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`created_at` is in seconds since 1970. `kid` is the key's id in the header of each token that it signed."""

    kid: Annotated[str, Meta(min_length=1, max_length=64)]
    secret: str
    created_at: int

    def __repr__(self) -> str:
        return f"Key({self.kid!r})"

    @property
    def fingerprint(self) -> str:
        """Identifies a key without revealing it: a secret is too long to be guessed."""
        return sha256(b"storekeeper signing key\n" + self.secret.encode()).hexdigest()[:32]


class Scheduled(msgspec.Struct, frozen=True):
    """A key without its secret, and the time from which it signs, in seconds since 1970."""

    kid: str
    fingerprint: str
    created_at: int
    signs_at: int


class KeyRing:
    """The live keys of the file, which is checked for changes at most once a second."""

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

    @property
    def signing(self) -> Key:
        """The newest key that is old enough to be known on all nodes; the oldest key if there is none."""
        known_since = time.time() - SIGNS_AFTER
        old_enough = (key for key in reversed(self._keys.values()) if key.created_at <= known_since)
        return next(old_enough, next(iter(self._keys.values())))

    def find(self, kid: str) -> Key | None:
        return self._keys.get(kid)

    def look(self) -> int:
        """Check the file if the last check was a second ago. Return a number that changes with the keys."""
        now = time.monotonic()
        if now - self._looked_at >= LOOK_AGAIN or not self._seen:
            self._looked_at = now
            self._read_again()
        return self._edition

    def reload(self) -> None:
        """Read the file now, for SIGHUP, even if it seems unchanged, and log the result."""
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
    """The keys, oldest first. Raises KeyFileError for a file that is damaged, open to others, or has a weak key."""
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
    """Whether the secret has few different characters or few different steps between them, or repeats itself."""
    steps = {ord(after) - ord(before) for before, after in pairwise(secret)}
    return min(len(set(secret)), len(steps)) < VARIETY or secret in (secret + secret)[1:-1]


def ensure(path: Path) -> None:
    """Create the file with a first key if there is none. Of two concurrent starters, one creates it."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(path):
            if not path.exists():
                _store(path, [_make()])
    load(path)


def rotate(path: Path, keep_seconds: int, *, at_once: bool = False) -> Key:
    """Add a new key, and drop those that no live token can need.

    The new key signs after `SIGNS_AFTER` seconds, or at once: then its date is set back by that time, which older
    versions that share the file understand as well.
    """
    with _locked(path):
        keys = load(path)
        made = _make(SIGNS_AFTER) if at_once else _make(after=keys[-1])
        if at_once:  # also before those that wait for their turn
            latest = made.created_at - 1
            keys = [msgspec.structs.replace(key, created_at=min(key.created_at, latest)) for key in keys]
        # A key is needed as long as the last token that it may have signed: until its successor signed, and then some.
        needed_since = int(time.time()) - keep_seconds
        successors = [key.created_at + SIGNS_AFTER for key in [*keys[1:], made]]
        kept = [key for key, replaced_at in zip(keys, successors, strict=True) if replaced_at >= needed_since]
        _store(path, [*kept, made])
    return made


def schedule(keys: Sequence[Key]) -> list[Scheduled]:
    """The keys from the one that signs now on, oldest first, each with the time from which it signs."""
    signs_at = [keys[0].created_at] + [key.created_at + SIGNS_AFTER for key in keys[1:]]
    scheduled = [
        Scheduled(key.kid, key.fingerprint, key.created_at, at) for key, at in zip(keys, signs_at, strict=True)
    ]
    return scheduled[scheduled.index(find_signing(scheduled)) :]


def find_signing(scheduled: Sequence[Scheduled]) -> Scheduled:
    """The key that signs at this time; `keys` are in their order."""
    now = time.time()
    return next((each for each in reversed(scheduled) if each.signs_at <= now), scheduled[0])


def remove(path: Path, kid: str) -> None:
    """Drop a key at once, which makes its tokens void. The last key cannot be dropped."""
    with _locked(path):
        keys = load(path)
        left = [key for key in keys if key.kid != kid]
        if len(left) == len(keys):
            raise KeyFileError(f"There is no key '{kid}'.")
        if not left:
            raise KeyFileError(f"'{kid}' is the only key. First `keys rotate`.")
        _store(path, left)


def _make(age: int = 0, after: Key | None = None) -> Key:
    created_at = max(int(time.time()) - age, after.created_at + 1 if after else 0)
    return Key(secrets.token_hex(4), secrets.token_urlsafe(48), created_at)


def _store(path: Path, keys: list[Key]) -> None:
    """Write the file atomically, and sync it to the disk before the key signs."""
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
