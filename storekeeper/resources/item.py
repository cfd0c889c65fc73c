"""/item/{name} and /store/{name}/item/{item_name}, with their /stock"""

from typing import Annotated

import falcon
import msgspec
from falcon.asgi import Response
from msgspec import UNSET, Meta, UnsetType

from storekeeper.domain import names
from storekeeper.domain.money import PriceInput
from storekeeper.errors import AlreadyExists, AmbiguousName, Conflict, Forbidden, NotFound, OutOfStock
from storekeeper.http.guard import Guard
from storekeeper.http.operation import Message, conditional, fresh_token, responds
from storekeeper.http.parsing import or_none
from storekeeper.http.request import MAX_ID, Request
from storekeeper.models import item, item_lookup
from storekeeper.models.item_fields import MAX_STOCK, Fields
from storekeeper.resources.etags import Conditions, answer_change, answer_read, read

StoreId = Annotated[int, Meta(ge=1, le=MAX_ID)]
ChosenStoreId = Annotated[
    StoreId, Meta(description="The id of the item's store, if several stores have an item of that name.")
]


class ItemInStoreBody(Fields, kw_only=True, frozen=True, forbid_unknown_fields=True):
    price: PriceInput


class ItemBody(ItemInStoreBody, kw_only=True, frozen=True, forbid_unknown_fields=True):
    store_id: StoreId


class ItemChange(Fields, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What is to change; what is left out stays as it is."""

    name: Annotated[str, Meta(min_length=1, max_length=names.LENGTH)] | UnsetType = UNSET


class StockBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    delta: Annotated[
        int, Meta(ge=-MAX_STOCK, le=MAX_STOCK, description="The change of the stock; negative to take from it.")
    ]


class ItemQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    store_id: ChosenStoreId | UnsetType = UNSET


class ItemResource:
    """/item/{name} and /store/{name}/item/{item_name}"""

    tag = "items"

    def __init__(self, guard: Guard, conditions: Conditions) -> None:
        self._guard = guard
        self._conditions = conditions

    @responds(item.Item, headers=("ETag",), errors=(NotFound, AmbiguousName), operation_id="getItem")
    async def on_get(self, req: Request, resp: Response, name: str, query: ItemQuery) -> None:
        """Read an item."""
        found = await self._guard.read_one(req, *item_lookup.item(name, or_none(query.store_id)))
        answer_read(req, resp, item.exactly_one(found))

    @responds(item.Item, headers=("ETag",), errors=(NotFound,), operation_id="getItemInStore")
    async def on_get_in_store(self, req: Request, resp: Response, name: str, item_name: str) -> None:
        """Read an item of a store."""
        found = await self._guard.read_one(req, *item_lookup.item(item_name, name))
        answer_read(req, resp, item.exactly_one(found))

    @fresh_token
    @responds(
        (201, item.Item), headers=("ETag",), errors=(AlreadyExists, Forbidden, NotFound), operation_id="createItem"
    )
    async def on_post(self, req: Request, resp: Response, name: str, body: ItemBody) -> None:
        """Add an item to a store, as a member of it."""
        answer_change(resp, await self._guard.write(req, item.add, req.caller.user_id, body.store_id, name, body))
        resp.status = falcon.HTTP_CREATED

    @fresh_token
    @responds(
        (201, item.Item),
        headers=("ETag",),
        errors=(AlreadyExists, Forbidden, NotFound),
        operation_id="createItemInStore",
    )
    async def on_post_in_store(
        self, req: Request, resp: Response, name: str, item_name: str, body: ItemInStoreBody
    ) -> None:
        """Add an item to this store."""
        answer_change(resp, await self._guard.write(req, item.add, req.caller.user_id, name, item_name, body))
        resp.status = falcon.HTTP_CREATED

    @conditional
    @responds(
        item.Item,
        (201, item.Item),
        headers=("ETag",),
        errors=(AlreadyExists, Conflict, Forbidden, NotFound),
        operation_id="putItem",
    )
    async def on_put(self, req: Request, resp: Response, name: str, body: ItemBody) -> None:
        """Change an item, or add it if the store has none of that name.

        Fields that the body leaves out stay unchanged.
        """
        args = req.caller.user_id, body.store_id, name, body, self._conditions.read(req)
        _answer_put(resp, await self._guard.write(req, item.put, *args))

    @conditional
    @responds(
        item.Item,
        (201, item.Item),
        headers=("ETag",),
        errors=(AlreadyExists, Conflict, Forbidden, NotFound),
        operation_id="putItemInStore",
    )
    async def on_put_in_store(
        self, req: Request, resp: Response, name: str, item_name: str, body: ItemInStoreBody
    ) -> None:
        """Change an item of this store, or add the item."""
        args = req.caller.user_id, name, item_name, body, self._conditions.read(req)
        _answer_put(resp, await self._guard.write(req, item.put, *args))

    @conditional
    @responds(
        item.Item,
        headers=("ETag",),
        errors=(AlreadyExists, AmbiguousName, Conflict, Forbidden, NotFound),
        operation_id="updateItem",
    )
    async def on_patch(self, req: Request, resp: Response, name: str, query: ItemQuery, body: ItemChange) -> None:
        """Change the fields in the body only. `name` renames the item."""
        target = item.ItemRef(name, or_none(query.store_id), self._conditions.read(req))
        answer_change(resp, await self._guard.write(req, item.change, req.caller.user_id, target, body))

    @conditional
    @responds(
        item.Item,
        headers=("ETag",),
        errors=(AlreadyExists, Conflict, Forbidden, NotFound),
        operation_id="updateItemInStore",
    )
    async def on_patch_in_store(
        self, req: Request, resp: Response, name: str, item_name: str, body: ItemChange
    ) -> None:
        """Change the fields in the body only, of an item of this store."""
        target = item.ItemRef(item_name, name, self._conditions.read(req))
        answer_change(resp, await self._guard.write(req, item.change, req.caller.user_id, target, body))

    @conditional
    @responds(Message, errors=(Forbidden, NotFound, AmbiguousName), operation_id="deleteItem")
    async def on_delete(self, req: Request, resp: Response, name: str, query: ItemQuery) -> None:
        """Delete an item of a store that you own."""
        target = item.ItemRef(name, or_none(query.store_id), self._conditions.read(req))
        try:
            await self._guard.write(req, item.delete, req.caller.user_id, target)
        except Forbidden:
            raise Forbidden from None  # here the course's clients know the sentence, which has no owners
        resp.media = Message("Item deleted.")

    @conditional
    @responds(Message, errors=(Forbidden, NotFound), operation_id="deleteItemInStore")
    async def on_delete_in_store(self, req: Request, resp: Response, name: str, item_name: str) -> None:
        """Delete an item of this store."""
        target = item.ItemRef(item_name, name, self._conditions.read(req))
        await self._guard.write(req, item.delete, req.caller.user_id, target)
        resp.media = Message("Item deleted.")


class StockResource:
    """/item/{name}/stock and /store/{name}/item/{item_name}/stock"""

    tag = "items"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @conditional
    @responds(
        item.Item,
        headers=("ETag",),
        errors=(AmbiguousName, Forbidden, NotFound, OutOfStock),
        operation_id="adjustStock",
    )
    async def on_post(self, req: Request, resp: Response, name: str, query: ItemQuery, body: StockBody) -> None:
        """Add to the stock of an item, or take from it.

        Concurrent changes are all counted. The stock cannot become negative, unless the store allows it.
        """
        target = item.ItemRef(name, or_none(query.store_id), read(req))
        answer_change(resp, await self._guard.write(req, item.adjust_stock, req.caller.user_id, target, body.delta))

    @conditional
    @responds(item.Item, headers=("ETag",), errors=(Forbidden, NotFound, OutOfStock), operation_id="adjustStockInStore")
    async def on_post_in_store(self, req: Request, resp: Response, name: str, item_name: str, body: StockBody) -> None:
        """Add to the stock of an item of this store, or take from it."""
        target = item.ItemRef(item_name, name, read(req))
        answer_change(resp, await self._guard.write(req, item.adjust_stock, req.caller.user_id, target, body.delta))


def _answer_put(resp: Response, put: tuple[item.Item, bool]) -> None:
    now, is_new = put
    answer_change(resp, now)
    resp.status = falcon.HTTP_CREATED if is_new else falcon.HTTP_OK
