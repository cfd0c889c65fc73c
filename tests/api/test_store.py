"""/store/{name} and /stores"""

from typing import Any

import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.database import compiled_query
from storekeeper.database.compiled_query import execute
from storekeeper.domain.money import DIGITS
from storekeeper.models.item import items
from tests.conftest import Person
from tests.support.databases import transaction
from tests.support.expected_answers import shop, whole

CHAIR = whole(1, "chair", 15.99)
IKEA = shop(1, "ikea", [CHAIR])
OWNERS_ONLY = {"error": "forbidden", "message": "Only owners of the store and administrators may do this."}
NO_STORE = {"error": "not_found", "message": "Store not found."}


def result(answer: testing.Result) -> tuple[int, Any]:
    return answer.status_code, answer.json


def test_anybody_may_read_a_store(client: testing.TestClient) -> None:
    assert result(client.simulate_get("/store/ikea")) == (200, IKEA)


def test_a_token_is_not_looked_at_there(client: testing.TestClient) -> None:
    for path in ("/store/ikea", "/stores"):
        assert client.simulate_get(path, headers={"Authorization": "Bearer x"}).status_code == 200


def test_a_store_that_is_not_there(client: testing.TestClient, alice: Person) -> None:
    assert result(client.simulate_get("/store/lidl")) == (404, NO_STORE)
    assert result(alice.delete("/store/lidl")) == (404, NO_STORE)


def test_found_a_store_without_a_body(carol: Person, client: testing.TestClient) -> None:
    lidl = shop(2, "lidl")
    assert result(carol.post("/store/lidl")) == (201, lidl)
    assert result(client.simulate_get("/store/lidl")) == (200, lidl)
    assert carol.get("/store/lidl/members/carol").json["role"] == "owner"


def test_found_a_store_with_an_empty_object(carol: Person) -> None:
    assert carol.post("/store/lidl", {}).json["currency"] == "EUR"
    assert carol.post("/store/aldi", {"currency": None}).json["currency"] == "EUR"


def test_a_store_that_exists(carol: Person) -> None:
    expected = {"error": "already_exists", "message": "A store with name 'ikea' already exists."}
    assert result(carol.post("/store/ikea")) == (400, expected)
    assert result(carol.post("/store/ikea", {"currency": "JPY"})) == (400, expected)
    assert carol.get("/store/ikea").json == IKEA, "and it is still Alice's, in euros"
    assert carol.get("/store/ikea/members/carol").status_code == 404


def test_a_store_has_the_currency_of_its_founders_choice(carol: Person) -> None:
    for currency in ("JPY", "KWD", "CLF", "USD"):
        assert carol.post(f"/store/{currency}", {"currency": currency}).json["currency"] == currency
        assert carol.put(f"/store/{currency}/item/thing", {"price": 1}).json["currency"] == currency
    answer = carol.put("/store/JPY/item/thing", {"price": "1.5"})
    assert answer.json["message"] == "A price in JPY has at most 0 digits after the point."


def test_a_currency_that_nobody_has(carol: Person) -> None:
    for currency in (
        "XXX",
        "XAU",
        "DEM",
        "eur",
        "Eur",
        "EURO",
        "EU",
        "",
        "€",
        "EUR\n",
        " EUR",
        "ＥＵＲ",
        978,
        True,
        ["EUR"],
    ):
        answer = carol.post("/store/lidl", {"currency": currency})
        assert answer.status_code == 400, currency
        assert [each["field"] for each in answer.json["errors"]] == ["currency"], currency
    assert "XXX" not in DIGITS
    assert carol.get("/store/lidl").status_code == 404


def test_delete_an_empty_store(alice: Person) -> None:
    assert alice.delete("/item/chair").status_code == 200
    assert result(alice.delete("/store/ikea")) == (200, {"message": "Store deleted."})
    assert result(alice.get("/store/ikea")) == (404, NO_STORE)
    assert result(alice.delete("/store/ikea")) == (404, NO_STORE)
    assert alice.get("/stores").json == {"stores": []}


def test_a_store_that_holds_items_is_kept(alice: Person, root: Person) -> None:
    expected = {
        "error": "store_not_empty",
        "message": "The store holds items. Delete them first, or say ?with_items=true.",
    }
    for person in (alice, root):
        for path in ("/store/ikea", "/store/ikea?with_items=false"):
            assert result(person.delete(path)) == (409, expected)
    assert alice.get("/store/ikea").json == IKEA


def test_unless_they_are_to_go_with_it(alice: Person) -> None:
    assert result(alice.delete("/store/ikea?with_items=true")) == (200, {"message": "Store deleted."})
    assert alice.get("/item/chair").status_code == 404
    assert alice.get("/items").json == {"items": []}


def test_only_its_owner_and_administrators_may_delete_a_store(bob: Person, carol: Person, root: Person) -> None:
    for person in (bob, carol):
        for path in ("/store/ikea", "/store/ikea?with_items=true"):
            assert result(person.delete(path)) == (403, OWNERS_ONLY)
    assert root.delete("/store/ikea?with_items=true").status_code == 200


def test_a_name_is_free_again(alice: Person, carol: Person) -> None:
    assert alice.delete("/store/ikea?with_items=true").status_code == 200
    assert carol.post("/store/ikea").json == shop(2, "ikea")
    assert carol.get("/store/ikea/members/carol").json["role"] == "owner"
    assert alice.put("/item/chair", {"price": 1, "store_id": 2}).status_code == 403, "it is another store"


def test_all_stores_for_anybody(client: testing.TestClient, carol: Person) -> None:
    assert result(client.simulate_get("/stores")) == (200, {"stores": [IKEA]})
    carol.post("/store/aldi", {"currency": "JPY"})
    aldi = shop(2, "aldi", [], "JPY")
    assert client.simulate_get("/stores").json == {"stores": [IKEA, aldi]}
    assert client.simulate_get("/stores?sort=name").json == {"stores": [aldi, IKEA]}


def test_a_store_may_be_emptied_while_the_list_is_read(
    engine: sa.Engine, client: testing.TestClient, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice.put("/item/table", {"price": 1, "store_id": 1})

    def empty_first(conn: sa.Connection, sql: str, *more: Any) -> Any:
        if sql.startswith("SELECT items"):
            with transaction(engine) as other:
                other.execute(sa.delete(items))
        return execute(conn, sql, *more)

    monkeypatch.setattr(compiled_query, "execute", empty_first)
    assert result(client.simulate_get("/stores?limit=1")) == (200, {"stores": [IKEA | {"items": []}]})
