"""The cookies: the session's token, a sentence for the next page, the kept form, and who has signed in here."""

import base64
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec
from falcon.asgi import Response

from storekeeper.http.request import Request

SESSION = "storekeeper"
NOTICE = "storekeeper-notice"
DEVICE = "storekeeper-device"
KEPT_FORM = "storekeeper-form"
NOTICE_SECONDS = 60
DAY = 86_400
MAX_TOLD = 400  # characters


class Notice(msgspec.Struct, frozen=True):
    """`repeated_at` is when that was done, if an earlier sending of the form did it, in seconds since 1970."""

    text: str
    repeated_at: int | None = None


def name(req: Request, plain: str) -> str:
    """Under TLS with the prefix that lets no other host, and nobody on the way, set it (RFC 6265bis, 4.1.3.2)."""
    return f"__Host-{plain}" if req.scheme == "https" else plain


def find_token(req: Request) -> str | None:
    values = req.get_cookie_values(name(req, SESSION))
    return values[0] if values else None


def give_token(req: Request, resp: Response, token: str, ends_at: int) -> None:
    _set(req, resp, SESSION, token, ends_at - int(time.time()))


def find_device(req: Request) -> str | None:
    values = req.get_cookie_values(name(req, DEVICE))
    return values[0] if values else None


def give_device(req: Request, resp: Response, token: str, seconds: int) -> None:
    """It stays when its owner signs out: it is for the next time that they sign in."""
    _set(req, resp, DEVICE, token, seconds)


def drop_token(req: Request, resp: Response) -> None:
    _unset(req, resp, SESSION)


def give_notice(req: Request, resp: Response, notice: Notice) -> None:
    short = Notice(notice.text[:MAX_TOLD], notice.repeated_at)
    encoded = base64.urlsafe_b64encode(msgspec.json.encode(short)).decode().rstrip("=")
    _set(req, resp, NOTICE, encoded, NOTICE_SECONDS)


def take_notice(req: Request, resp: Response) -> Notice | None:
    """What there is to say; it is said once."""
    values = req.get_cookie_values(name(req, NOTICE))
    if not values:
        return None
    _unset(req, resp, NOTICE)
    with suppress(ValueError, msgspec.ValidationError):
        decoded = base64.urlsafe_b64decode(values[0] + "=" * (-len(values[0]) % 4))
        return msgspec.json.decode(decoded, type=Notice)
    return None


def give_kept_form(req: Request, resp: Response, browser: str, seconds: int) -> None:
    _set(req, resp, KEPT_FORM, browser, seconds)


def find_kept_form(req: Request) -> str | None:
    values = req.get_cookie_values(name(req, KEPT_FORM))
    return values[0] if values else None


def drop_kept_form(req: Request, resp: Response) -> None:
    if find_kept_form(req):
        _unset(req, resp, KEPT_FORM)


def _set(req: Request, resp: Response, plain: str, value: str, seconds: int) -> None:
    resp.set_cookie(
        name(req, plain),
        value,
        expires=datetime.now(UTC) + timedelta(seconds=seconds),
        path="/",
        secure=req.scheme == "https",
        http_only=True,
        same_site="Lax",
    )


def _unset(req: Request, resp: Response, plain: str) -> None:
    _set(req, resp, plain, "", -DAY)
