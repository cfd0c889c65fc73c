"""/item/{name}/history and /price, the same in a store, /store/{name}/history and /audit: what the journal tells"""

import time
from typing import Annotated, Any

import msgspec
from falcon.asgi import Response
from msgspec import UNSET, Meta, UnsetType

from storekeeper.domain import times
from storekeeper.errors import AmbiguousName, Forbidden, HistoryForgotten, NotFound
from storekeeper.http.guard import Guard
from storekeeper.http.operation import admin_only, responds
from storekeeper.http.parsing import or_none
from storekeeper.http.request import MAX_ID, Request
from storekeeper.models import item_price_history, journal_feed
from storekeeper.models.journal import Kind
from storekeeper.models.journal_feed import ChangeFilter, Entry
from storekeeper.models.paging import USUAL, Page, PageRequest
from storekeeper.resources.item import ChosenStoreId
from storekeeper.resources.pagination import TIME, Cursor, Limit, Time, link_next

AS_OF = """When: `2026-11-01T12:00:00Z`, seconds since 1970, or a date, which means the end of that day in UTC. Without
it, now."""
Id = Annotated[int, Meta(ge=1, le=MAX_ID)]


class HistoryQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit: Limit = USUAL
    cursor: Cursor = ""

    def page_request(self) -> PageRequest:
        return PageRequest(self.limit, self.cursor, "-id")


class ItemHistoryQuery(HistoryQuery, kw_only=True, frozen=True, forbid_unknown_fields=True):
    store_id: ChosenStoreId | UnsetType = UNSET


class StoreHistoryQuery(HistoryQuery, kw_only=True, frozen=True, forbid_unknown_fields=True):
    kind: Annotated[Kind, Meta(description="Only changes of this kind of record.")] | UnsetType = UNSET
    user_id: Annotated[Id, Meta(description="Only changes by this user.")] | UnsetType = UNSET
    since: Annotated[Time, Meta(description=f"Only changes since this time. {TIME}")] | UnsetType = UNSET
    until: (
        Annotated[Time, Meta(description=f"Only changes until this time; a date includes the whole day. {TIME}")]
        | UnsetType
    ) = UNSET

    def filter(self) -> ChangeFilter:
        named = {name: getattr(self, name, UNSET) for name in ChangeFilter.__struct_fields__}
        given = {name: value for name, value in named.items() if value is not UNSET}
        for name in {"since", "until"} & given.keys():
            given[name] = times.read(given[name], name, is_end=name == "until")
        return ChangeFilter(**given)


class AuditQuery(StoreHistoryQuery, kw_only=True, frozen=True, forbid_unknown_fields=True):
    store_id: Annotated[Id, Meta(description="Only changes of this store.")] | UnsetType = UNSET


class HistoryPage(msgspec.Struct, frozen=True):
    """Changes, newest first, with who made them."""

    changes: list[Entry]
    next: str | UnsetType = UNSET


class PriceInStoreQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    as_of: Annotated[str, Meta(max_length=times.LENGTH, description=" ".join(AS_OF.split()))] | UnsetType = UNSET

    def time(self) -> int:
        """In seconds since 1970."""
        return int(time.time()) if isinstance(self.as_of, UnsetType) else times.read(self.as_of, "as_of", is_end=True)


class PriceQuery(PriceInStoreQuery, kw_only=True, frozen=True, forbid_unknown_fields=True):
    store_id: ChosenStoreId | UnsetType = UNSET


class ItemHistoryResource:
    """/item/{name}/history and /store/{name}/item/{item_name}/history"""

    tag = "changes"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @responds(HistoryPage, errors=(AmbiguousName, Forbidden, NotFound), operation_id="listItemHistory")
    async def on_get(self, req: Request, resp: Response, name: str, query: ItemHistoryQuery) -> None:
        """List the changes of an item, for members of its store.

        Newest first, with their authors.
        """
        args = req.caller.user_id, name, or_none(query.store_id), query.page_request()
        _answer(req, resp, query, await self._guard.read_list(req, journal_feed.item_history, *args))

    @responds(HistoryPage, errors=(Forbidden, NotFound), operation_id="listItemHistoryInStore")
    async def on_get_in_store(
        self, req: Request, resp: Response, name: str, item_name: str, query: HistoryQuery
    ) -> None:
        """List the changes of an item of this store."""
        args = req.caller.user_id, item_name, name, query.page_request()
        _answer(req, resp, query, await self._guard.read_list(req, journal_feed.item_history, *args))


class StoreHistoryResource:
    """/store/{name}/history"""

    tag = "changes"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @responds(HistoryPage, errors=(Forbidden, NotFound), operation_id="listStoreHistory")
    async def on_get(self, req: Request, resp: Response, name: str, query: StoreHistoryQuery) -> None:
        """List the changes of a store, its items and its members, for members.

        Newest first, with their authors.
        """
        args = req.caller.user_id, name, query.filter(), query.page_request()
        _answer(req, resp, query, await self._guard.read_list(req, journal_feed.store_history, *args))


class AuditResource:
    """/audit"""

    tag = "changes"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @admin_only
    @responds(HistoryPage, operation_id="listAuditLog")
    async def on_get(self, req: Request, resp: Response, query: AuditQuery) -> None:
        """List all changes, for administrators.

        Includes users and their roles; newest first, with their authors.
        """
        _answer(
            req, resp, query, await self._guard.read_list(req, journal_feed.audit, query.filter(), query.page_request())
        )


class ItemPriceResource:
    """/item/{name}/price and /store/{name}/item/{item_name}/price"""

    tag = "items"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @responds(item_price_history.Price, errors=(AmbiguousName, HistoryForgotten, NotFound), operation_id="getItemPrice")
    async def on_get(self, req: Request, resp: Response, name: str, query: PriceQuery) -> None:
        """Read the price of an item at a time, and the lowest of the 30 days before."""
        resp.media = await self._guard.read_list(
            req, item_price_history.get, name, or_none(query.store_id), query.time()
        )

    @responds(item_price_history.Price, errors=(HistoryForgotten, NotFound), operation_id="getItemPriceInStore")
    async def on_get_in_store(
        self, req: Request, resp: Response, name: str, item_name: str, query: PriceInStoreQuery
    ) -> None:
        """Read the price of an item of this store at a time, and the lowest of the 30 days before."""
        resp.media = await self._guard.read_list(req, item_price_history.get, item_name, name, query.time())


def _answer(req: Request, resp: Response, query: Any, page: Page[Entry]) -> None:
    resp.media = HistoryPage(page.rows, link_next(req, resp, query, page.cursor))
