"""Background processes on a real server: one that dies or hangs is replaced, and a job that kills is set aside."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import uvloop
from structlog.testing import capture_logs

from storekeeper.components import create_sender
from storekeeper.concurrency import background_process
from storekeeper.concurrency.background_process import BackgroundProcess, Process
from storekeeper.concurrency.heartbeat import Heartbeat, HeartbeatWriter, read_last
from storekeeper.database.engine import create_engine
from storekeeper.database.executor import Database
from storekeeper.domain.money import PriceInput
from storekeeper.models import item, store_member, user
from storekeeper.models.import_job import jobs
from storekeeper.models.import_queue import MAX_DEATHS
from storekeeper.models.item_fields import Fields
from storekeeper.models.webhook import webhooks
from storekeeper.security import signing_keys
from tests.support import databases
from tests.support.cast import HASHED, PASSWORD
from tests.support.databases import transaction
from tests.support.server_process import Server, Start, await_that, children, is_alive, request, several
from tests.support.webhook_receiver import HANG, Receive
from tests.support.webhook_senders import add

JSON = b"Content-Type: application/json\r\n"
CSV = b"Content-Type: text/csv\r\n"
COUNT = 200_000  # lines, whose check alone takes seconds
FILE = b"name,price\n" + b"".join(b"item %d,%d.50\n" % (number, number) for number in range(COUNT))

both = pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
one = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return databases.for_a_server(request, tmp_path)


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    """With Alice, who owns the store "ikea", and Bob, who owns "shed"."""
    engine = create_engine(url)
    with transaction(engine) as conn:
        for number, (name, store) in enumerate([("alice", "ikea"), ("bob", "shed")], 1):
            user.add(conn, name, HASHED, name == "alice")
            store_member.create_store(conn, number, store, "EUR")
    yield engine
    engine.dispose()


@pytest.fixture
def start(engine: sa.Engine, url: str, tmp_path: Path) -> Iterator[Start]:
    with several(tmp_path, database_url=url, webhook_networks="127.0.0.0/8") as start:
        yield start


class Caller:
    """Somebody who imports into a store."""

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        body = json.dumps({"username": name, "password": PASSWORD}).encode()
        pair = server.ask(request("POST", "/login", JSON, body)).json
        self._token = f"Authorization: Bearer {pair['access_token']}\r\n".encode()

    def bring(self, store: str, file: bytes) -> int:
        answer = self._server.ask(request("POST", f"/imports?store={store}", CSV + self._token, file))
        assert answer.status == 202, answer.body
        return int(answer.json["id"])

    def get(self, path: str) -> Any:
        return self._server.get(path, self._token).json


def row(engine: sa.Engine, import_id: int) -> Any:
    with engine.connect() as conn:
        return conn.execute(sa.select(jobs).where(jobs.c.id == import_id)).one()


def events(server: Server, name: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == name]


def kill(server: Server, pid: int) -> None:
    server.family()
    os.kill(pid, signal.SIGKILL)
    await_that(lambda: not is_alive(pid))


def held_by(engine: sa.Engine, import_id: int, server: Server, but: str | None) -> tuple[str, int]:
    """The runner that has taken an import, other than that one; and the process that it is."""
    await_that(lambda: row(engine, import_id).runner not in (None, but))
    return row(engine, import_id).runner, children(server.pid)[0]


@both
def test_an_import_that_ends_its_process_again_and_again_is_set_aside_and_others_go_on(
    start: Start, engine: sa.Engine
) -> None:
    server = start()
    alice, bob = Caller(server, "alice"), Caller(server, "bob")
    poison = alice.bring("ikea", FILE)
    runner = None
    for _ in range(MAX_DEATHS):
        runner, pid = held_by(engine, poison, server, runner)
        kill(server, pid)
    await_that(lambda: row(engine, poison).state == "failed")
    told = alice.get(f"/imports/{poison}")
    assert (told["state"], told["reason"], told["added"]) == ("failed", "It ended its process 3 times.", 0)
    after = alice.bring("ikea", b"name,price\nlamp,5\n")
    other = bob.bring("shed", b"name,price\nrake,5\n")
    await_that(lambda: row(engine, after).state == row(engine, other).state == "done")
    assert len(events(server, "process_died")) == MAX_DEATHS


@both
def test_a_short_import_of_another_user_begins_while_a_long_one_is_under_way(start: Start, engine: sa.Engine) -> None:
    server = start()
    alice, bob = Caller(server, "alice"), Caller(server, "bob")
    long = alice.bring("ikea", FILE)
    await_that(lambda: row(engine, long).state == "checking")
    short = bob.bring("shed", b"name,price\nrake,5\n")
    await_that(lambda: row(engine, short).state == "done")
    assert row(engine, long).state in ("checking", "importing"), "it was too fast"


@both
def test_a_killed_sender_is_told_of_and_replaced_at_once(start: Start, engine: sa.Engine, receive: Receive) -> None:
    receiver, server = receive(agrees=True), start()
    alice = Caller(server, "alice")
    body = json.dumps({"url": receiver.url, "store": "ikea"}).encode()
    assert server.ask(request("POST", "/webhooks", JSON + alice._token, body)).status == 201
    await_that(lambda: sender_of(engine, 1))
    pid = children(server.pid)[0]
    kill(server, pid)
    sell(engine)
    await_that(lambda: receiver.messages)
    (line,) = events(server, "process_died")
    assert (line["pid"], line["signal"]) == (pid, "SIGKILL")
    assert children(server.pid)[0] != pid


def sender_of(engine: sa.Engine, webhook_id: int) -> str | None:
    with engine.connect() as conn:
        found: str | None = conn.scalars(sa.select(webhooks.c.sender).where(webhooks.c.id == webhook_id)).one()
    return found


def sell(engine: sa.Engine, name: str = "lamp") -> None:
    with transaction(engine) as conn:
        item.add(conn, 1, 1, name, Fields(price=PriceInput("5")))


@both
def test_a_webhook_whose_messages_end_the_sender_again_and_again_is_stopped_and_others_go_on(
    start: Start, engine: sa.Engine, receive: Receive
) -> None:
    """The sender is killed while a message of one is under way, and after one of the other has arrived."""
    poison, good = receive(HANG), receive()
    add(engine, poison.url)
    add(engine, good.url)
    server = start()
    sell(engine)
    for death in range(1, MAX_DEATHS + 1):
        await_that(lambda death=death: len(poison.messages) >= death and sender_of(engine, 1))
        if death == 1:
            await_that(lambda: good.messages)
        kill(server, children(server.pid)[0])
        await_that(lambda death=death: len(events(server, "process_died")) == death)
    await_that(lambda: events(server, "webhook_stopped"))
    sell(engine, "shade")
    await_that(lambda: len(set(good.ids)) == 2)
    with engine.connect() as conn:
        found = conn.execute(sa.select(webhooks.c.is_active, webhooks.c.reason).order_by(webhooks.c.id)).all()
    assert found == [(False, "Sending its messages ended the sender 3 times."), (True, None)]


@one
def test_a_hung_sender_is_ended_and_replaced(
    engine: sa.Engine, url: str, tmp_path: Path, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By this process, as a server would, but with less patience."""
    monkeypatch.setattr("storekeeper.models.webhook_queue.HEARTBEAT_TIMEOUT", 10)  # longer than any start takes
    monkeypatch.setenv("STOREKEEPER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("STOREKEEPER_DATABASE_URL", url)
    monkeypatch.setenv("STOREKEEPER_WEBHOOK_NETWORKS", "127.0.0.0/8")
    receiver = receive()
    add(engine, receiver.url)

    async def scenario() -> None:
        db = Database(url)
        sender = create_sender(db)
        sender.start_if_idle()
        await asyncio.to_thread(await_that, lambda: sender_of(engine, 1))
        (pid,) = children(os.getpid())
        os.kill(pid, signal.SIGSTOP)
        await asyncio.to_thread(await_that, lambda: not is_alive(pid))
        sell(engine)  # only now: it may have been stopped amid a change
        await asyncio.to_thread(await_that, lambda: receiver.messages)
        await sender.close()
        db.close()

    with capture_logs() as lines:
        asyncio.run(scenario())
    assert [line["event"] for line in lines] == ["process_hung"]
    assert lines[0]["silent_seconds"] == 10
    assert sender_of(engine, 1) is None


# SIGHUP


@one
@pytest.mark.parametrize("workers", [1, 2])
def test_sighup_reads_the_keys_again_in_every_process_and_ends_none(
    engine: sa.Engine, url: str, tmp_path: Path, workers: int, receive: Receive
) -> None:
    """To the first process, and to all of them, as when a terminal is closed."""
    add(engine, receive().url)
    given = {"database_url": url, "webhook_networks": "127.0.0.0/8", "workers": workers}
    server = Server("storekeeper", tmp_path, **given).wait()
    try:
        await_that(lambda: sender_of(engine, 1))
        await_that(lambda: server.log.count("Application startup complete") == workers)
        before, sender = server.family(), sender_of(engine, 1)
        server.process.send_signal(signal.SIGHUP)
        await_that(lambda: len(events(server, "keys_reloaded")) == workers)
        (key,) = signing_keys.load(tmp_path / "data" / "keys.json")
        assert {tuple(line["kids"]) for line in events(server, "keys_reloaded")} == {(key.kid,)}
        reloaded = {line["pid"] for line in events(server, "keys_reloaded")}
        assert reloaded <= before
        for pid in filter(is_alive, before):  # of two senders, one has found nothing to do
            os.kill(pid, signal.SIGHUP)
        await_that(lambda: len(events(server, "keys_reloaded")) >= 2 * workers)
        assert server.get("/livez").status == 200
        assert {server.pid, *reloaded} <= server.family()
        assert sender_of(engine, 1) == sender
        assert events(server, "process_died") == []
    finally:
        server.family()
        server.put_away()


@both
@pytest.mark.parametrize("command", ["imports", "webhooks"])
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_sighup_ends_no_background_process_from_its_first_moment(
    engine: sa.Engine, url: str, command: str, run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOREKEEPER_DATABASE_URL", url)
    ends: list[int | None] = []

    async def scenario() -> None:
        for _ in range(3):
            process = await Process.start(sys.executable, "-m", "storekeeper", command, "run", "--supervised")
            count = 0
            while process.returncode is None:
                with suppress(ProcessLookupError):  # it has ended, which nobody has noted yet
                    os.kill(process.pid, signal.SIGHUP)
                count += 1
                await asyncio.sleep(0.001)
            await process.wait()
            ends.append(process.returncode)
            assert count > 1
        assert signal.SIGHUP not in signal.pthread_sigmask(signal.SIG_BLOCK, [])

    run(scenario())
    assert ends == [0, 0, 0], "there was nothing to do"


@one
@pytest.mark.parametrize("workers", [1, 2])
def test_sighup_ends_no_process_of_a_server_from_its_first_moment(
    engine: sa.Engine, url: str, tmp_path: Path, workers: int, receive: Receive
) -> None:
    add(engine, receive().url)
    given = {"database_url": url, "webhook_networks": "127.0.0.0/8", "workers": workers}
    server = Server("storekeeper", tmp_path, **given)

    def bother() -> bool:
        for pid in server.family() - {server.pid}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGHUP)
        return server.log.count("Application startup complete") == workers and bool(sender_of(engine, 1))

    try:
        await_that(bother)
        assert server.wait().get("/livez").status == 200
        assert server.log.count("has died") == 0
        assert events(server, "process_died") == []
    finally:
        server.family()
        server.put_away()


# The parts


def test_a_process_that_cannot_start_is_tried_again_and_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storekeeper.concurrency.background_process.PAUSE_SECONDS", 0.01)

    async def scenario(lines: list[Any]) -> None:
        broken = BackgroundProcess("no-such-command")
        broken.start_if_idle()
        await asyncio.to_thread(await_that, lambda: len(lines) >= 2)
        await broken.close()

    with capture_logs() as lines:
        asyncio.run(scenario(lines))
    assert {(line["event"], line["exit_code"]) for line in lines} == {("process_died", 2)}


def test_a_machine_that_starts_no_process_is_told_of_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storekeeper.concurrency.background_process.PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("sys.executable", "/no/such/python")

    async def scenario(lines: list[Any]) -> None:
        broken = BackgroundProcess("imports", "run")
        broken.start_if_idle()
        await asyncio.to_thread(await_that, lambda: len(lines) >= 2)
        await broken.close()

    with capture_logs() as lines:
        asyncio.run(scenario(lines))
    assert {line["event"] for line in lines} == {"process_not_started"}


def test_each_further_death_is_followed_by_a_longer_pause() -> None:
    assert [background_process.pause_after(deaths) for deaths in (1, 2, 3, 7, 8, 5000)] == [0.5, 1, 2, 32, 60, 60]


@pytest.mark.parametrize(
    ("text", "heartbeat"),
    [
        (b"", None),
        (b"a 1", None),
        (b"a 1\n", Heartbeat("a", (1,))),
        (b"a 1 2\na\na 3 4", Heartbeat("a", ())),
        (b"host/a 17 42\n", Heartbeat("host/a", (17, 42))),
        (b"a x 1\n", Heartbeat("a", (1,))),
    ],
)
def test_the_last_whole_line_counts(text: bytes, heartbeat: Heartbeat | None) -> None:
    assert read_last(text) == heartbeat


def test_a_pulse_never_waits_and_knows_when_nobody_listens() -> None:
    read, write = os.pipe()
    heartbeat = HeartbeatWriter("name", write)
    for _ in range(30):
        heartbeat.beat(range(10**6, 10**6 + 2000))
    text = os.read(read, 4096)
    assert read_last(text) == Heartbeat("name", tuple(range(10**6, 10**6 + 511)))
    assert heartbeat.is_heard
    os.close(read)
    heartbeat.beat()
    assert not heartbeat.is_heard
    os.close(write)
