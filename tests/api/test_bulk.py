"""POST /items/bulk: many items of several stores, all or none, or each by itself."""

from json import dumps
from typing import Any

import pytest
from falcon import testing

from tests.conftest import Person, bearer
from tests.support import raw_requests
from tests.support.expected_answers import USUAL, whole
from tests.support.item_catalogues import fill, names, page, walk

EAN = "4006381333931"
LENIENT = {"Prefer": "handling=lenient"}
Row = dict[str, Any]


def row(name: Any, price: Any = 1, **said: Any) -> Row:
    return {"store_id": 1, "name": name, "price": price} | said


def send(person: Person, rows: Any, **headers: str) -> testing.Result:
    return person.post("/items/bulk", rows, headers=headers)


def leniently(person: Person, rows: list[Any]) -> list[Any]:
    """The results of the rows."""
    answer = send(person, rows, **LENIENT)
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "handling=lenient"), answer.text
    results: list[Any] = answer.json["results"]
    return results


@pytest.fixture
def lidl(carol: Person) -> None:
    """Carol's store, with id 2, in yen."""
    assert carol.post("/store/lidl", {"currency": "JPY"}).json["id"] == 2


# All or none


def test_items_are_added_and_changed(bob: Person) -> None:
    rows = [row("lamp", "9.50", sku="1", tags=["B", "a"]), row("chair", 2, stock=3), row("cafe\u0301", barcode=EAN)]
    answer = send(bob, rows)
    lamp = whole(2, "lamp", 9.5, sku="1", tags=["a", "b"])
    chair, cafe = whole(1, "chair", 2, stock=3), whole(3, "caf\u00e9", 1, barcode=EAN)
    expected = [{"status": 201, "item": lamp}, {"status": 200, "item": chair}, {"status": 201, "item": cafe}]
    assert (answer.status_code, answer.json) == (200, {"results": expected})
    assert "Preference-Applied" not in answer.headers
    assert walk(bob, "/items") == [chair, lamp, cafe]


def test_what_is_left_out_stays_and_a_known_item_needs_no_price(bob: Person) -> None:
    said = {"sku": "1", "barcode": EAN, "description": "oak", "tags": ["t"], "stock": 4, "archived": True}
    bob.patch("/item/chair", said)
    known = whole(1, "chair", 15.99) | said
    for body in ({}, {"sku": "2"}, {"tags": []}, {"archived": False}, {"sku": None, "barcode": ""}, {"price": 3}):
        (result,) = send(bob, [{"store_id": 1, "name": "chair"} | body]).json["results"]
        known = known | body | ({"barcode": None} if "barcode" in body else {})
        assert result == {"status": 200, "item": known}
        assert bob.get("/item/chair").json == known


def test_a_thousand_rows_and_no_more(alice: Person) -> None:
    rows = [row(f"item {n}", n, sku=f"{n}") for n in range(1000)]
    for status in (201, 200):
        results = send(alice, rows).json["results"]
        assert [(result["status"], result["item"]["name"]) for result in results] == [
            (status, f"item {n}") for n in range(1000)
        ]
        assert len({result["item"]["id"] for result in results}) == 1000
    assert len(walk(alice, "/items", q="item", sort="id", limit=200)) == 1000
    answer = send(alice, [*rows, row("one more")])
    assert (answer.status_code, answer.json["error"]) == (400, "invalid")
    assert alice.get("/item/one%20more").status_code == 404


def test_no_rows_are_none(alice: Person) -> None:
    assert send(alice, []).json == {"results": []}


@pytest.mark.parametrize("body", [{}, {"items": []}, "x", 1, None, True])
def test_the_body_is_a_list(body: Any, alice: Person) -> None:
    answer = alice.post("/items/bulk", body=dumps(body).encode(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json["message"]) == (400, "The body has to be a list.")


def test_a_body_may_have_a_mebibyte(alice: Person) -> None:
    headers = [*bearer(alice.pair["access_token"]).items(), raw_requests.JSON]
    for size, status in ((2**20, 200), (2**20 + 1, 413)):
        body = dumps([row(f"{n}", description="x" * 3900) for n in range(250)]).encode().ljust(size)
        answer = raw_requests.send(alice.client.app, "POST", "/items/bulk", headers, body)
        assert (len(body), answer.status) == (size, status)
    assert answer.json["error"] == "too_large"


# A row that cannot be taken, and the fields that are named.
WRONG: list[tuple[Any, set[str]]] = [
    (1, {""}),
    (None, {""}),
    ([], {""}),
    ("x", {""}),
    ({}, {"store_id", "name"}),
    (row(""), {"name"}),
    (row("a\0"), {"name"}),
    (row(1), {"name"}),
    (row("x", None), {"price"}),
    (row("x", 1.999), {"price"}),
    ({"store_id": 1, "name": "x"}, {"price"}),
    (row("x", store_id="1"), {"store_id"}),
    (row("x", store_id=0), {"store_id"}),
    (row("x", id=1), {"id"}),
    (row("x", sku="taken"), {"sku"}),
    (row("x", barcode="1"), {"barcode"}),
    (row("x", sku=" ", tags=["a;b"]), {"sku", "tags"}),
    (row("x", sku=1, tags=2, nonsense=3), {"sku", "tags", "nonsense"}),
    (row("first"), {"name"}),
    (row("x", sku="first"), {"sku"}),
    (row("x", sku=" first "), {"sku"}),
    (row("fi\u0301rst"), {"name"}),
]


@pytest.mark.parametrize(("wrong", "fields"), WRONG)
def test_one_bad_row_spoils_all_or_only_itself(wrong: Any, fields: set[str], alice: Person) -> None:
    alice.patch("/item/chair", {"sku": "taken"})
    rows = [row("first", sku="first"), row("f\u00edrst"), row("chair", 7), wrong, row("last")]
    answer = send(alice, rows)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid")
    assert {each["field"] for each in answer.json["errors"]} == {f"3.{field}".rstrip(".") for field in fields}
    assert names(walk(alice, "/items")) == ["chair"]
    assert alice.get("/item/chair").json["price"] == 15.99
    results = leniently(alice, rows)
    assert [result["status"] for result in results] == [201, 201, 200, 400, 201]
    assert results[3]["error"]["error"] == "invalid"
    assert {each["field"] for each in results[3]["error"].get("errors", [{"field": ""}])} == fields
    assert names(walk(alice, "/items")) == ["chair", "first", "f\u00edrst", "last"]
    assert alice.get("/item/chair").json["price"] == 7


def test_all_bad_rows_are_named(alice: Person) -> None:
    answer = send(alice, [row("a", -1), row("b"), 1, row("c", sku=" ", barcode="1"), row("b")])
    assert [each["field"] for each in answer.json["errors"]] == ["0.price", "2", "3.sku", "3.barcode", "4.name"]
    assert answer.json["errors"][4]["message"] == "Line 1 has this name already."


def test_rows_see_the_items_as_they_are_before(alice: Person) -> None:
    """What one gives up, another cannot have: it would depend on the order in which they are carried out."""
    send(alice, [row("a", sku="1"), row("b", sku="2")])
    swap = [row("a", sku="2"), row("b", sku="1")]
    answer = send(alice, swap)
    assert [(each["field"], each["message"]) for each in answer.json["errors"]] == [
        ("0.sku", "The item 'b' has the SKU '2' already."),
        ("1.sku", "The item 'a' has the SKU '1' already."),
    ]
    results = leniently(alice, [row("a", sku="3"), row("b", sku="1"), row("c", sku="1"), row("d", sku="2")])
    assert [result["status"] for result in results] == [200, 400, 400, 400]
    assert [result["status"] for result in leniently(alice, [row("a", sku=None), row("b", sku="1")])] == [200, 200]


def test_names_that_differ_in_case_are_two(alice: Person) -> None:
    rows = [row("lamp", sku="a"), row("Lamp", sku="A"), row("LAMP")]
    assert [result["status"] for result in send(alice, rows).json["results"]] == [201] * 3
    assert [result["status"] for result in send(alice, rows[::-1]).json["results"]] == [200] * 3


# Rights


@pytest.mark.usefixtures("lidl")
def test_each_store_has_its_own_rights_and_currency(alice: Person, carol: Person, root: Person) -> None:
    rows = [row("a", 1.5), row("b", 150, store_id=2), row("c", store_id=99), row("d", 2.5), row("e", 1.5, store_id=2)]
    assert [result["status"] for result in leniently(alice, rows)] == [201, 403, 404, 201, 403]
    assert [result["status"] for result in leniently(carol, rows)] == [403, 201, 404, 403, 400]
    results = leniently(root, rows)
    assert [result["status"] for result in results] == [200, 200, 404, 200, 400]
    assert (results[1]["item"]["currency"], results[1]["item"]["price"]) == ("JPY", 150)
    assert results[2]["error"] == {"error": "not_found", "message": "Store not found."}
    for some, status in ((rows[:2], 403), (rows[2:4], 404)):
        assert send(alice, [row("new"), *some]).status_code == status
    assert alice.get("/item/new").status_code == 404


@pytest.mark.usefixtures("lidl")
def test_what_is_unique_is_so_within_a_store(root: Person) -> None:
    rows = [row("a", sku="1", barcode=EAN, store_id=store_id) for store_id in (1, 2)]
    assert [result["status"] for result in send(root, rows).json["results"]] == [201, 201]


def test_a_row_of_each_kind_has_the_status_that_it_would_have_alone(alice: Person) -> None:
    alice.patch("/item/chair", {"sku": "1"})
    rows = [row("chair", 2), row("new"), row("x", sku="1"), row("y", -1), row("z", stock=-1), row("w", store_id=7)]
    together = [result["status"] for result in leniently(alice, rows)]
    alice.delete("/item/new")
    alone = [alice.put(f"/item/{each.pop('name')}", each).status_code for each in rows]
    assert together == alone == [200, 201, 400, 400, 400, 404]


def test_what_is_added_is_as_if_alone(alice: Person) -> None:
    (result,) = send(alice, [row("new")]).json["results"]
    assert result["item"].items() >= USUAL.items()
    assert alice.put("/item/next", {"price": 1, "store_id": 1}).json["id"] == result["item"]["id"] + 1
    assert names(page(alice, "/items", q="new")["items"]) == ["new"]
    fill(alice, [{"name": "last"}])
    assert names(walk(alice, "/items")) == ["chair", "new", "next", "last"]
