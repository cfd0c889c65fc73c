"""Items: the table, the record and everything that can be done with one.

A name is unique within its store. A store is chosen by its id or its name; where it is None, the item's name has to be
enough.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from storekeeper.database import dialects, records
from storekeeper.database.compiled_query import CompiledQuery, limited
from storekeeper.database.engine import Id, Text, metadata
from storekeeper.database.records import nested, reader
from storekeeper.domain import money
from storekeeper.errors import AlreadyExists, AmbiguousName, Conflict, NotFound, OutOfStock
from storekeeper.models import item_fields, item_search, journal, precondition, store_member, unused_image
from storekeeper.models.item_fields import UNIQUE, Fields
from storekeeper.models.precondition import Precondition
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
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    sa.UniqueConstraint("store_id", "name"),
    sa.Index("ix_items_name_id", "name", "id"),
    sa.Index("ix_items_store_id_id", "store_id", "id"),
    sa.Index("uq_items_sku_store_id", "sku", "store_id", unique=True),
    sa.Index("uq_items_barcode_store_id", "barcode", "store_id", unique=True),
    sa.Index("ix_items_store_id_price", "store_id", "price_minor", "id"),
    sa.Index("ix_items_store_id_stock", "store_id", "stock", "id"),
    sa.Index("ix_items_store_id_updated", "store_id", "updated_at", "id"),
    sa.Index("ix_items_updated", "updated_at", "id"),
    sa.Index("ix_items_image", "image", sqlite_where=sa.text("image IS NOT NULL")),
    # So that the others, which are nearly all, can be counted without reading one: all but these. PostgreSQL's has the
    # condition as well: see `journal.changes`.
    sa.Index("ix_items_archived", "store_id", "archived_at", sqlite_where=sa.text("archived_at IS NOT NULL")),
    sqlite_autoincrement=True,
)


class Item(msgspec.Struct, frozen=True):
    """`image` is the path of its picture: `/small` and `/full` go after it. `updated_at` is in seconds since 1970.

    Each change makes a new `version`, which its tag tells.
    """

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
    version: int

    @property
    def tag(self) -> str:
        return precondition.tag(self.id, self.version)


class ItemRow(NamedTuple):
    """A row of the table, as it is while it is changed."""

    id: int
    store_id: int
    name: str
    price_minor: int
    sku: str | None
    barcode: str | None
    description: str
    tags: str
    stock: int
    archived_at: int | None
    image: str | None
    updated_at: int
    version: int

    @property
    def tag(self) -> str:
        return precondition.tag(self.id, self.version)

    def differences(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the columns to set that are not so yet. An item stays archived since it first was."""
        return {column: value for column, value in values.items() if not _is_same(column, value, getattr(self, column))}


def _is_same(column: str, value: Any, known: Any) -> bool:
    if column == "archived_at":
        return (value is None) == (known is None)
    return bool(value == known)


def of_columns(  # noqa: PLR0913, PLR0917  one for each column
    id: int,
    store_id: int,
    name: str,
    price_minor: int,
    sku: str | None,
    barcode: str | None,
    description: str,
    tags: str,
    stock: int,
    archived_at: int | None,
    image: str | None,
    updated_at: int,
    version: int,
    currency: str,
) -> Item:
    """The record of a row of `select`. Without keywords, as they take 3 % of a list."""
    return Item(
        id,
        name,
        money.from_minor(price_minor, currency),
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
        version,
    )


class FoundItem(msgspec.Struct, frozen=True):
    """An item, and the name of its store."""

    item: Item
    store: str


found_item = nested(FoundItem, item=of_columns)

# With these columns and no others, as `of_columns` has them, nothing need be picked out of the rows of a list.
select = sa.select(*items.c, stores.c.currency).join_from(items, stores, stores.c.id == items.c.store_id)
is_named = items.c.name == sa.bindparam("name")
select_found = select.add_columns(stores.c.name.label("store"))
_named = select_found.where(is_named)
_find_by_name = CompiledQuery(limited(_named.order_by(items.c.id), CANDIDATES), found_item)
_find_in_store = CompiledQuery(_named.where(items.c.store_id == sa.bindparam("store_id")), found_item)
_find_in_named_store = CompiledQuery(_named.where(stores.c.name == sa.bindparam("store")), found_item)
_find_image = CompiledQuery(limited(sa.select(items.c.id).where(items.c.image == sa.bindparam("key")), 1))

_locked = sa.select(items).where(items.c.store_id == sa.bindparam("store_id")).with_for_update()
_lock_by_id = CompiledQuery(_locked.where(items.c.id == sa.bindparam("id")), ItemRow)
_lock_by_name = CompiledQuery(_locked.where(items.c.name == sa.bindparam("name")), ItemRow)
_of_columns = reader(of_columns, (*ItemRow._fields, "currency"))

_UNIQUE = {field.column for field in UNIQUE}
SEARCHED = frozenset(item_search.SearchDocument.__struct_fields__) - {"id", "store_id"}


class ItemRef(msgspec.Struct, frozen=True):
    """Which item is meant, by its name and its store, and what the sender believes of it."""

    name: str
    store_ref: int | str | None = None
    condition: Precondition = precondition.NONE


class Candidate(msgspec.Struct, frozen=True):
    """A store that has an item of the name that was asked for."""

    store_id: int
    store: str


def get(conn: Connection, name: str, store_ref: int | str | None = None) -> Item:
    """NotFound, or AmbiguousName where several stores have one and none was chosen."""
    if store_ref is None:
        return exactly_one(_find_by_name.fetch_all(conn, name=name))
    if isinstance(store_ref, int):
        return exactly_one(_find_in_store.fetch_all(conn, name=name, store_id=store_ref))
    return exactly_one(_find_in_named_store.fetch_all(conn, name=name, store=store_ref))


def find_all(conn: Connection, ids: Sequence[int]) -> list[Item]:
    """Those that are still there."""
    return records.fetch_all(conn, select.where(items.c.id.in_(ids)).order_by(items.c.id), of_columns)


def exactly_one(found: Sequence[FoundItem]) -> Item:
    if not found:
        raise NotFound("item_not_found")
    if len(found) > 1:
        in_order = sorted(found, key=lambda each: each.item.id)
        raise AmbiguousName([Candidate(each.item.store_id, each.store) for each in in_order])
    (only,) = found
    return only.item


def add(conn: Connection, user_id: int, store_ref: int | str, name: str, fields: Fields) -> Item:
    """Add an item to a store where the user works. `fields` has a price."""
    of = store_member.require_clerk(conn, user_id, store_ref)
    added = _insert(conn, of, name, item_fields.columns(fields.given(), of))
    if added is None:
        raise AlreadyExists("item_name_taken", name=name)
    return added


def put(
    conn: Connection,
    user_id: int,
    store_ref: int | str,
    name: str,
    fields: Fields,
    condition: Precondition = precondition.NONE,
) -> tuple[Item, bool]:
    """Change the item, or add it where the store has none of that name; and whether it was added."""
    of = store_member.require_clerk(conn, user_id, store_ref)
    values = item_fields.columns(fields.given(), of)
    for _ in range(2):
        now = _lock_by_name.fetch_first(conn, store_id=of.id, name=name)
        condition.check(now.tag if now else None)
        if now:
            return _change(conn, of, now, values), False
        if added := _insert(conn, of, name, values):
            return added, True
    raise Conflict  # somebody added it between the two, and deleted it again


def change(conn: Connection, user_id: int, target: ItemRef, fields: Fields) -> Item:
    """Change fields of an item, which may include its name."""
    of, now = _take(conn, user_id, target)
    return _change(conn, of, now, item_fields.columns(fields.given(), of))


def adjust_stock(conn: Connection, user_id: int, target: ItemRef, delta: int) -> Item:
    """Add to what is on hand, or take away. OutOfStock where the store would have fewer than none."""
    of, now = _take(conn, user_id, target)
    lowest = 0 if delta < 0 and not of.negative_stock else -item_fields.MAX_STOCK
    if not lowest <= now.stock + delta <= item_fields.MAX_STOCK:
        raise OutOfStock("stock_too_low", stock=now.stock, delta=delta)
    return _change(conn, of, now, {"stock": now.stock + delta})


def set_image(conn: Connection, user_id: int, target: ItemRef, image: str | None) -> Item:
    """Name the picture of an item, by its key among the stored files; None for none."""
    of, now = _take(conn, user_id, target)
    if image is not None:
        unused_image.forget(conn, [image])
    return _change(conn, of, now, {"image": image})


def has_image(conn: Connection, key: str) -> bool:
    """Whether an item has this image."""
    return _find_image.fetch_first(conn, key=key) is not None


def images(conn: Connection) -> set[str]:
    """The keys of all pictures that items name."""
    return set(conn.scalars(sa.select(items.c.image).where(items.c.image.is_not(None)).distinct()))


def delete(conn: Connection, user_id: int, target: ItemRef) -> None:
    """Delete an item of a store that the user owns."""
    of, now = _take(conn, user_id, target, store_member.require_owner)
    delete_all(conn, of, [now])


def delete_all(conn: Connection, store: Store, locked: Sequence[ItemRow]) -> None:
    """Delete items whose rows are locked."""
    ids = [row.id for row in locked]
    item_search.drop(conn, ids)
    conn.execute(sa.delete(items).where(items.c.id.in_(ids)))
    journal.append(conn, *(_deleted(store, row) for row in locked))


def added(store: Store, row: ItemRow) -> journal.NewChange:
    """What the journal tells of an item that is new."""
    return journal.compare("item", store.id, row.id, None, of_row(row, store.currency), row.price_minor)


def changed(store: Store, before: ItemRow, after: ItemRow) -> journal.NewChange:
    """What the journal tells of an item whose row was the one and is the other."""
    was, now = of_row(before, store.currency), of_row(after, store.currency)
    price = after.price_minor if before.price_minor != after.price_minor else None
    return journal.compare("item", store.id, after.id, was, now, price)


def _deleted(store: Store, row: ItemRow) -> journal.NewChange:
    return journal.compare("item", store.id, row.id, of_row(row, store.currency), None)


def _take(
    conn: Connection,
    user_id: int,
    target: ItemRef,
    require: Callable[[Connection, int, int], Store] = store_member.require_clerk,
) -> tuple[Store, ItemRow]:
    """The item's store, if the user has a right there, and the item's row, which nobody else changes meanwhile."""
    found = get(conn, target.name, target.store_ref)
    of = require(conn, user_id, found.store_id)
    now = _lock_by_id.fetch_first(conn, store_id=of.id, id=found.id)
    target.condition.check(now.tag if now else None)
    if now is None:
        raise NotFound("item_not_found")
    return of, now


def _insert(conn: Connection, store: Store, name: str, values: dict[str, Any]) -> Item | None:
    """None where the store has an item of that name. AlreadyExists where another has that SKU or barcode."""
    item_fields.check_stock(values, store)
    values = {"store_id": store.id, "name": name, "updated_at": int(time.time())} | values
    try:
        row = dialects.insert_new(conn, items, values, items.c, ItemRow)
    except IntegrityError:  # the store was deleted since it was looked at
        raise NotFound("store_not_found") from None
    if row is None:
        _refuse_taken(conn, store, values, items.c.name == name)
        return None
    _index(conn, row)
    return _note(conn, added(store, row))


def _change(conn: Connection, store: Store, current: ItemRow, values: dict[str, Any]) -> Item:
    """Change an item whose row is locked. Where nothing would be other than it is, nothing is written."""
    differing = current.differences(values)
    if not differing:
        return of_row(current, store.currency)
    item_fields.check_stock(differing, store, current.stock)
    if _UNIQUE & differing.keys():
        _refuse_taken(conn, store, differing, items.c.id == current.id)
    values = {"updated_at": int(time.time()), "version": current.version + 1} | differing
    new = {f"new_{column}": value for column, value in values.items()}
    row = _update(tuple(values)).fetch_first(conn, id_is=current.id, version_was=current.version, **new)
    if row is None:
        raise Conflict
    if SEARCHED & differing.keys():
        _index(conn, row)
    return _note(conn, changed(store, current, row))


@cache
def _update(columns: tuple[str, ...]) -> CompiledQuery[ItemRow]:
    """The change of these columns of an item that is still of the version that was seen."""
    same = sa.and_(items.c.id == sa.bindparam("id_is"), items.c.version == sa.bindparam("version_was"))
    new: dict[str, Any] = {column: sa.bindparam(f"new_{column}") for column in columns}
    return CompiledQuery(sa.update(items).where(same).values(new).returning(*items.c), ItemRow)


def _refuse_taken(conn: Connection, store: Store, values: dict[str, Any], chosen: sa.ColumnElement[bool]) -> None:
    """AlreadyExists, with the name of the other item, where one not `chosen` has that name, SKU or barcode.

    For the sentence: the unique indexes have the last word.
    """
    for field in UNIQUE:
        value = values.get(field.column)
        if value is None:
            continue
        others = sa.select(items.c.name).where(items.c.store_id == store.id, sa.not_(chosen))
        other = conn.scalar(others.where(items.c[field.column] == value))
        if other is not None:
            raise AlreadyExists("item_value_taken", name=other, label=field.label, value=value)


def _note(conn: Connection, change: journal.NewChange) -> Item:
    """Write down what became of an item, and return it."""
    journal.append(conn, change)
    now: Item = change.after
    return now


def _index(conn: Connection, row: ItemRow) -> None:
    item_search.index(conn, [search_entry(row)])


def search_entry(row: ItemRow) -> item_search.SearchDocument:
    return item_search.SearchDocument(row.id, row.store_id, row.name, row.sku, row.barcode, row.description, row.tags)


def of_row(row: ItemRow, currency: str) -> Item:
    """The record of a row."""
    return _of_columns((*row, currency))
