"""/item/{name}, /items and /store/{name}/item/{item_name}"""

from collections.abc import Sequence
from typing import Annotated

import falcon
import msgspec
from falcon.asgi import Response
from msgspec import UNSET, Meta, UnsetType

from storekeeper.auth import Guard
from storekeeper.errors import AlreadyExists, AmbiguousName, Conflict, Forbidden, NotFound
from storekeeper.http import MAX_ID, Request
from storekeeper.models import item
from storekeeper.money import Price
from storekeeper.operation import Message, answers, fresh, optional
from storekeeper.resources.lists import SortedPageQuery, link_next

StoreId = Annotated[int, Meta(ge=1, le=MAX_ID)]
ChosenStoreId = Annotated[StoreId, Meta(description="Which store's, where several have an item of that name.")]


class ItemBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    price: Price
    store_id: StoreId


class PriceBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    price: Price


class ItemQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    store_id: ChosenStoreId | UnsetType = UNSET

    def chosen(self) -> int | None:
        return None if isinstance(self.store_id, UnsetType) else self.store_id


class ItemPage(msgspec.Struct, frozen=True):
    """Whole items for the signed in; for others their names, and a message that says so."""

    items: Sequence[item.Item | str]
    message: str | UnsetType = UNSET
    next: str | UnsetType = UNSET


class Item:
    """/item/{name}"""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @answers(item.Item, errors=(NotFound, AmbiguousName))
    async def on_get(self, req: Request, resp: Response, name: str, query: ItemQuery) -> None:
        """Read an item."""
        resp.media = item.only(await self._guard.fetch(req, *item.lookup(name, query.chosen())))

    @fresh
    @answers((201, item.Item), errors=(AlreadyExists, Forbidden, NotFound))
    async def on_post(self, req: Request, resp: Response, name: str, body: ItemBody) -> None:
        """Add an item to a store where you work."""
        added = await self._guard.write(req, item.add, req.caller.user_id, name, body.price, body.store_id)
        resp.media, resp.status = added, falcon.HTTP_CREATED

    @answers(item.Item, (201, item.Item), errors=(Conflict, Forbidden, NotFound))
    async def on_put(self, req: Request, resp: Response, name: str, body: ItemBody) -> None:
        """Set an item's price, or add the item where the store has none of that name."""
        put = await self._guard.write(req, item.put, req.caller.user_id, name, body.price, body.store_id)
        answer_put(resp, put)

    @answers(Message, errors=(Forbidden, NotFound, AmbiguousName))
    async def on_delete(self, req: Request, resp: Response, name: str, query: ItemQuery) -> None:
        """Delete an item of a store that you own."""
        await self._guard.write(req, item.delete, req.caller.user_id, name, query.chosen())
        resp.media = Message("Item deleted.")


class ItemInStore:
    """/store/{name}/item/{item_name}"""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @answers(item.Item, errors=(NotFound,))
    async def on_get(self, req: Request, resp: Response, name: str, item_name: str) -> None:
        """Read an item of a store."""
        resp.media = item.only(await self._guard.fetch(req, *item.lookup_in(name, item_name)))

    @fresh
    @answers((201, item.Item), errors=(AlreadyExists, Forbidden, NotFound))
    async def on_post(self, req: Request, resp: Response, name: str, item_name: str, body: PriceBody) -> None:
        """Add an item to this store."""
        resp.media = await self._guard.write(req, item.add_in, req.caller.user_id, name, item_name, body.price)
        resp.status = falcon.HTTP_CREATED

    @answers(item.Item, (201, item.Item), errors=(Conflict, Forbidden, NotFound))
    async def on_put(self, req: Request, resp: Response, name: str, item_name: str, body: PriceBody) -> None:
        """Set the price of an item of this store, or add the item."""
        put = await self._guard.write(req, item.put_in, req.caller.user_id, name, item_name, body.price)
        answer_put(resp, put)

    @answers(Message, errors=(Forbidden, NotFound))
    async def on_delete(self, req: Request, resp: Response, name: str, item_name: str) -> None:
        """Delete an item of this store."""
        await self._guard.write(req, item.delete_in, req.caller.user_id, name, item_name)
        resp.media = Message("Item deleted.")


class ItemList:
    """/items"""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @optional
    @answers(ItemPage)
    async def on_get(self, req: Request, resp: Response, query: SortedPageQuery) -> None:
        """List items: whole ones for the signed in, names for everybody else."""
        page = await self._guard.browse(req, item.page, query.asked())
        following = link_next(req, resp, query, page.cursor)
        if req.claims:
            resp.media = ItemPage(page.rows, next=following)
        else:
            names = [each.name for each in page.rows]
            resp.media = ItemPage(names, message="More data available if you log in.", next=following)


def answer_put(resp: Response, put: tuple[item.Item, bool]) -> None:
    resp.media, is_new = put
    resp.status = falcon.HTTP_CREATED if is_new else falcon.HTTP_OK
