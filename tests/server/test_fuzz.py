"""Whatever is sent: never a 500, and the same verdict on SQLite and on PostgreSQL."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import given, settings

from storekeeper.app import create_app
from storekeeper.database.engine import create_engine, metadata
from storekeeper.database.executor import Database
from storekeeper.domain.money import PriceInput
from storekeeper.models import import_job, item, item_search, session, store_member, user
from storekeeper.models.import_job import ImportRequest
from storekeeper.models.item_fields import Fields
from storekeeper.models.session import SessionLimits
from storekeeper.security import signing_keys
from storekeeper.security.passwords import Passwords
from storekeeper.security.signing_keys import KeyRing
from storekeeper.security.tokens import Lifetimes, Tokens
from storekeeper.settings import Settings
from tests.conftest import RICH, make_parts
from tests.support import databases, raw_requests, request_strategies
from tests.support.cast import CHEAP, HASHED
from tests.support.databases import transaction
from tests.support.request_strategies import Asked

CAST = ("alice", "bob", "carol", "root")


class World(NamedTuple):
    """An application with a database of its own, and the way to make that as it was."""

    app: Any
    reset: Callable[[], None]


def seed(engine: sa.Engine) -> None:
    """The cast, each with a session whose id is the user's; two stores with a chair each; and two imports."""
    with transaction(engine) as conn:
        if conn.dialect.name == "sqlite":
            for table in reversed(metadata.sorted_tables):
                conn.execute(sa.delete(table))
            conn.execute(sa.delete(item_search.entries))
            conn.exec_driver_sql("DELETE FROM sqlite_sequence")
        else:
            conn.exec_driver_sql(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY CASCADE")
        for number, name in enumerate(CAST, 1):
            user.add(conn, name, HASHED, name == "root")
            session.begin(conn, number, SessionLimits(86_400), "", "")
        for number, name in enumerate(("ikea", "lidl"), 1):
            store_member.create_store(conn, number, name, "EUR")
            item.add(conn, number, number, "chair", Fields(price=PriceInput(number)))
        store_member.put(conn, 1, "ikea", "bob", "clerk")
        item.add(conn, 1, 1, "table", Fields(price=PriceInput(1)))
        for _ in range(2):
            import_job.add(conn, 1, ImportRequest(store="ikea", file="imports/a", file_name="", size=1))
        conn.execute(sa.update(import_job.jobs).where(import_job.jobs.c.id == 2).values(state="planned"))


@pytest.fixture
def worlds(template: Path, postgresql_url: str, tmp_path: Path) -> Iterator[list[World]]:
    signing_keys.ensure(tmp_path / "keys.json")
    opened = []
    for url in (databases.copy_file(template, tmp_path), postgresql_url):
        given = Settings(
            data=str(tmp_path), database_url=url, login_failures=10**6, login_failures_overall=10**6, **RICH
        )
        parts = make_parts(given, Database(url), Passwords(CHEAP, 2, 8))
        opened.append((parts, World(create_app(given, parts), partial(seed, create_engine(url)))))
    yield [world for _, world in opened]
    for parts, _ in opened:
        parts.passwords.close()
        parts.images.close()
        parts.db.close()


def tokens_of(folder: Path) -> list[str]:
    """Those of the cast, which are good in both worlds."""
    made = Tokens(KeyRing(folder / "keys.json"), Lifetimes())
    access = [made.access(n, n, fresh=n != 2, is_admin=n == 4) for n in range(1, 5)]
    refresh = made.refresh(1, 1, number=1, began=int(time.time()))
    return [*access, refresh, made.access(1, 99, fresh=True, is_admin=True)]


def agree(worlds: list[World], tokens: list[str], asked: Asked) -> None:
    """Ask in both worlds. What was changed is undone, so that no request depends on another."""
    known = [] if asked.token is None else [("Authorization", f"Bearer {tokens[asked.token]}")]
    answers = [
        raw_requests.send(world.app, asked.method, asked.target, [*known, *asked.headers], asked.body)
        for world in worlds
    ]
    told = [(answer.status, answer.body if answer.status >= 400 else b"") for answer in answers]
    assert told[0] == told[1], asked
    assert told[0][0] < 500, asked
    assert not [phrase for phrase in request_strategies.FOREIGN if phrase.encode() in told[0][1]], asked
    if asked.method not in ("GET", "HEAD", "OPTIONS") and told[0][0] < 400:
        for world in worlds:
            world.reset()


@pytest.fixture
def ask(worlds: list[World], tmp_path: Path) -> Callable[[Asked], None]:
    tokens = tokens_of(tmp_path)
    assert len(tokens) == request_strategies.TOKENS
    for world in worlds:
        world.reset()
    return partial(agree, worlds, tokens)


@pytest.fixture
def document(worlds: list[World]) -> Any:
    return raw_requests.send(worlds[0].app, "GET", "/openapi.json").json


def test_every_edge_gets_the_same_verdict_on_both_databases(ask: Callable[[Asked], None], document: Any) -> None:
    for asked in request_strategies.edges(document):
        ask(asked)


def test_never_a_500_and_the_same_verdict_on_both_databases(ask: Callable[[Asked], None], document: Any) -> None:
    @given(request_strategies.requests(document))
    @settings(max_examples=120)
    def hold(asked: Asked) -> None:
        ask(asked)

    hold()
