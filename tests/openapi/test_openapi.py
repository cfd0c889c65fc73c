"""/openapi.json: valid, whole, and stable. That no answer leaves it is for test_conformance."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import openapi_spec_validator
import pytest
import sqlalchemy as sa
from falcon import testing
from falcon.routing import map_http_methods

from storekeeper import errors
from storekeeper.app import create_routes
from storekeeper.components import Parts, create_components
from storekeeper.errors import StorekeeperError
from storekeeper.files import images
from storekeeper.http.response_headers import COMMON_HEADERS
from storekeeper.models import item
from storekeeper.openapi import examples
from storekeeper.resources import imports
from storekeeper.settings import Settings
from tests.conftest import Person
from tests.support import app_without_database
from tests.support.databases import transaction
from tests.support.response_contract import closed, resolve

Json = dict[str, Any]

# Each operation's id, tag, method and path. Clients are generated from these: lines are added, never changed.
CONTRACT = [line.split() for line in (Path(__file__).parent / "operations.txt").read_text().splitlines()]
# The names of the schemas, which are those of classes in clients: lines are added, never changed.
NAMES = (Path(__file__).parent / "schemas.txt").read_text().split()
GIVEN = {
    "listChanges": {"application/json", "text/event-stream"},
    "listItems": {"application/json", "text/csv", "application/jsonl"},
    "listItemsInStore": {"application/json", "text/csv", "application/jsonl"},
    "getImage": {"image/webp"},
}
PAGES = {"GET /", "GET /docs", "GET /docs/{name}"}
FREE = {"registerUser", "login", "choosePassword", "getStore", "listStores", "getImage", "getLiveness"}
IMAGE = "0" * 64

REFUSING = {"Accept-Encoding": "gzip, identity;q=0"}
BODIES = {"accept", "accept-encoding"}  # what they may be
LIMITS = {"ratelimit", "ratelimit-policy"}  # of costly answers, and of those that are refused for them
UNTOLD = {name.decode() for name, _ in COMMON_HEADERS} | {"content-type", "content-length"}
VALID = jsonschema.Draft202012Validator


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Json:
    return app_without_database.document(tmp_path_factory.mktemp("described"))


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


def test_every_operation_declares_its_id_and_tag(document: Json) -> None:
    for path, methods in document["paths"].items():
        for method in methods.keys() - {"parameters"}:
            id, (tag,) = methods[method]["operationId"], methods[method]["tags"]
            where = f"{method.upper()} {path}"
            assert re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", id), (
                f"{where} has no operation id. Declare one in camelCase, first a verb: "
                f'@responds(..., operation_id="listThings"), and add its line to tests/openapi/operations.txt.'
            )
            assert tag, f'{where} has no tag. Its resource declares one that openapi.TAGS describes: tag = "items".'


def test_operation_ids_are_a_contract(operations: dict[str, Json]) -> None:
    now = sorted([id, each["tags"][0], *each["where"].split()] for id, each in operations.items())
    changed, added = [row for row in CONTRACT if row not in now], [row for row in now if row not in CONTRACT]
    assert not changed, (
        f"Clients are generated from these lines of tests/openapi/operations.txt: {changed} have to stay."
    )
    assert not added, (
        f"Add to tests/openapi/operations.txt what is new, in its final form: it is there to stay. {added}"
    )
    assert sorted(CONTRACT) == CONTRACT, "The lines of tests/openapi/operations.txt are in the order of the ids."


def test_names_of_schemas_are_a_contract(document: Json) -> None:
    now = document["components"]["schemas"].keys()
    gone, added = set(NAMES) - now, now - set(NAMES)
    assert not gone, f"Clients have classes of these names of tests/openapi/schemas.txt: {sorted(gone)} have to stay."
    assert not added, (
        f"Add to tests/openapi/schemas.txt what is new, in its final form: it is there to stay. {sorted(added)}"
    )
    assert sorted(NAMES) == NAMES, "The lines of tests/openapi/schemas.txt are sorted."


def test_only_schemas_with_a_name_have_a_title_and_it_is_their_name(document: Json) -> None:
    """Of a title, generators make a class as well."""
    for where, each in schemas_in(document):
        assert "title" not in each or where == f"/components/schemas/{each['title']}"


def test_every_route_is_a_page_or_in_the_document(settings: Settings, parts: Parts) -> None:
    routes = create_routes(create_components(settings, parts))
    assert {
        f"{method} {re.sub(r':[a-z]+}', '}', template)}"
        for template, resource in routes.items()
        for method in map_http_methods(resource)
    } == {f"{method} {path}" for _, _, method, path in CONTRACT} | PAGES


def test_every_error_code_is_listed(document: Json) -> None:
    codes = {kind.code: kind for kind in raised(StorekeeperError)}
    for name in ("ErrorBody", "Problem"):
        assert document["components"]["schemas"][name]["properties"]["error"]["enum"] == sorted(codes)
    answers = document["components"]["responses"]
    assert {code: answer["description"] for code, answer in answers.items()} == {
        code: f"- `{code}`: {kind.usual_message()}" for code, kind in codes.items()
    }


def raised(base: type[StorekeeperError]) -> Iterator[type[StorekeeperError]]:
    """All of `errors` but those that only group others, or share its code, which have none of their own."""
    for kind in base.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield from raised(kind)
            if "code" in vars(kind):
                yield kind


def test_who_may_call_is_told(document: Json, operations: dict[str, Json]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert {scheme["scheme"] for scheme in schemes.values()} == {"bearer"}
    named = {id: [list(each) for each in operation["security"]] for id, operation in operations.items()}
    assert {id for id, each in named.items() if not each} == FREE
    for id in ("listItems", "listItemsInStore"):
        assert named[id] == [[], ["accessToken"]]
    assert named["refreshTokens"] == [["refreshToken"]]
    assert named["logout"] == [["accessToken"], ["refreshToken"]]
    assert named["getItem"] == [["accessToken"]]


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
            assert_bounded(resolve(document, member))
    for parameter in parameters(operations):
        assert_bounded(parameter["schema"])


def assert_bounded(schema: Json) -> None:
    for each in schema.get("anyOf", [schema]):
        if "enum" in each:
            continue
        if each.get("type") == "string":
            assert "maxLength" in each or re.search(r"\{\d", each["pattern"]), schema
        elif each.get("type") in ("integer", "number"):
            assert {"minimum", "maximum"} <= each.keys(), schema
        elif each.get("type") == "array":
            assert "maxItems" in each, schema
            assert_bounded(each["items"])
        else:
            assert each.get("type") in ("boolean", "null"), schema


def test_files_are_told_with_their_types_and_bounded(operations: dict[str, Json]) -> None:
    taken = dict(zip(operations, contents(operations), strict=True))
    files = {id: content for id, content in taken.items() if content and "application/json" not in content}
    pictures = {f"image/{kind}" for kind in ("png", "jpeg", "webp", "gif")}
    assert {id: set(content) for id, content in files.items()} == {
        "putItemImage": pictures,
        "putItemImageInStore": pictures,
        "startImport": set(imports.TYPES),
    }
    for id, content in files.items():
        assert re.fullmatch(
            r"At most (10 MiB\.|256 MiB\. It may be compressed: `Content-Encoding: gzip`\.)",
            operations[id]["requestBody"]["description"],
        )
        assert all(each["schema"] == {"type": "string", "format": "binary"} for each in content.values())
    given = {id: set(operation["responses"]["200"]["content"]) for id, operation in operations.items() if id in GIVEN}
    assert given == GIVEN


def test_the_examples_are_good(document: Json, operations: dict[str, Json]) -> None:
    schemas = document["components"]["schemas"]
    assert examples.SCHEMAS.keys() <= schemas.keys()
    for each in schemas.values():
        for example in each.get("examples", []):
            VALID(each | closed(document)).validate(example)
    for response in document["components"]["responses"].values():
        content = response["content"]["application/json"]
        for example in content["examples"].values():
            VALID(content["schema"] | closed(document)).validate(example["value"])
    for operation in operations.values():
        for parameter in operation["path"]:
            VALID(parameter["schema"]).validate(parameter["example"])


def test_an_example_of_an_answer_has_all_that_is_always_there(document: Json) -> None:
    for name, example in examples.SCHEMAS.items():
        schema = document["components"]["schemas"][name]
        if "additionalProperties" not in schema:  # those of requests have it: most of their members may be left out
            members = schema["properties"]
            always = {*schema["required"], *(member for member, each in members.items() if "default" in each)}
            assert always <= example.keys() <= members.keys(), name


def test_every_body_has_an_example_to_begin_with(document: Json, operations: dict[str, Json]) -> None:
    for content in contents(operations):
        schema = content.get("application/json", {}).get("schema", {})
        if name := schema.get("items", schema).get("$ref", "").rpartition("/")[2]:
            assert name in examples.SCHEMAS, f"{name} has no example: add one to storekeeper/openapi/examples.py."


def test_every_number_has_a_format(document: Json) -> None:
    """Without one, Go takes a price for a float32, and Java, C# and Kotlin a stock for 32 bits."""
    formats = {"integer": {"int32", "int64"}, "number": {"double"}}
    for where, each in schemas_in(document):
        for kind in formats.keys() & {each.get("type")} if isinstance(each.get("type"), str) else ():
            assert each.get("format") in formats[kind], where
            is_small = each.get("maximum", 2**53) < 2**31 and each.get("minimum", -(2**53)) >= -(2**31)
            assert kind == "number" or is_small == (each["format"] == "int32"), where


def test_every_schema_says_a_type_and_every_union_has_a_name(document: Json) -> None:
    """A union beside null is none. Of an empty schema, generators make types that they never define."""
    for where, each in schemas_in(document):
        assert {"type", "anyOf", "oneOf", "$ref"} & each.keys(), f"{where} says nothing of its type."
        choices = [choice for choice in each.get("anyOf", each.get("oneOf", [])) if choice != {"type": "null"}]
        is_named = re.fullmatch(r"/components/schemas/\w+", where)
        assert len(choices) < 2 or is_named, f'{where} is a union: name it with Annotated[..., Meta(title="...")].'


def test_no_name_of_a_schema_is_that_of_a_constructor(document: Json) -> None:
    """In Go each type `Body` has a function `NewBody`."""
    names = document["components"]["schemas"].keys()
    assert {f"New{name}{more}" for name in names for more in ("", "WithDefaults")} & names == set()
    assert len({name.lower() for name in names}) == len(names)


def schemas_in(part: Any, where: str = "") -> Iterator[tuple[str, Json]]:
    """All schemas, with their places."""
    for name, each in part.items() if isinstance(part, dict) else ():
        if name in ("schema", "items") or where.endswith(("/components/schemas", "/properties")):
            yield f"{where}/{name}", each
        for number, choice in enumerate(each) if name in ("anyOf", "oneOf") else ():
            yield f"{where}/{name}/{number}", choice
        if name not in ("example", "examples"):
            yield from schemas_in(each, f"{where}/{name}")
    for number, each in enumerate(part) if isinstance(part, list) else ():
        yield from schemas_in(each, f"{where}/{number}")


def test_the_headers_that_answers_carry_are_told(
    document: Json,
    operations: dict[str, Json],
    parts: Parts,
    client: testing.TestClient,
    alice: Person,
    engine: sa.Engine,
) -> None:
    alice.post("/store/second")
    alice.put("/item/table", {"price": 1, "store_id": 1})
    asyncio.run(parts.storage.put(images.path(IMAGE, "full"), b"image"))
    with transaction(engine) as conn:
        item.set_image(conn, 1, item.ItemRef("chair"), IMAGE)
    tag = client.simulate_get(f"/images/{IMAGE}/full").headers["etag"]
    file = {"body": b"name,price\r\n", "headers": {"Content-Type": "text/csv"}}
    lenient = {"Prefer": "handling=lenient"}
    wrong = {"json": {"username": "ghost", "password": "wrong"}}
    answers = [
        ("listItems", alice.get("/items?limit=1"), {"link", *LIMITS}),
        ("listItems", alice.get("/items", headers={"Prefer": "count=exact"}), {"preference-applied", *LIMITS}),
        ("listItems", alice.get("/items", headers={"Accept": "text/csv"}), {"content-disposition", *LIMITS}),
        ("bulkPutItems", alice.post("/items/bulk", []), LIMITS),
        ("bulkPutItems", alice.post("/items/bulk", [], headers=lenient), {"preference-applied", *LIMITS}),
        ("bulkPutItems", alice.post("/items/bulk", [], headers=REFUSING), {"content-encoding", *LIMITS}),
        ("bulkPutItems", alice.post("/items/bulk", [], headers={"Content-Encoding": "br"}), BODIES),
        ("startImport", alice.post("/imports?store=ikea", **file), {"location", *LIMITS}),
        ("getImage", client.simulate_get(f"/images/{IMAGE}/full"), {"etag"}),
        ("getImage", client.simulate_get(f"/images/{IMAGE}/full", headers={"If-None-Match": tag}), {"etag"}),
        ("listStores", alice.get("/stores?limit=1"), {"link", *LIMITS}),
        ("listUsers", client.simulate_get("/users"), {"www-authenticate"}),
        ("registerUser", client.simulate_post("/register", json={"username": "d", "password": "d" * 9}), {"location"}),
        *(("login", client.simulate_post("/login", **wrong), {"www-authenticate"}) for _ in range(10)),
        ("login", client.simulate_post("/login", **wrong), {"retry-after", *LIMITS}),
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
    assert {name for name, header in headers.items() if header["required"]} - UNTOLD <= carried


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
