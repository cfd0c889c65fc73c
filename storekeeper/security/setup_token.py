"""The one-time set-up token: anybody who can read the server's output may register the first administrator."""

import hashlib
import hmac

from storekeeper.security.signing_keys import KeyRing


def create(keys: KeyRing) -> str:
    """The token, which is valid while there is no administrator. Derived from the signing key, so nothing is stored."""
    return hmac.new(keys.signing.secret.encode(), b"storekeeper set-up token", hashlib.sha256).hexdigest()[:40]


def is_valid(keys: KeyRing, token: str) -> bool:
    return hmac.compare_digest(create(keys).encode(), token.encode())
