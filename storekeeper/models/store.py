"""Stores: the table, the record and everything that can be done with one."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper import dialects, money
from storekeeper.db import Id, Text, metadata
from storekeeper.errors import AlreadyExists, NotFound

stores = sa.Table(
    "stores",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", Text, nullable=False, unique=True),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("negative_stock", sa.Boolean, nullable=False, server_default=sa.false()),
    sqlite_autoincrement=True,
)

sortable = {"id": stores.c.id, "name": stores.c.name}


class Store(msgspec.Struct, frozen=True):
    """`negative_stock` says whether its items may be sold before they are there."""

    id: int
    name: str
    currency: str
    negative_stock: bool


def is_(which: int | str) -> sa.ColumnElement[bool]:
    """The condition that chooses a store, by its id or its name."""
    return stores.c.id == which if isinstance(which, int) else stores.c.name == which


def find(conn: Connection, which: int | str) -> Store | None:
    row = conn.execute(sa.select(stores).where(is_(which))).one_or_none()
    return Store(*row) if row else None


def get(conn: Connection, which: int | str) -> Store:
    store = find(conn, which)
    if store is None:
        raise NotFound("Store not found.")
    return store


def lock(conn: Connection, of: Store) -> None:
    """Keep others from changing who owns the store and from adding items to it. NotFound if one has just deleted it."""
    if conn.execute(sa.select(stores.c.id).where(stores.c.id == of.id).with_for_update()).first() is None:
        raise NotFound("Store not found.")


def take_turns(conn: Connection, of: Store) -> None:
    """For whoever changes many of its items at once: two would each have rows that the other waits for."""
    dialects.serialize(conn, f"items of store {of.id}")


def insert(conn: Connection, name: str, currency: str) -> Store:
    """Add a store that nobody owns yet: `member.found_store` is for people."""
    values: dict[str, Any] = {"name": name, "currency": money.check_currency(currency)}
    row = dialects.insert_new(conn, stores, values)
    if row is None:
        raise AlreadyExists(f"A store with name '{name}' already exists.")
    return Store(*row)


def set_negative_stock(conn: Connection, of: Store, is_allowed: bool) -> Store:
    conn.execute(sa.update(stores).where(stores.c.id == of.id).values(negative_stock=is_allowed))
    return Store(of.id, of.name, of.currency, is_allowed)
