"""Issues and verifies the signed tokens (JWT, RFC 7519) that identify callers."""

import hmac
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Container
from functools import cached_property, lru_cache
from hashlib import sha256
from secrets import token_urlsafe
from typing import Annotated, Any, Literal

import jwt
import msgspec
from msgspec import Meta

from storekeeper.errors import TokenExpired, TokenInvalid
from storekeeper.security.signing_keys import Key, KeyRing

ALGORITHM = "HS256"
ISSUER = "storekeeper"
TYPE = "JWT"
LEEWAY = 30  # seconds that clocks may differ
LENGTH = 2048  # characters; ours have about 400
CACHE_SIZE = 10_000
SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")  # RFC 7515 section 7.1
NUMBER = re.compile(r"[1-9][0-9]{0,8}")  # of a refresh token: fits its column

Kind = Literal["access", "refresh", "console", "device"]
Seconds = Annotated[int, Meta(ge=0, lt=2**53)]


class Claims(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The claims of a token.

    `sid` is its session, `fresh` means that the user gave the password for it. `is_admin` is information for clients:
    the server asks the database. The `jti` of a refresh token is `<sid>.<number>`, its place in its session. The `jti`
    of an access token is random, and ends with the number of the refresh token that came with it. A console token is in
    the session cookie, a device token in a cookie that outlives the session.
    """

    iss: str
    sub: Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,15}\Z")]
    jti: str
    sid: Annotated[int, Meta(gt=0, lt=2**53)]
    iat: Seconds
    exp: Seconds
    type: Kind
    fresh: bool | None = None
    is_admin: bool | None = None

    @property
    def user_id(self) -> int:
        return int(self.sub)

    @cached_property
    def number(self) -> int:
        """The number of a refresh token, or of the one that came with an access token; 0 if there is none."""
        number = self.jti.partition(".")[2]
        return int(number) if NUMBER.fullmatch(number) else 0

    def is_whole(self) -> bool:
        """Whether the token has all claims that its kind requires."""
        if self.type == "access":
            return self.fresh is not None and self.is_admin is not None
        if self.type == "console":
            return self.fresh is not None
        if self.type == "device":
            return True
        sid, _, number = self.jti.partition(".")
        return sid == str(self.sid) and NUMBER.fullmatch(number) is not None


class Lifetimes(msgspec.Struct, frozen=True):
    """In seconds: an access token, its freshness, an idle refresh token, and a whole session."""

    access: int = 15 * 60
    fresh: int = 15 * 60
    idle: int = 30 * 86_400
    session: int = 90 * 86_400


class Tokens:
    """Signs tokens with the newest key, and verifies tokens of all live keys."""

    def __init__(self, keys: KeyRing, lifetimes: Lifetimes) -> None:
        self._keys = keys
        self.lifetimes = lifetimes
        # A good signature stays good, so it is checked once. All else is looked at each time.
        self._verified = lru_cache(CACHE_SIZE)(self._verify)
        self._edition = keys.look()

    def access(self, user_id: int, sid: int, *, fresh: bool, is_admin: bool, number: int = 0) -> str:
        """An access token that comes with refresh token `number`: its use proves that the client received both."""
        now = int(time.time())
        jti = f"{token_urlsafe(16)}.{number}" if number else token_urlsafe(16)
        claims = {"jti": jti, "fresh": fresh, "is_admin": is_admin}
        return self._sign("access", user_id, sid, now, now + self.lifetimes.access, claims)

    def refresh(self, user_id: int, sid: int, *, number: int, began: int) -> str:
        """Refresh token `number` of the session: the same text each time, so nothing needs to be stored.

        It expires with the session; the session's row decides whether an idle session ends earlier.
        """
        return self._sign("refresh", user_id, sid, began, began + self.lifetimes.session, {"jti": f"{sid}.{number}"})

    def console(self, user_id: int, sid: int, *, ends_at: int) -> str:
        """A token that expires with its session, whose row may end earlier. The user has just given the password."""
        claims = {"jti": token_urlsafe(16), "fresh": True}
        return self._sign("console", user_id, sid, int(time.time()), ends_at, claims)

    def device(self, user_id: int, sid: int) -> str:
        """A token that says that the user has signed in in this browser. It gives no access."""
        now = int(time.time())
        return self._sign("device", user_id, sid, now, now + self.lifetimes.session, {"jti": token_urlsafe(16)})

    def read(self, token: str, kinds: Container[Kind]) -> Claims:
        """The claims of a live token of one of these kinds. Raises Unauthorized for any other token."""
        self._look_at_keys()
        claims = self._verified(token)
        now = time.time()
        if claims.exp + LEEWAY < now:
            raise TokenExpired
        if claims.iat - LEEWAY > now:
            raise TokenInvalid("token_from_future")
        if claims.type not in kinds:
            raise TokenInvalid("token_of_wrong_type", type=claims.type)
        return claims

    def is_fresh(self, claims: Claims) -> bool:
        """Whether the user gave the password for this token, within the time of freshness."""
        return bool(claims.fresh) and time.time() <= claims.iat + self.lifetimes.fresh + LEEWAY

    def _sign(self, kind: Kind, user_id: int, sid: int, now: int, end: int, more: dict[str, Any]) -> str:
        self._look_at_keys()
        key = self._keys.signing
        claims = {"iss": ISSUER, "sub": str(user_id), "sid": sid, "iat": now, "exp": end, "type": kind}
        head = {"alg": ALGORITHM, "kid": key.kid, "typ": TYPE}
        # PyJWT's own `encode` takes some 40 us where this takes 9, and a login has two tokens.
        signed = f"{_part(head)}.{_part(claims | more)}"
        return f"{signed}.{_base64(hmac.digest(key.secret.encode(), signed.encode(), sha256))}"

    def _look_at_keys(self) -> None:
        """Clear the cache of verified tokens if the keys have changed."""
        edition = self._keys.look()
        if edition != self._edition:
            self._edition = edition
            self._verified.cache_clear()

    def _verify(self, token: str) -> Claims:
        """Check signature, header and claims, but not the times, as the result is cached: `read` checks these."""
        checks: Any = {"verify_exp": False, "verify_iat": False}
        try:
            payload = jwt.decode(token, self._key_of(token).secret, [ALGORITHM], checks, issuer=ISSUER)
            claims = msgspec.convert(payload, Claims)
        except (jwt.InvalidTokenError, msgspec.ValidationError, ValueError):
            raise TokenInvalid from None
        if not claims.is_whole():
            raise TokenInvalid
        return claims

    def _key_of(self, token: str) -> Key:
        if len(token) > LENGTH or not SHAPE.fullmatch(token):
            raise TokenInvalid
        head = jwt.get_unverified_header(token)
        key = self._keys.find(str(head.get("kid")))
        if key is None or head.get("typ") != TYPE:
            raise TokenInvalid
        return key


def _part(value: dict[str, Any]) -> str:
    return _base64(msgspec.json.encode(value))


def _base64(part: bytes) -> str:
    """Without padding (RFC 7515, section 2)."""
    return urlsafe_b64encode(part).rstrip(b"=").decode()
