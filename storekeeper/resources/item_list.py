"""/items and /store/{name}/items: lists of items, searched, filtered and sorted"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, get_args

import falcon
import msgspec
from falcon.asgi import Response
from msgspec import UNSET, Meta, UnsetType

from storekeeper.domain import barcodes, names, times
from storekeeper.domain.money import PriceInput
from storekeeper.errors import NotFound, TokenMissing, TooManyExports
from storekeeper.http.guard import Guard
from storekeeper.http.operation import authentication_optional, responds
from storekeeper.http.parsing import or_none
from storekeeper.http.request import MAX_ID, Request
from storekeeper.models import item, item_list
from storekeeper.models.item_export import Format
from storekeeper.models.item_list import MAX_SEARCH, Filter, Sort
from storekeeper.models.item_queries import Archived
from storekeeper.models.paging import USUAL, PageRequest
from storekeeper.resources.pagination import TIME, Cursor, Limit, Time, link_next, prefers
from storekeeper.services.file_transfers import MEDIA_TYPES, Exports

FORMATS: Mapping[str, Format] = {MEDIA_TYPES[each]: each for each in get_args(Format)}
WANTED = frozenset(Filter.__struct_fields__)  # of which a query says each by its name, but for the store
ERRORS = (NotFound, TooManyExports)
# Of the limits, beside the list's own: a search may go through all that has a word, and on PostgreSQL a count through
# each row.
SEARCH_UNITS = 15
COUNT_UNITS = 10
HEADERS = ("Preference-Applied", "Vary", "Content-Disposition")
GTIN = {"pattern": "^([0-9]{8}|[0-9]{12,14})$"}
ORDER = """The order; a minus reverses it. By id, which is by age, by name, by the time of the last change; within a
store also by price or stock. What is searched with `q` comes by `rank` unless another is given."""


class ItemsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of items, and which are wanted: those that meet all that is given."""

    limit: Limit = USUAL
    cursor: Cursor = ""
    sort: Annotated[Sort, Meta(description=" ".join(ORDER.split()))] | UnsetType = UNSET
    q: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=MAX_SEARCH,
                description="Words, or their beginnings, without regard to accents or case.",
            ),
        ]
        | UnsetType
    ) = UNSET
    tag: (
        Annotated[str, Meta(min_length=1, max_length=200, description="A tag, or several separated by semicolons.")]
        | UnsetType
    ) = UNSET
    sku: Annotated[str, Meta(min_length=1, max_length=names.SKU_LENGTH, description="The exact SKU.")] | UnsetType = (
        UNSET
    )
    barcode: (
        Annotated[str, Meta(max_length=barcodes.LENGTHS[-1], description="The exact barcode.", extra_json_schema=GTIN)]
        | UnsetType
    ) = UNSET
    price_min: Annotated[PriceInput, Meta(description="The lowest price; requires a store.")] | UnsetType = UNSET
    price_max: Annotated[PriceInput, Meta(description="The highest price; requires a store.")] | UnsetType = UNSET
    in_stock: Annotated[bool, Meta(description="Only items in stock (true) or out of stock (false).")] | UnsetType = (
        UNSET
    )
    updated_since: Annotated[Time, Meta(description=f"Only items changed since this time. {TIME}")] | UnsetType = UNSET
    archived: Annotated[Archived, Meta(description="Whether to include archived items.")] = "no"

    def page_request(self) -> PageRequest:
        usual = "id" if isinstance(self.q, UnsetType) else "rank"
        return PageRequest(self.limit, self.cursor, usual if isinstance(self.sort, UnsetType) else self.sort)

    def filter(self, store: int | str | None) -> Filter:
        given = {name: value for name, value in msgspec.structs.asdict(self).items() if value is not UNSET}
        if "updated_since" in given:
            given["updated_since"] = times.read(given["updated_since"], "updated_since")
        return Filter(store=store, **{name: given[name] for name in WANTED & given.keys()})


class AllItemsQuery(ItemsQuery, kw_only=True, frozen=True, forbid_unknown_fields=True):
    store_id: Annotated[int, Meta(ge=1, le=MAX_ID, description="Only the items of this store.")] | UnsetType = UNSET


ItemOrName = Annotated[item.Item | str, Meta(title="ItemOrName")]


class ItemPage(msgspec.Struct, frozen=True):
    """Whole items for the signed in; for others of `/items` their names, and a message that says so.

    `total` is there if `Prefer: count=exact` asks for it.
    """

    items: Sequence[ItemOrName]
    message: str | UnsetType = UNSET
    total: int | UnsetType = UNSET
    next: str | UnsetType = UNSET


class ItemListResource:
    """/items and /store/{name}/items"""

    tag = "items"

    def __init__(self, guard: Guard, exports: Exports) -> None:
        self._guard = guard
        self._exports = exports

    @authentication_optional
    @responds(ItemPage, headers=HEADERS, errors=ERRORS, formats=tuple(FORMATS), operation_id="listItems")
    async def on_get(self, req: Request, resp: Response, query: AllItemsQuery) -> None:
        """List items: all fields for signed-in users, names for everybody else.

        Signed-in users can export all matching items: `Accept: text/csv` or `application/jsonl`.
        """
        await self._answer(req, resp, query, query.filter(or_none(query.store_id)))
        if not req.claims:
            resp.media = _names_of(resp.media)

    @authentication_optional
    @responds(ItemPage, headers=HEADERS, errors=ERRORS, formats=tuple(FORMATS), operation_id="listItemsInStore")
    async def on_get_in_store(self, req: Request, resp: Response, name: str, query: ItemsQuery) -> None:
        """List the items of a store.

        Signed-in users can export all matching items: `Accept: text/csv` or `application/jsonl`.
        """
        await self._answer(req, resp, query, query.filter(name))

    async def _answer(self, req: Request, resp: Response, query: ItemsQuery, item_filter: Filter) -> None:
        if format := _find_format(req, resp):
            await self._exports.send_items(self._guard.read_list, req, resp, item_filter, format)
            return
        if query.q or query.tag:
            req.charge(SEARCH_UNITS)
        page = await self._guard.read_list(req, item_list.page, item_filter, query.page_request())
        total: Any = UNSET
        if prefers(req, "count=exact"):
            req.charge(COUNT_UNITS)
            total = await self._guard.read_list(req, item_list.count, item_filter)
            resp.set_header("Preference-Applied", "count=exact")
        resp.media = ItemPage(page.rows, total=total, next=link_next(req, resp, query, page.cursor))


def _names_of(page: ItemPage) -> ItemPage:
    names = [each.name for each in page.items if isinstance(each, item.Item)]
    return msgspec.structs.replace(page, items=names, message="More data available if you log in.")


def _find_format(req: Request, resp: Response) -> Format | None:
    """Of a file, if that is what the sender likes better than JSON."""
    resp.append_header("Vary", "Accept")
    format = FORMATS.get(req.client_prefers((falcon.MEDIA_JSON, *FORMATS)) or "")
    if format and req.claims is None:
        raise TokenMissing
    return format
