"""/openapi.json: valid, whole, and stable. That no answer leaves it is for test_conformance."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import openapi_spec_validator
import pytest
from falcon import testing

from storekeeper import errors, images
from storekeeper.app import Parts, create_routes, lifetimes
from storekeeper.auth import Guard
from storekeeper.errors import StorekeeperError
from storekeeper.exchange import SECURITY_HEADERS
from storekeeper.resources import imports
from storekeeper.settings import Settings
from storekeeper.tokens import Tokens
from tests import described
from tests.conftest import Person

Json = dict[str, Any]

# Clients are generated from these: an id that changes or goes breaks them.
OPERATIONS = {
    "delete_import_job": "DELETE /imports/{import_id}",
    "delete_item": "DELETE /item/{name}",
    "delete_item_image": "DELETE /item/{name}/image",
    "delete_item_image_in_store": "DELETE /store/{name}/item/{item_name}/image",
    "delete_item_in_store": "DELETE /store/{name}/item/{item_name}",
    "delete_member": "DELETE /store/{name}/members/{username}",
    "delete_session": "DELETE /sessions/{session_id}",
    "delete_session_list": "DELETE /sessions",
    "delete_store": "DELETE /store/{name}",
    "delete_user": "DELETE /user/{user_id}",
    "delete_webhook": "DELETE /webhooks/{webhook_id}",
    "get_audit": "GET /audit",
    "get_changes": "GET /changes",
    "get_delivery_list": "GET /webhooks/{webhook_id}/deliveries",
    "get_image_file": "GET /images/{key}/{size}",
    "get_import_job": "GET /imports/{import_id}",
    "get_import_list": "GET /imports",
    "get_import_refusals": "GET /imports/{import_id}/refusals",
    "get_item": "GET /item/{name}",
    "get_item_history": "GET /item/{name}/history",
    "get_item_history_in_store": "GET /store/{name}/item/{item_name}/history",
    "get_item_in_store": "GET /store/{name}/item/{item_name}",
    "get_item_list": "GET /items",
    "get_item_price": "GET /item/{name}/price",
    "get_item_price_in_store": "GET /store/{name}/item/{item_name}/price",
    "get_live": "GET /livez",
    "get_member": "GET /store/{name}/members/{username}",
    "get_member_list": "GET /store/{name}/members",
    "get_ready": "GET /readyz",
    "get_session_list": "GET /sessions",
    "get_store": "GET /store/{name}",
    "get_store_history": "GET /store/{name}/history",
    "get_store_item_list": "GET /store/{name}/items",
    "get_store_list": "GET /stores",
    "get_user": "GET /user/{user_id}",
    "get_user_list": "GET /users",
    "get_webhook": "GET /webhooks/{webhook_id}",
    "get_webhook_list": "GET /webhooks",
    "patch_item": "PATCH /item/{name}",
    "patch_item_in_store": "PATCH /store/{name}/item/{item_name}",
    "patch_store": "PATCH /store/{name}",
    "patch_user": "PATCH /user/{user_id}",
    "patch_webhook": "PATCH /webhooks/{webhook_id}",
    "post_bulk": "POST /items/bulk",
    "post_delivery_replay": "POST /webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
    "post_fresh_login": "POST /login/fresh",
    "post_import_job": "POST /imports/{import_id}",
    "post_import_list": "POST /imports",
    "post_item": "POST /item/{name}",
    "post_item_in_store": "POST /store/{name}/item/{item_name}",
    "post_login": "POST /login",
    "post_logout": "POST /logout",
    "post_refresh": "POST /refresh",
    "post_register": "POST /register",
    "post_stock": "POST /item/{name}/stock",
    "post_stock_in_store": "POST /store/{name}/item/{item_name}/stock",
    "post_store": "POST /store/{name}",
    "post_webhook_list": "POST /webhooks",
    "post_webhook_replay": "POST /webhooks/{webhook_id}/replay",
    "post_webhook_rotation": "POST /webhooks/{webhook_id}/rotate",
    "post_webhook_test": "POST /webhooks/{webhook_id}/test",
    "put_item": "PUT /item/{name}",
    "put_item_image": "PUT /item/{name}/image",
    "put_item_image_in_store": "PUT /store/{name}/item/{item_name}/image",
    "put_item_in_store": "PUT /store/{name}/item/{item_name}",
    "put_member": "PUT /store/{name}/members/{username}",
    "put_password": "PUT /user/{user_id}/password",
}
GIVEN = {
    "get_changes": {"application/json", "text/event-stream"},
    "get_item_list": {"application/json", "text/csv", "application/jsonl"},
    "get_store_item_list": {"application/json", "text/csv", "application/jsonl"},
    "get_image_file": {"image/webp"},
}
PAGES = {"GET /", "GET /docs", "GET /docs/{name}"}
FREE = {"post_register", "post_login", "get_store", "get_store_list", "get_image_file", "get_live", "get_ready"}
IMAGE = "0" * 64

UNTOLD = {name.decode() for name, _ in SECURITY_HEADERS} | {"content-type", "content-length"}
VALID = jsonschema.Draft202012Validator


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Json:
    return described.document(tmp_path_factory.mktemp("described"))


@pytest.fixture(scope="module")
def operations(document: Json) -> dict[str, Json]:
    """By their ids, with the parameters of their paths."""
    return {
        operation["operationId"]: {**operation, "where": f"{method.upper()} {path}", "path": shared}
        for path, methods in document["paths"].items()
        for shared in [methods.get("parameters", [])]
        for method, operation in methods.items()
        if method != "parameters"
    }


def resolve(document: Json, part: Json) -> Json:
    while "$ref" in part:
        found = document
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def schema(document: Json, part: Json) -> Json:
    """A schema that can be checked by itself."""
    return {**part, "components": document["components"]}


def bodies(document: Json, operations: dict[str, Json]) -> Iterator[tuple[Json, Json]]:
    """The content and the schema of all request bodies that are JSON."""
    for content in contents(operations):
        if "application/json" in content:
            yield content["application/json"], resolve(document, content["application/json"]["schema"])


def contents(operations: dict[str, Json]) -> Iterator[Json]:
    """What may be sent, by media type."""
    for operation in operations.values():
        yield operation.get("requestBody", {}).get("content", {})


def parameters(operations: dict[str, Json]) -> Iterator[Json]:
    for operation in operations.values():
        yield from operation["path"]
        yield from operation.get("parameters", [])


def test_the_document_is_valid(document: Json) -> None:
    assert document["openapi"].startswith("3.1.")
    openapi_spec_validator.validate(document)


def test_operation_ids_are_stable(operations: dict[str, Json]) -> None:
    assert {id: operation["where"] for id, operation in operations.items()} == OPERATIONS


def test_every_route_is_a_page_or_in_the_document(settings: Settings, parts: Parts) -> None:
    routes = create_routes(settings, parts, Tokens(parts.keys, lifetimes(settings)), Guard(parts.db))
    responders = [(template, name) for template, resource in routes.items() for name in dir(resource)]
    assert {
        f"{name.removeprefix('on_').upper()} {re.sub(r':[a-z]+}', '}', template)}"
        for template, name in responders
        if name.startswith("on_")
    } == set(OPERATIONS.values()) | PAGES


def test_every_error_code_is_listed(document: Json) -> None:
    codes = {kind.code: kind for kind in raised(StorekeeperError)}
    for name in ("ErrorBody", "Problem"):
        assert document["components"]["schemas"][name]["properties"]["error"]["enum"] == sorted(codes)
    answers = document["components"]["responses"]
    assert {code: answer["description"] for code, answer in answers.items()} == {
        code: f"- `{code}`: {kind.message}" for code, kind in codes.items()
    }


def raised(base: type[StorekeeperError]) -> Iterator[type[StorekeeperError]]:
    """All of `errors` but those that only group others, which have no message."""
    for kind in base.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield from raised(kind)
            if "message" in vars(kind):
                yield kind


def test_who_may_call_is_told(document: Json, operations: dict[str, Json]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert {scheme["scheme"] for scheme in schemes.values()} == {"bearer"}
    named = {id: [list(each) for each in operation["security"]] for id, operation in operations.items()}
    assert {id for id, each in named.items() if not each} == FREE
    for id in ("get_item_list", "get_store_item_list"):
        assert named[id] == [[], ["accessToken"]]
    assert named["post_refresh"] == [["refreshToken"]]
    assert named["post_logout"] == [["accessToken"], ["refreshToken"]]
    assert named["get_item"] == [["accessToken"]]


def test_every_operation_has_a_short_summary_and_a_described_tag(document: Json, operations: dict[str, Json]) -> None:
    described_tags = {tag["name"] for tag in document["tags"] if tag["description"].endswith(".")}
    assert {tag for operation in operations.values() for tag in operation["tags"]} == described_tags
    for operation in operations.values():
        assert re.fullmatch(r"[A-Z].{6,90}[^.]", operation["summary"]), operation["where"]


def test_nothing_stands_there_unused(document: Json) -> None:
    used = set(re.findall(r"#/components/(\w+/[\w-]+)", str(document)))
    told = {f"{kind}/{name}" for kind in ("schemas", "headers") for name in document["components"][kind]}
    assert told - used == set()


def test_bodies_and_parameters_are_bounded(document: Json, operations: dict[str, Json]) -> None:
    for _, body in bodies(document, operations):
        row = resolve(document, body.get("items", body))
        assert row is body or body["maxItems"] <= 1000
        assert row["additionalProperties"] is False
        for member in row["properties"].values():
            assert_bounded(member)
    for parameter in parameters(operations):
        assert_bounded(parameter["schema"])


def assert_bounded(schema: Json) -> None:
    for each in schema.get("anyOf", [schema]):
        if each.get("type") == "string":
            assert "maxLength" in each or re.search(r"\{\d", each["pattern"]), schema
        elif each.get("type") in ("integer", "number"):
            assert {"minimum", "maximum"} <= each.keys(), schema
        elif each.get("type") == "array":
            assert "maxItems" in each, schema
            assert_bounded(each["items"])
        else:
            assert each.get("type") in ("boolean", "null") or "enum" in each, schema


def test_files_are_told_with_their_types_and_bounded(operations: dict[str, Json]) -> None:
    taken = dict(zip(operations, contents(operations), strict=True))
    files = {id: content for id, content in taken.items() if content and "application/json" not in content}
    pictures = {f"image/{kind}" for kind in ("png", "jpeg", "webp", "gif")}
    assert {id: set(content) for id, content in files.items()} == {
        "put_item_image": pictures,
        "put_item_image_in_store": pictures,
        "post_import_list": set(imports.TYPES),
    }
    for content in files.values():
        for each in content.values():
            assert each["schema"]["format"] == "binary"
            assert each["schema"]["maxLength"] <= 2**28
    given = {id: set(operation["responses"]["200"]["content"]) for id, operation in operations.items() if id in GIVEN}
    assert given == GIVEN


def test_the_examples_are_good(document: Json, operations: dict[str, Json]) -> None:
    for content, _ in bodies(document, operations):
        VALID(schema(document, content["schema"])).validate(content["example"])
    for operation in operations.values():
        for parameter in operation["path"]:
            VALID(parameter["schema"]).validate(parameter["example"])
    for each in document["components"]["schemas"].values():
        for member in each["properties"].values():
            for example in member.get("examples", []):
                VALID(schema(document, member)).validate(example)


def test_a_body_to_begin_with(operations: dict[str, Json]) -> None:
    def example(id: str) -> Any:
        return operations[id]["requestBody"]["content"]["application/json"]["example"]

    assert example("post_item") == {"price": 15.99, "store_id": 1}
    assert example("post_store") == {"currency": "EUR"}
    assert example("patch_item") == {"price": 14.99, "tags": ["garden"]}
    assert example("post_bulk") == [{"store_id": 1, "name": "chair", "price": 15.99}]
    assert example("post_register") == example("post_login")  # no set-up token: the few who need it know


def test_the_headers_that_answers_carry_are_told(
    document: Json, operations: dict[str, Json], parts: Parts, client: testing.TestClient, alice: Person
) -> None:
    alice.post("/store/second")
    alice.put("/item/table", {"price": 1, "store_id": 1})
    asyncio.run(parts.storage.put(images.path(IMAGE, "full"), b"image"))
    tag = client.simulate_get(f"/images/{IMAGE}/full").headers["etag"]
    file = {"body": b"name,price\r\n", "headers": {"Content-Type": "text/csv"}}
    wrong = {"json": {"username": "ghost", "password": "wrong"}}
    answers = [
        ("get_item_list", alice.get("/items?limit=1"), {"link", "vary"}),
        ("get_item_list", alice.get("/items", headers={"Prefer": "count=exact"}), {"preference-applied", "vary"}),
        ("get_item_list", alice.get("/items", headers={"Accept": "text/csv"}), {"content-disposition", "vary"}),
        ("post_bulk", alice.post("/items/bulk", []), set()),
        ("post_bulk", alice.post("/items/bulk", [], headers={"Prefer": "handling=lenient"}), {"preference-applied"}),
        ("post_import_list", alice.post("/imports?store=ikea", **file), {"location"}),
        ("get_image_file", client.simulate_get(f"/images/{IMAGE}/full"), {"etag"}),
        ("get_image_file", client.simulate_get(f"/images/{IMAGE}/full", headers={"If-None-Match": tag}), {"etag"}),
        ("get_store_list", alice.get("/stores?limit=1"), {"link"}),
        ("get_user_list", client.simulate_get("/users"), {"www-authenticate"}),
        ("post_register", client.simulate_post("/register", json={"username": "d", "password": "d" * 9}), {"location"}),
        *(("post_login", client.simulate_post("/login", **wrong), {"www-authenticate"}) for _ in range(10)),
        ("post_login", client.simulate_post("/login", **wrong), {"retry-after", "ratelimit", "ratelimit-policy"}),
    ]
    for id, answer, expected in answers:
        told = resolve(document, operations[id]["responses"][str(answer.status_code)])
        assert_carries(document, answer, told, expected | {"x-request-id"})


def test_allow_is_told_where_a_method_is_refused(document: Json, client: testing.TestClient) -> None:
    answer = client.simulate_post("/items")
    assert answer.status_code == 405
    assert_carries(
        document, answer, document["components"]["responses"]["method_not_allowed"], {"allow", "x-request-id"}
    )


def assert_carries(document: Json, answer: testing.Result, told: Json, expected: set[str]) -> None:
    carried = answer.headers.keys() - UNTOLD
    assert carried == expected
    headers = {name.lower(): resolve(document, header) for name, header in told["headers"].items()}
    assert carried <= headers.keys()
    assert {name for name, header in headers.items() if header["required"]} <= carried


@pytest.mark.parametrize(
    ("wanted", "name"), [("application/json", "ErrorBody"), ("application/problem+json", "Problem")]
)
def test_an_error_in_either_form_is_as_told(document: Json, alice: Person, wanted: str, name: str) -> None:
    alice.post("/store/second")
    alice.put("/item/chair", {"price": 1, "store_id": 2})
    for path in ("/item/ghost", "/item/chair", "/items?limit=0", "/changes?after=999999"):
        answer = alice.get(path, headers={"Accept": wanted})
        assert answer.headers["content-type"] == wanted
        closed = {**document["components"]["schemas"][name], "additionalProperties": False}
        VALID(schema(document, closed)).validate(answer.json)
