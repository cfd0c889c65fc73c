"""What the lists share: the parameters of a page, and the way to the next one (RFC 8288)."""

from functools import lru_cache
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from falcon.asgi import Response
from msgspec import Meta

from storekeeper.domain import times
from storekeeper.http.request import SLASH, Request, path
from storekeeper.models.paging import MAX_PAGE_SIZE, USUAL, PageRequest

CACHE_SIZE = 256  # paths, and the parameters of lists

Limit = Annotated[int, Meta(ge=1, le=MAX_PAGE_SIZE, description="The maximum number of rows of a page.")]
Cursor = Annotated[str, Meta(max_length=600, description="The start of the page: from `next` of the previous one.")]
# Seconds, too: all of a query is text, and Java's and Kotlin's clients cannot send what is a number or a string.
Time = Annotated[str, Meta(max_length=times.LENGTH)]
TIME = "`2026-11-01T12:00:00Z`, a date of UTC, or seconds since 1970."
Sort = Annotated[Literal["id", "name"], Meta(description="The order: by id, which is by age, or by name.")]


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page of a list that has one order."""

    limit: Limit = USUAL
    cursor: Cursor = ""

    def page_request(self) -> PageRequest:
        return PageRequest(self.limit, self.cursor)


class SortedPageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page of a list."""

    limit: Limit = USUAL
    cursor: Cursor = ""
    sort: Sort = "id"

    def page_request(self) -> PageRequest:
        return PageRequest(self.limit, self.cursor, self.sort)


def next_path(list_path: str, query: Any, cursor: str | None) -> str | msgspec.UnsetType:
    """The path of the next page, with the parameters of this one; unset on the last."""
    if cursor is None:
        return msgspec.UNSET
    return f"{list_path}?{_parameters(msgspec.structs.replace(query, cursor=''))}cursor={cursor}"


@lru_cache(CACHE_SIZE)
def _parameters(query: Any) -> str:
    """Those that are not what they are by default, as they stand before another one."""
    usual = {field.name: field.default for field in msgspec.structs.fields(query)}
    given = {name: value for name, value in msgspec.structs.asdict(query).items() if value != usual[name]}
    given = {name: str(value).lower() if isinstance(value, bool) else value for name, value in given.items()}
    return f"{urlencode(given)}&" if given else ""


@lru_cache(CACHE_SIZE)
def _escaped(resolved: str) -> str:
    """The path of a request, whose escapes Falcon has resolved, with them again."""
    return path(*(segment.replace(SLASH, "/") for segment in resolved.split("/")[1:]))


def link_next(req: Request, resp: Response, query: Any, cursor: str | None) -> str | msgspec.UnsetType:
    """Say in the `Link` header where the next page is, and return it for the body."""
    following = next_path(_escaped(req.path), query, cursor)
    if following is not msgspec.UNSET:
        resp.append_link(following, "next")
    return following


def prefers(req: Request, preference: str) -> bool:
    """Whether the sender asks for it in `Prefer` (RFC 7240)."""
    given = (req.get_header("Prefer") or "").lower().split(",")
    return preference in [each.replace(" ", "").partition(";")[0] for each in given]
