"""Signatures and secrets of webhooks, by Standard Webhooks (standardwebhooks.com, version 1)."""

import hmac
from base64 import b64decode, b64encode
from secrets import token_bytes

PREFIX = "whsec_"
BYTES = 32


def new_secret() -> str:
    return PREFIX + b64encode(token_bytes(BYTES)).decode()


def sign(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """One value of the header `webhook-signature`, which may have several, separated by spaces."""
    key = b64decode(secret.removeprefix(PREFIX))
    digest = hmac.digest(key, f"{id}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{b64encode(digest).decode()}"
