"""POST …/stock: exact however many do so at once, and never below zero where the store does not allow it."""

from typing import Any

import pytest

from storekeeper.settings import Settings
from tests.conftest import Person
from tests.support.expected_answers import whole
from tests.support.imports import bring, counts

MOST = 10**12
PATHS = ("/item/chair/stock", "/item/chair/stock?store_id=1", "/store/ikea/item/chair/stock")


def test_add_and_take_away(bob: Person) -> None:
    stock = 0
    for path in PATHS:
        for delta in (5, -2, 0):
            stock += delta
            answer = bob.post(path, {"delta": delta})
            assert (answer.status_code, answer.json) == (200, whole(1, "chair", 15.99, stock=stock))
            assert bob.get("/item/chair").json == answer.json


def test_no_more_can_go_than_there_are(alice: Person) -> None:
    alice.patch("/item/chair", {"stock": 3})
    for delta, message in (
        (-4, "3 on hand: that does not go with -4."),
        (-MOST, f"3 on hand: that does not go with {-MOST}."),
    ):
        answer = alice.post("/item/chair/stock", {"delta": delta})
        assert (answer.status_code, answer.json) == (409, {"error": "out_of_stock", "message": message})
    assert alice.post("/item/chair/stock", {"delta": -3}).json["stock"] == 0
    assert alice.post("/item/chair/stock", {"delta": -1}).status_code == 409
    assert alice.post("/item/chair/stock", {"delta": 0}).json["stock"] == 0


def test_a_store_may_sell_before_it_has(alice: Person) -> None:
    alice.patch("/store/ikea", {"negative_stock": True})
    assert alice.post("/item/chair/stock", {"delta": -3}).json["stock"] == -3
    assert alice.patch("/item/chair", {"stock": -5}).json["stock"] == -5
    alice.patch("/store/ikea", {"negative_stock": False})
    assert alice.post("/item/chair/stock", {"delta": -1}).json["error"] == "out_of_stock"
    for delta, stock in ((0, -5), (2, -3), (4, 1), (-1, 0)):
        assert alice.post("/item/chair/stock", {"delta": delta}).json["stock"] == stock, "what comes in is welcome"
    assert alice.patch("/item/chair", {"stock": -1}).json["errors"][0]["field"] == "stock"


def test_a_stock_has_bounds(alice: Person) -> None:
    alice.patch("/store/ikea", {"negative_stock": True})
    for bound in (MOST, -MOST):
        alice.patch("/item/chair", {"stock": 0})
        assert alice.post("/item/chair/stock", {"delta": bound}).json["stock"] == bound
        for delta in (bound, 1 if bound > 0 else -1):
            assert alice.post("/item/chair/stock", {"delta": delta}).json["error"] == "out_of_stock"
        assert alice.get("/item/chair").json["stock"] == bound


WRONG: tuple[dict[str, Any], ...] = (
    {},
    {"delta": None},
    {"delta": "1"},
    {"delta": 1.5},
    {"delta": True},
    {"delta": MOST + 1},
    {"delta": -(10**30)},
)


@pytest.mark.parametrize("path", PATHS)
def test_what_is_no_delta(path: str, alice: Person) -> None:
    for body in WRONG:
        answer = alice.post(path, body)
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "delta"), body
    answer = alice.post(path, {"delta": 1, "stock": 2})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "stock")
    assert alice.get("/item/chair").json["stock"] == 0


def test_only_who_works_in_the_store_may_do_so(bob: Person, carol: Person, root: Person) -> None:
    for path in PATHS:
        assert carol.post(path, {"delta": 1}).status_code == 403
        assert bob.post(path, {"delta": 1}).status_code == root.post(path, {"delta": -1}).status_code == 200
    for path in ("/item/table/stock", "/item/chair/stock?store_id=2", "/store/lidl/item/chair/stock"):
        assert bob.post(path, {"delta": 1}).json == {"error": "not_found", "message": "Item not found."}
    assert carol.post("/store/lidl").json["id"] == 2
    carol.put("/item/chair", {"price": 1, "store_id": 2})
    assert carol.post("/item/chair/stock", {"delta": 1}).json["error"] == "ambiguous_name"
    assert carol.post("/item/chair/stock?store_id=2", {"delta": 1}).json["stock"] == 1


def test_stock_leaves_the_rest_as_it_is(alice: Person) -> None:
    said = {"sku": "1", "tags": ["t"], "description": "oak", "archived": True, "stock": 1}
    alice.patch("/item/chair", said)
    assert alice.post("/item/chair/stock", {"delta": 1}).json == whole(1, "chair", 15.99) | said | {"stock": 2}


def test_what_is_below_zero_may_stay_there_when_the_store_no_longer_allows_it(
    alice: Person, settings: Settings
) -> None:
    """So a file that was exported can be imported again, and changes nothing."""
    alice.patch("/store/ikea", {"negative_stock": True})
    alice.post("/item/chair/stock", {"delta": -3})
    alice.patch("/store/ikea", {"negative_stock": False})
    file = alice.get("/store/ikea/items", headers={"Accept": "text/csv"}).content
    assert counts(bring(alice, settings, file)) == ("done", 0, 0, 1, 0)
    for stock, status in ((-3, 200), (-2, 200), (-3, 400), (0, 200), (-1, 400)):
        assert alice.patch("/item/chair", {"stock": stock}).status_code == status, stock
    assert alice.put("/item/lamp", {"price": 1, "store_id": 1, "stock": -1}).status_code == 400
    bulk = alice.post("/items/bulk", [{"store_id": 1, "name": "lamp", "price": 1, "stock": -1}])
    assert bulk.json["errors"] == [{"field": "0.stock", "message": "The stock cannot be below zero in this store."}]
