"""Cursor pagination: an opaque cursor over (sort key, id), so that no row is repeated or skipped while others write."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa
from msgspec import Meta
from sqlalchemy import Connection

from storekeeper.database.compiled_query import CompiledQuery, fetch_together, limited
from storekeeper.database.records import Row, reader
from storekeeper.errors import Invalid

MAX_PAGE_SIZE = 200
USUAL = 100
CACHE_SIZE = 256  # statements
POSITION = ("position_0", "position_1")
NOTHING: Mapping[str, Any] = {}

T = TypeVar("T")
Columns = Mapping[str, sa.ColumnElement[Any]]
Key = Annotated[str, Meta(max_length=200)] | Annotated[int, Meta(ge=-(2**53), lt=2**53)]
Position = list[Key]
Cursor = tuple[str, str, Position]  # of which table, in which order, after what


class PageRequest(msgspec.Struct, frozen=True):
    """A page of at most `limit` rows after `cursor`, in the order of `sort`.

    `sort` is a key; a minus before it reverses the order.
    """

    limit: int = USUAL
    cursor: str = ""
    sort: str = "id"


class Page(msgspec.Struct, Generic[T], frozen=True):
    """The rows of a page, and the cursor of the next page; None on the last one."""

    rows: list[T]
    cursor: str | None


class OpenPage(Page[T], Generic[T], frozen=True):
    """A page for whoever stops amid it, or turns round.

    `cursor_at` tells where the page begins that comes after the row of this number, in the order of this `sort`.
    """

    cursor_at: Callable[[int, str], str]


class Paginator(Generic[T]):
    """The pages of a select, and the `record` that its rows become. Each order has a statement that is made once.

    `columns` are the keys that it may be sorted by; "id" is one of them, and unique. `select` has them all. Cursors are
    of the `table` that is named, where it is not the one of the ids. `within` is a column that is the same in all rows,
    and that the indexes of the orders begin with.
    """

    def __init__(
        self,
        select: sa.Select[Any],
        columns: Columns,
        record: Callable[..., T],
        table: str | None = None,
        within: sa.ColumnElement[Any] | None = None,
    ) -> None:
        selected = [str(column.key) for column in select.selected_columns]
        self._select = select
        self._columns = columns
        self._read = reader(record, selected)
        self._table = table or str(columns["id"].table.name)
        self._within = [] if within is None else [within]
        self._places = {key: selected.index(str(column.key)) for key, column in columns.items()}

    def fetch(self, conn: Connection, page_request: PageRequest, values: Mapping[str, Any] = NOTHING) -> Page[T]:
        """A page. `values` are those of the select's parameters."""
        return self._page(self._fetch(conn, page_request, values), page_request)

    def first_of_each(
        self, conn: Connection, page_request: PageRequest, values: Sequence[Mapping[str, Any]]
    ) -> list[Page[T]]:
        """The first page for each of these values, for one trip to PostgreSQL."""
        query = _query(self, page_request.sort, page_request.limit, is_further=False)
        found = fetch_together(conn, [(query, each) for each in values])
        return [self._page(rows, page_request) for rows in found]

    def fetch_open(
        self, conn: Connection, page_request: PageRequest, values: Mapping[str, Any] = NOTHING
    ) -> OpenPage[T]:
        """A page that has a cursor for each of its rows."""
        rows = self._fetch(conn, page_request, values)
        page = self._page(rows, page_request)
        return OpenPage(page.rows, page.cursor, lambda number, sort: self._cursor_at(rows[number], sort))

    def _fetch(self, conn: Connection, page_request: PageRequest, values: Mapping[str, Any]) -> list[Row]:
        """The rows of a page, and one more where that is not the last."""
        position = self._position(page_request) if page_request.cursor else NOTHING
        query = _query(self, page_request.sort, page_request.limit, is_further=bool(page_request.cursor))
        return query.fetch(conn, {**values, **position})

    def _page(self, rows: list[Row], page_request: PageRequest) -> Page[T]:
        if len(rows) <= page_request.limit:
            return Page(list(map(self._read, rows)), None)
        cursor = self._cursor_at(rows[page_request.limit - 1], page_request.sort)
        return Page(list(map(self._read, rows[: page_request.limit])), cursor)

    def _cursor_at(self, row: Row, sort: str) -> str:
        position: Any = [row[self._places[key]] for key in _keys(sort)]
        return encode(self._table, sort, position)

    def _position(self, page_request: PageRequest) -> Mapping[str, Any]:
        kinds = [self._columns[key].type.python_type for key in _keys(page_request.sort)]
        return dict(zip(POSITION, decode(page_request.cursor, self._table, page_request.sort, kinds), strict=False))

    def query(self, sort: str, limit: int, *, is_further: bool) -> CompiledQuery[Row]:
        """A page, behind a cursor if it is a further one, and one row more: that there is one tells of another page."""
        order = [self._columns[key] for key in _keys(sort)]
        is_falling = sort.startswith("-")
        sorted_by = [*self._within, *order]
        select = self._select.order_by(*(each.desc() for each in sorted_by) if is_falling else sorted_by)
        if is_further:
            position = (sa.bindparam(name, type_=each.type) for name, each in zip(POSITION, order, strict=False))
            keys, place = sa.tuple_(*order), sa.tuple_(*position)
            select = select.where(keys < place if is_falling else keys > place)
        return CompiledQuery(limited(select, limit + 1))


@lru_cache(CACHE_SIZE)
def _query(pages: Paginator[Any], sort: str, limit: int, *, is_further: bool) -> CompiledQuery[Row]:
    return pages.query(sort, limit, is_further=is_further)


def reversed_sort(sort: str) -> str:
    """The opposite order: `-price` for `price`, and `price` for `-price`."""
    return sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"


def _keys(sort: str) -> Iterable[str]:
    return dict.fromkeys((sort.removeprefix("-"), "id"))


def encode(table: str, sort: str, position: Position) -> str:
    """An opaque cursor for the page after a position.

    For example, `encode("items", "price", [1599, 42])` is base64 of `["items","price",[1599,42]]`: the next page begins
    after the item 42, which costs 15.99.
    """
    return urlsafe_b64encode(msgspec.json.encode((table, sort, position))).decode().rstrip("=")


def decode(cursor: str, table: str, sort: str, kinds: Sequence[type]) -> Position:
    """The position in a cursor. Raises Invalid for a cursor that is malformed, or of another list or order."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        read: Cursor = msgspec.json.decode(text, type=Cursor)
    except (ValueError, msgspec.DecodeError):
        raise Invalid("cursor_unreadable", field="cursor") from None
    of, order, position = read
    is_ours = encode(of, order, position) == cursor and not any("\0" in str(key) for key in position)
    if not is_ours or (of, order, [type(key) for key in position]) != (table, sort, list(kinds)):
        raise Invalid("cursor_of_another_list", field="cursor")
    return position
