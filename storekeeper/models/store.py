"""Stores: the table, the record and everything that can be done with one."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from storekeeper.database import dialects, records
from storekeeper.database.compiled_query import CompiledQuery
from storekeeper.database.engine import Id, Text, metadata
from storekeeper.domain import money, names
from storekeeper.errors import AlreadyExists, NotFound
from storekeeper.models import journal, precondition
from storekeeper.models.precondition import Precondition

stores = sa.Table(
    "stores",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", Text, nullable=False, unique=True),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("negative_stock", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    # None: the operator, or nobody knows. No foreign key: it only counts for that user.
    sa.Column("founder_id", sa.BigInteger, index=True),
    sqlite_autoincrement=True,
)

sortable = {"id": stores.c.id, "name": stores.c.name}


class Store(msgspec.Struct, frozen=True):
    """`negative_stock` says whether its items may be sold before they are there. Each change makes a new `version`."""

    id: int
    name: str
    currency: str
    negative_stock: bool
    version: int

    @property
    def tag(self) -> str:
        return precondition.tag(self.id, self.version)


class StoreField(msgspec.Struct, frozen=True):
    """What its owners may change of a store: how that is checked, its name in a sentence, and an example."""

    name: str
    check: Callable[[Any], Any]
    label: str
    example: Any


# The structs and the console's form stay written by hand: `tests/models/test_store_fields_everywhere.py` holds them.
STORE_FIELDS = (
    StoreField("name", names.of_thing, "name", "ikea"),
    StoreField("currency", money.check_currency, "currency", "EUR"),
    StoreField("negative_stock", bool, "negative stock", False),
)


def check_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the fields that are given, checked, by column."""
    return {field.name: field.check(values[field.name]) for field in STORE_FIELDS if field.name in values}


_find_by_id = CompiledQuery(sa.select(stores).where(stores.c.id == sa.bindparam("store_id")), Store)
_find_by_name = CompiledQuery(sa.select(stores).where(stores.c.name == sa.bindparam("store")), Store)


def find(conn: Connection, store_ref: int | str) -> Store | None:
    """A store, by its id or its name."""
    if isinstance(store_ref, int):
        return _find_by_id.fetch_first(conn, store_id=store_ref)
    return _find_by_name.fetch_first(conn, store=store_ref)


def get(conn: Connection, store_ref: int | str) -> Store:
    store = find(conn, store_ref)
    if store is None:
        raise NotFound("store_not_found")
    return store


def lock(conn: Connection, store: Store, condition: Precondition = precondition.NONE) -> Store:
    """The store as it is now, and until the transaction ends: nobody else changes it or who owns it, or adds items.

    NotFound if somebody has just deleted it, PreconditionFailed if it is not as it is believed to be.
    """
    locked = records.fetch_first(conn, sa.select(stores).where(stores.c.id == store.id).with_for_update(), Store)
    if locked is None:
        raise NotFound("store_not_found")
    condition.check(locked.tag)
    return locked


def take_turns(conn: Connection, store: Store) -> None:
    """For whoever changes many of its items at once: two would each have rows that the other waits for."""
    dialects.serialize(conn, f"items of store {store.id}")


def insert(conn: Connection, name: str, currency: str, creator_id: int | None = None) -> Store:
    """Add a store that nobody owns yet: `store_member.create_store` is for people."""
    values: dict[str, Any] = {"name": name, "currency": money.check_currency(currency), "founder_id": creator_id}
    added = dialects.insert_new(conn, stores, values, stores.c, Store)
    if added is None:
        raise _taken(name)
    journal.append(conn, journal.compare("store", added.id, added.id, None, added))
    return added


def count_created(conn: Connection, creator_id: int) -> int:
    """How many of the stores that this user has created are there, whoever owns them now."""
    return conn.scalars(sa.select(sa.func.count()).where(stores.c.founder_id == creator_id)).one()


def change(conn: Connection, locked: Store, settings: Mapping[str, Any]) -> Store:
    """Change a store that is locked. `settings` are columns with their new values."""
    differing = {name: value for name, value in settings.items() if value != getattr(locked, name)}
    if not differing:
        return locked
    same = sa.and_(stores.c.id == locked.id, stores.c.version == locked.version)
    update = sa.update(stores).where(same).values(version=locked.version + 1, **differing)
    try:
        changed = records.fetch_only(conn, update.returning(*stores.c), Store)
    except IntegrityError:
        raise _taken(differing["name"]) from None
    journal.append(conn, journal.compare("store", locked.id, locked.id, locked, changed))
    return changed


def delete(conn: Connection, locked: Store) -> None:
    """Delete a store that is locked and holds no items."""
    conn.execute(sa.delete(stores).where(stores.c.id == locked.id))
    journal.append(conn, journal.compare("store", locked.id, locked.id, locked, None))


def _taken(name: str) -> AlreadyExists:
    return AlreadyExists("store_name_taken", name=name)
