"""The length of a text comes first: nothing that somebody sends is normalised or folded before it is known to be short.

Normalising takes time by the square of a run of combining marks, and holds the interpreter while it does. So here the
longest such run that is normalised is counted, whatever is sent wherever; no clock is asked.
"""

import json
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from falcon import testing
from msgspec import inspect

from storekeeper.adoption import renaming
from storekeeper.app import create_routes
from storekeeper.components import Parts, create_components
from storekeeper.domain import names
from storekeeper.http import operation
from storekeeper.models import item_list
from storekeeper.settings import Settings
from tests.conftest import Person, bearer
from tests.support import raw_requests
from tests.support.cast import PASSWORD
from tests.support.cli_runner import run_with
from tests.support.console_browser import Browser
from tests.support.imports import start, upload

MARKS = "\u0301\u0316" * 5000  # two combining classes by turns: the worst case, as they have to be sorted
LONGEST = names.MAX_DECOMPOSITION * names.LENGTH  # marks in a row that may be normalised: a name, just not too long
IN_A_PATH = quote("\u0301\u0316" * 1500, safe="")  # a request's head has its own bound


class Counter:
    """How long the longest run of combining marks is that was normalised."""

    def __init__(self) -> None:
        self.longest = 0

    def see(self, text: str) -> None:
        run = 0
        for char in text:
            run = run + 1 if unicodedata.combining(char) else 0
            self.longest = max(self.longest, run)


@pytest.fixture(autouse=True)
def normalised(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    """What a test has normalised, which is little at its end."""
    counter = Counter()
    normalize = unicodedata.normalize

    def counted(form: Any, text: str) -> str:
        counter.see(text)
        return normalize(form, text) if counter.longest <= LONGEST else text  # the test is not to wait either

    monkeypatch.setattr("unicodedata.normalize", counted)
    yield counter
    assert counter.longest <= LONGEST


def test_a_body_of_long_texts(alice: Person, client: testing.TestClient) -> None:
    for field, value in (
        ("name", MARKS),
        ("sku", MARKS),
        ("barcode", MARKS),
        ("description", MARKS),
        ("tags", [MARKS]),
    ):
        for answer in (alice.patch("/item/chair", {field: value}), alice.patch("/item/chair", {field: f" a{value}"})):
            assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, field)
    for field in ("sku", "barcode", "description"):
        assert alice.put("/item/desk", {"price": 1, "store_id": 1, field: MARKS}).status_code == 400
    assert alice.patch("/store/ikea", {"name": MARKS}).status_code == 400
    assert alice.post("/webhooks", {"url": "https://shop.example/", "store": MARKS}).status_code == 400
    for path in ("/register", "/login"):
        answer = client.simulate_post(path, json={"username": MARKS, "password": PASSWORD})
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "username")
    assert client.simulate_post("/register", json={"username": "dave", "password": MARKS}).status_code == 400
    answer = client.simulate_post("/login", json={"username": "\u0301\u0316" * 500, "password": PASSWORD})
    assert answer.status_code == 401, "short enough for a name to try, and nobody's"


def test_a_bulk_request_of_long_texts(alice: Person) -> None:
    row: dict[str, Any] = {"store_id": 1, "price": 1}
    rows = [row | {"name": f"chair {n}", "description": MARKS} for n in range(20)]
    rows += [row | {"name": f"desk {n}", "description": "\u0301\u0316" * 2000} for n in range(20)]  # not too long
    rows += [row | {"name": MARKS[:4000]}, row | {"name": "a", "sku": MARKS}, row | {"name": "a", "tags": [MARKS]}]
    answer = alice.post("/items/bulk", rows, headers={"Prefer": "handling=lenient"})
    assert (answer.status_code, {each["status"] for each in answer.json["results"]}) == (200, {400})
    assert alice.post("/items/bulk", rows).status_code == 400


def test_a_path_of_long_names(alice: Person) -> None:
    headers = list(bearer(alice.pair["access_token"]).items())
    paths = (
        "/store/{}",
        "/item/{}",
        "/store/ikea/item/{}",
        "/store/{}/items",
        "/store/ikea/members/{}",
        "/console/store/{}",
    )
    for path in paths:
        answer = raw_requests.send(alice.client.app, "GET", path.format(IN_A_PATH), headers)
        assert answer.status in (303, 400), path
        answer = raw_requests.send(alice.client.app, "GET", path.format(f"a{IN_A_PATH}"), headers)
        assert answer.status in (303, 400), path


@pytest.mark.parametrize("name", ["q", "tag", "sku", "barcode", "cursor", "sort", "store_id", "price_min"])
def test_a_query_of_long_texts(alice: Person, name: str) -> None:
    headers = list(bearer(alice.pair["access_token"]).items())
    answer = raw_requests.send(alice.client.app, "GET", f"/items?{name}={IN_A_PATH}", headers)
    assert (answer.status, answer.wrong) == (400, {name})
    assert raw_requests.send(alice.client.app, "GET", f"/items?{IN_A_PATH}=1", headers).status == 400
    assert raw_requests.send(alice.client.app, "GET", f"/imports?store={IN_A_PATH}", headers).status == 400


def test_headers_of_long_texts(alice: Person) -> None:
    token = alice.pair["access_token"]
    for name in ("User-Agent", "Prefer", "Last-Event-ID", "If-None-Match", "Idempotency-Key", "X-Request-ID", "Accept"):
        answer = raw_requests.send(
            alice.client.app,
            "GET",
            "/item/chair",
            [*bearer(token).items(), (name, MARKS[:8000].encode().decode("latin-1"))],
        )
        assert answer.status in (200, 400), name


def test_an_import_of_long_cells(bob: Person, settings: Settings) -> None:
    """Each line is refused by itself: those of one hold up nobody else's."""
    text = MARKS[:8000]
    said = {"name": "lamp", "price": "1", "sku": "", "barcode": "", "description": "", "tags": "", "stock": "0"}
    lines = [said | {"name": f"lamp {field}", field: text} for field in said]
    cells = "\n".join(",".join(line.values()) for line in lines)
    paths = [start(bob, f"{','.join(said)}\n{cells}\n")]
    typed = [line | {"price": 1, "stock": 0, "tags": [line["tags"]] if line["tags"] else []} for line in lines]
    paths.append(start(bob, "\n".join(map(json.dumps, typed)), format="jsonl"))
    assert run_with(settings, "imports", "run").exit_code == 0
    for path, refused in zip(paths, (len(lines), len(lines) - 2), strict=True):
        job = bob.get(path).json
        assert (job["state"], job["refused"]) == ("refused", refused), job
    assert upload(bob, "name,price\n", columns=MARKS[:3000]).status_code == 400


def test_forms_of_long_texts(client: testing.TestClient, alice: Person) -> None:
    browser = Browser(client, "alice")
    text = MARKS[:3000]
    for path, form in (
        ("/console/sign-in", {"username": text, "password": "x"}),
        ("/console/new-store", {"name": text, "currency": "EUR"}),
        ("/console/store/ikea/settings", {"name": text, "currency": "EUR"}),
        ("/console/store/ikea/members", {"username": text, "role": "clerk"}),
        ("/console/store/ikea/new-item", {"name": text, "price": "1"}),
        ("/console/store/ikea/new-item", {"name": "desk", "price": "1", "description": text}),
        ("/console/store/ikea/new-item", {"name": "desk", "price": "1", "sku": text}),
        ("/console/store/ikea/new-item", {"name": "desk", "price": "1", "tags": text}),
        ("/console/store/ikea/item/chair", {"name.1": text, "was-name.1": "chair"}),
        ("/console/store/ikea/item/chair", {"description.1": text, "was-description.1": "x" + text}),
        ("/console/store/ikea/selection", {"item": "1", "action": "tag", "value": text}),
        ("/console/store/ikea", {"price.1": "x", "was-price.1": "15.99", "back": f"//{text}"}),
        ("/console/webhooks", {"url": "https://shop.example/", "store": text}),
    ):
        assert browser.post(path, form).status_code in (400, 401), (path, form.keys())
    for path in ("/console/items?q={}", "/console/store/ikea?q={}", "/console/store/ikea?tag={}"):
        assert browser.get(path.format(IN_A_PATH)).status_code == 200, path
    assert browser.get(f"/console/store/ikea/activity?who={IN_A_PATH}").status_code == 200
    assert browser.get(f"/console/store/ikea/export/csv?q={IN_A_PATH}").status_code == 400


def test_commands_of_long_texts(settings: Settings, alice: Person) -> None:
    for args in (
        *(("find", MARKS), ("find", "--store", MARKS), ("find", "--sku", MARKS), ("find", "--tag", MARKS)),
        *(
            ("find", "--barcode", MARKS),
            ("export", MARKS),
            ("audit", "--user", MARKS),
            ("users", "end-sessions", MARKS),
        ),
        *(("users", "add", MARKS), ("create-admin", MARKS), ("import", "--store", MARKS, "/dev/null")),
    ):
        assert run_with(settings, *args).exit_code == 1, args[:2]


def test_names_of_another_database() -> None:
    rows = [(1, MARKS), (2, f"a{MARKS}"), (3, f"\0{MARKS}")]
    for rules in (renaming.USERS, renaming.STORES, renaming.ITEMS):
        for given in renaming.assign_names(rows, rules):
            assert len(given.name) <= names.LENGTH
    for id, name in rows:
        assert len(renaming.correct_name(id, name, renaming.TAGS).name) <= names.TAG_LENGTH


def test_what_is_not_too_long_is_composed() -> None:
    """The longest decomposition of a character has four: whatever fits when it is composed was taken, and still is."""
    longest = max(
        map(chr, [*range(0xD800), *range(0xE000, 0x110000)]), key=lambda char: len(unicodedata.normalize("NFD", char))
    )
    decomposed = unicodedata.normalize("NFD", longest)
    assert len(decomposed) == names.MAX_DECOMPOSITION
    assert names.of_thing(decomposed * names.LENGTH) == longest * names.LENGTH
    assert names.of_tag(decomposed * 2) == names.of_tag(longest * 2)
    assert names.of_description(decomposed * names.DESCRIPTION_LENGTH) == longest * names.DESCRIPTION_LENGTH
    assert names.fold(decomposed * names.LENGTH) == names.fold(longest * names.LENGTH)


def test_a_description_may_have_marks_but_not_without_end(alice: Person) -> None:
    """Unicode's Stream-Safe Text Format: 30 in a row are more than any language writes."""
    many = "a" + "\u0316" * names.MAX_MARKS
    assert alice.patch("/item/chair", {"description": many * 100}).status_code == 200
    answer = alice.patch("/item/chair", {"description": f"b {many}\u0301"})
    assert answer.status_code == 400
    message = "A description may not hold more than 30 combining marks in a row."
    assert answer.json["errors"] == [{"field": "description", "message": message}]
    assert alice.get("/item/chair").json["description"] == many * 100


# What is declared


def test_every_text_that_a_request_may_hold_has_a_bound(settings: Settings, parts: Parts) -> None:
    """In bodies and queries, checked when they are decoded, and told by the description of the API."""
    routes = create_routes(create_components(settings, parts))
    kinds = {
        kind
        for resource in routes.values()
        for method in ("get", "post", "put", "patch", "delete")
        if (responder := getattr(resource, f"on_{method}", None))
        for kind in (operation.of(responder).body, operation.of(responder).query)
        if kind is not None
    }
    assert len(kinds) > 20
    assert {place for kind in kinds for place in unbounded(inspect.type_info(kind), "")} == set()


def unbounded(kind: inspect.Type, place: str) -> Iterator[str]:
    """The places of texts without a largest length."""
    match kind:
        case inspect.StrType(max_length=None):
            yield place
        case inspect.StructType():
            for field in kind.fields:
                yield from unbounded(field.type, f"{kind.cls.__name__}.{field.encode_name}")
        case inspect.ListType():
            yield from unbounded(kind.item_type, place)
        case inspect.UnionType():
            for each in kind.types:
                yield from unbounded(each, place)
        case inspect.Metadata():
            yield from unbounded(kind.type, place)


def test_the_description_tells_the_lengths(client: testing.TestClient) -> None:
    schemas = client.simulate_get("/openapi.json").json["components"]["schemas"]
    fields = schemas["ItemBody"]["properties"]
    assert [each.get("maxLength") for each in fields["sku"]["anyOf"]] == [names.SKU_LENGTH, None]
    assert [each.get("items", {}).get("maxLength") for each in fields["tags"]["anyOf"]] == [names.TAG_LENGTH, None]
    assert fields["description"]["maxLength"] == names.DESCRIPTION_LENGTH
    assert schemas["RegisterBody"]["properties"]["username"]["maxLength"] == names.LENGTH


def test_a_search_has_a_bound_of_its_own(alice: Person) -> None:
    answer = alice.get("/items", params={"q": "a" * (item_list.MAX_SEARCH + 1)})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "q")
    answer = alice.get("/items", params={"tag": ";".join("abcdefghijklmnopqrstuvwxyz")})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "tag")


def test_what_browsers_never_send_is_no_bug(client: testing.TestClient) -> None:
    """A URL that is none, where a browser names its page; and media types by the thousand."""
    for name in ("Origin", "Referer"):
        answer = client.simulate_post("/console/sign-out", headers={name: "http://[", "Host": "x"})
        assert answer.status_code in (303, 403), name
    many = ",".join(f"a/b;q=0.{n:03}" for n in range(1000))
    answer = client.simulate_get("/nowhere", headers={"Accept": f"application/problem+json,{many}"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")
