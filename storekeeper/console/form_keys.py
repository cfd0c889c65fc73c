"""The key of a form: random, new each time the form is shown, and good for whoever it was shown to.

With it a form that arrives twice is known for one (see `models.idempotency`). As it is signed, it also tells whose page
a form comes from, whatever the browser's cookie says meanwhile.
"""

import hmac
from hashlib import sha256
from secrets import token_urlsafe

from storekeeper.security.signing_keys import KeyRing

FIELD = "form_key"
NOBODY = 0  # the user of a page that is shown to whoever is not signed in
MAX_LENGTH = 100
MAC_LENGTH = 32  # hexadecimal digits: 128 bits


class FormKeys:
    """Signs with the newest key of the ring, and takes what any live one has signed."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def create(self, user_id: int) -> str:
        """`<user id>.<random>.<signature>`"""
        text = f"{user_id}.{token_urlsafe(16)}"
        return f"{text}.{_sign(self._keys.signing.secret, text)}"

    def find_user_id(self, form_key: str) -> int | None:
        """Whom the form was shown to; None for what is no key of ours."""
        text, _, signature = form_key[:MAX_LENGTH].rpartition(".")
        given = signature.encode()
        if not any(hmac.compare_digest(_sign(key.secret, text).encode(), given) for key in self._keys.live):
            return None
        return int(text.partition(".")[0])


def _sign(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), f"form key {text}".encode(), sha256).hexdigest()[:MAC_LENGTH]
