"""docs/coming-from-the-course.md: what a client of the course's app meets."""

import pytest
from falcon import testing

from tests.conftest import Person, bearer
from tests.support.cast import PASSWORD


def test_a_logout_ends_the_refresh_token_as_well(alice: Person, client: testing.TestClient) -> None:
    pair = alice.pair
    assert alice.post("/logout").status_code == 200
    answer = client.simulate_post("/refresh", headers=bearer(pair["refresh_token"]))
    assert (answer.status_code, answer.json["error"]) == (401, "token_revoked")


def test_a_put_that_adds_is_told_from_one_that_changes(alice: Person) -> None:
    statuses = [alice.put("/item/bench", {"price": price, "store_id": 1}).status_code for price in (1, 2)]
    assert statuses == [201, 200]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_item_needs_a_store_that_exists(method: str, alice: Person) -> None:
    answer = alice.call(method, "/item/bench", {"price": 1, "store_id": 99})
    assert (answer.status_code, answer.json["message"]) == (404, "Store not found.")
    assert alice.get("/item/bench").status_code == 404


def test_text_is_no_store_id_but_may_be_a_price(alice: Person) -> None:
    answer = alice.put("/item/bench", {"price": 1, "store_id": "1"})
    assert (answer.status_code, [each["field"] for each in answer.json["errors"]]) == (400, ["store_id"])
    assert alice.put("/item/bench", {"price": "1", "store_id": 1}).status_code == 201


def test_a_put_for_another_store_adds_an_item_there(alice: Person) -> None:
    assert alice.post("/store/tesco").status_code == 201
    added = alice.put("/item/chair", {"price": 1, "store_id": 2})
    assert (added.status_code, added.json["store_id"]) == (201, 2)
    assert alice.get("/item/chair").status_code == 409
    assert alice.get("/item/chair", params={"store_id": 1}).json["price"] == 15.99


def test_an_item_of_the_same_name_is_no_second_one(alice: Person) -> None:
    """The current edition adds it."""
    answer = alice.post("/item/chair", {"price": 1, "store_id": 1})
    assert (answer.status_code, answer.json["message"]) == (400, "An item with name 'chair' already exists.")


@pytest.mark.parametrize(
    ("different", "field"),
    [
        ({"email": "dora@shop.example"}, "email"),
        ({"password": 12345678}, "password"),
        ({"username": "d d"}, "username"),
    ],
)
def test_a_registration_that_the_course_takes(
    different: dict[str, object], field: str, client: testing.TestClient
) -> None:
    answer = client.simulate_post("/register", json={"username": "dora", "password": PASSWORD} | different)
    assert (answer.status_code, [each["field"] for each in answer.json["errors"]]) == (400, [field])


def test_a_name_is_taken_in_all_capitals(alice: Person, client: testing.TestClient) -> None:
    answer = client.simulate_post("/register", json={"username": "ALICE", "password": PASSWORD})
    assert (answer.status_code, answer.json["message"]) == (400, "A user with that username already exists.")


def test_a_form_is_no_body(client: testing.TestClient) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = client.simulate_post("/login", body="username=alice&password=x", headers=form)
    assert (answer.status_code, answer.json["error"]) == (415, "unsupported_media_type")


def test_an_owner_deletes_items_of_the_store(alice: Person) -> None:
    assert alice.delete("/item/chair").json == {"message": "Item deleted."}


def test_members_that_a_route_does_not_know_are_refused(alice: Person) -> None:
    answer = alice.put("/item/bench", {"name": "bench", "price": 1, "store_id": 1})
    assert (answer.status_code, [each["field"] for each in answer.json["errors"]]) == (400, ["name"])


def test_what_stands_in_a_path_is_a_name(alice: Person) -> None:
    """The current edition has ids there."""
    assert alice.get("/store/1").status_code == 404
    assert alice.post("/store/1").status_code == 201
    assert alice.get("/store/1").json["name"] == "1"


def test_a_tag_exists_for_as_long_as_an_item_has_it(alice: Person) -> None:
    assert alice.patch("/item/chair", {"tags": ["Garden", "wood"]}).json["tags"] == ["garden", "wood"]
    found = alice.get("/items", params={"tag": "garden"}), alice.get("/store/ikea/items", params={"tag": "wood"})
    assert [[each["name"] for each in answer.json["items"]] for answer in found] == [["chair"], ["chair"]]
    assert alice.patch("/item/chair", {"tags": []}).json["tags"] == []
    assert alice.get("/items", params={"tag": "garden"}).json["items"] == []


def test_an_item_without_a_description_has_an_empty_one(alice: Person) -> None:
    assert alice.get("/item/chair").json["description"] == ""
