"""Every field of an item is known on every surface: what is written by hand is held to the declaration.

A new field needs its line in `CHANGES`; the values then go the whole way, on both databases.
"""

import json
import re
from decimal import Decimal
from inspect import signature
from typing import Any, NamedTuple, get_type_hints

import msgspec
import pytest
from falcon import testing

from storekeeper.console import edit_form
from storekeeper.models import item_batch, item_fields
from storekeeper.models.item import Item, ItemRow, items, of_columns
from storekeeper.models.item_export import Line
from storekeeper.models.item_fields import BY_NAME, ITEM_FIELDS, Fields, ItemField
from storekeeper.resources.item import ItemBody, ItemChange, ItemInStoreBody
from storekeeper.resources.item_bulk import BulkRow
from storekeeper.settings import Settings
from tests.conftest import Person
from tests.support import markdown
from tests.support.console_browser import Browser, said, values
from tests.support.imports import bring, counts

OWN = {"id", "store_id", "currency", "image", "updated_at", "version"}  # that no caller sets


class Changed(NamedTuple):
    """What the chair's field becomes, how that is told and typed, and how it stands in a CSV file and on a page."""

    value: Any
    words: str
    typed: str
    cell: str
    shown: str = ""  # if it is not as in the file


CHANGES = {
    "name": Changed("arm/chair", "renamed “chair” to “arm/chair”", "arm/chair", "arm/chair"),
    "price": Changed(17.5, "raised the price from 15.99 EUR to 17.50 EUR", "17,50", "17.50", "17.50 EUR"),
    "sku": Changed("007", "changed the SKU from nothing to “007”", "007", "007"),
    "barcode": Changed("96385074", "changed the barcode from nothing to “96385074”", "96385074", "96385074"),
    "description": Changed(
        'Soft, "blue"',
        'changed the description from nothing to “Soft, "blue"”',
        'Soft, "blue"',
        '"Soft, ""blue"""',
        'Soft, "blue"',
    ),
    "tags": Changed(["home", "oak"], "changed the tags from none to home, oak", "oak, Home", "home;oak", "home, oak"),
    "stock": Changed(1200, "added 1,200 to the stock: 1,200 on hand", "+1200", "1200", "1,200"),
    "archived": Changed(True, "archived it", "", "true"),
}
PAGE = "/console/store/ikea/item/chair"
KINDS = ("text/csv", "application/jsonl")

each = pytest.mark.parametrize("field", ITEM_FIELDS, ids=lambda field: field.name)
each_typed = pytest.mark.parametrize(
    "field", [field for field in ITEM_FIELDS if field.input], ids=lambda field: field.name
)


@pytest.fixture
def alices(client: testing.TestClient, alice: Person) -> Browser:
    return Browser(client, "alice")


def page_of(item: dict[str, Any]) -> str:
    return "/console/store/ikea/item/" + item["name"].replace("/", "%2F")


def settled(item: dict[str, Any]) -> dict[str, Any]:
    """Without what each change sets."""
    return {name: value for name, value in item.items() if name not in ("updated_at", "version")}


# The values


@each
def test_a_change_is_told_and_undone(field: ItemField, alices: Browser, alice: Person, bob: Person) -> None:
    before, (value, words, *_) = alice.get("/item/chair").json, CHANGES[field.name]
    assert before[field.name] != value
    now = bob.patch("/item/chair", {field.name: value}).json
    assert settled(now) == settled(before) | {field.name: value}
    page = alices.get(page_of(now))
    assert f"bob {words}" in said(page).replace(" .", ".")
    (change,) = re.findall(r'name="change" value="(\d+)"', page.text)
    assert alices.post(f"{page_of(now)}/undo", {"change": change}).status_code == 303
    assert settled(alice.get("/item/chair").json) == settled(before)


@each
@pytest.mark.parametrize("kind", KINDS)
def test_a_value_is_exported_and_imported(field: ItemField, kind: str, alice: Person, settings: Settings) -> None:
    before, changed = alice.get("/item/chair").json, CHANGES[field.name]
    now = alice.patch("/item/chair", {field.name: changed.value}).json
    file = alice.get("/store/ikea/items?archived=any", headers={"Accept": kind}).content
    assert exported(file, kind, field.name) == (changed.cell if kind == "text/csv" else changed.value)

    alice.patch("/store/ikea/item/" + now["name"].replace("/", "%2F"), {field.name: before[field.name]})
    becomes = (1, 0) if field.name == "name" else (0, 1)  # added and changed
    assert counts(bring(alice, settings, file, media_type=kind)) == ("done", *becomes, 0, 0)
    again = alice.get("/store/ikea/item/" + now["name"].replace("/", "%2F")).json
    assert {name: again[name] for name in CHANGES} == {name: now[name] for name in CHANGES}

    alice.post("/store/copy", {"currency": "EUR"})
    job = bring(alice, settings, file, store="copy", columns="store:", media_type=kind)
    assert counts(job) == ("done", 1, 0, 0, 0)
    copy = alice.get("/store/copy/item/" + now["name"].replace("/", "%2F")).json
    assert {name: copy[name] for name in CHANGES} == {name: now[name] for name in CHANGES}


def exported(file: bytes, kind: str, field: str) -> Any:
    """A field of the only line, in CSV as it is written there."""
    if kind != "text/csv":
        return json.loads(file)[field]
    head, line = file.decode().splitlines()
    cells = re.findall(r'("(?:[^"]|"")*"|[^,]*)(?:,|$)', line)
    return cells[head.split(",").index(field)]


@each_typed
def test_a_value_is_typed_in_the_console(field: ItemField, alices: Browser, alice: Person) -> None:
    value, typed = CHANGES[field.name].value, CHANGES[field.name].typed
    key = "delta.1" if field.name == "stock" else f"{field.name}.1"
    answer = alices.post(PAGE, values(alices.get(PAGE)) | {key: typed})
    page = alices.follow(answer)
    assert "Saved." in said(page)
    (only,) = alice.get("/items").json["items"]
    assert only[field.name] == value
    new = {"name": "lamp", "price": "1", "then": "another", field.name: "lamp" if field.name == "name" else typed}
    if field.is_unique:
        alice.delete("/store/ikea/item/" + only["name"].replace("/", "%2F"))
    assert alices.post("/console/store/ikea/new-item", new).status_code == 303
    assert alice.get("/item/lamp").json[field.name] == ("lamp" if field.name == "name" else value)


@each_typed
def test_a_value_can_be_read_by_who_does_not_work_there(
    field: ItemField, client: testing.TestClient, alice: Person
) -> None:
    value, *_, cell, shown = CHANGES[field.name]
    now = alice.patch("/item/chair", {field.name: value}).json
    told = said(Browser(client, "carol").get(page_of(now)))
    word = shown or cell
    assert (word if field.name == "name" else f"{field.heading} {word}") in told


# What is written by hand


def test_the_structs_and_the_table_have_these_fields_and_no_others() -> None:
    fields = set(item_fields.FIELDS)
    assert set(Item.__struct_fields__) == fields | OWN
    assert set(Line.__struct_fields__) == fields | OWN - {"store_id", "version"} | {"store"}
    assert set(Fields.__struct_fields__) == fields - {"name"}
    assert set(items.c.keys()) == {field.column for field in ITEM_FIELDS} | OWN - {"currency"}
    assert items.c.keys() == [*ItemRow._fields]
    assert [*items.c.keys(), "currency"] == [*signature(of_columns).parameters]
    assert get_type_hints(of_columns) == get_type_hints(ItemRow) | {"currency": str, "return": Item}
    assert set(CHANGES) == fields


@each
def test_the_table_has_the_column_with_its_default(field: ItemField) -> None:
    column = items.c[field.column]
    default = column.server_default.arg if column.server_default else None  # type: ignore[attr-defined]
    assert column.nullable == (field.default is None and not field.is_required)
    assert (default if default is None else str(default).strip("'")) == (
        None if field.default is None else str(field.default)
    )


def test_a_new_item_has_the_defaults_whichever_way_it_comes(alice: Person, settings: Settings) -> None:
    alice.post("/item/added", {"price": 1, "store_id": 1})
    alice.post("/items/bulk", [{"store_id": 1, "name": "bulk", "price": 1}])
    bring(alice, settings, "name,price\nimported,1\n")
    found = [settled(alice.get(f"/item/{name}").json) for name in ("added", "bulk", "imported")]
    assert [each | {"id": 0, "name": ""} for each in found] == [found[0] | {"id": 0, "name": ""}] * 3


# As the first version that keeps answers for an `Idempotency-Key` wrote them: what was added since has a default.
KEPT = b"""{"id": 1, "name": "chair", "price": 15.99, "store_id": 1, "currency": "EUR", "sku": "CH-15", "barcode": null,
"description": "", "tags": ["oak"], "stock": 3, "archived": false, "image": null, "updated_at": 5, "version": 2}"""


def test_an_answer_that_was_kept_before_a_field_was_added_is_read() -> None:
    kept = msgspec.json.decode(KEPT, type=Item)
    told: dict[str, Any] = json.loads(KEPT, parse_float=Decimal)
    assert {name: getattr(kept, name) for name in told} == told
    for name in Item.__struct_fields__[len(told) :]:
        assert getattr(kept, name) == BY_NAME[name].default


def test_each_body_takes_each_field() -> None:
    fields = set(item_fields.FIELDS)
    assert set(ItemChange.__struct_fields__) == fields
    assert set(ItemBody.__struct_fields__) == fields - {"name"} | {"store_id"}
    assert set(ItemInStoreBody.__struct_fields__) == fields - {"name"}
    assert set(BulkRow.__struct_fields__) == fields | {"store_id"}


def test_items_are_known_by_each_unique_field() -> None:
    unique = tuple(field.name for field in item_fields.UNIQUE)
    assert unique == item_batch.KEYS
    assert unique == tuple(field.column for field in item_fields.UNIQUE)


def test_the_form_has_each_field_once() -> None:
    assert sorted(field.name for row in edit_form.ROWS for field in row) == sorted(
        field.name for field in ITEM_FIELDS if field.input
    )


@each
def test_the_guide_tells_of_the_field(field: ItemField) -> None:
    guide = markdown.section((markdown.ROOT / "docs" / "guide.md").read_text(), "## Items and prices")
    assert field.is_required or re.search(rf"^\| `{field.name}` \|", guide, re.MULTILINE)
