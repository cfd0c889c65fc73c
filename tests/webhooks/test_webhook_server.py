"""Webhooks on a real server: the process that sends is started, supervised and ended, and may be killed at any time."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa

from storekeeper.database.engine import create_engine
from storekeeper.models import store_member, user
from storekeeper.models.webhook import CHALLENGE, deliveries, webhooks
from tests.support import databases
from tests.support.cast import HASHED, PASSWORD
from tests.support.databases import transaction
from tests.support.server_process import ROOT, Server, Start, await_that, children, is_alive, request, several
from tests.support.webhook_receiver import Receive, Receiver
from tests.support.webhook_senders import presume_dead

JSON = b"Content-Type: application/json\r\n"

both = pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
one = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


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
    yield engine
    engine.dispose()


@pytest.fixture
def start(engine: sa.Engine, url: str, tmp_path: Path) -> Iterator[Start]:
    with several(tmp_path, database_url=url, webhook_networks="127.0.0.0/8") as start:
        yield start


@pytest.fixture
def receiver(receive: Receive) -> Receiver:
    return receive(agrees=True)


class Alice:
    """Who calls a server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        pair = self.call("POST", "/login", {"username": "alice", "password": PASSWORD})
        self._token = f"Authorization: Bearer {pair['access_token']}\r\n".encode()

    _token = b""

    def call(self, method: str, path: str, body: Any = None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        answer = self._server.ask(request(method, path, JSON + self._token, sent))
        assert 200 <= answer.status < 300, answer.body
        return answer.json

    def add(self, url: str, **more: Any) -> Any:
        """A webhook whose receiver has agreed."""
        added = self.call("POST", "/webhooks", {"url": url} | more)
        await_that(lambda: self.call("GET", f"/webhooks/{added['id']}")["is_active"])
        return added

    def sell(self, name: str) -> None:
        self.call("PUT", f"/item/{name}", {"price": 5, "store_id": 1})


def sender(server: Server) -> int:
    """The process that sends."""
    await_that(lambda: children(server.pid))
    server.family()
    return children(server.pid)[0]


def is_served(engine: sa.Engine) -> bool:
    with engine.connect() as conn:
        return bool(conn.scalars(sa.select(webhooks.c.sender)).one())


def states(engine: sa.Engine) -> set[str]:
    with engine.connect() as conn:
        return set(conn.scalars(sa.select(deliveries.c.state).where(deliveries.c.type != CHALLENGE)))


@contextmanager
def no_notes(engine: sa.Engine) -> Iterator[None]:
    """What came of an attempt cannot be written down meanwhile."""
    with engine.begin() as conn:
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            conn.exec_driver_sql("LOCK TABLE deliveries IN SHARE MODE")
        yield


@both
def test_changes_are_sent_by_themselves_and_go_on_after_a_kill(
    start: Start, engine: sa.Engine, receiver: Receiver
) -> None:
    server = start()
    alice = Alice(server)
    alice.add(receiver.url, store="ikea")
    alice.sell("chair")
    await_that(lambda: receiver.messages)
    first = sender(server)
    os.kill(first, signal.SIGKILL)
    await_that(lambda: not is_alive(first))
    alice.sell("table")
    presume_dead(engine)
    alice.call("POST", "/webhooks/1/test")
    await_that(lambda: len(set(receiver.ids)) == 3)
    assert sender(server) != first
    assert [message.json["type"] for message in receiver.messages].count("ping") == 1


@both
def test_killed_between_the_answer_and_its_note_it_sends_again_with_the_same_id(
    start: Start, engine: sa.Engine, receiver: Receiver
) -> None:
    server = start()
    alice = Alice(server)
    has_come, may_answer = Event(), Event()
    receiver.behaviours = iter([lambda: (has_come.set(), may_answer.wait()), 200])
    alice.add(receiver.url, store="ikea")
    alice.sell("chair")
    assert has_come.wait(30)
    with no_notes(engine):
        may_answer.set()
        await_that(lambda: receiver.hung_up)  # the sender has read the answer
        killed = sender(server)
        os.kill(killed, signal.SIGKILL)
        await_that(lambda: not is_alive(killed))
    assert states(engine) == {"pending"}
    presume_dead(engine)
    alice.call("PATCH", "/webhooks/1", {"url": receiver.url})  # wakes another
    await_that(lambda: states(engine) == {"delivered"})
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == len({message.body for message in receiver.messages}) == 1


@one
def test_a_server_ends_its_sender_in_time_and_the_next_goes_on_at_once(
    start: Start, engine: sa.Engine, receiver: Receiver
) -> None:
    server = start()
    alice = Alice(server)
    alice.add(receiver.url)
    await_that(lambda: is_served(engine))
    first, began = sender(server), time.monotonic()
    assert server.end() == 0
    assert time.monotonic() - began < 9
    assert not is_alive(first)
    assert not is_served(engine)
    assert "Traceback" not in server.log
    other = start()
    Alice(other).sell("chair")
    await_that(lambda: receiver.messages)


@one
def test_a_sender_ends_when_its_server_is_killed(start: Start, engine: sa.Engine, receiver: Receiver) -> None:
    server = start()
    Alice(server).add(receiver.url)
    await_that(lambda: is_served(engine))
    left = sender(server)
    server.end(signal.SIGKILL)
    await_that(lambda: not is_alive(left))
    assert not is_served(engine)


@one
def test_a_sender_ends_when_the_last_webhook_is_gone(start: Start, engine: sa.Engine, receiver: Receiver) -> None:
    server = start()
    alice = Alice(server)
    alice.add(receiver.url)
    idle = sender(server)
    alice.call("DELETE", "/webhooks/1")
    await_that(lambda: not is_alive(idle))
    alice.add(receiver.url)
    alice.sell("chair")
    await_that(lambda: receiver.messages)


@both
def test_of_two_servers_one_sends_and_each_change_is_sent_once(
    start: Start, engine: sa.Engine, receiver: Receiver
) -> None:
    first, second = Alice(start()), Alice(start())
    first.add(receiver.url)
    for number in range(5):
        (first if number % 2 else second).sell(f"item{number}")
        second.call("POST", "/webhooks/1/test")
    await_that(lambda: len(set(receiver.ids)) == 10)
    await_that(lambda: states(engine) == {"delivered"})
    assert len(receiver.ids) == 10


@one
def test_what_is_secret_comes_out_nowhere(start: Start, engine: sa.Engine, receiver: Receiver) -> None:
    server = start()
    alice = Alice(server)
    receiver.behaviours = iter([500, 200])
    secret = alice.add(f"{receiver.url}?key=m4rked", store="ikea")["secret"]
    alice.sell("chair")
    await_that(lambda: '"delivery_failed"' in server.log)
    process = Path(f"/proc/{sender(server)}")
    seen = (process / "environ").read_text() + (process / "cmdline").read_text() + server.log
    assert [each for each in ("m4rked", secret) if each in seen] == []


@one
def test_it_can_be_run_by_hand(engine: sa.Engine, url: str, receiver: Receiver, tmp_path: Path) -> None:
    environ = os.environ | {"STOREKEEPER_DATABASE_URL": url, "STOREKEEPER_WEBHOOK_NETWORKS": "127.0.0.0/8"}
    command = [sys.executable, "-m", "storekeeper", "webhooks"]
    run = [*command, "run"]
    assert subprocess.run(run, cwd=ROOT, env=environ, timeout=60, check=True, capture_output=True).stderr == b""
    subprocess.run([*command, "add", receiver.url], cwd=ROOT, env=environ, timeout=60, check=True)
    with subprocess.Popen(run, cwd=ROOT, env=environ) as process:
        await_that(lambda: is_served(engine))
        subprocess.run([*command, "replay", "1", "--after", "0"], cwd=ROOT, env=environ, timeout=60, check=True)
        await_that(lambda: receiver.messages)
        process.terminate()
        assert process.wait(30) == 0
