"""Stores with the first of their items, and changes of a store that depend on its items."""

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import records
from storekeeper.errors import StoreNotEmpty
from storekeeper.models import item, item_queries, paging, precondition, store, store_member, webhook
from storekeeper.models.item import Item, ItemRow, items
from storekeeper.models.item_queries import FilterShape
from storekeeper.models.paging import Paginator
from storekeeper.models.precondition import Precondition
from storekeeper.models.store import Store, stores
from storekeeper.models.webhook import webhooks

DELETED_AT_ONCE = 1000

_stores = Paginator(sa.select(stores), store.sortable, Store)


class StoreWithItems(msgspec.Struct, frozen=True):
    """A store with the first of its items, and where its next page begins; None if that was all."""

    store: Store
    items: list[Item]
    cursor: str | None


def get(conn: Connection, name: str, page_request: paging.PageRequest) -> StoreWithItems:
    """A store with a page of its items."""
    of = store.get(conn, name)
    found = _items(conn).fetch(conn, page_request, {"store_id": of.id})
    return StoreWithItems(of, found.rows, found.cursor)


def page(conn: Connection, page_request: paging.PageRequest) -> paging.Page[StoreWithItems]:
    """A page of stores, each with the first of its items.

    A statement for each store, in one trip: to find the first of several by one, PostgreSQL read all that they have.
    """
    found = _stores.fetch(conn, page_request)
    values = [{"store_id": of.id} for of in found.rows]
    held = _items(conn).first_of_each(conn, paging.PageRequest(page_request.limit), values)
    with_items = [StoreWithItems(of, each.rows, each.cursor) for of, each in zip(found.rows, held, strict=True)]
    return paging.Page(with_items, found.cursor)


def _items(conn: Connection) -> Paginator[Item]:
    return item_queries.pages(FilterShape(conn.dialect.name, ("store_id",), None, "no"))


def change_settings(
    conn: Connection, user_id: int, name: str, settings: Mapping[str, Any], condition: Precondition = precondition.NONE
) -> Store:
    """Change a store that the user owns. `settings` are its columns; StoreNotEmpty where it has prices already."""
    of = store.lock(conn, store_member.require_owner(conn, user_id, name), condition)
    if settings.get("currency", of.currency) != of.currency and _holds_items(conn, of):
        raise StoreNotEmpty("store_has_prices")
    return store.change(conn, of, settings)


def delete_store(
    conn: Connection, user_id: int, name: str, with_items: bool, condition: Precondition = precondition.NONE
) -> None:
    """Delete a store that the user owns. StoreNotEmpty while it holds items, unless they are to go with it."""
    found = store_member.require_owner(conn, user_id, name)
    store.take_turns(conn, found)
    of = store.lock(conn, found, condition)
    if with_items:
        _delete_items(conn, of)
    elif _holds_items(conn, of):
        raise StoreNotEmpty
    # With the store goes who owned it: afterwards nobody could tell whose webhooks may still tell of its end.
    webhook.pause_orphaned(conn, webhooks.c.store_id == of.id)
    store.delete(conn, of)


def _holds_items(conn: Connection, store: Store) -> bool:
    return conn.execute(sa.select(items.c.id).where(items.c.store_id == store.id).limit(1)).first() is not None


def _delete_items(conn: Connection, store: Store) -> None:
    """Some at once, as the journal keeps what each of them was."""
    some = sa.select(items).where(items.c.store_id == store.id).order_by(items.c.id).limit(DELETED_AT_ONCE)
    while rows := records.fetch_all(conn, some.with_for_update(), ItemRow):
        item.delete_all(conn, store, rows)
