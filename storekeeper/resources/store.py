"""/store/{name} and /stores"""

from typing import Annotated

import falcon
import msgspec
from falcon.asgi import Response
from msgspec import UNSET, Meta, UnsetType

from storekeeper.auth import Guard
from storekeeper.errors import AlreadyExists, Conflict, Forbidden, NotFound, StoreNotEmpty
from storekeeper.http import Request, path
from storekeeper.models import item, member, shelf
from storekeeper.operation import Message, answers, public
from storekeeper.resources.lists import PageQuery, SortedPageQuery, link_next, next_path


class StoreBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217.")] | None = None


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    negative_stock: Annotated[bool, Meta(description="Whether items may be sold before they are there.")]


class StoreChanged(msgspec.Struct, frozen=True):
    """A store's settings, without its items."""

    id: int
    name: str
    currency: str
    negative_stock: bool


class DeleteStoreQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    with_items: Annotated[bool, Meta(description="Delete the items that it holds too.")] = False


class StoreAnswer(msgspec.Struct, frozen=True):
    """A store with a page of its items; `next` is where more are."""

    id: int
    name: str
    currency: str
    negative_stock: bool
    items: list[item.Item]
    next: str | UnsetType = UNSET


class StorePage(msgspec.Struct, frozen=True):
    stores: list[StoreAnswer]
    next: str | UnsetType = UNSET


class Store:
    """/store/{name}"""

    def __init__(self, guard: Guard, currency: str) -> None:
        self._guard = guard
        self._currency = currency

    @public
    @answers(StoreAnswer, errors=(NotFound,))
    async def on_get(self, req: Request, resp: Response, name: str, query: SortedPageQuery) -> None:
        """Read a store with a page of its items."""
        found = await self._guard.browse(req, shelf.get, name, query.asked())
        resp.media = _answer(found, link_next(req, resp, query, found.cursor))

    @answers((201, StoreAnswer), errors=(AlreadyExists, Conflict))
    async def on_post(self, req: Request, resp: Response, name: str, body: StoreBody | None) -> None:
        """Found a store and own it.

        Needs no body. `currency` chooses another than the server's own.
        """
        currency = (body and body.currency) or self._currency
        founded = await self._guard.write(req, member.found_store, req.caller.user_id, name, currency)
        resp.media = _answer(shelf.Shelf(founded, [], None), UNSET)
        resp.status = falcon.HTTP_CREATED

    @answers(StoreChanged, errors=(Forbidden, NotFound))
    async def on_patch(self, req: Request, resp: Response, name: str, body: StoreSettings) -> None:
        """Change the settings of a store that you own."""
        changed = await self._guard.write(req, member.set_up_store, req.caller.user_id, name, body.negative_stock)
        resp.media = StoreChanged(changed.id, changed.name, changed.currency, changed.negative_stock)

    @answers(Message, errors=(Forbidden, NotFound, StoreNotEmpty))
    async def on_delete(self, req: Request, resp: Response, name: str, query: DeleteStoreQuery) -> None:
        """Delete a store that you own.

        Refused while the store holds items, unless `with_items=true` says that they are to go with it.
        """
        await self._guard.write(req, shelf.delete_store, req.caller.user_id, name, query.with_items)
        resp.media = Message("Store deleted.")


class StoreList:
    """/stores"""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @public
    @answers(StorePage)
    async def on_get(self, req: Request, resp: Response, query: SortedPageQuery) -> None:
        """List stores, each with the first of its items."""
        page = await self._guard.browse(req, shelf.page, query.asked())
        items_query = PageQuery(query.limit)
        stores = [
            _answer(each, next_path(path("store", each.store.name), items_query, each.cursor)) for each in page.rows
        ]
        resp.media = StorePage(stores, link_next(req, resp, query, page.cursor))


def _answer(found: shelf.Shelf, following: str | UnsetType) -> StoreAnswer:
    of = found.store
    return StoreAnswer(of.id, of.name, of.currency, of.negative_stock, found.items, following)
