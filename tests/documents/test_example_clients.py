"""examples/mirror.py and examples/till.py, before a real server: restarts of either side, and answers that are lost."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa

from storekeeper.database import records
from storekeeper.database.engine import create_engine
from storekeeper.domain.money import PriceInput
from storekeeper.models import item, journal, store_items
from storekeeper.models.item_fields import Fields
from tests.support import cast
from tests.support.cast import PASSWORD
from tests.support.databases import transaction
from tests.support.server_process import ROOT, Server, await_that

EXAMPLES = ROOT / "examples"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return cast.shop_for_a_server(request, tmp_path, stock=10)


@pytest.fixture
def engine(url: str) -> sa.Engine:
    return create_engine(url)


def change(engine: sa.Engine, function: Callable[..., Any], *args: Any) -> None:
    with transaction(engine) as conn:
        function(conn, 1, *args)


def add(engine: sa.Engine, name: str, price: str = "5.00") -> None:
    change(engine, item.add, 1, name, Fields(price=PriceInput(price)))


class Running:
    """Servers and examples, of which each is put away in the end."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.server = self._start(0)
        self.processes: list[subprocess.Popen[str]] = []

    def _start(self, port: int) -> Server:
        return Server("storekeeper", self.folder, database_url=self.url, port=port).wait()

    def restart(self) -> None:
        if self.server.process.poll() is None:
            self.server.end(signal.SIGKILL)
        self.server.put_away()
        self.server = self._start(self.server.port)

    def run(self, name: str, *args: str, port: int | None = None, password: str = PASSWORD) -> subprocess.Popen[str]:
        shop = {"SHOP": f"http://127.0.0.1:{port or self.server.port}", "SHOP_USER": "alice", "SHOP_PASSWORD": password}
        command = [sys.executable, str(EXAMPLES / name), *args]
        process = subprocess.Popen(
            command, cwd=self.folder, env=os.environ | shop, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.processes.append(process)
        return process

    def put_away(self) -> None:
        self.server.put_away()
        for each in self.processes:
            each.kill()
            each.wait()
            each.stdout.close()  # type: ignore[union-attr]


@pytest.fixture
def running(url: str, tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path, url)
    yield running
    running.put_away()


# The mirror


def copied(folder: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(folder / "copy.db")) as copy, suppress(sqlite3.OperationalError):
        return {
            table: [json.loads(told) for (told,) in copy.execute(f"SELECT told FROM {table} ORDER BY id")]
            for table in ("stores", "items")
        }
    return {}


def told(engine: sa.Engine) -> dict[str, list[Any]]:
    """What the copy has to hold."""
    with engine.connect() as conn:
        items = records.fetch_all(conn, item.select.order_by(item.items.c.id), item.of_columns)
        stores = conn.execute(sa.text("SELECT id, name, version FROM stores ORDER BY id")).all()
    return {"stores": [tuple(row) for row in stores], "items": [(i.id, i.name, str(i.price), i.version) for i in items]}


def is_in_step(engine: sa.Engine, folder: Path) -> bool:
    copy = copied(folder)
    if not copy:
        return False
    stores = [(each["id"], each["name"], each["version"]) for each in copy["stores"]]
    items = [(each["id"], each["name"], each["price"], each["version"]) for each in copy["items"]]
    return {"stores": stores, "items": items} == told(engine)


def test_a_mirror_stays_in_step_through_restarts_of_either_side(
    running: Running, engine: sa.Engine, tmp_path: Path
) -> None:
    mirror = running.run("mirror.py", "copy.db")
    await_that(lambda: is_in_step(engine, tmp_path))
    add(engine, "lamp")
    change(engine, item.delete, item.ItemRef("chair"))
    await_that(lambda: is_in_step(engine, tmp_path))
    mirror.kill()
    mirror.wait()
    add(engine, "while the mirror is away")
    change(engine, store_items.change_settings, "ikea", {"name": "Möbel"})
    mirror = running.run("mirror.py", "copy.db")
    await_that(lambda: is_in_step(engine, tmp_path))
    running.server.end(signal.SIGKILL)
    add(engine, "while the server is away")
    running.restart()
    await_that(lambda: is_in_step(engine, tmp_path))
    assert mirror.poll() is None


def test_a_mirror_reads_anew_what_is_no_longer_kept(running: Running, engine: sa.Engine, tmp_path: Path) -> None:
    mirror = running.run("mirror.py", "copy.db")
    await_that(lambda: is_in_step(engine, tmp_path))
    mirror.kill()
    mirror.wait()
    change(engine, item.delete, item.ItemRef("chair"))
    add(engine, "lamp")
    with transaction(engine) as conn:
        journal.forget(conn, 2**40)
    running.run("mirror.py", "copy.db")
    await_that(lambda: is_in_step(engine, tmp_path))


# The till


class Forgetful:
    """A way to the server that swallows the answers to the first changes: they are made, and nobody hears of it."""

    def __init__(self, port: int, lost: int) -> None:
        self._target = port
        self._lost = lost
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.swallowed = 0
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, suppress(OSError):
                self._pass_on(client)

    def _pass_on(self, client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._target)) as server:
            asked = self._read(client)
            server.sendall(asked)
            answer = self._read(server)
        if asked.startswith((b"POST /store", b"PATCH")) and self.swallowed < self._lost:
            self.swallowed += 1
            return
        client.sendall(answer)

    @staticmethod
    def _read(source: socket.socket) -> bytes:
        """A request or an answer, by its Content-Length."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += source.recv(65536)
        head = data.partition(b"\r\n\r\n")[0].lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        while len(data) < len(head) + 4 + length:
            data += source.recv(65536)
        return data

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def forgetful(running: Running) -> Iterator[Forgetful]:
    way = Forgetful(running.server.port, 2)
    yield way
    way.close()


def chair(engine: sa.Engine) -> item.Item:
    with engine.connect() as conn:
        return item.get(conn, "chair")


def test_a_sale_is_booked_once_however_many_answers_are_lost(
    running: Running, forgetful: Forgetful, engine: sa.Engine
) -> None:
    out, _ = running.run("till.py", "sell", "ikea", "chair", "2", port=forgetful.port).communicate()
    assert (out, forgetful.swallowed, chair(engine).stock) == ("8 left\n", 2, 8)
    out, _ = running.run("till.py", "sell", "ikea", "chair", "9").communicate()
    assert out == "8 on hand: that does not go with -9.\n"


def test_a_till_that_was_switched_off_books_what_it_had_noted(
    running: Running, engine: sa.Engine, tmp_path: Path
) -> None:
    running.server.end(signal.SIGKILL)
    till = running.run("till.py", "sell", "ikea", "chair", "2")
    await_that(lambda: sales(tmp_path))
    till.kill()
    till.wait()
    running.restart()
    out, _ = running.run("till.py", "sell", "ikea", "chair", "1").communicate()
    assert (out, chair(engine).stock) == ("8 left\n7 left\n", 7)


def sales(folder: Path) -> list[Any]:
    with closing(sqlite3.connect(folder / "till.db")) as till, suppress(sqlite3.OperationalError):
        return till.execute("SELECT * FROM sales").fetchall()
    return []


def test_a_price_is_changed_once_though_answers_are_lost(
    running: Running, forgetful: Forgetful, engine: sa.Engine
) -> None:
    process = running.run("till.py", "reprice", "ikea", "chair", "15.99", "12.90", port=forgetful.port)
    assert process.communicate()[0] == "The price is 12.90.\n"
    assert (process.returncode, str(chair(engine).price), chair(engine).version) == (0, "12.90", 2)


def test_a_price_that_somebody_else_has_changed_is_left(running: Running, engine: sa.Engine) -> None:
    change(engine, item.change, item.ItemRef("chair"), Fields(price=PriceInput("20")))
    process = running.run("till.py", "reprice", "ikea", "chair", "15.99", "12.90")
    assert process.communicate()[0] == "The price is 20.00.\nSomebody else has changed the price. Decide again.\n"
    assert (process.returncode, str(chair(engine).price)) == (1, "20.00")
    missing = running.run("till.py", "reprice", "ikea", "lamp", "1", "2")
    assert (missing.communicate()[0], missing.returncode) == ("Item not found.\n", 1)


@pytest.mark.parametrize("command", [["mirror.py", "copy.db"], ["till.py", "sell", "ikea", "chair", "2"]], ids=str)
def test_a_wrong_password_ends_an_example_with_a_sentence(running: Running, command: list[str]) -> None:
    process = running.run(*command, password="not the password")
    assert (process.communicate()[0], process.returncode) == ("Cannot sign in: Invalid credentials!\n", 1)


def test_a_till_keeps_a_sale_that_it_could_not_send(running: Running, engine: sa.Engine) -> None:
    running.run("till.py", "sell", "ikea", "chair", "2", password="not the password").communicate()
    assert chair(engine).stock == 10
    out, _ = running.run("till.py", "sell", "ikea", "chair", "1").communicate()
    assert (out, chair(engine).stock) == ("8 left\n7 left\n", 7)


def test_an_answer_that_a_mirror_cannot_use_ends_it_with_a_sentence(running: Running, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy, copy:
        copy.execute("CREATE TABLE place (cursor INTEGER)")
        copy.execute("INSERT INTO place VALUES (-1)")
    mirror = running.run("mirror.py", "copy.db")
    assert mirror.communicate()[0].startswith(
        f"The server refused http://127.0.0.1:{running.server.port}/changes?after=-1"
    )
    assert mirror.returncode == 1
