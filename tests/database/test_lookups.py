"""Look-ups that wait, and take one trip to PostgreSQL together: each finds its own, and what fails harms no other."""

import asyncio
from collections.abc import Sequence
from threading import enumerate as enumerate_threads
from typing import Any

import pytest
import sqlalchemy as sa

from storekeeper.database.compiled_query import CompiledQuery, fetch_together
from storekeeper.database.executor import Database
from storekeeper.models import store
from tests.support.databases import transaction

STORES = 50

_by_name = CompiledQuery(sa.select(store.stores.c.name).where(store.stores.c.name == sa.bindparam("name")))
_broken = CompiledQuery(sa.select(sa.table("nothing", sa.column("id"))))


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many look-ups each trip to PostgreSQL made."""
    made: list[int] = []

    def note(conn: sa.Connection, asked: Sequence[Any]) -> Any:
        made.append(len(asked))
        return fetch_together(conn, asked)

    monkeypatch.setattr("storekeeper.database.worker_connections.fetch_together", note)
    return made


@pytest.fixture(autouse=True)
def _stores(db: Database) -> None:
    with transaction(db.engine) as conn:
        for number in range(STORES):
            store.insert(conn, f"s{number}", "EUR")


def _find(db: Database, *asked: tuple[CompiledQuery, dict[str, str]]) -> list[Any]:
    async def scenario() -> list[Any]:
        return await asyncio.gather(*(db.read_one(*each) for each in asked), return_exceptions=True)

    return asyncio.run(scenario())


def test_each_finds_its_own(db: Database, trips: list[int]) -> None:
    names = [f"s{number}" for number in range(STORES)]
    found = _find(db, *((_by_name, {"name": name}) for name in ("none", *names)))
    assert found == [[], *([(name,)] for name in names)]
    assert sum(trips) > len(trips) or db.engine.dialect.name == "sqlite"


def test_one_that_fails_harms_no_other(db: Database) -> None:
    *found, failed, last = _find(db, *[(_by_name, {"name": "s1"})] * 9, (_broken, {}), (_by_name, {"name": "s2"}))
    assert (found, last) == ([[("s1",)]] * 9, [("s2",)])
    assert isinstance(failed, Exception)


def test_a_connection_that_is_lost_loses_no_look_up(db: Database) -> None:
    asked = [(_by_name, {"name": "s1"})] * STORES
    assert _find(db, *asked) == [[("s1",)]] * STORES
    if db.engine.dialect.name != "sqlite":
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        with db.engine.begin() as conn:
            conn.exec_driver_sql(f"{end} WHERE datname = current_database() AND pid <> pg_backend_pid()")
    assert _find(db, *asked) == [[("s1",)]] * STORES


def test_all_threads_end(db: Database) -> None:
    """One that takes what waits together must not take the others' word that it is over."""
    before = set(enumerate_threads())
    for _ in range(20):
        assert _find(db, (_by_name, {"name": "s1"})) == [[("s1",)]]
        db.close()
        assert set(enumerate_threads()) == before
