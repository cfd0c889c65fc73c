"""Summaries of stores: how many items each has, and their worth."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import records
from storekeeper.database.records import nested
from storekeeper.domain import money
from storekeeper.models import paging, store
from storekeeper.models.item import items
from storekeeper.models.noted_rights import Role
from storekeeper.models.paging import Paginator
from storekeeper.models.store import Store, stores
from storekeeper.models.store_member import members


class StoreTotals(msgspec.Struct, frozen=True):
    """Of a store's items, without those that are archived: their number, and how many have none on hand.

    `changed` were changed of late, the archived ones too. `value` is that of all that is on hand, in the store's
    currency.
    """

    items: int
    sold_out: int
    changed: int
    value: Decimal


class StoreSummary(msgspec.Struct, frozen=True):
    """A store, what the asker is there, and its sums."""

    store: Store
    role: Role | None
    sums: StoreTotals


_with_role = sa.select(*stores.c, members.c.role).outerjoin(
    members, sa.and_(members.c.store_id == stores.c.id, members.c.user_id == sa.bindparam("user_id"))
)


class _StoreRole(msgspec.Struct, frozen=True):
    """A store, and what the asker is there."""

    store: Store
    role: Role | None


_standing = nested(_StoreRole, store=Store)
_all = Paginator(_with_role, store.sortable, _standing)
_mine = Paginator(_with_role.where(members.c.role.is_not(None)), store.sortable, _standing)


def page(
    conn: Connection, user_id: int, page_request: paging.PageRequest, changed_since: int, *, is_mine: bool
) -> paging.Page[StoreSummary]:
    """Stores by name: all, or those where the user works. Two statements, however many there are."""
    found = (_mine if is_mine else _all).fetch(conn, page_request, {"user_id": user_id})
    added_up = sums(conn, [each.store for each in found.rows], changed_since)
    return paging.Page(
        [StoreSummary(each.store, each.role, added_up[each.store.id]) for each in found.rows], found.cursor
    )


class _Totals(NamedTuple):
    """What a store's row adds up to. `worth` is in minor units, a number of whichever kind the database adds up in."""

    id: int
    items: int
    sold_out: int
    changed: int
    worth: float | Decimal | None


def sums(conn: Connection, of: Sequence[Store], changed_since: int) -> dict[int, StoreTotals]:
    """By the store's id. One statement, in which each figure is found by the index that suits it."""
    currencies = {each.id: each.currency for each in of}
    is_here = items.c.archived_at.is_(None)
    select = sa.select(
        stores.c.id,
        (_of_store(sa.func.count()) - _of_store(sa.func.count(), items.c.archived_at.is_not(None))).label("items"),
        _of_store(sa.func.count(), is_here, items.c.stock <= 0).label("sold_out"),
        _of_store(sa.func.count(), items.c.updated_at >= changed_since).label("changed"),
        _of_store(_worth(conn), is_here).label("worth"),
    )
    found = records.fetch_all(conn, select.where(stores.c.id.in_(currencies)), _Totals)
    return {
        each.id: StoreTotals(
            each.items, each.sold_out, each.changed, money.from_minor(int(each.worth or 0), currencies[each.id])
        )
        for each in found
    }


def _of_store(value: sa.ColumnElement[Any], *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    """Found for one store after the other. All at once, in groups, SQLite takes longer."""
    select = sa.select(value).select_from(items).where(items.c.store_id == stores.c.id, *conditions)
    return select.correlate(stores).scalar_subquery()


def _worth(conn: Connection) -> sa.ColumnElement[Any]:
    """The product may have more digits than a column: SQLite's `total` and PostgreSQL's `numeric` bear that."""
    if conn.dialect.name == "sqlite":  # exact to 2**53
        return sa.func.total(items.c.price_minor * sa.func.max(items.c.stock, 0))
    return sa.func.sum(sa.cast(items.c.price_minor, sa.Numeric) * sa.func.greatest(items.c.stock, 0))


def names(conn: Connection, store_ids: Collection[int]) -> dict[int, str]:
    """Of stores, by their ids."""
    found = conn.execute(sa.select(stores.c.id, stores.c.name).where(stores.c.id.in_(store_ids)))
    return {row.id: row.name for row in found}
