"""Summaries of stores: how many items each has, and their worth."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database.compiled_query import Row, reader
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
_store = reader(Store, _with_role.selected_columns)
_role = _with_role.selected_columns.keys().index("role")


def _standing(row: Row) -> tuple[Store, Role | None]:
    return _store(row), row[_role]


_all = Paginator(_with_role, store.sortable, _standing)
_mine = Paginator(_with_role.where(members.c.role.is_not(None)), store.sortable, _standing)


def page(
    conn: Connection, user_id: int, page_request: paging.PageRequest, changed_since: int, *, is_mine: bool
) -> paging.Page[StoreSummary]:
    """Stores by name: all, or those where the user works. Two statements, however many there are."""
    found = (_mine if is_mine else _all).fetch(conn, page_request, {"user_id": user_id})
    added_up = sums(conn, [of for of, _ in found.rows], changed_since)
    return paging.Page([StoreSummary(of, role, added_up[of.id]) for of, role in found.rows], found.cursor)


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
    return {
        row.id: StoreTotals(
            row.items, row.sold_out, row.changed, money.from_minor(int(row.worth or 0), currencies[row.id])
        )
        for row in conn.execute(select.where(stores.c.id.in_(currencies)))
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
    return {
        row.id: row.name
        for row in conn.execute(sa.select(stores.c.id, stores.c.name).where(stores.c.id.in_(store_ids)))
    }
