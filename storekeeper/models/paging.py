"""Pages of a list, by an opaque cursor over (sort key, id): no row is repeated or dropped while others write."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa
from msgspec import Meta
from sqlalchemy import Connection

from storekeeper.errors import Invalid
from storekeeper.query import Query, Row, limited

MOST = 200
USUAL = 100

T = TypeVar("T")
Columns = Mapping[str, sa.ColumnElement[Any]]
Key = Annotated[str, Meta(max_length=200)] | Annotated[int, Meta(ge=-(2**53), lt=2**53)]
Position = list[Key]
Cursor = tuple[str, str, Position]  # of which table, in which order, after what


class Asked(msgspec.Struct, frozen=True):
    """Which page is wanted: at most `limit` rows that come after `cursor` in the order of `sort`.

    `sort` is a key; with a minus before it, the order is reversed.
    """

    limit: int = USUAL
    cursor: str = ""
    sort: str = "id"


class Page(msgspec.Struct, Generic[T], frozen=True):
    """The rows of a page, and where the next one begins; None on the last."""

    rows: list[T]
    cursor: str | None


def fetch(
    conn: Connection, select: sa.Select[Any], columns: Columns, asked: Asked, table: str = ""
) -> Page[sa.Row[Any]]:
    """One page of `select`, of the `table` that is named where it is not the one of the ids.

    `columns` are the keys that it may be sorted by; "id" is one of them, and unique. `select` has them all.
    """
    table = table or str(columns["id"].table.name)
    select = _sorted(select, columns, asked.sort)
    if asked.cursor:
        order = _order(columns, asked.sort)
        select = select.where(_behind(order, asked.sort, _position(asked, order, table)))
    rows = conn.execute(select.limit(asked.limit + 1)).all()
    if len(rows) <= asked.limit:
        return Page(list(rows), None)
    return Page(list(rows[: asked.limit]), cursor_at(rows[asked.limit - 1], columns, asked.sort, table))


class Pager:
    """The pages of a select in one order, by a statement that is made once for all of them.

    What its parameters are to be comes with each page. Those that are `further` come behind a cursor.
    """

    def __init__(
        self, select: sa.Select[Any], columns: Columns, sort: str, limit: int, table: str, *, is_further: bool
    ) -> None:
        self._order = _order(columns, sort)
        self._table = table
        self._names = [f"position_{number}" for number in range(len(self._order))]
        names = select.selected_columns.keys()
        self._places = [names.index(str(each.key)) for each in self._order]
        if is_further:
            position = [
                sa.bindparam(name, type_=each.type) for name, each in zip(self._names, self._order, strict=True)
            ]
            select = select.where(_behind(self._order, sort, position))
        self._query = Query(limited(_sorted(select, columns, sort), limit + 1))

    def fetch(self, conn: Connection, asked: Asked, values: Mapping[str, Any]) -> Page[Row]:
        """A page of the order and the limit that this was made for."""
        position = _position(asked, self._order, self._table) if asked.cursor else []
        rows = self._query.fetch(conn, {**values, **dict(zip(self._names, position, strict=False))})
        if len(rows) <= asked.limit:
            return Page(rows, None)
        last = rows[asked.limit - 1]
        return Page(rows[: asked.limit], encode(self._table, asked.sort, [last[place] for place in self._places]))


def cursor_at(row: sa.Row[Any], columns: Columns, sort: str, table: str) -> str:
    """Where the page begins that comes after this row in the order of `sort`."""
    return encode(table, sort, [row._mapping[each] for each in _order(columns, sort)])


def turned(sort: str) -> str:
    """The same order, from its end."""
    return sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"


def _order(columns: Columns, sort: str) -> Sequence[sa.ColumnElement[Any]]:
    return [columns[each] for each in dict.fromkeys((sort.removeprefix("-"), "id"))]


def _sorted(select: sa.Select[Any], columns: Columns, sort: str) -> sa.Select[Any]:
    order = _order(columns, sort)
    return select.order_by(*(each.desc() for each in order) if sort.startswith("-") else order)


def _behind(order: Sequence[sa.ColumnElement[Any]], sort: str, position: Sequence[Any]) -> sa.ColumnElement[bool]:
    keys = sa.tuple_(*order)
    return keys < sa.tuple_(*position) if sort.startswith("-") else keys > sa.tuple_(*position)


def _position(asked: Asked, order: Sequence[sa.ColumnElement[Any]], table: str) -> Position:
    return decode(asked.cursor, table, asked.sort, [each.type.python_type for each in order])


def encode(table: str, sort: str, position: Position) -> str:
    return urlsafe_b64encode(msgspec.json.encode((table, sort, position))).decode().rstrip("=")


def decode(cursor: str, table: str, sort: str, kinds: Sequence[type]) -> Position:
    """Where the cursor stands. Invalid for one that we did not make, or made for another list or order."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        read: Cursor = msgspec.json.decode(text, type=Cursor)
    except (ValueError, msgspec.DecodeError):
        raise Invalid("This is no cursor.", "cursor") from None
    of, order, position = read
    is_ours = encode(of, order, position) == cursor and not any("\0" in str(key) for key in position)
    if not is_ours or (of, order, [type(key) for key in position]) != (table, sort, list(kinds)):
        raise Invalid("This is no cursor of this list in this order.", "cursor")
    return position
