"""Items: the table, the record and everything that can be done with one.

A name is unique within its store. A store is chosen by its id or its name; where it is None, the item's name has to be
enough.
"""

import time
from collections.abc import Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from storekeeper import dialects, money
from storekeeper.db import Id, Row, Text, metadata
from storekeeper.errors import AlreadyExists, AmbiguousName, Conflict, NotFound, OutOfStock
from storekeeper.models import draft, member, search
from storekeeper.models.draft import Fields
from storekeeper.models.session import Guarded
from storekeeper.models.store import Store, stores

CANDIDATES = 100

items = sa.Table(
    "items",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("store_id", sa.ForeignKey("stores.id"), nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("price_minor", sa.BigInteger, sa.CheckConstraint("price_minor >= 0", name="price"), nullable=False),
    sa.Column("sku", Text),
    sa.Column("barcode", Text),
    sa.Column("description", Text, nullable=False, server_default=sa.text("''")),
    sa.Column("tags", Text, nullable=False, server_default=sa.text("''")),  # sorted, with semicolons in between
    sa.Column("stock", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("archived_at", sa.BigInteger),
    sa.Column("image", sa.String),
    sa.Column("updated_at", sa.BigInteger, nullable=False, server_default="0"),
    sa.UniqueConstraint("store_id", "name"),
    sa.Index("ix_items_name_id", "name", "id"),
    sa.Index("ix_items_store_id_id", "store_id", "id"),
    sa.Index("uq_items_sku_store_id", "sku", "store_id", unique=True),
    sa.Index("uq_items_barcode_store_id", "barcode", "store_id", unique=True),
    sa.Index("ix_items_store_id_price", "store_id", "price_minor", "id"),
    sa.Index("ix_items_store_id_stock", "store_id", "stock", "id"),
    sa.Index("ix_items_store_id_updated", "store_id", "updated_at", "id"),
    sa.Index("ix_items_updated", "updated_at", "id"),
    sqlite_autoincrement=True,
)

select = sa.select(*items.c, stores.c.currency).join(stores, stores.c.id == items.c.store_id)
_by_name = (
    select.add_columns(stores.c.name.label("store"))
    .where(items.c.name == sa.bindparam("name"))
    .order_by(items.c.id)
    # Literally, as SQLite prepares a statement anew whenever a parameter stands there.
    .limit(sa.literal_column(str(CANDIDATES)))
    .offset(sa.literal_column("0"))
)
_in_store = select.where(items.c.store_id == sa.bindparam("store_id"), items.c.name == sa.bindparam("name"))
_in_named_store = select.where(stores.c.name == sa.bindparam("store"), items.c.name == sa.bindparam("name"))

_guarded_by_name, _guarded_in_store = Guarded(_by_name), Guarded(_in_store)
_guarded_in_named_store = Guarded(_in_named_store)

COLUMNS = len(select.selected_columns)
SEARCHED = frozenset(("name", "sku", "barcode", "description", "tags"))


class Item(msgspec.Struct, frozen=True):
    """`image` is the path of its picture: `/small` and `/full` go after it. `updated_at` is in seconds since 1970."""

    id: int
    name: str
    price: Decimal
    store_id: int
    currency: str
    sku: str | None
    barcode: str | None
    description: str
    tags: list[str]
    stock: int
    archived: bool
    image: str | None
    updated_at: int


class Candidate(msgspec.Struct, frozen=True):
    """A store that has an item of the name that was asked for."""

    store_id: int
    store: str


def of_row(row: Sequence[Any]) -> Item:
    """A row of `select`, as a record."""
    (id, store_id, name, minor, sku, barcode, description, tags, stock, archived_at, image, updated_at, currency) = row[
        :COLUMNS
    ]
    return Item(
        id,
        name,
        money.from_minor(minor, currency),
        store_id,
        currency,
        sku,
        barcode,
        description,
        tags.split(";") if tags else [],
        stock,
        archived_at is not None,
        f"/images/{image}" if image else None,
        updated_at,
    )


def lookup(name: str, which: int | str | None = None) -> tuple[Guarded, dict[str, Any]]:
    """The query that finds the item, and its values: for `Guard.fetch`. `only` takes the rows."""
    if which is None:
        return _guarded_by_name, {"name": name}
    if isinstance(which, int):
        return _guarded_in_store, {"name": name, "store_id": which}
    return _guarded_in_named_store, {"name": name, "store": which}


def get(conn: Connection, name: str, which: int | str | None = None) -> Item:
    """NotFound, or AmbiguousName where several stores have one and none was chosen."""
    if which is None:
        return only(conn.execute(_by_name, {"name": name}).all())
    if isinstance(which, int):
        return only(conn.execute(_in_store, {"name": name, "store_id": which}).all())
    return only(conn.execute(_in_named_store, {"name": name, "store": which}).all())


def only(rows: Sequence[Row]) -> Item:
    if not rows:
        raise NotFound("Item not found.")
    if len(rows) > 1:
        raise AmbiguousName([Candidate(row[1], row[-1]) for row in sorted(rows, key=itemgetter(0))])
    return of_row(rows[0])


def add(conn: Connection, user_id: int, which: int | str, name: str, fields: Fields) -> Item:
    """Add an item to a store where the user works. `fields` has a price."""
    of = member.require_clerk(conn, user_id, which)
    added = _insert(conn, of, name, draft.columns(fields.given(), of))
    if added is None:
        raise AlreadyExists(f"An item with name '{name}' already exists.")
    return added


def put(conn: Connection, user_id: int, which: int | str, name: str, fields: Fields) -> tuple[Item, bool]:
    """Change the item, or add it where the store has none of that name; and whether it was added."""
    of = member.require_clerk(conn, user_id, which)
    values = draft.columns(fields.given(), of)
    if changed := _change(conn, of, items.c.name == name, values):
        return changed, False
    if added := _insert(conn, of, name, values):
        return added, True
    if changed := _change(conn, of, items.c.name == name, values):  # somebody added it between the two
        return changed, False
    raise Conflict


def change(conn: Connection, user_id: int, name: str, which: int | str | None, fields: Fields) -> Item:
    """Change what is said about an item, which may be its name."""
    now = get(conn, name, which)
    of = member.require_clerk(conn, user_id, now.store_id)
    values = draft.columns(fields.given(), of)
    return _existing(_change(conn, of, items.c.id == now.id, values) if values else now)


def adjust_stock(conn: Connection, user_id: int, name: str, which: int | str | None, delta: int) -> Item:
    """Add to what is on hand, or take away. OutOfStock where the store would have fewer than none."""
    now = get(conn, name, which)
    of = member.require_clerk(conn, user_id, now.store_id)
    after = items.c.stock + delta
    lowest = 0 if delta < 0 and not of.negative_stock else -draft.MOST_STOCK
    is_enough = sa.and_(items.c.id == now.id, after.between(lowest, draft.MOST_STOCK))
    changed = _change(conn, of, is_enough, {"stock": after})
    if changed is None:
        raise OutOfStock(f"{get(conn, name, now.store_id).stock} on hand: that does not go with {delta:+}.")
    return changed


def set_image(conn: Connection, user_id: int, name: str, which: int | str | None, image: str | None) -> Item:
    """Name the picture of an item, by its key among the stored files; None for none."""
    now = get(conn, name, which)
    of = member.require_clerk(conn, user_id, now.store_id)
    return _existing(_change(conn, of, items.c.id == now.id, {"image": image}))


def images(conn: Connection) -> set[str]:
    """The keys of all pictures that items name."""
    return set(conn.scalars(sa.select(items.c.image).where(items.c.image.is_not(None)).distinct()))


def delete(conn: Connection, user_id: int, name: str, which: int | str | None = None) -> None:
    """Delete an item of a store that the user owns."""
    item = get(conn, name, which)
    member.require_owner(conn, user_id, item.store_id)
    search.drop(conn, [item.id])
    if not conn.execute(sa.delete(items).where(items.c.id == item.id)).rowcount:
        raise NotFound("Item not found.")


def _insert(conn: Connection, of: Store, name: str, values: dict[str, Any]) -> Item | None:
    """None where the store has an item of that name. AlreadyExists where another has that SKU or barcode."""
    values = {"store_id": of.id, "name": name, "updated_at": int(time.time())} | values
    try:
        row = dialects.insert_new(conn, items, values)
    except IntegrityError:  # the store was deleted since it was looked at
        raise NotFound("Store not found.") from None
    if row is None:
        _refuse_taken(conn, of, values, items.c.name == name)
        return None
    return _indexed(conn, of, row)


def _change(conn: Connection, of: Store, chosen: sa.ColumnElement[bool], values: dict[str, Any]) -> Item | None:
    """None where the store has no such item."""
    change = sa.update(items).where(items.c.store_id == of.id, chosen)
    _refuse_taken(conn, of, values, chosen)
    row = conn.execute(change.values(updated_at=int(time.time()), **values).returning(*items.c)).one_or_none()
    if row is None:
        return None
    return _indexed(conn, of, row) if SEARCHED & values.keys() else _item(of, row)


def _refuse_taken(conn: Connection, of: Store, values: dict[str, Any], chosen: sa.ColumnElement[bool]) -> None:
    """AlreadyExists, with the name of the other item, where one not `chosen` has that name, SKU or barcode.

    For the sentence: the unique indexes have the last word.
    """
    others = sa.select(items.c.name).where(items.c.store_id == of.id, sa.not_(chosen))
    for field, label in (("name", "name"), ("sku", "SKU"), ("barcode", "barcode")):
        if values.get(field) is None:
            continue
        other = conn.scalar(others.where(items.c[field] == values[field]))
        if other is not None:
            raise AlreadyExists(f"The item '{other}' has the {label} '{values[field]}' already.")


def _indexed(conn: Connection, of: Store, row: Any) -> Item:
    search.index(conn, [search.Entry(row.id, of.id, row.name, row.sku, row.barcode, row.description, row.tags)])
    return _item(of, row)


def _item(of: Store, row: Any) -> Item:
    return of_row([*row, of.currency])


def _existing(item: Item | None) -> Item:
    if item is None:
        raise NotFound("Item not found.")
    return item
