"""Exports: all items that are wanted, in the order of their ids, as the lines of a file.

The file is made in pieces, and each is encoded where its rows are read. A piece is small however long its lines are, as
those who do not read what they have asked for leave pieces lying in memory.
"""

import time
from decimal import Decimal
from functools import lru_cache
from typing import Generic, Literal, TypeVar

import msgspec
from sqlalchemy import Connection

from storekeeper.database.records import nested
from storekeeper.models import item, item_list, item_queries, paging
from storekeeper.models.item import Item
from storekeeper.models.item_list import Filter
from storekeeper.models.item_queries import FilterShape
from storekeeper.models.paging import Paginator
from storekeeper.models.store import stores
from storekeeper.tabular import cells

MAX_BYTES = 256 * 1024  # of a piece, unless its first line is longer
MAX_ROWS = 1024  # that are read at once

Format = Literal["csv", "jsonl"]
P = TypeVar("P")


class Line(msgspec.Struct, frozen=True):
    """An item in an export, its members in the order of the columns. `updated_at` is RFC 3339."""

    id: int
    store: str
    name: str
    price: Decimal
    currency: str
    sku: str | None
    barcode: str | None
    description: str | None
    tags: list[str]
    stock: int
    archived: bool
    image: str | None
    updated_at: str


CSV_HEAD = cells.csv_row(Line.__struct_fields__)


class Piece(msgspec.Struct, Generic[P], frozen=True):
    """Whole lines of a file, and the place where the next piece begins; None behind the last."""

    data: bytes
    following: P | None


class Place(msgspec.Struct, frozen=True):
    """Behind a cursor; and how many rows are likely to fill a piece there."""

    cursor: str = ""
    rows: int = 64


BEGIN = Place()


def piece(conn: Connection, place: Place | None, item_filter: Filter, format: Format) -> Piece[Place]:
    """The lines that come next, or first. No transaction spans the pieces, so none hinders those who write."""
    place = place or BEGIN
    shape, values = item_list.prepare(conn, item_filter)
    pages = _pages(shape)
    page = pages.fetch_open(conn, paging.PageRequest(place.rows, place.cursor), values)
    lines = _encode(page.rows, format)
    is_cut = len(lines) < len(page.rows)
    cursor = page.cursor_at(len(lines) - 1, "id") if is_cut else page.cursor
    data = b"".join(lines)
    following = None if cursor is None else Place(cursor, _count_fitting(lines, len(data)))
    return Piece(CSV_HEAD + data if format == "csv" and not place.cursor else data, following)


def _encode(rows: list[Line], format: Format) -> list[bytes]:
    """These lines as they stand in the file, as many as fit into a piece, but one at least."""
    write = cells.csv_line if format == "csv" else cells.json_line
    lines: list[bytes] = []
    size = 0
    for row in rows:
        encoded = write(row)
        size += len(encoded)
        if lines and size > MAX_BYTES:
            break
        lines.append(encoded)
    return lines


def _count_fitting(lines: list[bytes], size: int) -> int:
    """How many rows to read next, if they are as long as these: a power of two, as each number has its statement."""
    fitting = min(MAX_BYTES * len(lines) // size, MAX_ROWS)
    return 1 << max(fitting.bit_length() - 1, 0)


@lru_cache(paging.CACHE_SIZE)
def _pages(shape: FilterShape) -> Paginator[Line]:
    select, columns = item_queries.select_items(shape)
    select = select.add_columns(stores.c.name.label("store"))
    return Paginator(select, columns, _line, "items", item_queries.leading_column(shape))


def line(item: Item, store: str) -> Line:
    return Line(
        id=item.id,
        store=store,
        name=item.name,
        price=item.price,
        currency=item.currency,
        sku=item.sku,
        barcode=item.barcode,
        description=item.description,
        tags=item.tags,
        stock=item.stock,
        archived=item.archived,
        image=item.image,
        updated_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(item.updated_at)),
    )


_line = nested(line, item=item.of_columns)
