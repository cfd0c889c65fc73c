"""/changes as a stream: each change as it is made, to whoever listens and for as long as they may."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from storekeeper.database.engine import create_engine
from storekeeper.models import item
from tests.support import cast
from tests.support.cast import PASSWORD
from tests.support.databases import transaction
from tests.support.server_process import Client, Server, await_that, request

JSON = b"Content-Type: application/json\r\n"
STREAM = b"Accept: text/event-stream\r\n"
CHUNK = re.compile(rb"([0-9a-f]+)\r\n")


class Happened(NamedTuple):
    """An event of a stream."""

    id: str
    event: str
    data: Any


class Listener:
    """Reads events from a connection, with chunks in between that mean nothing."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.head = client.read()
        self._text = b""

    def next(self) -> Happened:
        """The next event that has data."""
        while True:
            while b"\n\n" not in self._text:
                assert self._receive(), "the stream has ended"
            event, _, self._text = self._text.partition(b"\n\n")
            fields = dict(line.split(": ", 1) for line in event.decode().split("\n") if ": " in line)
            if "data" in fields:
                return Happened(fields.get("id", ""), fields["event"], json.loads(fields["data"]))

    def is_over(self) -> bool:
        """Waits for the end; what still comes is no change."""
        while self._receive():
            pass
        return b"event: change" not in self._text

    def _receive(self) -> bool:
        """A chunk more."""
        head = self._line()
        if not head or head == b"0":
            return False
        size = int(head, 16)
        while len(self.client._read) < size + 2:
            if not self.client._receive():
                return False
        self._text += self.client._read[:size]
        self.client._read = self.client._read[size + 2 :]
        return True

    def _line(self) -> bytes:
        while b"\r\n" not in self.client._read:
            if not self.client._receive():
                return b""
        line, _, self.client._read = self.client._read.partition(b"\r\n")
        return line


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return cast.shop_for_a_server(request, tmp_path)


@pytest.fixture
def server(url: str, tmp_path: Path) -> Iterator[Server]:
    server = Server("storekeeper", tmp_path, database_url=url).wait()
    yield server
    server.put_away()


def log_in(server: Server) -> bytes:
    body = json.dumps({"username": "alice", "password": PASSWORD}).encode()
    return (
        b"Authorization: Bearer %s\r\n"
        % str(server.ask(request("POST", "/login", JSON, body)).json["access_token"]).encode()
    )


def listen(server: Server, token: bytes, query: str = "", more: bytes = b"") -> Listener:
    return Listener(server.connect(request("GET", f"/changes{query}", token + STREAM + more)))


def set_price(server: Server, token: bytes, price: int) -> None:
    body = json.dumps({"price": price}).encode()
    assert server.ask(request("PATCH", "/item/chair", JSON + token, body)).status == 200


def test_changes_come_as_they_are_made(server: Server) -> None:
    token = log_in(server)
    listener = listen(server, token, "?after=now")
    assert listener.head.status == 200
    assert listener.head.headers["content-type"].startswith("text/event-stream")
    assert listener.head.headers["x-accel-buffering"] == "no", "nginx would keep the events back"
    assert listener.head.headers["cache-control"] == "no-store"
    for price in (1, 2, 3):
        set_price(server, token, price)
        heard = listener.next()
        assert (heard.event, heard.data["after"]["price"], heard.data["before"]) == (
            "change",
            price,
            {"price": 15.99 if price == 1 else price - 1},
        )
        assert heard.id == str(heard.data["id"])


def test_who_comes_again_goes_on_where_he_was(server: Server) -> None:
    token = log_in(server)
    first = listen(server, token)
    heard = [first.next() for _ in range(2)]
    assert [(each.data["kind"], each.data["action"]) for each in heard] == [("store", "create"), ("item", "create")]
    first.client.close()
    set_price(server, token, 1)
    set_price(server, token, 2)
    again = listen(server, token, "?after=0", b"Last-Event-ID: %s\r\n" % heard[1].id.encode())
    assert [again.next().data["after"]["price"] for _ in range(2)] == [1, 2]


def test_what_another_process_changes_is_heard_too(server: Server, url: str) -> None:
    listener = listen(server, log_in(server), "?after=now")
    with transaction(create_engine(url)) as conn:
        item.adjust_stock(conn, 1, item.ItemRef("chair"), 5)
    assert listener.next().data["after"]["stock"] == 5


def test_who_may_no_longer_hears_no_more(server: Server) -> None:
    token = log_in(server)
    listener = listen(server, token, "?after=now")
    set_price(server, token, 1)
    listener.next()
    other = log_in(server)
    assert server.ask(request("POST", "/logout", token, b"")).status == 200
    set_price(server, other, 2)
    last = listener.next()
    assert (last.event, last.data["error"]) == ("error", "token_revoked")
    assert listener.is_over()


@pytest.mark.parametrize(
    ("query", "more", "status"),
    [
        ("?after=999", b"", 410),
        ("?after=x", b"", 400),
        ("", b"Last-Event-ID: x\r\n", 400),
        ("", b"Last-Event-ID: -1\r\n", 400),
        ("", b"Last-Event-ID: %s\r\n" % (5000 * b"9"), 400),
        ("", b"Last-Event-ID: 999\r\n", 410),
    ],
)
def test_what_is_wrong_is_an_answer_and_no_stream(query: str, more: bytes, status: int, server: Server) -> None:
    answer = server.get(f"/changes{query}", log_in(server) + STREAM + more)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert server.get("/changes", STREAM).status == 401


def test_a_server_ends_in_time_while_some_listen(server: Server) -> None:
    token = log_in(server)
    listeners = [listen(server, token) for _ in range(3)]
    for each in listeners:
        assert [each.next().data["kind"] for _ in range(2)] == ["store", "item"]
    began = time.monotonic()
    assert server.end() == 0
    assert time.monotonic() - began < 5
    assert all(each.is_over() for each in listeners)
    assert "Traceback" not in server.log


def test_who_has_hung_up_is_forgotten(server: Server, url: str) -> None:
    """Or each would be looked after for ever."""
    token = log_in(server)
    for _ in range(5):
        listener = listen(server, token, "?after=now")
        listener.client.close()
    await_that(lambda: server.log.count('"path":"/changes"') == 5)
