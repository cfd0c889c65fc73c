"""Imports on a real server: processes that are killed, and what goes on afterwards."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storekeeper.database.engine import create_engine
from storekeeper.models import store_member, user
from storekeeper.models.import_job import jobs
from storekeeper.models.import_queue import HEARTBEAT_TIMEOUT
from storekeeper.models.item import items
from tests.support import databases
from tests.support.cast import HASHED, PASSWORD
from tests.support.databases import transaction
from tests.support.server_process import Server, Start, await_that, children, is_alive, request, several

COUNT = 20_000  # ten steps
DAWDLING = 500_000  # numbers that SQLite counts, which takes about a twentieth of a second
FILE = b"name,price,sku\n" + b"".join(b"item %d,%d.50,S%d\n" % (number, number, number) for number in range(COUNT))
JSON = b"Content-Type: application/json\r\n"
CSV = b"Content-Type: text/csv\r\n"


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return databases.for_a_server(request, tmp_path)


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    """With Alice, who owns the store "ikea"."""
    engine = create_engine(url)
    with transaction(engine) as conn:
        user.add(conn, "alice", HASHED, True)
        store_member.create_store(conn, 1, "ikea", "EUR")
        slow_down(conn)
    yield engine
    with transaction(engine) as conn:
        conn.execute(sa.text(f"DROP TRIGGER dawdle{'' if engine.dialect.name == 'sqlite' else ' ON imports'}"))
    engine.dispose()


def slow_down(conn: sa.Connection) -> None:
    """Let the database dawdle at each step that is imported: what is done amid an import is then done amid it."""
    each = "CREATE TRIGGER dawdle BEFORE UPDATE ON imports FOR EACH ROW WHEN (NEW.state = 'importing')"
    if conn.dialect.name == "sqlite":
        count = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {DAWDLING}) SELECT max(i) FROM n"
        conn.execute(sa.text(f"{each} BEGIN SELECT ({count}); END"))
        return
    body = f"BEGIN PERFORM pg_sleep({DAWDLING / 10_000_000}); RETURN NEW; END"
    conn.execute(sa.text(f"CREATE OR REPLACE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS '{body}'"))
    conn.execute(sa.text(f"{each} EXECUTE FUNCTION dawdle()"))


@pytest.fixture
def start(engine: sa.Engine, url: str, tmp_path: Path) -> Iterator[Start]:
    with several(tmp_path, database_url=url) as start:
        yield start


def token(server: Server) -> bytes:
    body = json.dumps({"username": "alice", "password": PASSWORD}).encode()
    pair = server.ask(request("POST", "/login", JSON, body)).json
    return f"Authorization: Bearer {pair['access_token']}\r\n".encode()


def begin(server: Server) -> int:
    """Start an import; the process that carries it out."""
    answer = server.ask(request("POST", "/imports?store=ikea", CSV + token(server), FILE))
    assert answer.status == 202, answer.body
    await_that(lambda: children(server.pid))
    server.family()
    return children(server.pid)[0]


def state(engine: sa.Engine) -> Any:
    with engine.connect() as conn:
        return conn.execute(sa.select(jobs)).one()


def await_rows(engine: sa.Engine, count: int = 1000) -> None:
    """Until so many are imported, but not all."""
    await_that(lambda: state(engine).state == "importing" and state(engine).rows >= count)
    assert state(engine).state == "importing", "it was too fast"


def presume_dead(engine: sa.Engine) -> None:
    with transaction(engine) as conn:
        conn.execute(sa.update(jobs).values(beat_at=jobs.c.beat_at - HEARTBEAT_TIMEOUT - 1))


def require_whole(engine: sa.Engine) -> None:
    """All is as after an import that nobody interrupted, and every row is there once."""
    ended = state(engine)
    assert (ended.state, ended.rows, ended.added, ended.unchanged, ended.refused) == ("done", COUNT, COUNT, 0, 0)
    with engine.connect() as conn:
        found = conn.execute(sa.select(items.c.name, items.c.price_minor, items.c.sku).order_by(items.c.id)).all()
        searched = conn.scalar(sa.text("SELECT count(*) FROM item_search"))
    assert found == [(f"item {number}", 100 * number + 50, f"S{number}") for number in range(COUNT)]
    assert searched == COUNT


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
def test_a_runner_is_killed_and_another_goes_on_at_once(start: Start, engine: sa.Engine, tmp_path: Path) -> None:
    """Long before the lease of its job would be over: nothing is waited for here for more than half of that."""
    server = start()
    runner = begin(server)
    await_rows(engine)
    cut = state(engine)
    os.kill(runner, signal.SIGKILL)
    await_that(lambda: not is_alive(runner))
    await_that(lambda: state(engine).runner != cut.runner)
    server.family()
    (line,) = [json.loads(each) for each in server.log.splitlines() if '"process_died"' in each]
    assert (line["command"], line["pid"], line["signal"]) == ("imports run --supervised", runner, "SIGKILL")
    await_that(lambda: state(engine).state == "done")
    assert state(engine).deaths == 0, "what it has done since is progress"
    require_whole(engine)
    await_that(lambda: not (tmp_path / "data" / "files" / cut.file).exists())


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_server_is_killed_and_the_next_goes_on(start: Start, engine: sa.Engine) -> None:
    server = start()
    runner = begin(server)
    await_rows(engine)
    server.end(signal.SIGKILL)
    if is_alive(runner):
        os.kill(runner, signal.SIGKILL)
    await_that(lambda: not is_alive(runner))
    assert state(engine).state == "importing"
    presume_dead(engine)
    start()
    await_that(lambda: state(engine).state == "done")
    require_whole(engine)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_runner_that_was_stopped_and_wakes_up_again_doubles_nothing(start: Start, engine: sa.Engine) -> None:
    first, second = start(), start()
    stopped = begin(first)
    await_rows(engine)
    os.kill(stopped, signal.SIGSTOP)
    presume_dead(engine)
    upload = request("POST", "/imports?store=ikea&dry_run=true", CSV + token(second), b"name,price\n")
    other = second.ask(upload).json["id"]
    await_that(lambda: children(second.pid))
    second.family()
    with transaction(engine) as conn:
        conn.execute(sa.delete(jobs).where(jobs.c.id == other))
    os.kill(stopped, signal.SIGCONT)  # both are at work now
    await_that(lambda: state(engine).state == "done")
    await_that(lambda: not is_alive(stopped))
    require_whole(engine)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_server_ends_in_time_amid_an_import(start: Start, engine: sa.Engine) -> None:
    server = start()
    runner = begin(server)
    await_rows(engine)
    began = time.monotonic()
    assert server.end() == 0
    assert time.monotonic() - began < 5
    assert not is_alive(runner)
    left = state(engine)
    assert (left.state, left.runner, left.deaths) == ("importing", None, 0), "it was not given back"
    assert "Traceback" not in server.log
    start()
    await_that(lambda: state(engine).runner is not None)  # at once
