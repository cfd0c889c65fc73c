"""A commit that was not confirmed: with an Idempotency-Key the server finds out what became of it, and answers that."""

import asyncio
import resource
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.errors import OutcomeUnknown, Unavailable
from storekeeper.models import store
from storekeeper.settings import Settings
from tests.database.test_executor import by_operator, database
from tests.support import commit_proxy
from tests.support.commit_proxy import Cut, Proxy
from tests.support.concurrent_workers import Answer, Call, call, log_in, send, statuses, worker

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"

on_postgresql = pytest.mark.parametrize("url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def proxy(engine: sa.Engine, url: str) -> Iterator[Proxy]:
    with commit_proxy.proxy(url) as proxy:
        yield proxy


@pytest.fixture
def behind(proxy: Proxy, settings: Settings) -> Settings:
    return Settings(data=settings.data, database_url=proxy.url)


def add_stock(token: str, key: str = KEY) -> Call:
    return Call("POST", "/item/chair/stock", {"delta": 3}, token, more=(("Idempotency-Key", key),))


def ask(app: Any, asked: Call) -> Answer:
    return asyncio.run(send(app, asked))


@on_postgresql
@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_change_with_a_key_is_made_once_and_its_sender_notices_nothing(
    cut: Cut, proxy: Proxy, behind: Settings
) -> None:
    with worker(behind, seconds=30) as app:
        token = log_in(app, "alice")["access_token"]
        proxy.cut = cut
        first = ask(app, add_stock(token))
        assert proxy.cut is None
        assert (first.status, first.body["stock"]) == (200, 3)
        assert ask(app, add_stock(token)).text == first.text
        assert call(app, "GET", "/item/chair", token=token).body["stock"] == 3


@on_postgresql
def test_a_commit_that_the_server_gets_late_is_waited_for(proxy: Proxy, behind: Settings) -> None:
    """Its transaction holds the key until then: a second one beside it would make the change twice."""

    async def scenario(app: Any, token: str) -> Answer:
        proxy.came_back.clear()
        proxy.cut = "late"
        asked = asyncio.create_task(send(app, add_stock(token)))
        await asyncio.to_thread(proxy.came_back.wait, 10)
        proxy.release.set()
        return await asked

    with worker(behind, seconds=30) as app:
        token = log_in(app, "alice")["access_token"]
        first = asyncio.run(scenario(app, token))
        assert (first.status, first.body["stock"]) == (200, 3)
        assert call(app, "GET", "/item/chair", token=token).body["stock"] == 3


@on_postgresql
def test_what_cannot_be_settled_in_time_is_told_and_can_be_asked_for_again(proxy: Proxy, behind: Settings) -> None:
    with worker(behind, seconds=30) as patient, worker(behind, seconds=0.5) as app:
        token = log_in(patient, "alice")["access_token"]
        proxy.cut = "late"
        first = ask(app, add_stock(token))
        assert (first.status, first.body["error"], first.headers["retry-after"]) == (503, "unavailable", "1")
        assert first.body["message"] == "The database was lost during the change. Look whether it was made."
        proxy.release.set()
        answers = [ask(patient, add_stock(token))]
        while answers[-1].status == 409:
            answers.append(ask(patient, add_stock(token)))
        assert set(statuses(answers)) <= {200, 409}
        assert answers[-1].body["stock"] == 3


@on_postgresql
@pytest.mark.parametrize(("cut", "kept"), [("before", 0), ("after", 3)])
def test_a_change_without_a_key_is_not_tried_again(cut: Cut, kept: int, proxy: Proxy, behind: Settings) -> None:
    with worker(behind, seconds=30) as app:
        token = log_in(app, "alice")["access_token"]
        proxy.cut = cut
        lost = call(app, "POST", "/item/chair/stock", {"delta": 3}, token)
        assert (lost.status, lost.body["message"]) == (503, str(OutcomeUnknown()))
        assert (call(app, "GET", "/item/chair", token=token).body["stock"] or 0) == kept


@on_sqlite
def test_a_disk_that_was_full_at_the_commit_only_is_not_noticed(
    engine: sa.Engine, settings: Settings, tmp_path: Path
) -> None:
    """The change was not kept: it is made when it is tried again, and once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    commits: list[Connection] = []

    def fill_once(conn: Connection) -> None:
        commits.append(conn)
        size = (tmp_path / "storekeeper.db-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size if len(commits) == 1 else soft, hard))

    with worker(settings, seconds=30) as app:
        token = log_in(app, "alice")["access_token"]
        sa.event.listen(sa.Engine, "commit", fill_once)
        try:
            first = ask(app, add_stock(token))
        finally:
            sa.event.remove(sa.Engine, "commit", fill_once)
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (first.status, first.body["stock"], len(commits)) == (200, 3, 2)
        assert call(app, "GET", "/item/chair", token=token).body["stock"] == 3


def test_who_is_given_up_during_the_commit_is_told_that_nobody_knows(engine: sa.Engine, url: str) -> None:
    """Before it, that nothing was made, which is then made true."""
    begun, release = Event(), Event()

    def hang(_conn: Connection) -> None:
        begun.set()
        release.wait(30)

    async def scenario(db: Any) -> None:
        with pytest.raises(OutcomeUnknown):
            await db.write(by_operator, store.insert, "kept", "EUR")
        assert begun.is_set()
        release.set()

    with database(url, seconds=0.5) as db:
        sa.event.listen(db.engine, "commit", hang)
        try:
            asyncio.run(scenario(db))
        finally:
            release.set()
    with database(url) as db:
        asyncio.run(db.write(by_operator, store.insert, "later", "EUR"))
        assert asyncio.run(db.read(store.get, "kept")).name == "kept"
        with pytest.raises(Unavailable) as told:
            asyncio.run(_given_up_before(db))
        assert not isinstance(told.value, OutcomeUnknown)


async def _given_up_before(db: Any) -> None:
    db._writers._seconds = 0.2
    await db.write(lambda _conn: Event().wait(1))
