"""What a responder declares: who may call it, what it takes and what it answers. The checks and OpenAPI read this.

Who may call it is a mark: `@public`, `@optional`, `@fresh`, `@admin`, `@refresh`, `@any_token`; without one, whoever is
signed in. What it takes are its parameters `body` and `query`, by their types. What it answers stands in `@answers`.
"""

from collections.abc import Callable
from enum import Enum, auto
from http import HTTPStatus
from types import NoneType
from typing import Any, TypeVar, get_args

import msgspec

from storekeeper.errors import StorekeeperError
from storekeeper.tokens import Kind

Responder = TypeVar("Responder", bound=Callable[..., Any])


class Access(Enum):
    PUBLIC = auto()
    OPTIONAL = auto()
    SIGNED_IN = auto()
    FRESH = auto()
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
    """An answer that only says what was done."""

    message: str


class Operation(msgspec.Struct, frozen=True):
    """A responder's declaration. `answers` are the bodies of success by their status, which may carry `headers`."""

    summary: str
    description: str
    access: Access
    body: Any
    body_is_optional: bool
    query: Any
    answers: dict[HTTPStatus, Any]
    headers: tuple[str, ...]
    errors: tuple[type[StorekeeperError], ...]


def _mark(access: Access) -> Callable[[Responder], Responder]:
    def mark(responder: Responder) -> Responder:
        responder.access = access  # type: ignore[attr-defined]
        return responder

    return mark


public = _mark(Access.PUBLIC)
optional = _mark(Access.OPTIONAL)
fresh = _mark(Access.FRESH)
admin = _mark(Access.ADMIN)
refresh = _mark(Access.REFRESH)
any_token = _mark(Access.ANY_TOKEN)


def answers(
    *kinds: Any, headers: tuple[str, ...] = (), errors: tuple[type[StorekeeperError], ...] = ()
) -> Callable[[Responder], Responder]:
    """`@answers(Item, errors=(NotFound,))` for 200; `@answers((201, Item))` for another status, or several."""

    def note(responder: Responder) -> Responder:
        pairs = [each if isinstance(each, tuple) else (HTTPStatus.OK, each) for each in kinds]
        responder.answers = {HTTPStatus(status): kind for status, kind in pairs}  # type: ignore[attr-defined]
        responder.headers = headers  # type: ignore[attr-defined]
        responder.errors = errors  # type: ignore[attr-defined]
        return responder

    return note


def of(responder: Callable[..., Any]) -> Operation:
    """The declaration of a responder."""
    body = responder.__annotations__.get("body")
    kinds = [kind for kind in get_args(body) if kind is not NoneType]
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
    )


NONE = Operation("", "", Access.PUBLIC, None, False, None, {}, (), ())
