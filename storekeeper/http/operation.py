"""What a responder declares: who may call it, what it takes and what it answers. The checks and OpenAPI read this.

Who may call it is a mark: `@public`, `@authentication_optional`, `@admin_only`, `@refresh_token_only`, `@any_token`;
without one, whoever is signed in. `@fresh_token`, beside `@admin_only` or by itself, also wants a fresh token. What it
takes are its parameters `body` and `query`, by their types, or an `upload`, by `@accepts`. What it answers stands in
`@responds`.
"""

from collections.abc import Callable
from enum import Enum, auto
from http import HTTPStatus
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args

import msgspec

from storekeeper.errors import StorekeeperError
from storekeeper.security.tokens import Kind

BODY_BYTES = 64 * 1024

# Of the limits of `request_limits`, beside a look-up or a change, which takes one. A unit is for up to a millisecond of
# a core, or nearly.
LIST_UNITS = 5
UPLOAD_UNITS = 20

Responder = TypeVar("Responder", bound=Callable[..., Any])


class Access(Enum):
    PUBLIC = auto()
    OPTIONAL = auto()
    SIGNED_IN = auto()
    ADMIN = auto()
    REFRESH = auto()
    ANY_TOKEN = auto()

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of token that are good here."""
        if self is Access.REFRESH:
            return ("refresh",)
        return ("access", "refresh") if self is Access.ANY_TOKEN else ("access",)


class Message(msgspec.Struct, frozen=True):
    """An answer with a message only."""

    message: str


class Operation(msgspec.Struct, frozen=True):
    """A responder's declaration. `operation_id` is its method's name in generated clients.

    `answers` are the bodies of success by their status, which may carry `headers`.

    `uploads` are the media types of what it takes as a file, and `formats` those that it answers beside JSON. A body
    that is a list has up to `max_rows`. One that `is_conditional` minds If-Match and If-None-Match. One that
    `needs_fresh` wants a token for which the password was given not long ago. `units` are what a request counts for.
    One that `accepts_gzip` takes its body in gzip, too. The answer of one that `is_compressible` may be in gzip.
    """

    summary: str
    description: str
    access: Access
    body: Any
    body_is_optional: bool
    query: Any
    answers: dict[HTTPStatus, Any]
    headers: tuple[str, ...]
    errors: tuple[type[StorekeeperError], ...]
    uploads: tuple[str, ...] = ()
    max_bytes: int = BODY_BYTES
    max_rows: int = 0
    formats: tuple[str, ...] = ()
    is_conditional: bool = False
    needs_fresh: bool = False
    operation_id: str = ""
    units: int = 1
    accepts_gzip: bool = False
    is_compressible: bool = False


def _mark(access: Access) -> Callable[[Responder], Responder]:
    def mark(responder: Responder) -> Responder:
        responder.access = access  # type: ignore[attr-defined]
        return responder

    return mark


public = _mark(Access.PUBLIC)
authentication_optional = _mark(Access.OPTIONAL)
admin_only = _mark(Access.ADMIN)
refresh_token_only = _mark(Access.REFRESH)
any_token = _mark(Access.ANY_TOKEN)


def accepts(
    *media_types: str, max_bytes: int, max_rows: int = 0, gzip: bool = False
) -> Callable[[Responder], Responder]:
    """A body of up to so many bytes: JSON, or with media types a file of one of these, as the parameter `upload`.

    With `gzip`, also compressed; so many bytes are then what it may have decompressed.
    """

    def note(responder: Responder) -> Responder:
        responder.uploads = media_types  # type: ignore[attr-defined]
        responder.max_bytes = max_bytes  # type: ignore[attr-defined]
        responder.max_rows = max_rows  # type: ignore[attr-defined]
        responder.accepts_gzip = gzip  # type: ignore[attr-defined]
        return responder

    return note


def fresh_token(responder: Responder) -> Responder:
    """Mark: requires a fresh token, for operations that a stolen token must not allow."""
    responder.needs_fresh = True  # type: ignore[attr-defined]
    return responder


def counts(units: int) -> Callable[[Responder], Responder]:
    """The units of a request in the rate limits, if they differ from the default of its kind; 0 is not counted."""

    def note(responder: Responder) -> Responder:
        responder.units = units  # type: ignore[attr-defined]
        return responder

    return note


def compressible(responder: Responder) -> Responder:
    """Mark: a change whose answer may be compressed. It is long, and has no secret.

    The answers of reads may be by themselves. All secrets are in answers to changes: what the compressed length of
    such an answer tells about it can be enough to find them (BREACH).
    """
    responder.is_compressible = True  # type: ignore[attr-defined]
    return responder


def conditional(responder: Responder) -> Responder:
    """A change that observes `If-Match` and `If-None-Match` (optimistic locking)."""
    responder.is_conditional = True  # type: ignore[attr-defined]
    return responder


def responds(
    *kinds: Any,
    headers: tuple[str, ...] = (),
    errors: tuple[type[StorekeeperError], ...] = (),
    formats: tuple[str, ...] = (),
    operation_id: str = "",
) -> Callable[[Responder], Responder]:
    """`@responds(Item, errors=(NotFound,))` for 200; `@responds((201, Item))` for another status, or several.

    `operation_id` is its method's name in generated clients, such as `createItem`: part of the contract, for good.
    """

    def note(responder: Responder) -> Responder:
        pairs = [each if isinstance(each, tuple) else (HTTPStatus.OK, each) for each in kinds]
        responder.answers = {HTTPStatus(status): kind for status, kind in pairs}  # type: ignore[attr-defined]
        responder.headers = headers  # type: ignore[attr-defined]
        responder.errors = errors  # type: ignore[attr-defined]
        responder.formats = formats  # type: ignore[attr-defined]
        responder.operation_id = operation_id  # type: ignore[attr-defined]
        return responder

    return note


def of(responder: Callable[..., Any]) -> Operation:
    """The declaration of a responder."""
    body = responder.__annotations__.get("body")
    kinds = [kind for kind in get_args(body) if kind is not NoneType] if isinstance(body, UnionType) else []
    summary, _, description = " ".join((responder.__doc__ or "").split()).partition(". ")
    return Operation(
        summary=summary.rstrip("."),
        description=description,
        access=getattr(responder, "access", Access.SIGNED_IN),
        body=kinds[0] if kinds else body,
        body_is_optional=bool(kinds),
        query=responder.__annotations__.get("query"),
        answers=getattr(responder, "answers", {}),
        headers=getattr(responder, "headers", ()),
        errors=getattr(responder, "errors", ()),
        uploads=getattr(responder, "uploads", ()),
        max_bytes=getattr(responder, "max_bytes", BODY_BYTES),
        max_rows=getattr(responder, "max_rows", 0),
        formats=getattr(responder, "formats", ()),
        is_conditional=getattr(responder, "is_conditional", False),
        needs_fresh=getattr(responder, "needs_fresh", False),
        operation_id=getattr(responder, "operation_id", ""),
        units=getattr(responder, "units", _usual_units(responder)),
        accepts_gzip=getattr(responder, "accepts_gzip", False),
        is_compressible=getattr(responder, "is_compressible", _is_read(responder)),
    )


def is_list(kind: Any) -> bool:
    """Whether an answer is a page of a list, which another page may follow."""
    return "next" in kind.__struct_fields__


def _is_read(responder: Callable[..., Any]) -> bool:
    """Whether it answers a read with JSON; images are compressed already, and pages may have keys of forms."""
    return responder.__name__.startswith("on_get") and bool(getattr(responder, "answers", {}))


def _usual_units(responder: Callable[..., Any]) -> int:
    if getattr(responder, "uploads", ()):
        return UPLOAD_UNITS
    return LIST_UNITS if any(map(is_list, getattr(responder, "answers", {}).values())) else 1


NONE = Operation("", "", Access.PUBLIC, None, False, None, {}, (), (), units=0)


class Declarations(dict[tuple[object, str], Operation]):
    """What responders declare, by their resource and their method. Kept once it was asked for."""

    def __missing__(self, key: tuple[object, str]) -> Operation:
        resource, method = key
        responder = getattr(resource, f"on_{method.lower()}", None)
        if responder is None:  # Falcon answers by itself: OPTIONS, or 405
            return NONE
        return self.setdefault(key, of(responder))
