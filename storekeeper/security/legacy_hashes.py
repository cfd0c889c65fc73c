"""Password hashes of the course's apps: passlib's and Werkzeug's PBKDF2, and Werkzeug's scrypt.

They are only checked, by a login that then replaces them. This module makes none.
"""

import hashlib
import hmac
import re
from base64 import b64decode

# What a stored hash may ask for. The defaults of today are 1,000,000 rounds, and 32 MiB (n = 32768, r = 8).
MAX_ROUNDS = 2_000_000
MAX_SCRYPT = 2**19  # n * r * p: 64 MiB at the most

_BASE64 = "[A-Za-z0-9./]"  # passlib's: a point where others have a plus, and no padding
_PASSLIB = re.compile(rf"\$pbkdf2-(sha256|sha512)\$([1-9]\d{{0,8}})\$({_BASE64}*)\$({_BASE64}+)", re.ASCII)
_PBKDF2 = re.compile(r"pbkdf2:(sha1|sha256|sha512):([1-9]\d{0,8})\$([^$]+)\$([0-9a-f]+)", re.ASCII)
_SCRYPT = re.compile(r"scrypt:([1-9]\d{0,8}):([1-9]\d{0,3}):([1-9]\d{0,3})\$([^$]+)\$([0-9a-f]{128})", re.ASCII)
_OTHERS = re.compile(
    r"\$2[abxy]?\$\d\d\$[A-Za-z0-9./]{53}"  # bcrypt
    r"|\$argon2(?:id|i|d)\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+"
    rf"|\$pbkdf2\$\d+\${_BASE64}*\${_BASE64}+"  # passlib, with SHA-1
    r"|(?:sha1|sha256|sha512|md5)\$[^$]+\$[0-9a-f]+",  # Werkzeug, before 2.3
    re.ASCII,
)
_SIZES = {"sha1": 20, "sha256": 32, "sha512": 64}


def is_hash(text: str) -> bool:
    """Whether this is a hash and not a password, even if it cannot be checked here."""
    return any(pattern.fullmatch(text) for pattern in (_PASSLIB, _PBKDF2, _SCRYPT, _OTHERS))


def is_checkable(hashed: str) -> bool:
    """Whether `fits` can check the hash, with limited effort."""
    if found := _PASSLIB.fullmatch(hashed):
        return int(found[2]) <= MAX_ROUNDS and len(_decode(found[4])) == _SIZES[found[1]]
    if found := _PBKDF2.fullmatch(hashed):
        return int(found[2]) <= MAX_ROUNDS and len(found[4]) == 2 * _SIZES[found[1]]
    if found := _SCRYPT.fullmatch(hashed):
        n, r, p = map(int, found.groups()[:3])
        return n > 1 and n & (n - 1) == 0 and n * r * p <= MAX_SCRYPT
    return False


def fits(hashed: str, password: str) -> bool:
    """Whether this is the password. The hash must be checkable."""
    given = password.encode()
    if found := _PASSLIB.fullmatch(hashed):
        name, rounds, salt, digest = found.groups()
        return hmac.compare_digest(hashlib.pbkdf2_hmac(name, given, _decode(salt), int(rounds)), _decode(digest))
    method, salt, digest = hashed.split("$")
    return hmac.compare_digest(_werkzeug(method, given, salt.encode()).hex(), digest)


def _werkzeug(method: str, hashed: bytes, salt: bytes) -> bytes:
    kind, *parameters = method.split(":")
    if kind == "pbkdf2":
        return hashlib.pbkdf2_hmac(parameters[0], hashed, salt, int(parameters[1]))
    n, r, p = map(int, parameters)
    return hashlib.scrypt(hashed, salt=salt, n=n, r=r, p=p, maxmem=132 * n * r * p)


def _decode(text: str) -> bytes:
    """Decode base64; b"" for invalid text, which has the length of no digest."""
    try:
        return b64decode(text.replace(".", "+") + "=" * (-len(text) % 4))
    except ValueError:
        return b""
