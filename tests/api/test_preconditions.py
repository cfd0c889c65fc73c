"""Entity tags: 304 for who has it, 412 for who believes in what is no more, 428 where believing is demanded."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from falcon import testing
from msgspec.structs import replace

from storekeeper.app import create_app
from storekeeper.components import Parts
from storekeeper.settings import Settings
from tests.conftest import Person, as_served
from tests.support import images
from tests.support.concurrent_workers import Call, at_once, call, log_in, statuses, worker

PNG = {"headers": {"Content-Type": "image/png"}, "body": images.encoded(images.two_colours(), "PNG")}
FAILED = (412, "precondition_failed")
# What changes the chair, and which of its tags are good for that.
CHANGES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("PUT", "/item/chair", {"json": {"price": 2, "store_id": 1}}),
    ("PUT", "/store/ikea/item/chair", {"json": {"price": 3}}),
    ("PATCH", "/item/chair", {"json": {"price": 4}}),
    ("PATCH", "/store/ikea/item/chair", {"json": {"price": 5}}),
    ("POST", "/item/chair/stock", {"json": {"delta": 1}}),
    ("POST", "/store/ikea/item/chair/stock", {"json": {"delta": 1}}),
    ("PUT", "/item/chair/image", PNG),
    ("DELETE", "/item/chair/image", {}),
    ("PUT", "/store/ikea/item/chair/image", PNG),
    ("DELETE", "/store/ikea/item/chair/image", {}),
    ("DELETE", "/store/ikea/item/chair", {}),
)


def ask(person: Person, method: str, path: str, more: dict[str, Any], **said: str) -> testing.Result:
    headers = more.get("headers", {}) | {name.replace("_", "-"): value for name, value in said.items()}
    return person.call(method, path, **(more | {"headers": headers}))


def verdict(answer: testing.Result) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]


def tag(person: Person, path: str = "/item/chair") -> str:
    return str(person.get(path).headers["etag"])


# Items


@pytest.mark.parametrize("path", ["/item/chair", "/store/ikea/item/chair"])
def test_who_has_it_need_not_read_it_again(path: str, carol: Person, alice: Person) -> None:
    answer = carol.get(path)
    known = answer.headers["etag"]
    assert known == f'"{answer.json["id"]}.{answer.json["version"]}"'
    compressed = [f"W/{known}", *(f'"{known[1:-1]}-{coding}"' for coding in ("gzip", "br", "zstd"))]
    for said in (known, *compressed, f'"other", {known}', "*"):
        again = carol.get(path, headers={"If-None-Match": said})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", known), said
    assert carol.get(path, headers={"If-None-Match": '"1.99"'}).status_code == 200
    alice.patch("/item/chair", {"price": 1})
    assert carol.get(path, headers={"If-None-Match": known}).headers["etag"] != known


def test_each_change_minds_what_its_sender_believes(alice: Person) -> None:
    for method, path, more in CHANGES:
        old = tag(alice)
        assert verdict(ask(alice, method, path, more, If_Match='"1.99"')) == FAILED, path
        assert verdict(ask(alice, method, path, more, If_None_Match=old)) == FAILED
        assert tag(alice) == old, "nothing is changed"
        for said in ('W/"1.99"', '"1.99-gzip"', f'W/"{old[1:-1]}9"'):
            assert verdict(ask(alice, method, path, more, If_Match=said)) == FAILED
        answer = ask(alice, method, path, more, If_Match=f'"1.99", {old}')
        assert answer.status_code == 200, answer.text
        if path != CHANGES[-1][1]:
            assert answer.headers["etag"] == tag(alice) != old


def test_a_tag_that_a_compressing_proxy_has_changed_names_the_version_as_well(alice: Person) -> None:
    """nginx and HAProxy make `W/"3.14"` of it, Caddy and Apache `"3.14-gzip"`, and none turns that back."""
    alice.post("/store/shed")
    for price, mark in enumerate(("W/{}", '"{}-gzip"', '"{}-zstd"', 'W/"{}-br"'), 1):
        for path, change in (("/item/chair", {"price": price}), ("/store/shed", {"name": "shed"})):
            known = tag(alice, path).strip('"')
            said = mark.format(f'"{known}"' if mark == "W/{}" else known)
            assert alice.patch(path, change, headers={"If-Match": said}).status_code == 200, (path, said)
    assert alice.get("/item/chair").json["version"] == 5


def test_what_changes_nothing_makes_no_new_version(alice: Person) -> None:
    known = tag(alice)
    assert alice.put("/item/chair", {"price": "15.99", "store_id": 1}).headers["etag"] == known
    assert alice.patch("/item/chair", {"name": "chair", "tags": []}).headers["etag"] == known
    bulk = [{"store_id": 1, "name": "chair", "price": "15.99"}]
    assert alice.post("/items/bulk", bulk).json["results"][0]["item"]["version"] == 1


def test_bulk_changes_and_imports_make_new_versions(alice: Person) -> None:
    known = tag(alice)
    bulk = [{"store_id": 1, "name": "chair", "price": 1}]
    assert alice.post("/items/bulk", bulk).json["results"][0]["item"]["version"] == 2
    assert verdict(alice.patch("/item/chair", {"price": 2}, headers={"If-Match": known})) == FAILED


def test_only_to_add(alice: Person) -> None:
    only_new = {"If-None-Match": "*"}
    assert verdict(alice.put("/item/chair", {"price": 1, "store_id": 1}, headers=only_new)) == FAILED
    assert alice.put("/item/lamp", {"price": 1, "store_id": 1}, headers=only_new).status_code == 201
    assert verdict(alice.put("/store/ikea/item/lamp", {"price": 2}, headers=only_new)) == FAILED


def test_only_to_change(alice: Person) -> None:
    for said in ("*", '"1.1"'):
        answer = alice.put("/item/lamp", {"price": 1, "store_id": 1}, headers={"If-Match": said})
        assert verdict(answer) == FAILED
    assert alice.put("/item/chair", {"price": 1, "store_id": 1}, headers={"If-Match": "*"}).status_code == 200


def test_an_item_that_comes_after_one_of_its_name_is_another(alice: Person) -> None:
    known = tag(alice)
    alice.delete("/item/chair")
    alice.put("/item/chair", {"price": "15.99", "store_id": 1})
    assert verdict(alice.patch("/item/chair", {"price": 1}, headers={"If-Match": known})) == FAILED


@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize("said", ["", "1.1", "'1.1'", '"1.1', '"1.1" "1.2"', '"1.1",', "*, *", '*, "1.1"', 'w/"1.1"'])
def test_what_is_no_tag_is_not_taken_for_nothing(name: str, said: str, alice: Person) -> None:
    """Or the change would be made as if its sender believed nothing."""
    known = tag(alice)
    answer = alice.patch("/item/chair", {"price": 1}, headers={name: said})
    assert answer.status_code == 400
    assert tag(alice) == known


# Stores


def test_a_store_has_tags_of_itself_and_of_what_is_shown(alice: Person) -> None:
    known = tag(alice, "/store/ikea")
    assert alice.get("/store/ikea", headers={"If-None-Match": known}).status_code == 304
    alice.patch("/item/chair", {"price": 1})
    shown = tag(alice, "/store/ikea")
    assert shown != known
    assert shown.partition("-")[0] == known.partition("-")[0]
    assert alice.get("/store/ikea", headers={"If-None-Match": known}).status_code == 200
    answer = alice.patch("/store/ikea", {"negative_stock": True}, headers={"If-Match": known})
    assert answer.status_code == 200, "its own row is as it was"
    assert verdict(alice.patch("/store/ikea", {"negative_stock": False}, headers={"If-Match": known})) == FAILED
    assert verdict(alice.delete("/store/ikea?with_items=true", headers={"If-Match": known})) == FAILED
    now = answer.headers["etag"]
    assert alice.delete("/store/ikea?with_items=true", headers={"If-Match": now}).status_code == 200


def test_a_store_is_renamed_and_keeps_its_currency_while_it_has_prices(alice: Person) -> None:
    answer = alice.patch("/store/ikea", {"name": "Möbel"})
    assert (answer.status_code, answer.json["name"], answer.json["version"]) == (200, "Möbel", 2)
    assert alice.get("/store/ikea").status_code == 404
    assert alice.patch("/store/Möbel", {"currency": "JPY"}).json["error"] == "store_not_empty"
    assert alice.patch("/store/Möbel", {"currency": "EUR"}).json["version"] == 2
    alice.delete("/item/chair")
    assert alice.patch("/store/Möbel", {"currency": "JPY"}).json["currency"] == "JPY"
    alice.post("/store/shed")
    assert alice.patch("/store/shed", {"name": "Möbel"}).json["message"] == "A store with name 'Möbel' already exists."
    assert alice.patch("/store/shed", {"currency": "XXX"}).status_code == 400


# Demanded


@pytest.fixture
def strict(parts: Parts, settings: Settings) -> Person:
    """Alice, before a server that demands to be told."""
    app = as_served(create_app(replace(settings, require_if_match=True), parts))
    return Person(testing.TestClient(app), "alice", 1)


def test_a_server_may_demand_it(strict: Person) -> None:
    required = (428, "precondition_required")
    for method, path, more in CHANGES:
        if path.endswith(("stock", "image")):
            continue  # these undo nothing that their sender has not seen
        assert verdict(ask(strict, method, path, more)) == required
    for method, more in (("PATCH", {"json": {"negative_stock": True}}), ("DELETE", {})):
        assert verdict(ask(strict, method, "/store/ikea", more)) == required
    assert verdict(strict.put("/item/lamp", {"price": 1, "store_id": 1})) == required
    assert strict.put("/item/lamp", {"price": 1, "store_id": 1}, headers={"If-None-Match": "*"}).status_code == 201
    assert strict.patch("/item/lamp", {"price": 2}, headers={"If-Match": tag(strict, "/item/lamp")}).status_code == 200
    assert strict.post("/item/lamp/stock", {"delta": 1}).status_code == 200


# At once


@pytest.fixture
def workers(engine: sa.Engine, settings: Settings) -> Iterator[list[Any]]:
    with worker(settings) as first, worker(settings) as second:
        yield [first, second]


def test_of_twenty_with_one_tag_one_wins(workers: list[Any]) -> None:
    token = log_in(workers[0], "alice")["access_token"]
    for path, body, least in (("/item/chair", {"store_id": 1}, 20), ("/store/ikea/item/chair", {}, 40)):
        known = call(workers[0], "GET", "/item/chair", token=token).headers["etag"]
        said = (("If-Match", known),)
        calls = [Call("PUT", path, body | {"price": least + n}, token, more=said) for n in range(20)]
        answers = at_once(workers, calls)
        assert statuses(answers) == {200: 1, 412: 19}
        (won,) = (answer.body for answer in answers if answer.status == 200)
        assert call(workers[1], "GET", "/item/chair", token=token).body == won


def test_of_twenty_that_only_add_one_does(workers: list[Any]) -> None:
    token = log_in(workers[0], "alice")["access_token"]
    said = (("If-None-Match", "*"),)
    calls = [Call("PUT", "/item/lamp", {"price": n, "store_id": 1}, token, more=said) for n in range(20)]
    assert statuses(at_once(workers, calls)) == {201: 1, 412: 19}
