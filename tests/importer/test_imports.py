"""Imports: what a plan tells, what is refused and why, and that nothing is changed but what was planned."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storekeeper.domain.money import PriceInput
from storekeeper.models import import_queue, item
from storekeeper.models.item import items
from storekeeper.models.item_fields import Fields
from storekeeper.settings import Settings
from tests.conftest import Person
from tests.support import imports
from tests.support.databases import transaction
from tests.support.expected_answers import whole
from tests.support.imports import carry_out, catalogue, counts, kept, refusals

Bring = Callable[..., dict[str, Any]]


@pytest.fixture
def bring(bob: Person, settings: Settings) -> Bring:
    """The clerk's imports."""
    return partial(imports.bring, bob, settings)


@pytest.fixture
def stock(engine: sa.Engine) -> None:
    """A second item that has all that an item may have."""
    fields = Fields(
        price=PriceInput("20"), sku="D-1", barcode="4006381333931", description="Oak", tags=["home"], stock=3
    )
    with transaction(engine) as conn:
        item.add(conn, 1, 1, "desk", fields)


# The plan


def test_a_plan_changes_nothing_until_it_is_carried_out(
    bring: Bring, bob: Person, settings: Settings, stock: None, tmp_path: Path
) -> None:
    before = catalogue(bob)
    text = "name,price,stock,shelf\nchair,15.99,0,A\ndesk,21,3,B\nlamp,9.90,2,C\n"
    job = bring(text, dry_run=True, file_name="new.csv")
    assert counts(job) == ("planned", 1, 1, 1, 0)
    assert job["found"] == {
        "format": "csv",
        "encoding": "utf-8",
        "delimiter": ",",
        "columns": ["name", "price", "stock"],
        "ignored": ["shelf"],
    }
    assert (job["store"], job["file_name"], job["size"], job["percent"]) == ("ikea", "new.csv", len(text), 100)
    assert catalogue(bob) == before
    assert len(kept(tmp_path)) == 1

    answer = bob.post(f"/imports/{job['id']}")
    assert (answer.status_code, answer.json["state"], answer.json["rows"]) == (202, "queued", 0)
    carry_out(settings)
    assert counts(bob.get(f"/imports/{job['id']}").json) == ("done", 1, 1, 1, 0)
    assert catalogue(bob) == [
        before[0],
        whole(
            2, "desk", 21, **{field: before[1][field] for field in ("sku", "barcode", "description", "tags")}, stock=3
        ),
        whole(3, "lamp", 9.90, stock=2),
    ]
    assert kept(tmp_path) == []


def test_an_import_sets_every_field_and_what_has_no_column_stays(bring: Bring, bob: Person, stock: None) -> None:
    text = (
        "Name ,PRICE,sku,barcode,description,tags,stock,archived,store,currency\n"
        'chair,"1,50",C-1,12345670,"soft,\nblue",Home; Blue ;,7,yes,ikea,EUR\n'
        "desk,20,,,,,0,no,,\n"
    )
    assert counts(bring(text, decimal="comma")) == ("done", 0, 2, 0, 0)
    said: dict[str, Any] = {
        "sku": "C-1",
        "barcode": "12345670",
        "description": "soft,\nblue",
        "tags": ["blue", "home"],
        "stock": 7,
    }
    assert catalogue(bob) == [whole(1, "chair", 1.5, archived=True, **said), whole(2, "desk", 20)]
    assert counts(bring("name,stock\nchair,8\n")) == ("done", 0, 1, 0, 0)
    assert catalogue(bob)[0] == whole(1, "chair", 1.5, archived=True, **said | {"stock": 8})


def test_what_is_imported_is_found_by_its_words(bring: Bring, bob: Person) -> None:
    bring("name,price,description\nchair,1,velvet\nlamp,2,brass\n")
    assert [each["name"] for each in bob.get("/items?q=velvet").json["items"]] == ["chair"]
    assert [each["name"] for each in bob.get("/store/ikea/items?q=bra").json["items"]] == ["lamp"]


# What is refused

LONG = "x" * 5000
REFUSED: list[tuple[str, str, list[tuple[str | None, str]]]] = [
    ("name,price", ",5", [("name", "The name is missing.")]),
    ("name,price", "lamp,", [("price", "The price is missing.")]),
    ("name", "lamp", [("price", "There is no such item yet, and its price is missing.")]),
    ("name,price", "lamp,5,6", [(None, "The number of cells is 3, and that of columns 2.")]),
    ("name,price", "lamp,5.9999", [("price", "A price in EUR has at most 2 digits after the point.")]),
    (
        "name,price",
        'lamp,"1,234"',
        [("price", "'1,234' could be 1.234 or 1234. Say which decimal mark the file has.")],
    ),
    ("name,price,stock", "lamp,5,-1", [("stock", "The stock cannot be below zero in this store.")]),
    ("name,price,sku", "lamp,5,D-1", [("sku", "The item 'desk' has the SKU 'D-1' already.")]),
    (
        "name,price,barcode",
        "lamp,5,4006381333932",
        [("barcode", "This is no barcode: after 400638133393, the last digit would have to be 1.")],
    ),
    ("name,price,store", "lamp,5,aldi", [("store", "This line is for the store 'aldi', and the store's is 'ikea'.")]),
    (
        "name,price,currency",
        "lamp,5,USD",
        [("currency", "This line is for the currency 'USD', and the store's is 'EUR'.")],
    ),
    (
        "name,price,stock,archived",
        "lamp,x,many,maybe",
        [
            ("price", "A price is a number such as 15.99, without a sign, a currency or an exponent."),
            ("stock", "A stock is a whole number, such as 12."),
            ("archived", "'archived' is true or false; yes, no, 1 and 0 will do in a sheet."),
        ],
    ),
    ("name,price", "la\x00mp,5", [(None, "There are characters here that cannot be read.")]),
]  # fmt: skip


def test_a_line_is_refused_with_its_number_field_and_reason(bring: Bring, bob: Person, stock: None) -> None:
    before = catalogue(bob)
    for head, line, told in REFUSED:
        job = bring(f"{head}\n\n{line}\n")
        assert counts(job) == ("refused", 0, 0, 0, 1), line
        assert refusals(bob, job) == [(3, *each) for each in told]
        bob.delete(f"/imports/{job['id']}")
    assert catalogue(bob) == before


def test_what_is_told_of_a_file_is_bounded_and_can_be_stored(bring: Bring, bob: Person) -> None:
    job = bring(f"name,price,store\nlamp,5,{LONG}\n")
    ((_, _, message),) = refusals(bob, job)
    assert len(message) == import_queue.MAX_TOLD + 1
    job = bring("name,a\x00,a\x00\nlamp,5,5\n")
    assert (job["state"], job["reason"]) == ("failed", "The column 'a\ufffd' is there twice.")


def test_a_file_with_one_line_refused_changes_nothing_unless_it_is_to_be_skipped(
    bring: Bring, bob: Person, settings: Settings
) -> None:
    text = "name,price\nlamp,5\nrug,x\nchair,17\n"
    job = bring(text)
    assert counts(job) == ("refused", 1, 1, 0, 1)
    assert [each["price"] for each in catalogue(bob)] == [15.99]
    assert bob.post(f"/imports/{job['id']}").status_code == 202  # as it is: refused again
    carry_out(settings)
    assert bob.get(f"/imports/{job['id']}").json["state"] == "refused"
    assert len(refusals(bob, job)) == 1
    assert bob.post(f"/imports/{job['id']}?skip_refused=true").status_code == 202
    carry_out(settings)
    assert counts(bob.get(f"/imports/{job['id']}").json) == ("done", 1, 1, 0, 1)
    assert [each["price"] for each in catalogue(bob)] == [17.0, 5.0]
    assert counts(bring(text, skip_refused=True)) == ("done", 0, 0, 2, 1)


def test_more_refusals_than_anybody_reads_end_the_check(
    bring: Bring, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storekeeper.importer.importer.MAX_REFUSED", 2)
    monkeypatch.setattr("storekeeper.importer.importer.BATCH_SIZE", 2)
    job = bring("name,price\n" + "x,\n" * 7, skip_refused=True)
    assert (job["state"], job["rows"], job["refused"]) == ("refused", 4, 4)
    assert job["reason"] == "More than 2 lines are refused. Only these are listed."
    assert len(refusals(bob, job)) == 4


def test_refused_lines_come_in_pages(bring: Bring, bob: Person) -> None:
    job = bring("name,price\n" + "".join(f"x{number},\n" for number in range(5)))
    path, lines = f"/imports/{job['id']}/refusals?limit=2", []
    while path:
        answer = bob.get(path).json
        lines += [each["line"] for each in answer["refusals"]]
        path = answer.get("next")
    assert lines == [2, 3, 4, 5, 6]


# By what an item is known


@pytest.mark.parametrize(("match", "known"), [("sku", "D-1"), ("barcode", "4006381333931")])
def test_an_item_is_renamed_by_its_number(match: str, known: str, bring: Bring, bob: Person, stock: None) -> None:
    job = bring(
        f"{match},name,price\n{known},big desk,20\nnew,lamp,3\n".replace(
            "new", {"sku": "N", "barcode": "12345670"}[match]
        ),
        match=match,
    )
    assert counts(job) == ("done", 1, 1, 0, 0)
    found = {each["name"]: each["id"] for each in catalogue(bob)}
    assert found == {"chair": 1, "big desk": 2, "lamp": 3}
    assert bob.get("/items?q=big").json["items"][0]["id"] == 2


@pytest.mark.parametrize(
    ("match", "text", "told"),
    [
        ("sku", "name,price\nlamp,1\n", (2, "sku", "The SKU is missing, by which the item is known.")),
        ("sku", "sku,name,price\n,lamp,1\n", (2, "sku", "The SKU is missing, by which the item is known.")),
        ("sku", "sku,name\nD-1,chair\n", (2, "name", "The item 'chair' has the name 'chair' already.")),
        ("barcode", "barcode,sku\n12345670,D-1\n", (2, "name", "There is no such item yet, and its name is missing.")),
    ],
)  # fmt: skip
def test_a_line_that_does_not_say_which_item_it_is_is_refused(
    match: str, text: str, told: Any, bring: Bring, bob: Person, stock: None
) -> None:
    assert refusals(bob, bring(text, match=match)) == [told]


REPEATED: list[tuple[str, str, str, str | None]] = [
    ("name,price", "lamp,1", "lamp,1", "name"),
    ("name,price", "Caf\u00e9,1", "Cafe\u0301,1", "name"),
    ("name,price,sku", "lamp,1,A", "rug,1, A ", "SKU"),
    ("name,price,barcode", "lamp,1,96385074", "rug,1,96385074.0", "barcode"),
    ("name,price,barcode", "lamp,1,00012345670", "rug,1,12345670", None),  # two numbers: GTIN-12 and GTIN-8
]


@pytest.mark.parametrize("gap", [0, 3])
def test_two_lines_of_a_file_are_never_one_item(
    gap: int, bring: Bring, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storekeeper.importer.importer.BATCH_SIZE", 2)  # so that a gap is between two steps
    for head, one, other, label in REPEATED:
        between = [f"x{number},1" + "," * (head.count(",") - 1) for number in range(gap)]
        job = bring("\n".join([head, one, *between, other]), dry_run=True)
        told = [(3 + gap, label.lower(), f"Line 2 has this {label} already.")] if label else []
        assert refusals(bob, job) == told
        assert job["state"] == ("refused" if label else "planned")


def test_a_cell_is_read_by_its_kind_though_one_like_it_was_read_before(bring: Bring, bob: Person) -> None:
    """In JSON 1, 1.0 and true are equal to Python, and are not the same to us."""
    lines = [
        {"name": "a", "price": 1, "archived": True, "stock": 1},
        {"name": "b", "price": True},
        {"name": "c", "price": 1, "archived": 1},
        {"name": "d", "price": 1, "stock": True},
    ]
    job = bring("\n".join(map(json.dumps, lines)), dry_run=True)
    assert [(line, field) for line, field, _ in refusals(bob, job)] == [(2, "price"), (3, "archived"), (4, "stock")]


# Files that cannot be read

XLSX_CUT = b"PK\x03\x04" + bytes(100)
UNREADABLE: list[tuple[bytes, dict[str, Any], str]] = [
    (b"", {}, "The file is empty."),
    (b"\n \n\n", {}, "The file is empty."),
    (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), {}, "No heading here is a field of an item."),
    (b"a,b\n1,2\n", {}, "No heading here is a field of an item."),
    (b"name,NAME\n1,2\n", {}, "The column 'name' is there twice."),
    (XLSX_CUT, {}, "The workbook cannot be read."),
    (b"\xd0\xcf\x11\xe0", {}, "This is a workbook of an old Excel"),
    (b"name,price\n", {"format": "xlsx"}, "The workbook cannot be read."),
    (b"name,price\n", {"format": "jsonl"}, "This is not strict JSON"),
    (b"name,price\n", {"encoding": "utf-16"}, "This is not UTF-16"),
    (b"name,price\n", {"columns": "Artikel:name"}, "There is no column 'artikel'. The headings are: name, price."),
    (b"name,price\n", {"columns": "price:cost"}, "An item has no 'cost'."),
    (b'name,price\n"' + b"x\n" * 2**20, {}, "The record that begins in line 2 is too long."),
]


def test_a_file_that_cannot_be_read_fails_with_the_reason(bring: Bring, tmp_path: Path) -> None:
    for file, query, reason in UNREADABLE:
        job = bring(file, **query)
        assert (job["state"], job["rows"], job["ended_at"] is None) == ("failed", 0, False)
        assert job["reason"].startswith(reason)
    assert kept(tmp_path) == []


def test_a_file_with_headings_only_imports_nothing(bring: Bring) -> None:
    assert counts(bring("name,price\n")) == ("done", 0, 0, 0, 0)


def test_a_column_is_left_out_where_it_maps_to_nothing(bring: Bring, bob: Person) -> None:
    job = bring("Artikel,price,store,stock\nlamp,5,aldi,9\n", columns="Artikel:name; Store :;stock:")
    assert counts(job) == ("done", 1, 0, 0, 0)
    assert (job["found"]["columns"], job["found"]["ignored"]) == (["name", "price"], ["store", "stock"])
    assert catalogue(bob)[1] == whole(2, "lamp", 5)
    text = '{"name": "rug", "price": 1, "store": "aldi"}\n{"name": "bed", "price": 1, "odd": {}}\n'
    job = bring(text, columns="store:")
    assert counts(job) == ("done", 2, 0, 0, 0)
    assert job["found"]["ignored"] == ["store", "odd"]


@pytest.mark.parametrize("text", ["Title,name,price\nlamp,L-1,5\n", '{"Title": "lamp", "name": "L-1", "price": 5}'])
def test_a_column_with_the_name_of_a_field_gives_way_to_another(bring: Bring, bob: Person, text: str) -> None:
    job = bring(text, columns="Title:name;name:")
    assert counts(job) == ("done", 1, 0, 0, 0), job
    assert (job["found"]["columns"], job["found"]["ignored"]) == (["name", "price"], ["name"])
    assert catalogue(bob)[1] == whole(2, "lamp", 5)


def test_a_conflicting_change_between_the_plan_and_the_work_ends_right(
    bring: Bring, bob: Person, settings: Settings, engine: sa.Engine
) -> None:
    job = bring("name,price,sku\nlamp,5,L\nchair,7,\n", dry_run=True)
    with transaction(engine) as conn:
        item.add(conn, 1, 1, "lamp", Fields(price=PriceInput("1"), stock=4))
        conn.execute(sa.delete(items).where(items.c.name == "chair"))
    bob.post(f"/imports/{job['id']}")
    carry_out(settings)
    assert counts(bob.get(f"/imports/{job['id']}").json) == ("done", 1, 1, 0, 0)
    assert catalogue(bob) == [whole(2, "lamp", 5, sku="L", stock=4), whole(3, "chair", 7)]
