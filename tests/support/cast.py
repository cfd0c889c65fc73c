"""The people of the tests, and their store."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from storekeeper.database.engine import create_engine
from storekeeper.domain.money import PriceInput
from storekeeper.models import item, store_member, user
from storekeeper.models.item_fields import Fields
from storekeeper.security.argon2 import Hasher
from tests.support import databases
from tests.support.databases import transaction

CHEAP = Hasher(8, 1)
PASSWORD = "correct horse battery"
HASHED = CHEAP.hash(PASSWORD)


def add_cast(engine: sa.Engine) -> None:
    """Alice owns the store "ikea" (id 1, EUR) with a chair (15.99), Bob is a clerk there, Carol a stranger."""
    with transaction(engine) as conn:
        for name in ("alice", "bob", "carol"):
            user.add(conn, name, HASHED)
        user.add(conn, "root", HASHED, True)
        store_member.create_store(conn, 1, "ikea", "EUR")
        store_member.put(conn, 1, "ikea", "bob", "clerk")
        item.add(conn, 1, 1, "chair", Fields(price=PriceInput("15.99")))


def shop_for_a_server(request: pytest.FixtureRequest, folder: Path, stock: int = 0) -> str:
    """The URL of a database for a server with its data there.

    In it is Alice, an administrator, who owns the store "ikea" with its chair.
    """
    url = databases.for_a_server(request, folder)
    with transaction(create_engine(url)) as conn:
        user.add(conn, "alice", HASHED, True)
        store_member.create_store(conn, 1, "ikea", "EUR")
        item.add(conn, 1, 1, "chair", Fields(price=PriceInput("15.99"), stock=stock))
    return url
