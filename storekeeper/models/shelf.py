"""Shelves: stores with the first of their items. And what may be done to a store only with a look at its items."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.errors import StoreNotEmpty
from storekeeper.models import item, member, paging, precondition, store
from storekeeper.models.item import Item, items
from storekeeper.models.precondition import Precondition
from storekeeper.models.store import Store, stores

DELETED_AT_ONCE = 1000

_sortable = {"id": items.c.id, "name": items.c.name}
_shown = item.select.where(items.c.archived_at.is_(None))


class Shelf(msgspec.Struct, frozen=True):
    """A store with the first of its items, and where its next page begins; None if that was all."""

    store: Store
    items: list[Item]
    cursor: str | None


def get(conn: Connection, name: str, asked: paging.Asked) -> Shelf:
    """A store with a page of its items."""
    of = store.get(conn, name)
    found = paging.fetch(conn, _shown.where(items.c.store_id == of.id), _sortable, asked)
    return Shelf(of, [item.of_row(row) for row in found.rows], found.cursor)


def page(conn: Connection, asked: paging.Asked) -> paging.Page[Shelf]:
    """A page of stores, each with the first of its items: two statements, however many stores there are."""
    found = paging.fetch(conn, sa.select(stores), store.sortable, asked)
    held = _first_items(conn, [row.id for row in found.rows], asked.limit)
    found_stores = [Store(*tuple(row)) for row in found.rows]
    return paging.Page([_shelf(of, held.get(of.id, [])) for of in found_stores], found.cursor)


def _shelf(of: Store, held: list[Any]) -> Shelf:
    is_more = held and held[-1].bound is not None
    cursor = paging.encode("items", "id", [held[-1].id]) if is_more else None
    return Shelf(of, [item.of_row(each) for each in held], cursor)


def _first_items(conn: Connection, store_ids: Sequence[int], limit: int) -> dict[int, list[Any]]:
    """Up to `limit` rows of each store's items, by store, with the store's bound."""
    ends = sa.select(stores.c.id, _bound(limit).scalar_subquery().label("bound")).where(stores.c.id.in_(store_ids))
    first = ends.subquery()
    is_first = sa.and_(items.c.store_id == first.c.id, items.c.id < sa.func.coalesce(first.c.bound, 2**53))
    held: dict[int, list[Any]] = {}
    for row in conn.execute(_shown.add_columns(first.c.bound).join(first, is_first).order_by(items.c.id)):
        held.setdefault(row.store_id, []).append(row)
    return held


def _bound(limit: int) -> sa.Select[tuple[int]]:
    """The id of the first item that is not on a store's first page; none where all are."""
    shown = sa.select(items.c.id).where(items.c.store_id == stores.c.id, items.c.archived_at.is_(None))
    return shown.order_by(items.c.id).limit(1).offset(limit)


def set_up(
    conn: Connection, user_id: int, name: str, settings: Mapping[str, Any], given: Precondition = precondition.NONE
) -> Store:
    """Change a store that the user owns. `settings` are its columns; StoreNotEmpty where it has prices already."""
    of = store.lock(conn, member.require_owner(conn, user_id, name), given)
    if settings.get("currency", of.currency) != of.currency and _holds_items(conn, of):
        raise StoreNotEmpty("The store holds items, whose prices are in its currency.")
    return store.change(conn, of, settings)


def delete_store(
    conn: Connection, user_id: int, name: str, with_items: bool, given: Precondition = precondition.NONE
) -> None:
    """Delete a store that the user owns. StoreNotEmpty while it holds items, unless they are to go with it."""
    found = member.require_owner(conn, user_id, name)
    store.take_turns(conn, found)
    of = store.lock(conn, found, given)
    if with_items:
        _delete_items(conn, of)
    elif _holds_items(conn, of):
        raise StoreNotEmpty
    store.delete(conn, of)


def _holds_items(conn: Connection, of: Store) -> bool:
    return conn.execute(sa.select(items.c.id).where(items.c.store_id == of.id).limit(1)).first() is not None


def _delete_items(conn: Connection, of: Store) -> None:
    """Some at once, as the journal keeps what each of them was."""
    some = sa.select(items).where(items.c.store_id == of.id).order_by(items.c.id).limit(DELETED_AT_ONCE)
    while rows := conn.execute(some.with_for_update()).all():
        item.delete_all(conn, of, rows)
