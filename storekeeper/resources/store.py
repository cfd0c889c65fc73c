"""/store/{name} and /stores"""

from typing import Annotated

import falcon
import msgspec
from falcon.asgi import Response
from msgspec import UNSET, Meta, UnsetType

from storekeeper.auth import Guard
from storekeeper.errors import AlreadyExists, Conflict, Forbidden, NotFound, StoreNotEmpty
from storekeeper.http import Request, path
from storekeeper.models import item, member
from storekeeper.operation import Message, answers, public
from storekeeper.resources.lists import PageQuery, SortedPageQuery, link_next, next_path


class StoreBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217.")] | None = None


class DeleteStoreQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    with_items: Annotated[bool, Meta(description="Delete the items that it holds too.")] = False


class StoreAnswer(msgspec.Struct, frozen=True):
    """A store with a page of its items; `next` is where more are."""

    id: int
    name: str
    currency: str
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
        shelf = await self._guard.browse(req, item.shelf, name, query.asked())
        resp.media = _answer(shelf, link_next(req, resp, query, shelf.cursor))

    @answers((201, StoreAnswer), errors=(AlreadyExists, Conflict))
    async def on_post(self, req: Request, resp: Response, name: str, body: StoreBody | None) -> None:
        """Found a store and own it.

        Needs no body. `currency` chooses another than the server's own.
        """
        currency = (body and body.currency) or self._currency
        founded = await self._guard.write(req, member.found_store, req.caller.user_id, name, currency)
        resp.media = _answer(item.Shelf(founded, [], None), UNSET)
        resp.status = falcon.HTTP_CREATED

    @answers(Message, errors=(Forbidden, NotFound, StoreNotEmpty))
    async def on_delete(self, req: Request, resp: Response, name: str, query: DeleteStoreQuery) -> None:
        """Delete a store that you own.

        Refused while the store holds items, unless `with_items=true` says that they are to go with it.
        """
        await self._guard.write(req, item.delete_store, req.caller.user_id, name, query.with_items)
        resp.media = Message("Store deleted.")


class StoreList:
    """/stores"""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @public
    @answers(StorePage)
    async def on_get(self, req: Request, resp: Response, query: SortedPageQuery) -> None:
        """List stores, each with the first of its items."""
        page = await self._guard.browse(req, item.shelves, query.asked())
        items_query = PageQuery(query.limit)
        stores = [
            _answer(shelf, next_path(path("store", shelf.store.name), items_query, shelf.cursor)) for shelf in page.rows
        ]
        resp.media = StorePage(stores, link_next(req, resp, query, page.cursor))


def _answer(shelf: item.Shelf, following: str | UnsetType) -> StoreAnswer:
    of = shelf.store
    return StoreAnswer(of.id, of.name, of.currency, shelf.items, following)
