"""Items: the table, the record and everything that can be done with one.

A name is unique within its store. Where a function takes a name and a `store_id` of None, the name has to be enough.
"""

from collections.abc import Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from storekeeper import db, money
from storekeeper.db import Id, Row, Text, metadata
from storekeeper.errors import AlreadyExists, AmbiguousName, Conflict, NotFound, StoreNotEmpty
from storekeeper.models import member, paging, store
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
    sa.UniqueConstraint("store_id", "name"),
    sa.Index("ix_items_name_id", "name", "id"),
    sa.Index("ix_items_store_id_id", "store_id", "id"),
    sqlite_autoincrement=True,
)

_columns = (items.c.id, items.c.name, items.c.price_minor, items.c.store_id, stores.c.currency)
_select = sa.select(*_columns).join(stores, stores.c.id == items.c.store_id)
_sortable = {"id": items.c.id, "name": items.c.name}
_by_name = (
    _select.add_columns(stores.c.name.label("store"))
    .where(items.c.name == sa.bindparam("name"))
    .order_by(items.c.id)
    # Literally, as SQLite prepares a statement anew whenever a parameter stands there.
    .limit(sa.literal_column(str(CANDIDATES)))
    .offset(sa.literal_column("0"))
)
_in_store = _select.where(items.c.store_id == sa.bindparam("store_id"), items.c.name == sa.bindparam("name"))
_in_named_store = _select.where(stores.c.name == sa.bindparam("store"), items.c.name == sa.bindparam("name"))

_guarded_by_name, _guarded_in_store = Guarded(_by_name), Guarded(_in_store)
_guarded_in_named_store = Guarded(_in_named_store)


class Item(msgspec.Struct, frozen=True):
    id: int
    name: str
    price: Decimal
    store_id: int
    currency: str


class Candidate(msgspec.Struct, frozen=True):
    """A store that has an item of the name that was asked for."""

    store_id: int
    store: str


class Shelf(msgspec.Struct, frozen=True):
    """A store with the first of its items, and where its next page begins; None if that was all."""

    store: Store
    items: list[Item]
    cursor: str | None


def _item(row: Sequence[Any]) -> Item:
    id, name, price_minor, store_id, currency = row[:5]
    return Item(id, name, money.from_minor(price_minor, currency), store_id, currency)


def lookup(name: str, store_id: int | None = None) -> tuple[Guarded, dict[str, Any]]:
    """The query that finds the item, and its values: for `Guard.fetch`. `only` takes the rows."""
    if store_id is None:
        return _guarded_by_name, {"name": name}
    return _guarded_in_store, {"name": name, "store_id": store_id}


def lookup_in(store_name: str, name: str) -> tuple[Guarded, dict[str, Any]]:
    return _guarded_in_named_store, {"store": store_name, "name": name}


def get(conn: Connection, name: str, store_id: int | None = None) -> Item:
    """NotFound, or AmbiguousName where several stores have one and none was chosen."""
    if store_id is None:
        return only(conn.execute(_by_name, {"name": name}).all())
    return only(conn.execute(_in_store, {"name": name, "store_id": store_id}).all())


def get_in(conn: Connection, store_name: str, name: str) -> Item:
    return only(conn.execute(_in_named_store, {"store": store_name, "name": name}).all())


def only(rows: Sequence[Row]) -> Item:
    if not rows:
        raise NotFound("Item not found.")
    if len(rows) > 1:
        raise AmbiguousName([Candidate(row[3], row[5]) for row in sorted(rows, key=itemgetter(0))])
    return _item(rows[0])


def page(conn: Connection, asked: paging.Asked, store_id: int | None = None) -> paging.Page[Item]:
    select = _select if store_id is None else _select.where(items.c.store_id == store_id)
    found = paging.fetch(conn, select, _sortable, asked)
    return paging.Page([_item(row) for row in found.rows], found.cursor)


def shelf(conn: Connection, name: str, asked: paging.Asked) -> Shelf:
    """A store with a page of its items."""
    of = store.get(conn, name)
    found = page(conn, asked, of.id)
    return Shelf(of, found.rows, found.cursor)


def shelves(conn: Connection, asked: paging.Asked) -> paging.Page[Shelf]:
    """A page of stores, each with the first of its items: two statements, however many stores there are."""
    found = paging.fetch(conn, sa.select(stores), store.sortable, asked)
    held = _first_items(conn, [row.id for row in found.rows], asked.limit)
    return paging.Page([_shelf(row, held.get(row.id, [])) for row in found.rows], found.cursor)


def _shelf(row: Any, held: list[Any]) -> Shelf:
    is_more = held and held[-1].bound is not None
    cursor = paging.encode(items.name, "id", "", held[-1].id) if is_more else None
    return Shelf(Store(row.id, row.name, row.currency), [_item(each) for each in held], cursor)


def _first_items(conn: Connection, store_ids: Sequence[int], limit: int) -> dict[int, list[Any]]:
    """Up to `limit` rows of each store's items, by store, with the store's bound."""
    ends = sa.select(stores.c.id, _bound(limit).scalar_subquery().label("bound")).where(stores.c.id.in_(store_ids))
    first = ends.subquery()
    is_first = sa.and_(items.c.store_id == first.c.id, items.c.id < sa.func.coalesce(first.c.bound, 2**53))
    held: dict[int, list[Any]] = {}
    for row in conn.execute(_select.add_columns(first.c.bound).join(first, is_first).order_by(items.c.id)):
        held.setdefault(row.store_id, []).append(row)
    return held


def _bound(limit: int) -> sa.Select[tuple[int]]:
    """The id of the first item that is not on a store's first page; none where all are."""
    return sa.select(items.c.id).where(items.c.store_id == stores.c.id).order_by(items.c.id).limit(1).offset(limit)


def add(conn: Connection, user_id: int, name: str, price: Decimal, store_id: int) -> Item:
    """Add an item to a store where the user works."""
    return _add(conn, member.require_clerk(conn, user_id, store_id), name, price)


def add_in(conn: Connection, user_id: int, store_name: str, name: str, price: Decimal) -> Item:
    return _add(conn, member.require_clerk_of(conn, user_id, store_name), name, price)


def put(conn: Connection, user_id: int, name: str, price: Decimal, store_id: int) -> tuple[Item, bool]:
    """Set the item's price, or add the item where the store has none of that name; and whether it was added."""
    return _put(conn, member.require_clerk(conn, user_id, store_id), name, price)


def put_in(conn: Connection, user_id: int, store_name: str, name: str, price: Decimal) -> tuple[Item, bool]:
    return _put(conn, member.require_clerk_of(conn, user_id, store_name), name, price)


def delete(conn: Connection, user_id: int, name: str, store_id: int | None = None) -> None:
    """Delete an item of a store that the user owns."""
    _delete(conn, user_id, get(conn, name, store_id))


def delete_in(conn: Connection, user_id: int, store_name: str, name: str) -> None:
    _delete(conn, user_id, get_in(conn, store_name, name))


def delete_store(conn: Connection, user_id: int, name: str, with_items: bool) -> None:
    """Delete a store that the user owns. StoreNotEmpty while it holds items, unless they are to go with it."""
    of = member.require_owner_of(conn, user_id, name)
    store.lock(conn, of)
    held = sa.select(items.c.id).where(items.c.store_id == of.id).limit(1)
    if with_items:
        conn.execute(sa.delete(items).where(items.c.store_id == of.id))
    elif conn.execute(held).first():
        raise StoreNotEmpty
    conn.execute(sa.delete(stores).where(stores.c.id == of.id))


def _add(conn: Connection, of: Store, name: str, price: Decimal) -> Item:
    item = _insert(conn, of, name, money.to_minor(price, of.currency))
    if item is None:
        raise AlreadyExists(f"An item with name '{name}' already exists.")
    return item


def _put(conn: Connection, of: Store, name: str, price: Decimal) -> tuple[Item, bool]:
    minor = money.to_minor(price, of.currency)
    if changed := _change(conn, of, name, minor):
        return changed, False
    if added := _insert(conn, of, name, minor):
        return added, True
    if changed := _change(conn, of, name, minor):  # somebody added it between the two
        return changed, False
    raise Conflict


def _insert(conn: Connection, of: Store, name: str, minor: int) -> Item | None:
    try:
        row = db.insert_new(conn, items, {"store_id": of.id, "name": name, "price_minor": minor})
    except IntegrityError:  # the store was deleted since it was looked at
        raise NotFound("Store not found.") from None
    return _item((row.id, name, minor, of.id, of.currency)) if row else None


def _change(conn: Connection, of: Store, name: str, minor: int) -> Item | None:
    change = sa.update(items).where(items.c.store_id == of.id, items.c.name == name).values(price_minor=minor)
    row = conn.execute(change.returning(items.c.id)).one_or_none()
    return _item((row.id, name, minor, of.id, of.currency)) if row else None


def _delete(conn: Connection, user_id: int, item: Item) -> None:
    member.require_owner(conn, user_id, item.store_id)
    if not conn.execute(sa.delete(items).where(items.c.id == item.id)).rowcount:
        raise NotFound("Item not found.")
