"""Shelves: stores with the first of their items. And what may be done to a store only with a look at its items."""

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.errors import StoreNotEmpty
from storekeeper.models import item, item_queries, paging, precondition, store, store_member, webhook
from storekeeper.models.item import Item, items
from storekeeper.models.item_queries import Shape
from storekeeper.models.paging import Pages
from storekeeper.models.precondition import Precondition
from storekeeper.models.store import Store, stores
from storekeeper.models.webhook import webhooks

DELETED_AT_ONCE = 1000

_stores = Pages(sa.select(stores), store.sortable, store.of_row)


class Shelf(msgspec.Struct, frozen=True):
    """A store with the first of its items, and where its next page begins; None if that was all."""

    store: Store
    items: list[Item]
    cursor: str | None


def get(conn: Connection, name: str, asked: paging.Asked) -> Shelf:
    """A store with a page of its items."""
    of = store.get(conn, name)
    found = _items(conn).fetch(conn, asked, {"store_id": of.id})
    return Shelf(of, found.rows, found.cursor)


def page(conn: Connection, asked: paging.Asked) -> paging.Page[Shelf]:
    """A page of stores, each with the first of its items.

    A statement for each store, in one trip: to find the first of several by one, PostgreSQL read all that they have.
    """
    found = _stores.fetch(conn, asked)
    values = [{"store_id": of.id} for of in found.rows]
    held = _items(conn).first_of_each(conn, paging.Asked(asked.limit), values)
    shelves = [Shelf(of, each.rows, each.cursor) for of, each in zip(found.rows, held, strict=True)]
    return paging.Page(shelves, found.cursor)


def _items(conn: Connection) -> Pages[Item]:
    return item_queries.pages(Shape(conn.dialect.name, ("store_id",), None, "no"))


def set_up(
    conn: Connection, user_id: int, name: str, settings: Mapping[str, Any], given: Precondition = precondition.NONE
) -> Store:
    """Change a store that the user owns. `settings` are its columns; StoreNotEmpty where it has prices already."""
    of = store.lock(conn, store_member.require_owner(conn, user_id, name), given)
    if settings.get("currency", of.currency) != of.currency and _holds_items(conn, of):
        raise StoreNotEmpty("The store holds items, whose prices are in its currency.")
    return store.change(conn, of, settings)


def delete_store(
    conn: Connection, user_id: int, name: str, with_items: bool, given: Precondition = precondition.NONE
) -> None:
    """Delete a store that the user owns. StoreNotEmpty while it holds items, unless they are to go with it."""
    found = store_member.require_owner(conn, user_id, name)
    store.take_turns(conn, found)
    of = store.lock(conn, found, given)
    if with_items:
        _delete_items(conn, of)
    elif _holds_items(conn, of):
        raise StoreNotEmpty
    # With the store goes who owned it: afterwards nobody could tell whose webhooks may still tell of its end.
    webhook.pause_orphaned(conn, webhooks.c.store_id == of.id)
    store.delete(conn, of)


def _holds_items(conn: Connection, of: Store) -> bool:
    return conn.execute(sa.select(items.c.id).where(items.c.store_id == of.id).limit(1)).first() is not None


def _delete_items(conn: Connection, of: Store) -> None:
    """Some at once, as the journal keeps what each of them was."""
    some = sa.select(items).where(items.c.store_id == of.id).order_by(items.c.id).limit(DELETED_AT_ONCE)
    while rows := conn.execute(some.with_for_update()).all():
        item.delete_all(conn, of, rows)
