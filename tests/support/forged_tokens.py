"""Tokens that were never issued, signed by hand with the real key."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple

import jwt

from storekeeper.security import signing_keys
from storekeeper.settings import Settings

MISSING = object()


class Good(NamedTuple):
    """A good token, taken apart, and the secret that signed it."""

    head: dict[str, Any]
    claims: dict[str, Any]
    secret: str

    def forge(self, claims: Mapping[str, Any] = {}, head: Mapping[str, Any] = {}) -> str:
        """The token with some of its claims, or of its head, changed; and signed with the real key."""
        return sign(_changed(self.head, head), _changed(self.claims, claims), self.secret)


def _changed(known: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**known, **changes}.items() if value is not MISSING}


def sign(head: Any, claims: Any, secret: str, digest: str = "sha256") -> str:
    """By hand: PyJWT would not sign everything that is tried here."""
    signed = f"{pack(head)}.{pack(claims)}"
    return f"{signed}.{encode(hmac.digest(secret.encode(), signed.encode(), digest))}"


def pack(value: Any) -> str:
    """A part of a token. A string is taken as it is: it need not be JSON."""
    return encode((value if isinstance(value, str) else json.dumps(value)).encode())


def encode(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def take_apart(token: str, settings: Settings) -> Good:
    (key,) = signing_keys.load(settings.keys_path)
    claims = jwt.decode(token, key.secret, ["HS256"], {"verify_exp": False, "verify_iat": False})
    return Good(jwt.get_unverified_header(token), claims, key.secret)
