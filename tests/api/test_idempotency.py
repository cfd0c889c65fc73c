"""Idempotency-Key: what is asked for again is done once, and answered as the first time."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.database.engine import create_engine
from storekeeper.models import idempotency, user
from storekeeper.models.idempotency import RETENTION_SECONDS, keys
from storekeeper.settings import Settings
from tests.conftest import Clock, Person
from tests.support import cast, images
from tests.support.cast import PASSWORD
from tests.support.concurrent_workers import Answer, Call, at_once, call, log_in, statuses, worker
from tests.support.databases import transaction
from tests.support.server_process import Server, request

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
ROUNDS = 8
PNG = {"headers": {"Content-Type": "image/png"}, "body": images.encoded(images.two_colours(), "PNG")}
CSV = {"headers": {"Content-Type": "text/csv"}, "body": b"name,price\nrug,5\n"}
# Each is done once, one after the other.
WRITES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "/item/lamp", {"json": {"price": 5, "store_id": 1}}),
    ("PUT", "/item/rug", {"json": {"price": "5.10", "store_id": 1}}),
    ("PATCH", "/item/rug", {"json": {"name": "mat"}}),
    ("POST", "/item/lamp/stock", {"json": {"delta": 3}}),
    ("POST", "/store/ikea/item/lamp/stock", {"json": {"delta": 3}}),
    ("PUT", "/item/lamp/image", PNG),
    ("DELETE", "/item/lamp/image", {}),
    (
        "POST",
        "/items/bulk",
        {"json": [{"store_id": 1, "name": "a", "price": 7}, {"store_id": 1, "name": "mat", "sku": "7"}]},
    ),
    ("DELETE", "/item/mat", {}),
    ("POST", "/store/shed", {}),
    ("PATCH", "/store/shed", {"json": {"name": "barn"}}),
    ("PUT", "/store/barn/members/carol", {}),
    ("DELETE", "/store/barn/members/carol", {}),
    ("DELETE", "/store/barn", {}),
    ("POST", "/imports?store=ikea&dry_run=true", CSV),
    ("DELETE", "/imports/1", {}),
    ("PATCH", "/user/2", {"json": {"is_active": False}}),
    ("DELETE", "/user/2", {}),
    ("DELETE", "/sessions", {}),
)


def ask(person: Person, method: str, path: str, more: dict[str, Any] | None = None, key: str = KEY) -> testing.Result:
    more = more or {}
    return person.call(method, path, **(more | {"headers": more.get("headers", {}) | {"Idempotency-Key": key}}))


def told(answer: testing.Result) -> tuple[int, str, dict[str, str]]:
    """All of an answer but its id."""
    return (
        answer.status_code,
        answer.text,
        {k: v for k, v in answer.headers.items() if k not in ("x-request-id", "ratelimit")},
    )


def everything(engine: sa.Engine) -> list[Any]:
    with engine.connect() as conn:
        return [
            sorted(map(str, conn.execute(sa.text(f"SELECT * FROM {name}")))) for name in ("changes", "items", "imports")
        ]


def test_every_write_is_done_once_and_answered_alike(root: Person, engine: sa.Engine) -> None:
    for number, (method, path, more) in enumerate(WRITES):
        first = ask(root, method, path, more, f"key-{number}")
        assert first.status_code < 300, first.text
        done = everything(engine)
        assert told(ask(root, method, path, more, f"key-{number}")) == told(first), path
        assert everything(engine) == done


def test_a_lenient_bulk_request_is_answered_alike_with_its_refusals(alice: Person) -> None:
    rows = [{"store_id": 1, "name": "a", "price": "1.234"}, {"store_id": 9, "name": "b", "price": 1}]
    rows += [{"store_id": 1, "name": "c", "price": 1}, {"store_id": 1, "name": 5}]
    more = {"json": rows, "headers": {"Prefer": "handling=lenient"}}
    first = ask(alice, "POST", "/items/bulk", more)
    assert [each["status"] for each in first.json["results"]] == [400, 404, 201, 400]
    assert told(ask(alice, "POST", "/items/bulk", more)) == told(first)


def test_the_password_is_changed_once(alice: Person) -> None:
    body = {"json": {"current_password": PASSWORD, "new_password": "another horse battery"}}
    first = ask(alice, "PUT", "/user/1/password", body)
    assert first.status_code == 200
    assert told(ask(alice, "PUT", "/user/1/password", body)) == told(first), "the present password is another by now"
    other = {"json": {"current_password": PASSWORD, "new_password": "yet another battery"}}
    assert ask(alice, "PUT", "/user/1/password", other).status_code == 422
    assert ask(alice, "PUT", "/user/1/password", body, "another-key").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/item/chair/stock", {"delta": 2}),
        ("POST", "/item/chair/stock?store_id=1", {"delta": 1}),
        ("PATCH", "/item/chair", {"stock": 1}),
    ],
    ids=["body", "query", "operation"],
)
def test_another_request_with_the_key_is_refused(method: str, path: str, body: Any, alice: Person) -> None:
    assert ask(alice, "POST", "/item/chair/stock", {"json": {"delta": 1}}).status_code == 200
    answer = ask(alice, method, path, {"json": body})
    assert (answer.status_code, answer.json["error"]) == (422, "idempotency_key_reused")
    assert alice.get("/item/chair").json["stock"] == 1


def test_a_key_is_its_users(alice: Person, bob: Person) -> None:
    for person in (alice, bob):
        assert ask(person, "POST", "/item/chair/stock", {"json": {"delta": 1}}).status_code == 200
    assert alice.get("/item/chair").json["stock"] == 2


def test_in_quotes_or_without_it_is_the_same_key(alice: Person) -> None:
    for key in (KEY, f'"{KEY}"'):
        assert ask(alice, "POST", "/item/chair/stock", {"json": {"delta": 1}}, key).json["stock"] == 1


@pytest.mark.parametrize("key", ["", '""', "a b", 'a"b', '"a', "x" * 256, "schlüssel"])
def test_what_is_no_key_is_refused(key: str, alice: Person) -> None:
    answer = ask(alice, "POST", "/item/chair/stock", {"json": {"delta": 1}}, key)
    assert answer.status_code == 400
    assert alice.get("/item/chair").json["stock"] == 0


def test_what_failed_is_done_when_it_is_asked_for_again(alice: Person) -> None:
    assert ask(alice, "POST", "/item/chair/stock", {"json": {"delta": -1}}).status_code == 409
    alice.patch("/item/chair", {"stock": 1})
    assert ask(alice, "POST", "/item/chair/stock", {"json": {"delta": -1}}).json["stock"] == 0


def test_who_may_no_longer_is_not_answered_from_memory(alice: Person, bob: Person) -> None:
    assert ask(bob, "POST", "/item/chair/stock", {"json": {"delta": 1}}).status_code == 200
    bob.post("/logout")
    assert ask(bob, "POST", "/item/chair/stock", {"json": {"delta": 1}}).json["error"] == "token_revoked"


def test_reads_do_not_mind_it(alice: Person) -> None:
    assert ask(alice, "GET", "/item/chair", {}, "not a key").status_code == 200


def test_keys_are_forgotten_after_a_day(alice: Person, clock: Clock, engine: sa.Engine) -> None:
    ask(alice, "POST", "/item/chair/stock", {"json": {"delta": 1}}, "first")
    clock.now += RETENTION_SECONDS + 10
    alice.log_in()
    ask(alice, "POST", "/item/chair/stock", {"json": {"delta": 1}}, "second")
    with engine.connect() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(keys)) == 1


def test_neither_key_nor_request_can_be_read_from_what_is_stored(root: Person, engine: sa.Engine) -> None:
    body = {"current_password": PASSWORD, "new_password": "another horse battery"}
    assert ask(root, "PUT", "/user/4/password", {"json": body}).status_code == 200
    with engine.connect() as conn:
        stored = str(conn.execute(sa.select(keys)).all())
    assert KEY not in stored
    assert "horse" not in stored


# At once


@pytest.fixture
def workers(engine: sa.Engine, settings: Settings) -> Iterator[list[Any]]:
    with worker(settings) as first, worker(settings) as second:
        yield [first, second]


def test_fifty_requests_with_one_key_have_one_effect(workers: list[Any]) -> None:
    token = log_in(workers[0], "alice")["access_token"]
    sell = Call("POST", "/item/chair/stock", {"delta": 1}, token, more=(("Idempotency-Key", KEY),))
    answers = at_once(workers, [sell] * 50)
    assert set(statuses(answers)) <= {200, 409}
    assert {answer.body["error"] for answer in answers if answer.status == 409} <= {"idempotency_key_in_use"}
    assert {answer.body["version"] for answer in answers if answer.status == 200} == {2}
    assert in_the_end(workers[1], sell).body["stock"] == 1
    assert call(workers[0], "GET", "/item/chair", token=token).body["stock"] == 1


def in_the_end(app: Any, asked: Call) -> Answer:
    """The answer, once no other request with the key is under way."""
    while (answer := at_once([app], [asked])[0]).status == 409:
        pass
    return answer


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_key_that_is_under_way_elsewhere_is_in_use(url: str, workers: list[Any]) -> None:
    token = log_in(workers[0], "alice")["access_token"]
    sell = Call("POST", "/item/chair/stock", {"delta": 1}, token, more=(("Idempotency-Key", KEY),))
    once = idempotency.of(1, KEY, "")
    with transaction(create_engine(url)) as conn:
        idempotency.run(conn, once, (), user.has_admin, ())
        answer = at_once(workers, [sell])[0]
        assert (answer.status, answer.body["error"], answer.headers["retry-after"]) == (
            409,
            "idempotency_key_in_use",
            "1",
        )
        conn.rollback()
    assert at_once(workers, [sell])[0].status == 200


# Killed


@pytest.fixture
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database, with Alice and her chair, for servers of their own."""
    return cast.shop_for_a_server(request, tmp_path)


@pytest.mark.parametrize("shop", ["sqlite", "postgresql"], indirect=True)
def test_a_server_that_is_killed_at_any_moment_has_done_it_once(shop: str, tmp_path: Path) -> None:
    """Before the commit, between the commit and the answer, or after: whoever asks again is served as is right."""
    token, took = b"", 0.0
    for number in range(ROUNDS):
        server = Server("storekeeper", tmp_path, database_url=shop).wait()
        try:
            token = token or log_in_at(server)
            asked = sell(token, number)
            began = time.perf_counter()
            if number == 0:
                assert server.ask(asked).status == 200
                took = time.perf_counter() - began
            else:
                server.connect(asked)
                time.sleep(2 * took * number / ROUNDS)
                server.process.kill()
                server.process.wait()
                server = replaced(server, shop, tmp_path)
            answer = server.ask(asked)
            assert (answer.status, answer.json["stock"]) == (200, number + 1)
        finally:
            server.put_away()


def replaced(server: Server, url: str, folder: Path) -> Server:
    server.put_away()
    return Server("storekeeper", folder, database_url=url).wait()


def log_in_at(server: Server) -> bytes:
    body = b'{"username": "alice", "password": "%s"}' % PASSWORD.encode()
    pair = server.ask(request("POST", "/login", b"Content-Type: application/json\r\n", body)).json
    return str(pair["access_token"]).encode()


def sell(token: bytes, number: int) -> bytes:
    headers = b"Content-Type: application/json\r\nAuthorization: Bearer %s\r\nIdempotency-Key: key-%d\r\n"
    return request("POST", "/item/chair/stock", headers % (token, number), b'{"delta": 1}')
