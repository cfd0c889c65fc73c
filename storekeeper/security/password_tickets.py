"""Tickets: short-lived signed proofs that a user has just given the right password, and must choose a new one.

A ticket is valid for a quarter of an hour, and for the password for which it was issued: the new password makes it
void. Nothing is stored.
"""

import hashlib
import hmac
import re
import time

from storekeeper.errors import TicketInvalid
from storekeeper.security.signing_keys import Key, KeyRing

SECONDS = 15 * 60
SHAPE = re.compile(r"([1-9][0-9]{0,15})\.([0-9]{1,12})\.([0-9a-f]{64})")
MAX_LENGTH = 100  # characters


class Tickets:
    """Issues tickets such as `7.1795942400.9f86…`: the user's id, the time of expiry, and a signature over both."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def issue(self, user_id: int, password_hash: str) -> str:
        ends_at = int(time.time()) + SECONDS
        return f"{user_id}.{ends_at}.{_sign(self._keys.signing, user_id, ends_at, password_hash)}"

    def user_id(self, ticket: str) -> int:
        """The user's id in a ticket, which `check` must confirm. Raises TicketInvalid for a malformed ticket."""
        return int(_parts(ticket)[0])

    def check(self, ticket: str, password_hash: str) -> None:
        """Raises TicketInvalid unless the ticket was issued for this password of its user, and has not expired."""
        user_id, ends_at, signature = _parts(ticket)
        good = [_sign(key, int(user_id), int(ends_at), password_hash) for key in self._keys.live]
        if not any(hmac.compare_digest(signature, each) for each in good) or int(ends_at) < time.time():
            raise TicketInvalid


def _sign(key: Key, user_id: int, ends_at: int, password_hash: str) -> str:
    signed = f"storekeeper password ticket {user_id} {ends_at} {password_hash}"
    return hmac.new(key.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()


def _parts(ticket: str) -> tuple[str, str, str]:
    match = SHAPE.fullmatch(ticket) if len(ticket) <= MAX_LENGTH else None
    if match is None:
        raise TicketInvalid
    user_id, ends_at, signature = match.groups()
    return user_id, ends_at, signature
