"""What null says in a request, which generated clients send for what nobody has given them."""

from typing import Any

import pytest
from falcon import testing

from tests.conftest import Person
from tests.support.cast import PASSWORD
from tests.support.response_contract import resolve

HOOK = "https://shop.example/hook"
NOTHING: dict[str, Any] = dict.fromkeys(("sku", "barcode", "tags"))
NONE: dict[str, Any] = NOTHING | {"tags": []}
# By schema, the members that may be null, and what the answer then says where they were null alone or with `NEEDED`.
NULLABLE: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "RegisterBody": ("POST", "/register", {"setup_token": None}, {"message": "User created successfully."}),
    "RolesBody": (
        "PATCH",
        "/user/3",
        dict.fromkeys(("is_admin", "is_active", "must_change_password")),
        {"is_admin": False, "is_active": True, "must_change_password": False},
    ),
    "StoreBody": ("POST", "/store/lidl", {"currency": None}, {"currency": "EUR"}),
    "ItemBody": ("POST", "/item/table", NOTHING, NONE),
    "ItemInStoreBody": ("PUT", "/store/ikea/item/chair", NOTHING, NONE),
    "ItemChange": ("PATCH", "/item/chair", NOTHING, NONE | {"price": 2}),
    "BulkRow": ("POST", "/items/bulk", NOTHING, NONE),
    "WebhookBody": ("POST", "/webhooks", {"store": None}, {"store": None}),
}
NEEDED: dict[str, dict[str, Any]] = {
    "RegisterBody": {"username": "newcomer", "password": PASSWORD},
    "ItemBody": {"price": 2, "store_id": 1},
    "ItemInStoreBody": {"price": 2},
    "ItemChange": {"price": 2},
    "BulkRow": {"store_id": 1, "name": "chair"},
    "WebhookBody": {"url": HOOK},
}


@pytest.mark.parametrize("body", ["null", " null\n"])
def test_it_is_no_body_where_there_need_be_none(alice: Person, body: str) -> None:
    """So clients in Java and Go say that they send none. Elsewhere it is refused: see test_json."""
    hook = alice.post("/webhooks", {"url": HOOK, "store": "ikea"}).json["id"]
    json = {"body": body, "headers": {"Content-Type": "application/json"}}
    created = alice.post("/store/lidl", **json)
    assert (created.status_code, created.json["currency"]) == (201, "EUR")
    hired = alice.put("/store/ikea/members/carol", **json)
    assert (hired.status_code, hired.json["role"]) == (201, "clerk")
    asked = alice.post(f"/webhooks/{hook}/verify", **json)
    assert (asked.status_code, asked.json["state"]) == (200, "pending"), "the challenge was sent again"


def test_where_a_member_may_be_null(client: testing.TestClient, alice: Person, root: Person) -> None:
    found = nullable(client.simulate_get("/openapi.json").json)
    assert found == {name: nulls.keys() for name, (_, _, nulls, _) in NULLABLE.items()}
    for name, (method, path, nulls, told) in NULLABLE.items():
        alice.patch("/item/chair", {"sku": "CH-1", "barcode": "4006381333931", "tags": ["oak"]})
        body = NEEDED.get(name, {}) | nulls
        person = root if name in ("RolesBody", "WebhookBody") else alice
        answer = person.call(method, path, [body] if name == "BulkRow" else body)
        assert answer.status_code in (200, 201), (name, answer.text)
        given = answer.json["results"][0]["item"] if name == "BulkRow" else answer.json
        assert {member: given[member] for member in told} == told, name


def test_no_client_takes_tags_away_that_says_nothing_of_them(client: testing.TestClient) -> None:
    """Of a list that is optional and may not be null, clients in Java send an empty one."""
    schemas = client.simulate_get("/openapi.json").json["components"]["schemas"]
    for name in ("BulkRow", "ItemBody", "ItemChange", "ItemInStoreBody"):
        assert {"type": "null"} in schemas[name]["properties"]["tags"]["anyOf"]


def nullable(document: dict[str, Any]) -> dict[str, set[str]]:
    """Of bodies, the members that may be null, by their schema."""
    found: dict[str, set[str]] = {}
    for path in document["paths"].values():
        for operation in (path[method] for method in path.keys() - {"parameters"}):
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {"schema": {}})
            schema = content["schema"].get("items", content["schema"])
            for member, declared in resolve(document, schema).get("properties", {}).items():
                if {"type": "null"} in declared.get("anyOf", []):
                    found.setdefault(schema["$ref"].rpartition("/")[2], set()).add(member)
    return found


@pytest.mark.parametrize("member", ["name", "price", "description", "stock", "archived"])
def test_it_does_not_say_that_something_stays_as_it_is(alice: Person, member: str) -> None:
    """In a merge patch it takes something away, and these cannot be taken away: to leave out is what lets them be."""
    before = alice.get("/item/chair").json
    answer = alice.patch("/item/chair", {member: None})
    assert (answer.status_code, [each["field"] for each in answer.json["errors"]]) == (400, [member])
    assert alice.get("/item/chair").json == before
