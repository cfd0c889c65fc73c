"""Stores at a glance: how much each holds, and what that is worth."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper import money
from storekeeper.models import paging, store
from storekeeper.models.item import items
from storekeeper.models.member import members
from storekeeper.models.paging import Pages
from storekeeper.models.rights import Role
from storekeeper.models.store import Store, stores
from storekeeper.query import Row, reader


class Sums(msgspec.Struct, frozen=True):
    """Of a store's items, without those that are archived: their number, and how many have none on hand.

    `changed` were changed of late, the archived ones too. `value` is that of all that is on hand, in the store's
    currency.
    """

    items: int
    sold_out: int
    changed: int
    value: Decimal


class Glance(msgspec.Struct, frozen=True):
    """A store, what the asker is there, and its sums."""

    store: Store
    role: Role | None
    sums: Sums


_with_role = sa.select(*stores.c, members.c.role).outerjoin(
    members, sa.and_(members.c.store_id == stores.c.id, members.c.user_id == sa.bindparam("user_id"))
)
_store = reader(Store, _with_role.selected_columns)
_role = _with_role.selected_columns.keys().index("role")


def _standing(row: Row) -> tuple[Store, Role | None]:
    return _store(row), row[_role]


_all = Pages(_with_role, store.sortable, _standing)
_mine = Pages(_with_role.where(members.c.role.is_not(None)), store.sortable, _standing)


def page(
    conn: Connection, user_id: int, asked: paging.Asked, changed_since: int, *, is_mine: bool
) -> paging.Page[Glance]:
    """Stores by name: all, or those where the user works. Four statements, however many there are."""
    found = (_mine if is_mine else _all).fetch(conn, asked, {"user_id": user_id})
    added_up = sums(conn, [of for of, _ in found.rows], changed_since)
    return paging.Page([Glance(of, role, added_up[of.id]) for of, role in found.rows], found.cursor)


def sums(conn: Connection, of: Sequence[Store], changed_since: int) -> dict[int, Sums]:
    """By the store's id. Three statements, each by the index that has what it asks for."""
    currencies = {each.id: each.currency for each in of}
    is_here, is_sold = items.c.store_id.in_(currencies), items.c.archived_at.is_(None)
    worth = _by_store(conn, _worth(conn), is_here, is_sold)
    sold_out = _by_store(conn, sa.literal(0), is_here, is_sold, items.c.stock <= 0)
    changed = _by_store(conn, sa.literal(0), is_here, items.c.updated_at >= changed_since)
    return {
        id: Sums(
            items=_count(worth, id),
            sold_out=_count(sold_out, id),
            changed=_count(changed, id),
            value=money.from_minor(int(worth[id].worth) if id in worth else 0, currency),
        )
        for id, currency in currencies.items()
    }


def _by_store(
    conn: Connection, worth: sa.ColumnElement[Any], *conditions: sa.ColumnElement[bool]
) -> dict[int, sa.Row[Any]]:
    select = sa.select(items.c.store_id, sa.func.count().label("count"), worth.label("worth"))
    return {row.store_id: row for row in conn.execute(select.where(*conditions).group_by(items.c.store_id))}


def _count(rows: dict[int, sa.Row[Any]], id: int) -> int:
    return rows[id]._mapping["count"] if id in rows else 0


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
