"""Stores: the table, the record and everything that can be done with one."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper import db, money
from storekeeper.db import Id, Text, metadata
from storekeeper.errors import AlreadyExists, NotFound

stores = sa.Table(
    "stores",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", Text, nullable=False, unique=True),
    sa.Column("currency", sa.String(3), nullable=False),
    sqlite_autoincrement=True,
)

sortable = {"id": stores.c.id, "name": stores.c.name}


class Store(msgspec.Struct, frozen=True):
    id: int
    name: str
    currency: str


def find(conn: Connection, name: str) -> Store | None:
    row = conn.execute(sa.select(stores).where(stores.c.name == name)).one_or_none()
    return Store(*row) if row else None


def get(conn: Connection, name: str) -> Store:
    store = find(conn, name)
    if store is None:
        raise NotFound("Store not found.")
    return store


def lock(conn: Connection, of: Store) -> None:
    """Keep others from changing who owns the store and from adding items to it. NotFound if one has just deleted it."""
    if conn.execute(sa.select(stores.c.id).where(stores.c.id == of.id).with_for_update()).first() is None:
        raise NotFound("Store not found.")


def insert(conn: Connection, name: str, currency: str) -> Store:
    """Add a store that nobody owns yet: `member.found_store` is for people."""
    values: dict[str, Any] = {"name": name, "currency": money.check_currency(currency)}
    row = db.insert_new(conn, stores, values)
    if row is None:
        raise AlreadyExists(f"A store with name '{name}' already exists.")
    return Store(*row)
