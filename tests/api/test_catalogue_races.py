"""Many at once on the catalogue, before workers that share a database: the stock, SKUs, bulk requests."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from storekeeper.settings import Settings
from tests.support.concurrent_workers import Answer, Call, at_once, call, log_in, statuses, worker

STOCK = ("/item/chair/stock", "/item/chair/stock?store_id=1", "/store/ikea/item/chair/stock")


@pytest.fixture
def workers(engine: sa.Engine, settings: Settings) -> Iterator[list[Any]]:
    with worker(settings) as first, worker(settings) as second, worker(settings) as third:
        yield [first, second, third]


@pytest.fixture
def token(workers: list[Any]) -> str:
    """Alice's."""
    return str(log_in(workers[0], "alice")["access_token"])


def row(name: str, price: int, **said: Any) -> dict[str, Any]:
    return {"store_id": 1, "name": name, "price": price} | said


def test_of_fifty_buyers_thirty_get_one(workers: list[Any], token: str) -> None:
    assert call(workers[0], "PATCH", "/item/chair", {"stock": 30}, token).status == 200
    answers = at_once(workers, [Call("POST", STOCK[n % 3], {"delta": -1}, token) for n in range(50)])
    assert statuses(answers) == {200: 30, 409: 20}
    assert sorted(answer.body["stock"] for answer in answers if answer.status == 200) == list(range(30))
    assert {answer.body["error"] for answer in answers if answer.status == 409} == {"out_of_stock"}
    assert call(workers[1], "GET", "/item/chair", token=token).body["stock"] == 0


def test_what_comes_in_and_goes_at_once_adds_up(workers: list[Any], token: str) -> None:
    """Also while others change the rest of the item, alone and in bulk."""
    assert call(workers[0], "PATCH", "/item/chair", {"stock": 100}, token).status == 200
    deltas = [7 if n % 2 else -3 for n in range(30)]
    changes = [Call("PATCH", "/item/chair", {"price": n}, token) for n in range(5)]
    changes += [Call("POST", "/items/bulk", [{"store_id": 1, "name": "chair", "price": n}], token) for n in range(5)]
    answers = at_once(workers, [*changes, *(Call("POST", STOCK[0], {"delta": delta}, token) for delta in deltas)])
    assert statuses(answers) == {200: 40}
    assert call(workers[1], "GET", "/item/chair", token=token).body["stock"] == 100 + sum(deltas)


def test_bulk_requests_at_once_take_turns(workers: list[Any], token: str) -> None:
    """On the same rows in any order: none is added twice, refused, or waits for one that waits for it."""
    rows = [row(f"item {n}", n, sku=f"{n}") for n in range(200)]
    for turned, expected in ((rows, 201), (rows[::-1], 200)):
        bodies = [[each | {"stock": n} for each in (turned if n % 2 else turned[::-1])] for n in range(6)]
        answers = at_once(workers, [Call("POST", "/items/bulk", body, token) for body in bodies])
        assert statuses(answers) == {200: 6}
        firsts = [answer for answer in answers if answer.body["results"][0]["status"] == 201]
        assert len(firsts) == (expected == 201)
    answer = call(workers[1], "GET", "/store/ikea/items?q=item&limit=200&sort=stock", token=token)
    assert len(answer.body["items"]) == 200
    assert len({each["stock"] for each in answer.body["items"]}) == 1, "the last one has the last word"


def test_bulk_requests_in_several_stores_take_turns(workers: list[Any], token: str) -> None:
    ids = [1, *(call(workers[0], "POST", f"/store/s{n}", token=token).body["id"] for n in range(3))]
    rows = [row(f"item {n}", n, store_id=ids[n % 4]) for n in range(80)]
    bodies = [rows[n:] + rows[:n] for n in range(8)]
    assert statuses(at_once(workers, [Call("POST", "/items/bulk", body, token) for body in bodies])) == {200: 8}
    assert len(call(workers[0], "GET", "/items?q=item&limit=200", token=token).body["items"]) == 80


def test_a_bulk_request_and_the_end_of_its_store(workers: list[Any], token: str) -> None:
    """Either comes first, and neither waits for the other for ever."""
    for n in range(5):
        of = call(workers[0], "POST", f"/store/kiosk{n}", token=token).body["id"]
        rows = [row(f"item {i}", i, store_id=of) for i in range(50)]
        assert call(workers[0], "POST", "/items/bulk", rows, token).status == 200
        changes = [Call("POST", "/items/bulk", [row("new", 1, store_id=of), *rows[::-1]], token)] * 3
        answers = at_once(workers, [*changes, Call("DELETE", f"/store/kiosk{n}?with_items=true", token=token)])
        assert answers.pop().status == 200
        assert statuses(answers).keys() <= {200, 404, 409}
        assert call(workers[1], "GET", f"/items?q=item&store_id={of}", token=token).status == 404


# SKUs and words


def test_a_sku_goes_to_one_of_many(workers: list[Any], token: str) -> None:
    names = [f"item {n}" for n in range(10)]
    assert call(workers[0], "POST", "/items/bulk", [row(name, 1) for name in names], token).status == 200
    for sku in ("a", "b", "c"):
        answers = at_once(workers, [Call("PATCH", f"/item/item%20{n}", {"sku": sku}, token) for n in range(10)])
        assert_one_has_it(answers)
        found = call(workers[1], "GET", f"/items?sku={sku}", token=token).body["items"]
        assert [each["name"] for each in found] == [each.body["name"] for each in answers if each.status == 200]
        body = {"price": 1, "store_id": 1, "sku": f"new {sku}"}
        assert_one_has_it(at_once(workers, [Call("PUT", f"/item/{sku}{n}", body, token) for n in range(10)]))


def assert_one_has_it(answers: list[Answer]) -> None:
    """The others are told that it is taken, or that somebody was faster."""
    assert [answer.status in (200, 201) for answer in answers].count(True) == 1
    assert {answer.status for answer in answers} <= {200, 201, 400, 409}
    assert {answer.body["error"] for answer in answers if answer.status >= 400} <= {"already_exists", "conflict"}


def test_an_item_is_found_by_its_last_words_only(workers: list[Any], token: str) -> None:
    for n in range(3):
        texts = [f"word{n}x{i}" for i in range(8)]
        calls = [Call("PATCH", "/item/chair", {"description": text}, token) for text in texts[:4]]
        calls += [Call("POST", "/items/bulk", [row("chair", 1, description=text)], token) for text in texts[4:]]
        assert statuses(at_once(workers, calls)) == {200: 8}
        now = call(workers[1], "GET", "/item/chair", token=token).body["description"]
        found = [call(workers[1], "GET", f"/items?q={text}", token=token).body["items"] for text in texts]
        assert [len(each) for each in found] == [text == now for text in texts]
