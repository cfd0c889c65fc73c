"""/store/{name} and /stores"""

from typing import Annotated, Any

import falcon
import msgspec
from falcon.asgi import Response
from msgspec import UNSET, Meta, UnsetType

from storekeeper.domain import names
from storekeeper.errors import AlreadyExists, Conflict, Forbidden, NotFound, StoreNotEmpty, TooManyStores
from storekeeper.http.guard import Guard
from storekeeper.http.operation import Message, conditional, counts, public, responds
from storekeeper.http.request import Request, path
from storekeeper.messages import ErrorMessage
from storekeeper.models import item, store, store_items, store_member
from storekeeper.resources.etags import Conditions, answer_store_change, answer_store_read
from storekeeper.resources.pagination import PageQuery, SortedPageQuery, link_next, next_path

Currency = Annotated[
    str,
    Meta(
        max_length=3,
        pattern="^[A-Z]{3}$",
        description="ISO 4217.",
        extra={"form": ErrorMessage("expected_currency")},
    ),
]


class StoreBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    currency: Currency | None = None


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to change; what is left out stays as it is."""

    name: Annotated[str, Meta(min_length=1, max_length=names.LENGTH)] | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    negative_stock: (
        Annotated[
            bool, Meta(description="Whether stock may be negative, so that items can be sold before they arrive.")
        ]
        | UnsetType
    ) = UNSET

    def given(self) -> dict[str, Any]:
        """The checked values, by column."""
        said = msgspec.structs.asdict(self)
        return store.check_settings({name: value for name, value in said.items() if value is not UNSET})


class DeleteStoreQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    with_items: Annotated[bool, Meta(description="Delete its items, too.")] = False


class StoreAnswer(msgspec.Struct, frozen=True):
    """A store with a page of its items; `next` is where more are."""

    id: int
    name: str
    currency: str
    negative_stock: bool
    version: int
    items: list[item.Item]
    next: str | UnsetType = UNSET


class StorePage(msgspec.Struct, frozen=True):
    stores: list[StoreAnswer]
    next: str | UnsetType = UNSET


class StoreResource:
    """/store/{name}"""

    tag = "stores"

    def __init__(self, guard: Guard, currency: str, conditions: Conditions, max_per_user: int) -> None:
        self._guard = guard
        self._currency = currency
        self._max_per_user = max_per_user
        self._conditions = conditions

    @public
    @responds(StoreAnswer, headers=("ETag",), errors=(NotFound,), operation_id="getStore")
    async def on_get(self, req: Request, resp: Response, name: str, query: SortedPageQuery) -> None:
        """Read a store with a page of its items."""
        found = await self._guard.read_list(req, store_items.get, name, query.page_request())
        answer_store_read(req, resp, found.store, _answer(found, link_next(req, resp, query, found.cursor)))

    @responds(
        (201, StoreAnswer),
        headers=("ETag",),
        errors=(AlreadyExists, Conflict, TooManyStores),
        operation_id="createStore",
    )
    async def on_post(self, req: Request, resp: Response, name: str, body: StoreBody | None) -> None:
        """Create a store, which you then own.

        Needs no body. `currency` overrides the server's default.
        """
        currency = (body and body.currency) or self._currency
        args = req.caller.user_id, name, currency, self._max_per_user
        created = await self._guard.write(req, store_member.create_store, *args)
        answer_store_change(resp, created, _answer(store_items.StoreWithItems(created, [], None), UNSET))
        resp.status = falcon.HTTP_CREATED

    @conditional
    @responds(
        store.Store,
        headers=("ETag",),
        errors=(AlreadyExists, Forbidden, NotFound, StoreNotEmpty),
        operation_id="updateStore",
    )
    async def on_patch(self, req: Request, resp: Response, name: str, body: StoreSettings) -> None:
        """Change the settings of a store that you own. `name` renames the store.

        The currency can change while the store holds no items.
        """
        args = req.caller.user_id, name, body.given(), self._conditions.read(req)
        changed = await self._guard.write(req, store_items.change_settings, *args)
        answer_store_change(resp, changed, changed)

    @conditional
    @responds(Message, errors=(Forbidden, NotFound, StoreNotEmpty), operation_id="deleteStore")
    async def on_delete(self, req: Request, resp: Response, name: str, query: DeleteStoreQuery) -> None:
        """Delete a store that you own.

        Refused while the store holds items, unless `with_items=true` deletes them too.
        """
        args = req.caller.user_id, name, query.with_items, self._conditions.read(req)
        await self._guard.write(req, store_items.delete_store, *args)
        resp.media = Message("Store deleted.")


class StoreListResource:
    """/stores"""

    tag = "stores"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @public
    @counts(20)
    @responds(StorePage, operation_id="listStores")
    async def on_get(self, req: Request, resp: Response, query: SortedPageQuery) -> None:
        """List stores, each with its first items."""
        page = await self._guard.read_list(req, store_items.page, query.page_request())
        items_query = PageQuery(query.limit)
        stores = [
            _answer(each, next_path(path("store", each.store.name), items_query, each.cursor)) for each in page.rows
        ]
        resp.media = StorePage(stores, link_next(req, resp, query, page.cursor))


def _answer(found: store_items.StoreWithItems, following: str | UnsetType) -> StoreAnswer:
    of = found.store
    return StoreAnswer(of.id, of.name, of.currency, of.negative_stock, of.version, found.items, following)
