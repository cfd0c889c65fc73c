"""Storekeeper's side: which names are taken, and writing what was planned, in one transaction."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from secrets import token_urlsafe
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.adoption.plan import AdoptionPlan, ExistingNames
from storekeeper.adoption.stores_and_items import NewItem
from storekeeper.adoption.users import LegacyPassword
from storekeeper.domain import names
from storekeeper.errors import Conflict
from storekeeper.models import item_batch, store, store_member, user
from storekeeper.models.store import Store, stores
from storekeeper.models.user import users
from storekeeper.security.argon2 import Hasher

T = TypeVar("T")

BATCH_SIZE = 5000  # rows of one statement, which may not take long


def read_existing_names(conn: Connection, is_filled_allowed: bool) -> ExistingNames:
    """Conflict where there are stores already and nobody said that this is right: a second run makes copies."""
    names_there = list(conn.scalars(sa.select(stores.c.name)))
    if names_there and not is_filled_allowed:
        raise Conflict("adoption_into_existing")
    return ExistingNames(list(conn.scalars(sa.select(users.c.username))), names_there)


def hash_all(secrets: Sequence[LegacyPassword], hasher: Hasher, at_once: int) -> Iterator[str]:
    """What to store for each, in order. Where there is no password: the hash of one that nobody knows."""
    unknown = hasher.hash(token_urlsafe(32))
    with ThreadPoolExecutor(at_once, "argon2") as pool:
        yield from pool.map(lambda secret: _hash(secret, hasher, unknown), secrets)


def _hash(secret: LegacyPassword, hasher: Hasher, unknown: str) -> str:
    if secret.text is None:
        return unknown
    return secret.text if secret.is_hashed else hasher.hash(secret.text)


def write(conn: Connection, plan: AdoptionPlan, hashes: Sequence[str]) -> None:
    """`hashes` are the users' in order."""
    for rows in _portions(_user_rows(plan, hashes)):
        user.insert_all(conn, rows)
    owner_id = user.get_by_name(conn, plan.owner).id if plan.owner else None
    for each in plan.stores:
        values = each.name, plan.currency
        of = store.insert(conn, *values) if owner_id is None else store_member.add_store(conn, owner_id, *values)
        _write_items(conn, of, each.items)


def _user_rows(plan: AdoptionPlan, hashes: Sequence[str]) -> Iterator[dict[str, Any]]:
    for each, hashed in zip(plan.users, hashes, strict=True):
        yield {
            "username": each.username,
            "username_key": names.fold(each.username),
            "password_hash": hashed,
            "is_admin": each.username == plan.admin,
            "is_active": each.is_active,
        }


def _write_items(conn: Connection, store: Store, new: list[NewItem]) -> None:
    for portion in _portions(new):
        adds = [item_batch.CheckedRow(line, msgspec.structs.asdict(each)) for line, each in enumerate(portion)]
        item_batch.apply(conn, store, item_batch.BatchPlan(adds, [], [], []))


def _portions(rows: Iterable[T]) -> Iterator[list[T]]:
    left = iter(rows)
    while portion := list(islice(left, BATCH_SIZE)):
        yield portion
