"""What an item is beside its name and price: PATCH, PUT and POST, on both databases alike."""

from typing import Any
from unittest.mock import ANY

import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.models.item import items as item_table
from tests.conftest import Clock, Person
from tests.support.databases import transaction
from tests.support.expected_answers import USUAL, whole
from tests.support.item_catalogues import fill, names, page, wrong

EAN = "4006381333931"
EVERYTHING: dict[str, Any] = {
    "price": 1.5,
    "sku": "007",
    "barcode": EAN,
    "description": "Oak.\nOiled.",
    "tags": ["garden", "oak"],
    "stock": 3,
    "archived": True,
}
OWN = {"chair": "/item/chair", "ikea": "/store/ikea/item/chair"}


# What is said and what is not


@pytest.mark.parametrize("path", OWN.values(), ids=OWN)
def test_what_is_left_out_stays(path: str, bob: Person) -> None:
    known = whole(1, "chair", 15.99)
    for field, value in EVERYTHING.items():
        known |= {field: value}
        answer = bob.patch(path, {field: value})
        assert (answer.status_code, answer.json) == (200, known)
        assert bob.get(path).json == known
    assert bob.patch(path, {}).json == known
    body = {"price": 2} | ({} if path.startswith("/store") else {"store_id": 1})
    assert bob.put(path, body).json == known | {"price": 2}
    for field, value in USUAL.items():
        if field != "image":
            known = known | {"price": 2, field: value}
            assert bob.put(path, body | {field: value}).json == known
    assert known == whole(1, "chair", 2)


def test_a_new_item_has_what_is_said_of_it(alice: Person) -> None:
    for number, (method, path) in enumerate((("POST", "/item/a"), ("PUT", "/item/b")), 2):
        sku = {"sku": f"{number}", "barcode": None}
        answer = alice.call(method, path, EVERYTHING | sku | {"store_id": 1})
        assert (answer.status_code, answer.json) == (201, whole(number, path[-1], 1.5) | EVERYTHING | sku)
    for method, path in (("POST", "/store/ikea/item/c"), ("PUT", "/store/ikea/item/d")):
        assert alice.call(method, path, {"price": 1}).json.items() >= USUAL.items()


def test_null_and_nothing_clear_the_sku_the_barcode_and_the_tags(alice: Person) -> None:
    for nothing, no_tags in ((None, None), ("", [])):
        alice.patch("/item/chair", {"sku": "007", "barcode": EAN, "tags": ["oak"]})
        cleared = alice.patch("/item/chair", {"sku": nothing, "barcode": nothing, "tags": no_tags}).json
        assert (cleared["sku"], cleared["barcode"], cleared["tags"]) == (None, None, [])
    for field in ("price", "description", "stock", "archived"):
        assert wrong(alice.patch("/item/chair", {field: None})) == {field}


def test_when_an_item_was_changed(alice: Person, clock: Clock) -> None:
    added = alice.put("/item/lamp", {"price": 1, "store_id": 1}).json["updated_at"]
    assert added == int(clock.now)
    changes: tuple[tuple[str, str, Any], ...] = (
        ("PATCH", "/item/lamp", {"price": 2}),
        ("PUT", "/item/lamp", {"price": 3, "store_id": 1}),
        ("PATCH", "/item/lamp", {"archived": True}),
        ("POST", "/item/lamp/stock", {"delta": 1}),
        ("POST", "/items/bulk", [{"store_id": 1, "name": "lamp", "price": 4}]),
    )
    for method, path, body in changes:
        clock.now += 10
        assert alice.call(method, path, body).status_code == 200
        assert alice.get("/item/lamp").json["updated_at"] == int(clock.now), path
    clock.now += 10
    same = {"price": 4, "store_id": 1}
    for method, path, body in (("PATCH", "/item/lamp", {}), ("PUT", "/item/lamp", same), changes[2], changes[-1]):
        assert alice.call(method, path, body).status_code == 200
        assert alice.get("/item/lamp").json["updated_at"] == int(clock.now) - 10, "nothing is changed"


# What only one item of a store may have


@pytest.mark.parametrize(("field", "value", "label"), [("sku", "007", "SKU"), ("barcode", EAN, "barcode")])
def test_a_sku_and_a_barcode_are_for_one_item_of_a_store(field: str, value: str, label: str, alice: Person) -> None:
    alice.patch("/item/chair", {field: value})
    expected = {"error": "already_exists", "message": f"The item 'chair' has the {label} '{value}' already."}
    alice.put("/item/lamp", {"price": 1, "store_id": 1})
    body = {"price": 1, "store_id": 1, field: value}
    for method, path, said in (
        ("POST", "/item/new", body),
        ("PUT", "/item/new", body),
        ("PUT", "/item/lamp", body),
        ("PATCH", "/item/lamp", {field: value}),
        ("PATCH", "/store/ikea/item/lamp", {field: value}),
    ):
        answer = alice.call(method, path, said)
        assert (answer.status_code, answer.json) == (400, expected), (method, path)
    assert alice.get("/item/new").status_code == 404
    assert alice.patch("/item/chair", {field: value, "price": 2}).status_code == 200, "its own"
    assert alice.put("/item/chair", body).status_code == 200
    message = alice.post("/item/chair", body).json["message"]
    assert message == "An item with name 'chair' already exists."
    assert alice.post("/store/lidl").json["id"] == 2
    assert alice.put("/item/new", body | {"store_id": 2}).status_code == 201, "in another store"
    alice.patch("/item/chair", {"archived": True})
    assert alice.patch("/item/lamp", {field: value}).json == expected, "archived items keep theirs"
    alice.patch("/item/chair", {field: None})
    assert alice.patch("/item/lamp", {field: value}).status_code == 200, "now it is free"


def test_many_items_have_no_sku(alice: Person) -> None:
    for name in "abc":
        assert alice.put(f"/item/{name}", {"price": 1, "store_id": 1, "sku": "", "barcode": None}).status_code == 201


def test_leading_zeros_and_case_tell_skus_apart(alice: Person) -> None:
    for number, sku in enumerate(("7", "07", "007", "a7", "A7", "7.0")):
        answer = alice.put(f"/item/{number}", {"price": 1, "store_id": 1, "sku": sku})
        assert (answer.status_code, answer.json["sku"]) == (201, sku)


# Renaming


def test_an_item_is_renamed(bob: Person) -> None:
    answer = bob.patch("/item/chair", {"name": "Stuhl", "sku": "1"})
    assert (answer.status_code, answer.json) == (200, whole(1, "Stuhl", 15.99, sku="1"))
    assert bob.get("/item/chair").status_code == 404
    assert bob.get("/item/Stuhl").json == answer.json
    assert bob.patch("/store/ikea/item/Stuhl", {"name": "stuhl"}).json["name"] == "stuhl", "only the case"
    assert bob.patch("/item/stuhl", {"name": "stuhl"}).json["name"] == "stuhl", "as it is"
    assert bob.patch("/item/stuhl", {"name": "a/b"}).json["name"] == "a/b"
    assert bob.get("/item/a%2Fb").status_code == 200


def test_a_name_that_is_taken(alice: Person) -> None:
    alice.put("/item/caf%C3%A9", {"price": 1, "store_id": 1, "archived": True})
    answer = alice.patch("/item/chair", {"name": "cafe\u0301"})
    expected = {"error": "already_exists", "message": "The item 'caf\u00e9' has the name 'caf\u00e9' already."}
    assert (answer.status_code, answer.json) == (400, expected)
    assert alice.get("/item/chair").status_code == 200
    alice.post("/store/lidl")
    alice.put("/item/lamp", {"price": 1, "store_id": 2})
    assert alice.patch("/item/chair", {"name": "lamp"}).status_code == 200, "another store's"
    assert alice.patch("/item/lamp", {"stock": 1}).json["error"] == "ambiguous_name"
    assert alice.patch("/item/lamp?store_id=2", {"stock": 1}).json["store_id"] == 2


def test_who_may_change_an_item(carol: Person, bob: Person, root: Person) -> None:
    for path in OWN.values():
        assert carol.patch(path, {"price": 1}).json["message"] == "Only those who work in the store may do this."
        assert carol.patch(path, {}).status_code == 403
        assert bob.patch(path, {"price": 1}).status_code == root.patch(path, {}).status_code == 200
    for path in ("/item/table", "/item/chair?store_id=2", "/store/ikea/item/table", "/store/lidl/item/chair"):
        assert bob.patch(path, {"price": 1}).json == {"error": "not_found", "message": "Item not found."}


# Archived items


def test_archived_items_are_there_but_not_shown(alice: Person, client: testing.TestClient) -> None:
    fill(alice, ({"name": name, "archived": name in "bd", "tags": ["t"], "sku": name} for name in "abcd"))
    alice.delete("/item/chair")
    lists = ("/items", "/store/ikea/items", "/items?q=t", "/items?tag=t", "/items?sort=-name", "/items?store_id=1")
    for path in lists:
        found = set(names(alice.get(path).json["items"]))
        assert (path, found) == (path, {"a", "c"})
    for path in ("/items", "/store/ikea/items", "/items?q=t"):
        mark = "&" if "?" in path else "?"
        assert set(names(alice.get(f"{path}{mark}archived=yes").json["items"])) == {"b", "d"}
        assert set(names(alice.get(f"{path}{mark}archived=any").json["items"])) == set("abcd")
    assert client.simulate_get("/items").json["items"] == ["a", "c"]
    assert names(alice.get("/store/ikea").json["items"]) == ["a", "c"]
    assert names(alice.get("/stores").json["stores"][0]["items"]) == ["a", "c"]
    assert names(page(alice, "/items", sku="b")["items"]) == []
    assert alice.get("/item/b").json["archived"] is True
    assert alice.get("/store/ikea/item/b").status_code == 200
    assert alice.delete("/store/ikea").json["error"] == "store_not_empty"


def test_pages_of_a_store_are_full_whatever_is_archived(alice: Person) -> None:
    fill(alice, ({"name": f"{n}", "archived": n % 2 == 0} for n in range(9)))
    (shown,) = alice.get("/stores?limit=3").json["stores"]
    assert names(shown["items"]) == ["chair", "1", "3"]
    rest = alice.get(shown["next"]).json
    assert (names(rest["items"]), "next" in rest) == (["5", "7"], False)
    whole_store = alice.get("/store/ikea?limit=5").json
    assert (names(whole_store["items"]), "next" in whole_store) == (["chair", "1", "3", "5", "7"], False)
    assert "next" not in alice.get("/stores?limit=5").json["stores"][0]


def test_an_item_is_put_back(alice: Person, engine: sa.Engine) -> None:
    alice.patch("/item/chair", {"archived": True})
    assert alice.patch("/item/chair", {"archived": False}).json["archived"] is False
    assert names(alice.get("/items").json["items"]) == ["chair"]
    with transaction(engine) as conn:
        assert conn.scalar(sa.select(item_table.c.archived_at)) is None


# Stores


def test_the_settings_of_a_store_are_its_owners(alice: Person, bob: Person, carol: Person, root: Person) -> None:
    for person in (alice, root):
        for flag in (True, False):
            answer = person.patch("/store/ikea", {"negative_stock": flag})
            expected = {"id": 1, "name": "ikea", "currency": "EUR", "negative_stock": flag, "version": ANY}
            assert (answer.status_code, answer.json) == (200, expected)
            assert alice.get("/store/ikea").json["negative_stock"] is flag
            assert alice.get("/stores").json["stores"][0]["negative_stock"] is flag
    for person in (bob, carol):
        assert person.patch("/store/ikea", {"negative_stock": True}).status_code == 403
    assert alice.patch("/store/aldi", {"negative_stock": True}).status_code == 404
    for body in ({"negative_stock": 1}, {"negative_stock": None}, {"negative_stock": True, "items": []}, {"name": ""}):
        assert wrong(alice.patch("/store/ikea", body))
    assert alice.get("/store/ikea").json["negative_stock"] is False
