"""/item/{name}, /items and /store/{name}/item/{item_name}"""

from typing import Any

import pytest
from falcon import testing

from tests.conftest import Person, bearer
from tests.support.expected_answers import whole

CHAIR = whole(1, "chair", 15.99)
ADMIN_REQUIRED = {"error": "forbidden", "message": "Admin privilege required."}
OWNERS_ONLY = {"error": "forbidden", "message": "Only owners of the store and administrators may do this."}
WORKERS_ONLY = {"error": "forbidden", "message": "Only those who work in the store may do this."}
NO_ITEM = {"error": "not_found", "message": "Item not found."}
NO_STORE = {"error": "not_found", "message": "Store not found."}


def result(answer: testing.Result) -> tuple[int, Any]:
    return answer.status_code, answer.json


def test_read_an_item(alice: Person) -> None:
    answer = alice.get("/item/chair")
    assert answer.status_code == 200
    assert answer.text.startswith('{"id":1,"name":"chair","price":15.99,"store_id":1,"currency":"EUR",')
    assert answer.json == CHAIR


def test_whoever_is_signed_in_may_read(carol: Person) -> None:
    for path in ("/item/chair", "/item/chair?store_id=1", "/store/ikea/item/chair"):
        assert result(carol.get(path)) == (200, CHAIR)


def test_an_unknown_item(alice: Person) -> None:
    paths = ("/item/table", "/item/chair?store_id=2", "/store/ikea/item/table", "/store/lidl/item/chair")
    for path in paths:
        assert result(alice.get(path)) == (404, NO_ITEM), path
        assert result(alice.delete(path))[0] == 404, path
    assert result(alice.delete("/item/table")) == (404, NO_ITEM)


def test_add_an_item(bob: Person) -> None:
    table = whole(2, "table", 20)
    assert result(bob.post("/item/table", {"price": 20, "store_id": 1})) == (201, table)
    assert result(bob.get("/item/table")) == (200, table)
    lamp = whole(3, "lamp", 9.5)
    assert result(bob.post("/store/ikea/item/lamp", {"price": "9.50"})) == (201, lamp)


def test_add_an_item_that_is_there(alice: Person) -> None:
    expected = (400, {"error": "already_exists", "message": "An item with name 'chair' already exists."})
    assert result(alice.post("/item/chair", {"price": 1, "store_id": 1})) == expected
    assert result(alice.post("/store/ikea/item/chair", {"price": 1})) == expected
    assert alice.get("/item/chair").json == CHAIR


def test_adding_needs_a_fresh_token(alice: Person, client: testing.TestClient) -> None:
    stale = bearer(alice.refresh()["access_token"])
    for path, body in (("/item/table", {"price": 1, "store_id": 1}), ("/store/ikea/item/table", {"price": 1})):
        answer = client.simulate_post(path, json=body, headers=stale)
        assert (answer.status_code, answer.json["error"]) == (401, "fresh_token_required")
        assert client.simulate_put(path, json=body, headers=stale).status_code in (200, 201), "changing does not"


def test_put_changes_an_item_or_adds_it(bob: Person) -> None:
    assert result(bob.put("/item/chair", {"price": 12, "store_id": 1})) == (200, CHAIR | {"price": 12})
    assert result(bob.put("/store/ikea/item/chair", {"price": 13})) == (200, CHAIR | {"price": 13})
    assert bob.get("/item/chair").json["price"] == 13
    table = whole(2, "table", 1)
    assert result(bob.put("/item/table", {"price": 1, "store_id": 1})) == (201, table)
    assert result(bob.put("/item/table", {"price": 1, "store_id": 1})) == (200, table)
    assert bob.put("/store/ikea/item/lamp", {"price": 1}).status_code == 201


def test_the_owner_and_an_administrator_may_delete(alice: Person, root: Person) -> None:
    for person, path in ((alice, "/item/{}"), (root, "/item/{}?store_id=1"), (alice, "/store/ikea/item/{}")):
        alice.put("/item/lamp", {"price": 1, "store_id": 1})
        assert result(person.delete(path.format("lamp"))) == (200, {"message": "Item deleted."})
        assert alice.get("/item/lamp").status_code == 404
    assert alice.get("/item/chair").status_code == 200


def test_a_clerk_and_a_stranger_may_not_delete(bob: Person, carol: Person) -> None:
    for person in (bob, carol):
        for path in ("/item/chair", "/item/chair?store_id=1"):
            assert result(person.delete(path)) == (403, ADMIN_REQUIRED)
        assert result(person.delete("/store/ikea/item/chair")) == (403, OWNERS_ONLY)
    assert result(bob.get("/item/chair")) == (200, CHAIR)


def test_a_stranger_may_not_write(carol: Person) -> None:
    """Where the store is named in the body no more than where it is in the path."""
    for name in ("chair", "table"):
        for method in ("POST", "PUT"):
            assert result(carol.call(method, f"/item/{name}", {"price": 1, "store_id": 1})) == (403, WORKERS_ONLY)
            assert result(carol.call(method, f"/store/ikea/item/{name}", {"price": 1})) == (403, WORKERS_ONLY)
    assert carol.get("/item/chair").json == CHAIR
    assert carol.get("/item/table").status_code == 404


def test_a_right_in_one_store_is_none_in_another(alice: Person, carol: Person) -> None:
    assert carol.post("/store/lidl").json["id"] == 2
    assert result(alice.put("/item/chair", {"price": 1, "store_id": 2})) == (403, WORKERS_ONLY)
    assert result(carol.put("/item/chair", {"price": 1, "store_id": 1})) == (403, WORKERS_ONLY)
    assert carol.put("/item/chair", {"price": 1, "store_id": 2}).status_code == 201
    assert result(carol.delete("/item/chair?store_id=1")) == (403, ADMIN_REQUIRED)
    assert result(alice.delete("/store/lidl/item/chair")) == (403, OWNERS_ONLY)


def test_a_store_that_is_not_there(alice: Person, root: Person) -> None:
    for person in (alice, root):
        for method in ("POST", "PUT"):
            assert result(person.call(method, "/item/chair", {"price": 1, "store_id": 99})) == (404, NO_STORE)
            assert result(person.call(method, "/store/lidl/item/chair", {"price": 1})) == (404, NO_STORE)


def test_an_administrator_may_write_anywhere(root: Person) -> None:
    assert root.put("/item/chair", {"price": 1, "store_id": 1}).status_code == 200
    assert root.post("/item/table", {"price": 1, "store_id": 1}).status_code == 201


@pytest.fixture
def two_chairs(alice: Person, carol: Person) -> None:
    """Another one in Carol's store "lidl", which has id 2."""
    assert carol.post("/store/lidl").json["id"] == 2
    assert carol.put("/item/chair", {"price": 7, "store_id": 2}).json["id"] == 2


@pytest.mark.usefixtures("two_chairs")
def test_a_name_that_two_stores_have_is_ambiguous(alice: Person, carol: Person) -> None:
    expected = {
        "error": "ambiguous_name",
        "message": "Several stores have an item of that name. Choose one with ?store_id=.",
        "candidates": [{"store_id": 1, "store": "ikea"}, {"store_id": 2, "store": "lidl"}],
    }
    for person in (alice, carol):
        assert result(person.get("/item/chair")) == (409, expected)
        assert result(person.delete("/item/chair")) == (409, expected)
    assert alice.get("/item/chair", headers={"Accept": "application/problem+json"}).json.items() >= expected.items()


@pytest.mark.usefixtures("two_chairs")
def test_the_store_chooses(alice: Person, carol: Person) -> None:
    assert result(alice.get("/item/chair?store_id=1")) == (200, CHAIR)
    assert alice.get("/item/chair?store_id=2").json["price"] == 7
    assert alice.get("/store/lidl/item/chair").json["store_id"] == 2
    assert result(carol.delete("/item/chair?store_id=2")) == (200, {"message": "Item deleted."})
    assert result(alice.get("/item/chair")) == (200, CHAIR), "only one store has it now"


@pytest.mark.usefixtures("two_chairs")
def test_put_is_never_ambiguous(alice: Person) -> None:
    assert alice.put("/item/chair", {"price": 3, "store_id": 1}).json == CHAIR | {"price": 3}
    assert alice.get("/item/chair?store_id=2").json["price"] == 7


@pytest.mark.usefixtures("two_chairs")
def test_all_items_for_the_signed_in(carol: Person) -> None:
    lidls = whole(2, "chair", 7, 2)
    assert result(carol.get("/items")) == (200, {"items": [CHAIR, lidls]})


@pytest.mark.usefixtures("two_chairs")
def test_names_for_everybody_else(client: testing.TestClient, carol: Person) -> None:
    carol.put("/item/apple", {"price": 1, "store_id": 2})
    names = {"items": ["chair", "chair", "apple"], "message": "More data available if you log in."}
    assert result(client.simulate_get("/items")) == (200, names)
    assert client.simulate_get("/items?sort=name").json["items"] == ["apple", "chair", "chair"]


def test_a_dead_token_is_not_taken_for_nobody(alice: Person, client: testing.TestClient) -> None:
    assert client.simulate_get("/items", headers={"Authorization": "Bearer x"}).status_code == 401
    assert client.simulate_get("/items", headers={"Authorization": "Basic x"}).status_code == 401
    assert alice.post("/logout").status_code == 200
    assert alice.get("/items").json["error"] == "token_revoked"
