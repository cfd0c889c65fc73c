"""Exports: all items that are wanted, page by page in the order of their ids, as the lines of a file."""

import time

from sqlalchemy import Connection

from storekeeper.cells import Line
from storekeeper.models import item, listing, paging
from storekeeper.models.item import Item
from storekeeper.models.listing import Filter
from storekeeper.models.store import stores

AT_ONCE = 1000


def page(conn: Connection, wanted: Filter, cursor: str = "") -> paging.Page[Line]:
    """The lines that come after the cursor. No transaction spans the pages, so none hinders those who write."""
    select, columns = listing.query(conn, wanted)
    asked = paging.Asked(AT_ONCE, cursor)
    found = paging.fetch(conn, select.add_columns(stores.c.name.label("store")), columns, asked, "items")
    return paging.Page([line(item.of_row(row), row.store) for row in found.rows], found.cursor)


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
