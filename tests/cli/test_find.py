"""storekeeper find and export: they choose as `GET /items` does, and show items to people and to programs."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from click.testing import Result

from storekeeper.cli.items import export_, find
from storekeeper.domain.money import PriceInput
from storekeeper.models import item, store_member
from storekeeper.models.item_fields import Fields
from storekeeper.resources.item_list import AllItemsQuery
from storekeeper.settings import Settings
from tests.conftest import Person
from tests.support.cli_runner import run_with, says
from tests.support.databases import transaction
from tests.support.server_process import ROOT

Run = Callable[..., Result]

# What a command is given, and what `GET /store/ikea/items` is.
ALIKE = [
    ([], ""),
    (["oak"], "q=oak"),
    (["oak", "desk"], "q=oak desk"),
    (["--tag", "home"], "tag=home"),
    (["--tag", "home", "--tag", "Old Wood"], "tag=home;old wood"),
    (["--sku", "D-1"], "sku=D-1"),
    (["--barcode", "96385074"], "barcode=96385074"),
    (["--price-min", "16"], "price_min=16"),
    (["--price-min", "15.99", "--price-max", "100"], "price_min=15.99&price_max=100"),
    (["--in-stock"], "in_stock=true"),
    (["--out-of-stock"], "in_stock=false"),
    (["--updated-since", "2023-11-14"], "updated_since=1699920000"),
    (["--updated-since", "2023-11-14T22:13:21Z"], "updated_since=1700000001"),
    (["--updated-since", "2023-11-14T23:13:20+01:00"], "updated_since=1700000000"),
    (["--archived", "yes"], "archived=yes"),
    (["oak", "--archived", "any", "--in-stock"], "q=oak&archived=any&in_stock=true"),
]
SORTS = ["id", "-id", "name", "-name", "updated", "-updated", "price", "-price", "stock", "-stock"]


@pytest.fixture
def run(engine: sa.Engine, settings: Settings) -> Run:
    return lambda *args, **more: run_with(settings, *args, **more)


@pytest.fixture(autouse=True)
def goods(engine: sa.Engine) -> None:
    """Beside the chair: several items, one of them archived, and a store with another currency."""
    desk = Fields(
        price=PriceInput("100"), sku="D-1", barcode="96385074", description="oak,\nand old", tags=["home", "old wood"]
    )
    with transaction(engine) as conn:
        item.add(conn, 1, "ikea", "desk", desk)
        item.add(conn, 1, "ikea", "oak table", Fields(price=PriceInput("250"), tags=["home"], stock=3))
        item.add(conn, 1, "ikea", "oak bench", Fields(price=PriceInput("80"), stock=1, archived=True))
        conn.execute(sa.update(item.items).values(updated_at=1_700_000_000 + item.items.c.id))
        store_member.create_store(conn, 1, "tokyo", "JPY")
        item.add(conn, 1, "tokyo", "oak 椅子", Fields(price=PriceInput("5000"), stock=12))


def ids(result: Result) -> list[int]:
    assert result.exit_code == 0, result.output
    return [json.loads(line)["id"] for line in result.stdout.splitlines()]


@pytest.mark.parametrize(("args", "query"), ALIKE, ids=lambda given: " ".join(given) if isinstance(given, list) else "")
def test_commands_choose_as_the_api_does(args: list[str], query: str, run: Run, alice: Person) -> None:
    wanted = [each["id"] for each in alice.get(f"/store/ikea/items?{query}").json["items"]]
    assert ids(run("find", "--store", "ikea", "--format", "jsonl", *args)) == wanted
    if "--archived" not in args:
        args = [*args, "--archived", "no"]
    assert ids(run("export", "--store", "ikea", "--format", "jsonl", *args)) == sorted(wanted)


@pytest.mark.parametrize("sort", SORTS)
def test_find_sorts_as_the_api_does(sort: str, run: Run, alice: Person) -> None:
    wanted = [each["id"] for each in alice.get(f"/store/ikea/items?sort={sort}").json["items"]]
    assert ids(run("find", "--store", "ikea", "--format", "jsonl", "--sort", sort)) == wanted


def test_every_way_to_choose_is_there() -> None:
    theirs = {field.name for field in msgspec.structs.fields(AllItemsQuery)} - {"cursor"}
    names = {"words": "q", "tags": "tag", "store": "store_id"}
    for command, own in ((find, {"format"}), (export_, {"format", "output"})):
        ours = {names.get(each.name or "", each.name) for each in command.params} - own
        assert ours == (theirs if command is find else theirs - {"sort", "limit"})


def test_a_program_gets_tabs_and_no_headings(run: Run) -> None:
    assert run("find", "--archived", "any").stdout == (
        "1\tikea\tchair\t15.99\tEUR\t0\t\t\t\t\n"
        "2\tikea\tdesk\t100.00\tEUR\t0\tD-1\t96385074\thome;old wood\t\n"
        "3\tikea\toak table\t250.00\tEUR\t3\t\t\thome\t\n"
        "4\tikea\toak bench\t80.00\tEUR\t1\t\t\t\tyes\n"
        "5\ttokyo\toak 椅子\t5000\tJPY\t12\t\t\t\t\n"
    )


def test_a_person_gets_a_table_without_the_columns_that_are_empty(run: Run) -> None:
    assert run("find", "oak", "--format", "table").stdout == (
        "id  store  name        price  currency  stock  sku  barcode   tags\n"
        " 5  tokyo  oak 椅子     5000  JPY          12\n"
        " 3  ikea   oak table  250.00  EUR           3                 home\n"
        " 2  ikea   desk       100.00  EUR           0  D-1  96385074  home;old wood\n"
    )
    result = run("find", "nosuch", "--format", "table")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No items are found.\n")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_terminal_gets_the_table(settings: Settings, engine: sa.Engine) -> None:
    ours, theirs = pty.openpty()
    environ = os.environ | {"STOREKEEPER_DATA": settings.data, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "storekeeper", "find", "bench", "--archived", "yes"]
    subprocess.run(command, env=environ, stdout=theirs, check=True, timeout=30)
    assert os.read(ours, 10_000).decode().splitlines() == [
        "id  store  name       price  currency  stock  archived",
        " 4  ikea   oak bench  80.00  EUR           1  yes",
    ]
    os.close(ours)
    os.close(theirs)


def test_what_is_left_out_is_said(run: Run) -> None:
    result = run("find", "--limit", "3")
    assert len(result.stdout.splitlines()) == 3
    assert result.stderr == "There are more than 3: --limit takes another number.\n"
    result = run("find", "--limit", "4")
    assert (len(result.stdout.splitlines()), result.stderr) == (4, "")


def test_as_many_are_found_as_are_wanted(run: Run, alice: Person) -> None:
    for _ in range(3):  # more than one page has
        rows = [{"store_id": 1, "name": f"nail {number}", "price": 1} for number in range(_ * 100, _ * 100 + 100)]
        assert alice.post("/items/bulk", rows).status_code == 200
    for q in ([], ["nail"]):
        found = ids(run("find", *q, "--store", "ikea", "--format", "jsonl", "--limit", "1000"))
        assert len(found) == len(set(found)) == 300 + (0 if q else 3)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--store", "nosuch"], "Store not found."),
        (["--price-min", "1"], "A range of prices needs a store, which has a currency."),
        (["--store", "ikea", "--price-max", "1.999"], "A price in EUR has at most 2 digits after the point."),
        (["--barcode", "12"], "A barcode has 8, 12, 13 or 14 digits."),
        (["--tag", "a;;b"], "A tag has 1 to 40 characters."),
        (["..."], "A search has 1 to 20 words, of letters and digits."),
        (["\udcff"], "A search has 1 to 20 words, of letters and digits."),
        (["--sku", "\udcff"], "A SKU may not hold U+DCFF: it cannot be seen."),
        (["--store", "\udcff"], "A name may not hold U+DCFF: it cannot be seen."),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("command", ["find", "export"])
def test_nonsense_is_refused_in_one_line(command: str, args: list[str], message: str, run: Run) -> None:
    says(run(command, *args), 1, message)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--sort", "price"], "Sorting by price needs a store."),
        (["--sort", "rank"], "Sorting by rank needs words to search for."),
    ],
    ids=" ".join,
)
def test_an_order_may_need_more(args: list[str], message: str, run: Run) -> None:
    says(run("find", *args), 1, message)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--price-min", "1,99"], "An amount is written like 15.99."),
        (
            ["--updated-since", "yesterday"],
            "A time is written like 2026-11-01T12:00:00Z, as a date such as 2026-11-01, or in seconds since 1970.",
        ),
        (["--archived", "maybe"], "'--archived' has to be one of no, yes, any."),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("command", ["find", "export"])
def test_wrong_usage_says_how_it_is_written(command: str, args: list[str], message: str, run: Run) -> None:
    result = run(command, *args)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].endswith(message)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("command", ["find --format jsonl --limit 100000", "find --limit 100000", "export"])
def test_a_reader_may_have_seen_enough(command: str, settings: Settings, engine: sa.Engine) -> None:
    with transaction(engine) as conn:
        rows = [{"store_id": 1, "name": f"item {n}", "price_minor": n, "description": "x" * 1000} for n in range(3000)]
        conn.execute(sa.insert(item.items), rows)
    pipe = f"{sys.executable} -m storekeeper {command} | head -1"
    environ = os.environ | {"STOREKEEPER_DATA": settings.data, "PYTHONPATH": str(ROOT)}
    shell = ["bash", "-o", "pipefail", "-c", pipe]
    result = subprocess.run(shell, env=environ, capture_output=True, text=True, timeout=30, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) == 1


def test_a_file_is_left_as_it_was_where_nothing_can_be_exported(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    assert run("export", "table", "--output", str(path)).exit_code == 0
    before = path.read_text()
    assert [line.split(",")[2] for line in before.splitlines()] == ["name", "oak table"]
    assert run("export", "--store", "nosuch", "--output", str(path)).exit_code == 1
    assert path.read_text() == before
