"""Exports: all items that are wanted, page by page in the order of their ids, as the lines of a file."""

import time
from functools import lru_cache

from sqlalchemy import Connection

from storekeeper.cells import Line
from storekeeper.models import item, listing, paging, sieve
from storekeeper.models.item import Item
from storekeeper.models.listing import Filter
from storekeeper.models.paging import Pages
from storekeeper.models.sieve import Shape
from storekeeper.models.store import stores
from storekeeper.query import Row

AT_ONCE = 1000


def page(conn: Connection, wanted: Filter, cursor: str = "") -> paging.Page[Line]:
    """The lines that come after the cursor. No transaction spans the pages, so none hinders those who write."""
    shape, values = listing.prepare(conn, wanted)
    return _pages(shape).fetch(conn, paging.Asked(AT_ONCE, cursor), values)


@lru_cache(paging.REMEMBERED)
def _pages(shape: Shape) -> Pages[Line]:
    select, columns = sieve.listed(shape)
    return Pages(select.add_columns(stores.c.name.label("store")), columns, _line, "items", sieve.within(shape))


def _line(row: Row) -> Line:
    return line(item.of_row(row), row[-1])


def line(each: Item, store: str) -> Line:
    return Line(
        id=each.id,
        store=store,
        name=each.name,
        price=each.price,
        currency=each.currency,
        sku=each.sku,
        barcode=each.barcode,
        description=each.description,
        tags=each.tags,
        stock=each.stock,
        archived=each.archived,
        image=each.image,
        updated_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(each.updated_at)),
    )
