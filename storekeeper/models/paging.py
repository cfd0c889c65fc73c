"""Pages of a list, by an opaque cursor over (sort key, id): no row is repeated or dropped while others write."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa
from msgspec import Meta
from sqlalchemy import Connection

from storekeeper.errors import Invalid

MOST = 200
USUAL = 100

T = TypeVar("T")
Columns = Mapping[str, sa.Column[Any]]
Position = tuple[Annotated[str, Meta(max_length=200)], Annotated[int, Meta(ge=0, lt=2**53)]]
Cursor = tuple[str, str, Position]  # of which table, in which order, after what


class Asked(msgspec.Struct, frozen=True):
    """Which page is wanted: at most `limit` rows that come after `cursor` in the order of `sort`."""

    limit: int = USUAL
    cursor: str = ""
    sort: str = "id"


class Page(msgspec.Struct, Generic[T], frozen=True):
    """The rows of a page, and where the next one begins; None on the last."""

    rows: list[T]
    cursor: str | None


def fetch(conn: Connection, select: sa.Select[Any], columns: Columns, asked: Asked) -> Page[sa.Row[Any]]:
    """One page of `select`. `columns` are the keys that it may be sorted by; "id" is one of them, and unique."""
    key, id = columns[asked.sort], columns["id"]
    order = (id,) if asked.sort == "id" else (key, id)
    if asked.cursor:
        select = select.where(_after(asked, order))
    rows = conn.execute(select.order_by(*order).limit(asked.limit + 1)).all()
    return _page(rows, key, id, asked)


def _after(asked: Asked, order: Sequence[sa.Column[Any]]) -> sa.ColumnElement[bool]:
    position = _decode(asked, order[-1].table.name)
    return sa.tuple_(*order) > sa.tuple_(*position[-len(order) :])


def _page(rows: Sequence[sa.Row[Any]], key: Any, id: Any, asked: Asked) -> Page[sa.Row[Any]]:
    if len(rows) <= asked.limit:
        return Page(list(rows), None)
    last = rows[asked.limit - 1]._mapping
    cursor = encode(id.table.name, asked.sort, "" if asked.sort == "id" else last[key], last[id])
    return Page(list(rows[: asked.limit]), cursor)


def encode(table: str, sort: str, key: str, id: int) -> str:
    plain = str(table)  # SQLAlchemy's names are strings of its own kind
    return urlsafe_b64encode(msgspec.json.encode((plain, sort, (key, id)))).decode().rstrip("=")


def _decode(asked: Asked, wanted: str) -> Position:
    """Where the cursor stands. Invalid for one that we did not make, or made for another list or order."""
    try:
        text = urlsafe_b64decode(asked.cursor + "=" * (-len(asked.cursor) % 4))
        cursor: Cursor = msgspec.json.decode(text, type=Cursor)
    except (ValueError, msgspec.DecodeError):
        raise Invalid("This is no cursor.", "cursor") from None
    table, sort, position = cursor
    is_ours = encode(table, sort, *position) == asked.cursor and "\0" not in position[0]
    if not is_ours or (table, sort) != (wanted, asked.sort):
        raise Invalid("This is no cursor of this list in this order.", "cursor")
    return position
