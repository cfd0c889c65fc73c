"""Exports that nobody reads: how much of one lies in memory, how many there are, and what gives a place back."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from storekeeper.app import create_app
from storekeeper.components import Parts
from storekeeper.concurrency.slots import Slots
from storekeeper.database import records
from storekeeper.database.engine import create_engine
from storekeeper.errors import RequestTimeout
from storekeeper.models import item, item_export, store_member, user
from storekeeper.models.item_export import Line
from storekeeper.models.item_list import Filter
from storekeeper.services import file_transfers
from storekeeper.services.file_transfers import SLOWEST_READER, ReadingSpeed
from storekeeper.settings import Settings
from storekeeper.tabular import cells
from tests.api.test_export import CSV, HEAD, JSON_LINES, many
from tests.conftest import Person, bearer
from tests.support import concurrent_workers, databases, raw_requests
from tests.support.cast import HASHED, PASSWORD
from tests.support.databases import transaction
from tests.support.server_process import Client, Server, await_that, megabytes, request

# A piece


def pieces(engine: sa.Engine, format: item_export.Format) -> Iterator[bytes]:
    place: item_export.Place | None = item_export.BEGIN
    while place is not None:
        with engine.connect() as conn:
            piece = item_export.piece(conn, place, Filter(), format)
        yield piece.data
        place = piece.following


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_a_piece_is_small_and_well_filled_however_long_its_lines_are(
    format: item_export.Format, engine: sa.Engine
) -> None:
    many(engine, 1500)
    with transaction(engine) as conn:  # now short, now long
        conn.execute(sa.update(item.items).where(item.items.c.id.between(700, 900)).values(description="é" * 4000))
    found = list(pieces(engine, format))
    head = len(HEAD) if format == "csv" else 0
    assert max(map(len, found)) <= item_export.MAX_BYTES + head
    assert all(each.endswith(b"\n") for each in found)
    whole = b"".join(found)
    assert whole.count(b"\n") == 1501 + (1 if head else 0)
    assert len(found) < 30
    with engine.connect() as conn:  # a page of the list has the same items in the same order
        write = cells.csv_line if format == "csv" else cells.json_line
        listed = records.fetch_all(conn, item.select.order_by(item.items.c.id), item.of_columns)
    lines = (write(item_export.line(each, "ikea")) for each in listed)
    assert whole == (HEAD.encode() if head else b"") + b"".join(lines)


def test_a_line_that_is_longer_than_a_piece_comes_by_itself(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_export, "MAX_BYTES", 10)
    many(engine, 3)
    found = list(pieces(engine, "jsonl"))
    assert [each.count(b"\n") for each in found] == [1, 1, 1, 1]


# How many


class Reader:
    """Asks for an export, and reads as many pieces of the answer as it is told to."""

    def __init__(self, app: Any, token: str, path: str = "/items", accept: str = CSV, reads: int = 10**6) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.pieces: list[bytes] = []
        self.holds = asyncio.Event()  # reads no further
        self._app = app
        self.scope = raw_requests.scope("GET", path, [*bearer(token).items(), ("Accept", accept)])
        self._reads = reads
        self._gone = asyncio.Event()
        self._events = [raw_requests.pieces(b"")]

    async def read(self) -> "Reader":
        await self._app(self.scope, self._receive, self.send)
        return self

    async def start(self) -> "asyncio.Task[Reader]":
        """Read, and go on when no more is read."""
        task = asyncio.create_task(self.read())
        await self.holds.wait()
        return task

    def hang_up(self) -> None:
        self._gone.set()

    @property
    def error(self) -> tuple[int, str]:
        return self.status, msgspec.json.decode(self.pieces[0])["error"]

    async def _receive(self) -> dict[str, Any]:
        if self._events:
            return self._events.pop()
        await self._gone.wait()
        return raw_requests.DISCONNECT

    async def send(self, event: dict[str, Any]) -> None:
        """Waits for the reader as the server's own does, and takes what comes when it is gone."""
        if event["type"] == "http.response.start":
            self.status, self.headers = event["status"], dict(event["headers"])
        elif not self._gone.is_set():
            self.pieces.append(event.get("body", b""))
        if len(self.pieces) >= self._reads:
            self.holds.set()
            await self._gone.wait()


@pytest.fixture
def crowded(parts: Parts, settings: Settings, monkeypatch: pytest.MonkeyPatch, engine: sa.Engine) -> Any:
    """One export at once of each user, two in all; who finds no place is refused at once. All of several pieces."""
    monkeypatch.setattr(item_export, "MAX_BYTES", 100)
    many(engine, 20)
    return create_app(settings, msgspec.structs.replace(parts, export_slots=Slots(2, 1, seconds=0)))


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[AsyncIterator[bytes]]:
    """All streams, so that it is never the collection of one that gives a place back."""
    streams: list[AsyncIterator[bytes]] = []
    make = file_transfers._pieces

    def keep(*args: Any) -> AsyncIterator[bytes]:
        streams.append(make(*args))
        return streams[-1]

    monkeypatch.setattr(file_transfers, "_pieces", keep)
    return streams


def token(person: Person) -> str:
    """Of a new session."""
    return person.log_in()["access_token"]


def test_what_is_over_is_refused_until_a_reader_hangs_up(
    crowded: Any, alice: Person, bob: Person, carol: Person, kept: list[Any]
) -> None:
    hers, his, carols = map(token, (alice, bob, carol))

    async def test() -> None:
        unread, others = Reader(crowded, his, reads=1), Reader(crowded, hers, reads=1)
        task = await unread.start()
        more = await Reader(crowded, his, "/store/ikea/items", JSON_LINES).read()
        assert (more.error, more.headers[b"retry-after"]) == ((429, "too_many_exports"), b"5")
        others_task = await others.start()
        full = await Reader(crowded, carols).read()
        assert (full.error, full.headers[b"retry-after"]) == ((503, "unavailable"), b"1")
        unread.hang_up()
        await task
        assert len(unread.pieces) == 1
        again = await Reader(crowded, his).read()
        assert (again.status, b"".join(again.pieces).count(b"\n")) == (200, 22)
        others.hang_up()
        await others_task

    asyncio.run(test())


def test_lines_are_encoded_where_their_rows_are_read(
    crowded: Any, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()

    def noting(write: Callable[[Line], bytes]) -> Callable[[Line], bytes]:
        def written(line: Line) -> bytes:
            threads.add(threading.get_ident())
            return write(line)

        return written

    for name in ("csv_line", "json_line"):
        monkeypatch.setattr(cells, name, noting(getattr(cells, name)))
    his = token(bob)
    for accept in (CSV, JSON_LINES):
        asyncio.run(Reader(crowded, his, accept=accept).read())
    assert threads
    assert threading.get_ident() not in threads


def test_no_further_piece_is_read_for_a_reader_that_has_hung_up(
    crowded: Any, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    his, read, piece = token(bob), list[object](), item_export.piece

    def noting(*args: Any, **more: Any) -> Any:
        read.append(args)
        return piece(*args, **more)

    monkeypatch.setattr(item_export, "piece", noting)

    async def test() -> None:
        unread = Reader(crowded, his, reads=1)
        task = await unread.start()
        unread.hang_up()
        await task

    asyncio.run(test())
    assert len(read) <= 2, "of more than ten"


# How slowly


def test_a_reader_has_a_least_speed_in_each_window_of_their_time() -> None:
    taking, least = ReadingSpeed(), 60 * SLOWEST_READER
    for count, seconds in ((least, 60.0), (0, 59.0), (least, 1.0), (least - 1, 0.5), (1, 59.5), (10 * least, 600.0)):
        taking.note(count, seconds)
    taking.note(least - 1, 59.0)
    with pytest.raises(RequestTimeout):
        taking.note(0, 1.0)
    with pytest.raises(RequestTimeout):
        ReadingSpeed().note(10 * least - 1, 600.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that exports see, in seconds. It stands."""
    clock = [0.0]
    monkeypatch.setattr(file_transfers, "monotonic", lambda: clock[0])
    return clock


class SlowReader(Reader):
    """Takes so long for each piece."""

    def __init__(self, app: Any, token: str, clock: list[float], seconds: float) -> None:
        super().__init__(app, token)
        self._clock = clock
        self._seconds = seconds

    async def send(self, event: dict[str, Any]) -> None:
        await super().send(event)
        if event.get("body"):
            self._clock[0] += self._seconds


def test_a_reader_who_is_too_slow_loses_the_connection_and_the_place(
    crowded: Any, bob: Person, clock: list[float], kept: list[Any], capfd: pytest.CaptureFixture[str]
) -> None:
    slow = asyncio.run(SlowReader(crowded, token(bob), clock, 25.0).read())
    assert (slow.status, len(slow.pieces)) == (200, 3), "75 seconds, and no end"
    assert "request_timeout" in "".join(capfd.readouterr())
    assert asyncio.run(Reader(crowded, token(bob)).read()).status == 200


def test_a_server_that_is_slow_and_a_last_piece_cut_no_answer(
    crowded: Any, bob: Person, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    piece = item_export.piece

    def slowly(*args: Any, **more: Any) -> Any:
        clock[0] += 100.0
        return piece(*args, **more)

    whole = asyncio.run(Reader(crowded, token(bob)).read()).pieces
    monkeypatch.setattr(item_export, "piece", slowly)
    read = asyncio.run(SlowReader(crowded, token(bob), clock, 55.0 / len(whole)).read())
    assert (read.pieces, clock[0] > 1000.0) == (whole, True)
    monkeypatch.setattr(item_export, "MAX_BYTES", 10**6)
    assert asyncio.run(SlowReader(crowded, token(bob), clock, 100.0).read()).pieces[-1] == b""


End = Callable[[Any, str], Awaitable[Any]]


async def read_whole(app: Any, his: str) -> None:
    whole = await Reader(app, his).read()
    assert (whole.status, whole.pieces[-1]) == (200, b"")


async def ask_for_headers(app: Any, his: str) -> None:
    headed = Reader(app, his)
    headed.scope["method"] = "HEAD"
    assert (await headed.read()).status == 200


async def ask_wrongly(app: Any, his: str) -> None:
    assert (await Reader(app, his, "/items?store_id=9").read()).error == (404, "not_found")


async def lose_the_session(app: Any, his: str) -> None:
    cut = Reader(app, his)
    send = cut.send

    async def log_out_and_read_on(event: dict[str, Any]) -> None:
        if event["type"] == "http.response.start":
            assert (
                await concurrent_workers.send(app, concurrent_workers.Call("POST", "/logout", token=his))
            ).status == 200
        await send(event)

    cut.send = log_out_and_read_on  # type: ignore[method-assign]
    await cut.read()
    assert (cut.status, len(cut.pieces)) == (200, 1)


async def break_the_connection(app: Any, his: str) -> None:
    """Before the answer has begun: nobody ever asks for what would come."""

    async def fail(_: dict[str, Any]) -> None:
        raise OSError

    broken = Reader(app, his)
    broken.send = fail  # type: ignore[method-assign]
    with suppress(OSError):
        await broken.read()


async def stop_the_server(app: Any, his: str) -> None:
    task = await Reader(app, his, reads=1).start()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


ENDS = [read_whole, ask_for_headers, ask_wrongly, lose_the_session, break_the_connection, stop_the_server]


@pytest.mark.parametrize("end", ENDS)
def test_a_place_is_given_back_however_an_export_ends(end: End, crowded: Any, bob: Person, kept: list[Any]) -> None:
    tokens = [token(bob) for _ in range(3)]

    async def test() -> None:
        for his in tokens[:2]:
            await end(crowded, his)
        await read_whole(crowded, tokens[2])

    asyncio.run(test())


# In a server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """With an export that is too long to lie in the buffers of a connection."""
    url = databases.for_a_server(request, tmp_path)
    engine = create_engine(url)
    with transaction(engine) as conn:
        user.add(conn, "alice", HASHED)
        store_member.create_store(conn, 1, "ikea", "EUR")
    many(engine, 5000, "x" * 4000)
    return url


@pytest.fixture
def serve(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    with ExitStack() as stack:

        def serve(**given: object) -> Server:
            server = Server("storekeeper", tmp_path, database_url=database_url, **given).wait()
            stack.callback(server.put_away)
            return server

        yield serve


def ask(server: Server, coding: str = "identity") -> Callable[[], Client]:
    """Asks for an export, with next to no room for it."""
    body = msgspec.json.encode({"username": "alice", "password": PASSWORD})
    token = server.ask(request("POST", "/login", b"Content-Type: application/json\r\n", body)).json["access_token"]
    headers = f"Authorization: Bearer {token}\r\nAccept: text/csv\r\nAccept-Encoding: {coding}\r\n".encode()
    return lambda: server.connect(request("GET", "/items", headers), buffer=4096)


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_unread_exports_take_little_memory(coding: str, serve: Callable[..., Server]) -> None:
    server = serve()
    connect = ask(server, coding)
    assert connect().read().status == 200
    before = megabytes(server.pid)
    for _ in range(40):
        connect()
    await_that(lambda: server.log.count('"event":"too_many_exports"') >= 32)  # 4 are under way, and 4 wait
    assert megabytes(server.pid) - before < 15


def test_who_hangs_up_makes_room(serve: Callable[..., Server]) -> None:
    connect = ask(serve(exports_per_user=1))
    unread = connect()
    assert unread.read().status == 200
    waiting = connect()
    unread.close()
    assert waiting.read().status == 200
