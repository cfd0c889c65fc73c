"""/items/bulk: many items in one request"""

from http import HTTPStatus
from typing import Annotated

import msgspec
from falcon.asgi import Response
from msgspec import UNSET, Meta, UnsetType

from storekeeper.domain import names
from storekeeper.errors import Forbidden, NotFound, StorekeeperError
from storekeeper.http.guard import Guard
from storekeeper.http.operation import LIST_UNITS, accepts, compressible, counts, responds
from storekeeper.http.request import Request
from storekeeper.models import item_bulk_upsert
from storekeeper.models.item import Item
from storekeeper.models.item_fields import Fields
from storekeeper.openapi.schemas import ErrorBody, HttpStatus
from storekeeper.resources.item import StoreId
from storekeeper.resources.pagination import prefers

MAX_ROWS = 1000
MAX_BYTES = 2**20
ROWS_OF_A_UNIT = 10  # of the limits: each takes a tenth, or so, of what a change does by itself


class BulkRow(Fields, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """An item to add, or to change if the store has one of that name. A new one needs a price."""

    store_id: StoreId
    name: Annotated[str, Meta(min_length=1, max_length=names.LENGTH)]


class BulkResult(msgspec.Struct, frozen=True):
    """What became of a row: the item, or the error that the row alone would have had."""

    status: HttpStatus
    item: Item | UnsetType = UNSET
    error: ErrorBody | UnsetType = UNSET


class BulkAnswer(msgspec.Struct, frozen=True):
    """A result for each row, in the order of the rows."""

    results: list[BulkResult]


class ItemBulkResource:
    """/items/bulk"""

    tag = "items"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @accepts(max_bytes=MAX_BYTES, max_rows=MAX_ROWS, gzip=True)
    @compressible
    @counts(LIST_UNITS)
    @responds(BulkAnswer, headers=("Preference-Applied",), errors=(Forbidden, NotFound), operation_id="bulkPutItems")
    async def on_post(self, req: Request, resp: Response, body: list[BulkRow]) -> None:
        """Add and change up to 1,000 items at once: all, or none.

        With `Prefer: handling=lenient`, each row is accepted or refused by itself.
        """
        is_lenient = prefers(req, "handling=lenient")
        req.charge(len(body) // ROWS_OF_A_UNIT)
        rows = [_row(each) for each in body]
        args = req.caller.user_id, rows, is_lenient
        outcomes = await self._guard.write(req, item_bulk_upsert.put, *args)
        resp.media = BulkAnswer([_result(each) for each in outcomes])
        if is_lenient:
            resp.set_header("Preference-Applied", "handling=lenient")


def _row(row: BulkRow | StorekeeperError) -> item_bulk_upsert.UpsertRow | StorekeeperError:
    return item_bulk_upsert.UpsertRow(row.store_id, row.given()) if isinstance(row, BulkRow) else row


def _result(outcome: item_bulk_upsert.Accepted | item_bulk_upsert.Refused) -> BulkResult:
    if isinstance(outcome, item_bulk_upsert.Refused):
        error = ErrorBody(outcome.code, outcome.message, errors=outcome.errors or UNSET)
        return BulkResult(outcome.status, error=error)
    return BulkResult(HTTPStatus.CREATED if outcome.is_new else HTTPStatus.OK, item=outcome.item)
