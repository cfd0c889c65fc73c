"""Renders pages from templates, which are loaded for the first page."""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import cache, partial
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

from falcon.asgi import Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from storekeeper import __version__
from storekeeper.console import cookies
from storekeeper.console.form_keys import FIELD, NOBODY, FormKeys
from storekeeper.console.forms import EMPTY
from storekeeper.console.user_agent import device
from storekeeper.errors import Invalid, StorekeeperError
from storekeeper.http.request import SLASH, Request
from storekeeper.http.request import path as to_path

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HTML = "text/html; charset=utf-8"
STATIC = "console/static"


class Templates:
    """The templates, and what they can say."""

    def __init__(self, form_keys: FormKeys) -> None:
        self._environment = cache(_create_environment)
        self._form_keys = form_keys

    def render(self, req: Request, resp: Response, template: str, *, form_key: str = "", **values: Any) -> None:
        """Answer with a page. `form_key` is for the form that is shown again as it was sent; others get new ones."""
        known = {"viewer": None, "typed": EMPTY, "explanation": "", "failure": None} | values
        known |= {"notice": cookies.take_notice(req, resp), "here": req.path, "errors": _by_field(known["failure"])}
        known["post"] = partial(self._form, req, form_key)
        text = self._environment().get_template(template).render(known)
        resp.data, resp.content_type = text.encode(), HTML
        resp.set_header("Content-Security-Policy", POLICY)
        # With "no-referrer", the usual one, a browser would not even tell us that a form comes from a page of ours.
        resp.set_header("Referrer-Policy", "same-origin")

    def _form(
        self,
        req: Request,
        form_key: str,
        action: str,
        *,
        caller: Callable[[], Markup],
        other_actions: Iterable[str] = (),
        **attributes: str,
    ) -> Markup:
        """A form that changes something, with the key by which it counts once, however often it arrives.

        In a template: `{% call post(url("new-store"), autocomplete="off") %} ... {% endcall %}`. `other_actions` are
        those of its buttons.
        """
        is_shown_again = req.path.replace(SLASH, "/") in map(unquote, (action, *other_actions))
        if not (form_key and is_shown_again):
            form_key = self._form_keys.create(req.claims.user_id if req.claims else NOBODY)
        opened = Markup('<form method="post" action="{}"{}>').format(action, _attributes(attributes))
        # A browser that restores what stood in a form would put back the key that was used.
        hidden = Markup('<input type="hidden" name="{}" value="{}" autocomplete="off">').format(FIELD, form_key)
        return opened + hidden + caller() + Markup("</form>")


def _create_environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("storekeeper.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {"url": url, "static": cache(static), "version": __version__}
    filters = (money, plain, moment, clock, count, size, pairs, device, as_typed, as_told)
    environment.filters |= {each.__name__: each for each in filters}
    return environment


def _attributes(attributes: Mapping[str, str]) -> Markup:
    return Markup("").join(Markup(' {}="{}"').format(name, value) for name, value in attributes.items())


def url(*segments: object, **query: object) -> str:
    """A path below /console, whose segments may hold anything, with the parameters that are not None or empty."""
    given = {name: str(value) for name, value in query.items() if value not in (None, "")}
    pairs = "&".join(f"{to_path(name)[1:]}={to_path(value)[1:]}" for name, value in given.items())
    return to_path("console", *map(str, segments)) + (f"?{pairs}" if pairs else "")


def static(name: str) -> str:
    """The path of a file that a page needs. It changes with the file, so that browsers may keep what they have."""
    digest = hashlib.sha256(files("storekeeper").joinpath(STATIC, name).read_bytes()).hexdigest()
    return url("static", name, v=digest[:12])


def money(amount: Decimal, currency: str) -> Markup:
    """An amount that the script writes as its reader does."""
    form = '<data class="money" value="{}" data-currency="{}">{} {}</data>'
    return Markup(form).format(amount, currency, f"{amount:,}", currency)  # noqa: S704  the values are escaped


def plain(amount: Decimal) -> str:
    """An amount as it is typed."""
    return f"{amount:f}"


def as_typed(value: object) -> str:
    """The value of a field as it stands in a form."""
    match value:
        case None:
            return ""
        case list():
            return ", ".join(value)
        case Decimal():
            return plain(value)
        case _:
            return str(value)


def as_told(value: object) -> str:
    """The value of a field as it stands in a text."""
    return count(value) if isinstance(value, int) else as_typed(value)


def moment(seconds: int) -> Markup:
    """A time that the script tells in its reader's zone."""
    at = time.gmtime(seconds)
    form = '<time datetime="{}">{}</time>'
    iso, told = time.strftime("%Y-%m-%dT%H:%M:%SZ", at), time.strftime("%Y-%m-%d %H:%M UTC", at)
    return Markup(form).format(iso, told)  # noqa: S704


def clock(seconds: int) -> Markup:
    """The time of a day that needs no naming, such as of what was done just now."""
    at = time.gmtime(seconds)
    form = '<time class="clock" datetime="{}">{}</time>'
    return Markup(form).format(time.strftime("%Y-%m-%dT%H:%M:%SZ", at), time.strftime("%H:%M UTC", at))  # noqa: S704


def count(number: int) -> str:
    return f"{number:,}"


def size(bytes: int) -> str:
    """As people tell it."""
    amount, units = float(bytes), ["bytes", "KB", "MB", "GB", "TB"]
    while amount >= 1000 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    return f"{amount:.3g} {units[0]}"


def pairs(values: Iterable[str]) -> list[tuple[str, str]]:
    """The choices of a select whose values are what they are called."""
    return [(each, each) for each in values]


def _by_field(failure: StorekeeperError | None) -> Mapping[str, str]:
    """What is wrong with each field of a form."""
    if not isinstance(failure, Invalid):
        return {}
    return {each.field: str(each.message) for each in reversed(failure.fields)}
