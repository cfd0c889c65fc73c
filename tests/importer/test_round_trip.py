"""What is exported can be imported: into its own store that changes nothing, and into a new one it makes the same."""

import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from typing import Any

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from storekeeper.domain import money, names
from storekeeper.errors import Invalid
from storekeeper.importer.importer import Importer
from storekeeper.models import import_job, import_queue, item_batch, item_export, store, store_member
from storekeeper.models.import_job import Import, ImportRequest
from storekeeper.models.item import items
from storekeeper.models.item_batch import GivenRow
from storekeeper.models.item_export import Format
from storekeeper.models.item_fields import MAX_STOCK
from storekeeper.models.item_list import Filter
from storekeeper.models.store import Store
from storekeeper.settings import Settings
from storekeeper.tabular.sheet import Options
from tests.conftest import Person
from tests.support.databases import transaction
from tests.support.imports import bring, by_name, catalogue, counts
from tests.support.server_process import ROOT

# What sheets and their readers are known to trip over.
NASTY = st.sampled_from(
    [*" ,;\t|\"'\\=+-@#%0.\u00a0\u2003éß·ı", "e\u0301", "\u0345", "\u1e9e", "ﬁ", "漢", "🪑", "sep=", '""']
)
SEEN = st.characters(exclude_categories=["Cs", "Cc", "Cf", "Cn", "Zl", "Zp"])
LINE = st.lists(NASTY | SEEN, min_size=1, max_size=12).map("".join)
TEXT = st.lists(NASTY | st.sampled_from("\n\r\ufeff\u2028\x0b\x1b\x85\x1a\ufffd") | SEEN, max_size=20).map("".join)
EXTREMES = [0, 1, 99, 100, 1000, 1234, 100_000, money.MAX_MINOR_UNITS - 1, money.MAX_MINOR_UNITS]
MINOR = st.sampled_from(EXTREMES) | st.integers(0, money.MAX_MINOR_UNITS)


def is_good(convert: Callable[[str], str]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            return bool(convert(text))
        except Invalid:
            return False

    return check


BARCODES = ["00000000", "96385074", "036000291452", "4006381333931", "00012345600012"]
FIELDS = st.fixed_dictionaries(
    {
        "name": LINE.filter(is_good(names.of_thing)),
        "price": MINOR,
        "sku": st.none() | LINE.filter(is_good(names.of_sku)) | st.sampled_from(["007", "1e5", "true"]),
        "barcode": st.none() | st.sampled_from(BARCODES),
        "description": TEXT,
        "tags": st.lists(LINE.filter(is_good(names.of_tag)), max_size=4),
        "stock": st.sampled_from([0, -1, 1000, MAX_STOCK, -MAX_STOCK]) | st.integers(-50, 50),
        "archived": st.booleans(),
    }
)

Make = Callable[[str], Store]


@pytest.fixture
def make(engine: sa.Engine) -> Make:
    """New stores, where stocks may be below zero."""
    numbers = iter(range(10**6))

    def make(currency: str) -> Store:
        with transaction(engine) as conn:
            made = store_member.create_store(conn, 1, f'store "{next(numbers)}", new', currency)
            return store.change(conn, made, {"negative_stock": True})

    return make


def fill(engine: sa.Engine, of: Store, given: list[dict[str, Any]]) -> None:
    """With all of these that the store takes: no two have one name, SKU or barcode."""
    priced = [each | {"price": money.from_minor(each["price"], of.currency)} for each in given]
    with transaction(engine) as conn:
        made = item_batch.plan(conn, of, [GivenRow(number, each) for number, each in enumerate(priced)])
        item_batch.apply(conn, of, made)


def rows(engine: sa.Engine, of: Store) -> list[Any]:
    with engine.connect() as conn:
        return list(conn.execute(sa.select(items).where(items.c.store_id == of.id).order_by(items.c.id)).all())


def alike(found: list[Any]) -> list[dict[str, Any]]:
    """Rows without what each store gives its items anew."""
    own = ("id", "store_id", "updated_at")
    kept = [{key: value for key, value in row._mapping.items() if key not in own} for row in found]
    return [each | {"archived_at": each["archived_at"] is not None} for each in kept]


def export_as(engine: sa.Engine, of: Store, format: Format) -> bytes:
    with engine.connect() as conn:
        piece = item_export.piece(conn, None, Filter(store=of.id, archived="any"), format)
    assert piece.following is None
    return piece.data


def import_into(engine: sa.Engine, of: Store, file: bytes, **options: Any) -> Import:
    order = ImportRequest(store=of.id, file="f", file_name="", size=len(file), options=Options(**options))
    with transaction(engine) as conn:
        job = import_queue.claim(conn, "us", import_job.add(conn, None, order).id)
    assert job
    Importer(engine, job, BytesIO(file), lambda *_: None).run()
    with engine.connect() as conn:
        return import_job.get(conn, None, job.id)


@settings(max_examples=20, suppress_health_check=[*HealthCheck])
@given(
    currency=st.sampled_from(["EUR", "JPY", "KWD", "CLF"]),
    format=st.sampled_from(["csv", "jsonl"]),
    given=st.lists(FIELDS, min_size=1, max_size=8),
)
def test_what_was_exported_comes_back_as_it_was(
    currency: str, format: Format, given: list[dict[str, Any]], engine: sa.Engine, make: Make
) -> None:
    old, new = make(currency), make(currency)
    fill(engine, old, given)
    before = rows(engine, old)
    assert before
    file = export_as(engine, old, format)

    done = import_into(engine, old, file)
    assert (done.state, done.unchanged, done.rows) == ("done", len(before), len(before)), (file, done)
    assert rows(engine, old) == before

    refused = import_into(engine, new, file)  # it names another store
    assert (refused.state, refused.refused) == ("refused", len(before))
    done = import_into(engine, new, file, columns={"store": ""})
    assert (done.state, done.added, done.rows) == ("done", len(before), len(before)), (file, done)
    assert alike(rows(engine, new)) == alike(before)


ITEMS = """name,price,sku,barcode,description,tags,stock,archived
chair,15.99,007,96385074,"Soft, ""blue""
and old",home;blue,3,no
"=1+1",0.00,,,,,0,yes
 desk ,1000.00,1e5,,ﬁne,,7,no
"""
KINDS = ["text/csv", "application/jsonl"]


@pytest.mark.parametrize("kind", KINDS)
def test_by_way_of_the_api(kind: str, alice: Person, settings: Settings) -> None:
    assert counts(bring(alice, settings, ITEMS)) == ("done", 2, 1, 0, 0)
    before = catalogue(alice)
    file = alice.get("/store/ikea/items?archived=any", headers={"Accept": kind}).content
    assert counts(bring(alice, settings, file, media_type=kind)) == ("done", 0, 0, 3, 0)
    assert catalogue(alice) == before
    alice.post("/store/copy", {"currency": "EUR"})
    assert counts(bring(alice, settings, file, store="copy", columns="store:")) == ("done", 3, 0, 0, 0)
    assert by_name(catalogue(alice, "copy")) == by_name(before)
    alice.post("/store/tokyo", {"currency": "JPY"})
    job = bring(alice, settings, file, store="tokyo", columns="store:")
    assert counts(job) == ("refused", 0, 0, 0, 3)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_by_way_of_a_pipe(format: str, alice: Person, settings: Settings) -> None:
    bring(alice, settings, ITEMS)
    program = f"{sys.executable} -m storekeeper"
    pipe = f"{program} export --store ikea --format {format} | {program} import - --store ikea"
    environ = {"STOREKEEPER_DATA": settings.data, "PYTHONPATH": str(ROOT)}
    shell = subprocess.run(pipe, shell=True, env=environ, text=True, capture_output=True, timeout=60, check=False)
    assert (shell.returncode, shell.stderr) == (0, "")
    assert shell.stdout.splitlines()[-1] == "3 lines: 0 added, 0 changed, 3 unchanged, 0 refused."
