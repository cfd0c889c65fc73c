"""Items: the table, the record and everything that can be done with one.

A name is unique within its store. A store is chosen by its id or its name; where it is None, the item's name has to be
enough.
"""

import time
from collections import namedtuple
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from operator import itemgetter
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from storekeeper.database import dialects
from storekeeper.database.compiled_query import CompiledQuery, limited, reader
from storekeeper.database.engine import Id, Text, metadata
from storekeeper.domain import money
from storekeeper.errors import AlreadyExists, AmbiguousName, Conflict, NotFound, OutOfStock
from storekeeper.models import item_fields, item_search, journal, precondition, store_member, unused_image
from storekeeper.models.item_fields import ITEM_FIELDS, UNIQUE, Fields
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


_COLUMN_OF = {field.name: field.column for field in ITEM_FIELDS}
_ORDER = [_COLUMN_OF.get(field, field) for field in Item.__struct_fields__]
_columns = {**dict(items.c.items()), "currency": stores.c.currency}
# Its columns are in the order of the fields: to pick each row's would take as long as a tenth of a list.
select = sa.select(*map(_columns.__getitem__, _ORDER)).join_from(items, stores, stores.c.id == items.c.store_id)
is_named = items.c.name == sa.bindparam("name")
by_name = limited(select.add_columns(stores.c.name.label("store")).where(is_named).order_by(items.c.id), CANDIDATES)
_find_by_name = CompiledQuery(by_name)
_find_in_store = CompiledQuery(select.where(items.c.store_id == sa.bindparam("store_id"), is_named))
_find_in_named_store = CompiledQuery(select.where(stores.c.name == sa.bindparam("store"), is_named))
_find_image = CompiledQuery(limited(sa.select(items.c.id).where(items.c.image == sa.bindparam("key")), 1))

ItemRow = namedtuple("ItemRow", items.c.keys())  # type: ignore[misc]
_row = reader(ItemRow, items.c)
_locked = sa.select(items).where(items.c.store_id == sa.bindparam("store_id")).with_for_update()
_lock_by_id = CompiledQuery(_locked.where(items.c.id == sa.bindparam("id")), _row)
_lock_by_name = CompiledQuery(_locked.where(items.c.name == sa.bindparam("name")), _row)

COLUMNS = len(select.selected_columns)
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


_candidate = reader(Candidate, by_name.selected_columns)
_in_order = itemgetter(*map([*ItemRow._fields, "currency"].index, _ORDER))


def of_row(row: Sequence[Any]) -> Item:
    """A row that begins with the columns of `select`, as a record."""
    (id, name, minor, store_id, currency, sku, barcode, about, tags, stock, archived_at, image, at, version) = row[
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
        about,
        tags.split(";") if tags else [],
        stock,
        archived_at is not None,
        f"/images/{image}" if image else None,
        at,
        version,
    )


def get(conn: Connection, name: str, store_ref: int | str | None = None) -> Item:
    """NotFound, or AmbiguousName where several stores have one and none was chosen."""
    if store_ref is None:
        return exactly_one(_find_by_name.fetch_all(conn, name=name))
    if isinstance(store_ref, int):
        return exactly_one(_find_in_store.fetch_all(conn, name=name, store_id=store_ref))
    return exactly_one(_find_in_named_store.fetch_all(conn, name=name, store=store_ref))


def find_all(conn: Connection, ids: Sequence[int]) -> list[Item]:
    """Those that are still there."""
    return [of_row(row) for row in conn.execute(select.where(items.c.id.in_(ids)).order_by(items.c.id))]


def exactly_one(rows: Sequence[Sequence[Any]]) -> Item:
    if not rows:
        raise NotFound("item_not_found")
    if len(rows) > 1:
        raise AmbiguousName([_candidate(row) for row in sorted(rows, key=itemgetter(0))])
    return of_row(rows[0])


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
        condition.check(now and _tag(now))
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


def delete_all(conn: Connection, store: Store, locked: Sequence[Any]) -> None:
    """Delete items whose rows are locked."""
    ids = [row.id for row in locked]
    item_search.drop(conn, ids)
    conn.execute(sa.delete(items).where(items.c.id.in_(ids)))
    journal.append(conn, *(changed(store, row, None) for row in locked))


def changed(store: Store, before: Any | None, after: Any | None) -> journal.NewChange:
    """What the journal tells of an item whose row was the one and is the other; None where there is none."""
    was, now = (_item(store, row) if row else None for row in (before, after))
    price = after.price_minor if after and (before is None or before.price_minor != after.price_minor) else None
    return journal.compare("item", store.id, (now or was).id, was, now, price)  # type: ignore[union-attr]


def _take(
    conn: Connection,
    user_id: int,
    target: ItemRef,
    require: Callable[[Connection, int, int], Store] = store_member.require_clerk,
) -> tuple[Store, Any]:
    """The item's store, if the user has a right there, and the item's row, which nobody else changes meanwhile."""
    found = get(conn, target.name, target.store_ref)
    of = require(conn, user_id, found.store_id)
    now = _lock_by_id.fetch_first(conn, store_id=of.id, id=found.id)
    target.condition.check(now and _tag(now))
    if now is None:
        raise NotFound("item_not_found")
    return of, now


def _tag(row: Any) -> str:
    return precondition.tag(row.id, row.version)


def _insert(conn: Connection, store: Store, name: str, values: dict[str, Any]) -> Item | None:
    """None where the store has an item of that name. AlreadyExists where another has that SKU or barcode."""
    item_fields.check_stock(values, store)
    values = {"store_id": store.id, "name": name, "updated_at": int(time.time())} | values
    try:
        row = dialects.insert_new(conn, items, values, items.c)
    except IntegrityError:  # the store was deleted since it was looked at
        raise NotFound("store_not_found") from None
    if row is None:
        _refuse_taken(conn, store, values, items.c.name == name)
        return None
    _index(conn, store, row)
    return _note(conn, store, None, row)


def _change(conn: Connection, store: Store, current: Any, values: dict[str, Any]) -> Item:
    """Change an item whose row is locked. Where nothing would be other than it is, nothing is written."""
    differing = item_fields.differences(values, current)
    if not differing:
        return _item(store, current)
    item_fields.check_stock(differing, store, current.stock)
    if _UNIQUE & differing.keys():
        _refuse_taken(conn, store, differing, items.c.id == current.id)
    values = {"updated_at": int(time.time()), "version": current.version + 1} | differing
    new = {f"new_{column}": value for column, value in values.items()}
    row = _update(tuple(values)).fetch_first(conn, id_is=current.id, version_was=current.version, **new)
    if row is None:
        raise Conflict
    if SEARCHED & differing.keys():
        _index(conn, store, row)
    return _note(conn, store, current, row)


@cache
def _update(columns: tuple[str, ...]) -> CompiledQuery:
    """The change of these columns of an item that is still of the version that was seen."""
    same = sa.and_(items.c.id == sa.bindparam("id_is"), items.c.version == sa.bindparam("version_was"))
    new: dict[str, Any] = {column: sa.bindparam(f"new_{column}") for column in columns}
    return CompiledQuery(sa.update(items).where(same).values(new).returning(*items.c), _row)


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


def _note(conn: Connection, store: Store, before: Any, after: Any) -> Item:
    """Write down what became of an item's row, and return the item."""
    change = changed(store, before, after)
    journal.append(conn, change)
    now: Item = change.after
    return now


def _index(conn: Connection, store: Store, row: Any) -> None:
    item_search.index(
        conn, [item_search.SearchDocument(row.id, store.id, row.name, row.sku, row.barcode, row.description, row.tags)]
    )


def _item(store: Store, row: Sequence[Any]) -> Item:
    return of_row(_in_order([*row, store.currency]))
