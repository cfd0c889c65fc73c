"""Exports: what a file of items holds, who gets one and in which form, and that it is made while it is read."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.database.engine import create_engine
from storekeeper.domain.money import PriceInput
from storekeeper.models import item, item_export, session, store_member, user
from storekeeper.models.item_fields import Fields
from storekeeper.settings import Settings
from tests.conftest import Person, bearer
from tests.support import raw_requests
from tests.support.cast import HASHED, PASSWORD
from tests.support.concurrent_workers import worker
from tests.support.databases import transaction
from tests.support.server_process import Client, Server, await_that, megabytes, request

CSV, JSON_LINES = "text/csv", "application/jsonl"
LISTS = ["/items", "/store/ikea/items"]
HEAD = "id,store,name,price,currency,sku,barcode,description,tags,stock,archived,image,updated_at\r\n"


@pytest.fixture
def desk(engine: sa.Engine) -> None:
    """A second item that has all that an item may have, but is no longer sold."""
    fields = Fields(
        price=PriceInput("1999.5"),
        sku="=1+1",
        barcode="96385074",
        description='Says "oak",\nand is',
        tags=["home", "old wood"],
        stock=3,
        archived=True,
    )
    with transaction(engine) as conn:
        item.add(conn, 1, 1, "desk, large", fields)
        conn.execute(sa.update(item.items).values(updated_at=1_700_000_000))


def many(engine: sa.Engine, count: int, description: str = "") -> None:
    numbers = sa.select(sa.literal(1).label("n")).cte(recursive=True)
    numbers = numbers.union_all(sa.select(numbers.c.n + 1).where(numbers.c.n < count))
    name = sa.literal("item ") + sa.cast(numbers.c.n, sa.String)
    rows = sa.select(sa.literal(1), name, numbers.c.n, sa.literal(description))
    with transaction(engine) as conn:
        conn.execute(sa.insert(item.items).from_select(["store_id", "name", "price_minor", "description"], rows))


def fetch(person: Person, path: str, accept: str = JSON_LINES, **more: Any) -> testing.Result:
    return person.get(path, headers={"Accept": accept}, **more)


def ids(answer: testing.Result) -> list[int]:
    return [json.loads(line)["id"] for line in answer.text.splitlines()]


@pytest.mark.parametrize("path", LISTS)
def test_a_file_has_every_field_of_all_items(path: str, bob: Person, desk: None) -> None:
    answer = fetch(bob, f"{path}?archived=any", CSV)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert answer.headers["content-disposition"] == 'attachment; filename="items.csv"'
    headers = [*bearer(bob.pair["access_token"]).items(), ("Accept", CSV)]
    assert ("vary", "Accept") in raw_requests.send(bob.client.app, "GET", path, headers).fields
    assert answer.text == HEAD + (
        "1,ikea,chair,15.99,EUR,,,,,0,false,,2023-11-14T22:13:20Z\r\n"
        '2,ikea,"desk, large",1999.50,EUR,"=1+1",96385074,"Says ""oak"",\nand is",home;old wood,3,true,,'
        "2023-11-14T22:13:20Z\r\n"
    )
    answer = fetch(bob, f"{path}?archived=yes")
    assert answer.headers["content-type"] == "application/jsonl; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="items.jsonl"'
    assert answer.text == (
        '{"id":2,"store":"ikea","name":"desk, large","price":1999.50,"currency":"EUR","sku":"=1+1",'
        '"barcode":"96385074","description":"Says \\"oak\\",\\nand is","tags":["home","old wood"],"stock":3,'
        '"archived":true,"image":null,"updated_at":"2023-11-14T22:13:20Z"}\n'
    )
    assert fetch(bob, f"{path}?tag=nosuch", CSV).text == HEAD
    assert fetch(bob, f"{path}?tag=nosuch").text == ""


@pytest.mark.parametrize("path", LISTS)
def test_the_form_is_the_one_that_is_liked_best(path: str, bob: Person) -> None:
    kinds = {
        "text/csv": CSV,
        "text/*": CSV,
        "application/jsonl": JSON_LINES,
        "text/csv;q=0.5, application/jsonl": JSON_LINES,
        "application/json;q=0.5, text/csv": CSV,
        "application/json, text/csv;q=0.9": "application/json",
        "text/csv;q=0, application/json;q=0.1": "application/json",
        "application/json": "application/json",
        "*/*": "application/json",
        "image/png": "application/json",
        "garbage": "application/json",
        "text/csv;q=2": "application/json",
    }
    for accept, kind in kinds.items():
        answer = fetch(bob, path, accept)
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, kind), accept


def test_a_file_has_what_the_list_has(
    bob: Person, engine: sa.Engine, desk: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_export, "MAX_BYTES", 200)  # several pieces of it
    many(engine, 7)
    with transaction(engine) as conn:
        store_member.create_store(conn, 1, "tokyo", "JPY")
        item.add(conn, 1, "tokyo", "chair", Fields(price=PriceInput("5"), tags=["home"], stock=1))
    queries = ["", "archived=any", "q=cha", "tag=home", "tag=home&archived=any", "in_stock=true", "sku=%3D1%2B1"]
    queries += ["q=item&archived=any", "updated_since=1700000001", "barcode=96385074&archived=yes", "sort=-name"]
    for query in [*queries, "store_id=1&price_max=0.03"]:
        listed = bob.get(f"/items?{query}").json["items"]
        assert ids(fetch(bob, f"/items?{query}")) == sorted(each["id"] for each in listed), query
    for query in [*queries, "price_min=0.02&price_max=15.99", "sort=price"]:
        listed = bob.get(f"/store/ikea/items?{query}").json["items"]
        assert ids(fetch(bob, f"/store/ikea/items?{query}")) == sorted(each["id"] for each in listed), query


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("accept", [CSV, JSON_LINES])
def test_a_file_is_for_the_signed_in(path: str, accept: str, client: testing.TestClient) -> None:
    for headers, error in (({}, "authorization_required"), (bearer("x"), "invalid_token")):
        answer = client.simulate_get(path, headers={"Accept": accept} | headers)
        assert (answer.status_code, answer.json["error"]) == (401, error)
    assert client.simulate_get(path).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_wrong_is_answered_and_not_begun(method: str, app: Any, bob: Person, alice: Person) -> None:
    headers = [*bearer(bob.pair["access_token"]).items(), ("Accept", CSV)]
    wrong = {
        "/store/nosuch/items": 404,
        "/items?store_id=9": 404,
        "/items?price_min=1": 400,
        "/items?barcode=123456789": 400,
        "/items?q=%2E": 400,
    }
    for target, status in wrong.items():
        answer = raw_requests.send(app, method, target, headers)
        assert (answer.status, answer.headers["content-type"]) == (status, "application/json"), target
    bob.post("/logout")
    assert raw_requests.send(app, method, "/items", headers).status == 401


def test_head_has_the_headers_of_the_file(app: Any, bob: Person) -> None:
    headers = [*bearer(bob.pair["access_token"]).items(), ("Accept", CSV)]
    got, headed = (raw_requests.send(app, method, "/items", headers) for method in ("GET", "HEAD"))
    assert headed.status == got.status == 200
    own = ("x-request-id", "content-length", "ratelimit")
    assert {name: value for name, value in headed.fields if name not in own} == {
        name: value for name, value in got.fields if name not in own
    }
    assert headed.body == b""


# While it is read


async def read_slowly(app: Any, token: str, meet: Callable[[], Any]) -> tuple[list[bytes], bool]:
    """The pieces of an export, and whether it ended as it should. Something happens after the first of them."""
    pieces: list[bytes] = []
    is_whole = False

    async def send(event: dict[str, Any]) -> None:
        nonlocal is_whole
        if event["type"] != "http.response.body":
            return
        pieces.append(event.get("body", b""))
        is_whole = not event.get("more_body")
        if len(pieces) == 2:
            await asyncio.to_thread(meet)

    headers = [*bearer(token).items(), ("Accept", CSV)]
    await app(raw_requests.scope("GET", "/items", headers), lambda: asyncio.sleep(3600), send)
    return pieces, is_whole


def test_a_file_is_made_while_it_is_read(
    bob: Person, settings: Settings, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_export, "MAX_BYTES", 600)
    many(engine, 50)

    def change() -> None:
        with transaction(engine) as conn:
            item.add(conn, 1, 1, "late", Fields(price=PriceInput("5")))
            item.delete(conn, 1, item.ItemRef("item 30", 1))

    with worker(settings) as app:
        pieces, is_whole = asyncio.run(read_slowly(app, bob.pair["access_token"], change))
    names = [line.split(b",")[2].decode() for line in b"".join(pieces).splitlines()[1:]]
    assert is_whole
    assert names == ["chair", *(f"item {number}" for number in range(1, 51) if number != 30), "late"]
    assert len(pieces) > 5


def test_a_file_is_cut_when_the_session_ends(
    bob: Person, settings: Settings, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_export, "MAX_BYTES", 600)
    many(engine, 50)
    with worker(settings) as app:
        pieces, is_whole = asyncio.run(read_slowly(app, bob.pair["access_token"], lambda: bob.post("/logout")))
    assert not is_whole
    assert len(b"".join(pieces).splitlines()) < 50


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server("storekeeper", tmp_path, registration="closed").wait()
    engine = create_engine(f"sqlite:///{tmp_path}/data/storekeeper.db")
    with transaction(engine) as conn:
        user.add(conn, "alice", HASHED)
        store_member.create_store(conn, 1, "ikea", "EUR")
    many(engine, 20_000, "x" * 1000)
    yield server
    server.put_away()


def test_a_large_file_takes_no_memory_and_is_cut_without_a_clean_end(server: Server, tmp_path: Path) -> None:
    login = json.dumps({"username": "alice", "password": PASSWORD}).encode()
    pair = server.ask(request("POST", "/login", b"Content-Type: application/json\r\n", login)).json
    headers = f"Authorization: Bearer {pair['access_token']}\r\nAccept: text/csv\r\n".encode()
    before = megabytes(server.pid)
    whole = b"".join(pieces(server.connect(request("GET", "/items", headers))))
    assert whole.count(b"\r\n") > 20_000
    assert whole.endswith(b"\r\n0\r\n\r\n")
    assert megabytes(server.pid) - before < 12  # of some 21 MB
    cut = pieces(server.connect(request("GET", "/items", headers), buffer=4096))
    first = next(cut)  # and then nobody reads for a while
    engine = create_engine(f"sqlite:///{tmp_path}/data/storekeeper.db")
    with transaction(engine) as conn:
        session.end_others(conn, 1)
    rest = b"".join(cut)
    assert not rest.endswith(b"0\r\n\r\n")
    assert 0 < len(first + rest) < len(whole) / 2
    await_that(lambda: server.log.count('"path":"/items"') == 2)
    assert '"reason":"token_revoked","event":"answer_cut"' in server.log
    assert '"event":"bug"' not in server.log
    assert "Traceback" not in server.log


def pieces(client: Client) -> Iterator[bytes]:
    while data := client.socket.recv(65_536):
        yield data
        if data.endswith(b"\r\n0\r\n\r\n"):
            return
