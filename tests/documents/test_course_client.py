"""docs/coming-from-the-course.md: what a client of the course's app meets."""

import pytest
from falcon import testing

from tests.conftest import Person, bearer


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
