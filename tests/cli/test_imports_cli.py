"""storekeeper import and imports: what they say, how they end, and that a plan made there is carried out there."""

import io
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result

from storekeeper.errors import Unavailable
from storekeeper.files import storage
from storekeeper.models import installation
from storekeeper.models.import_queue import MAX_TOLD
from storekeeper.models.item_fields import FIELDS
from storekeeper.settings import Settings
from tests.conftest import Person
from tests.support.cli_runner import run_with, says
from tests.support.databases import transaction
from tests.support.imports import catalogue, kept
from tests.support.server_process import ROOT

GERMAN = "Artikel;Preis;Regal\r\nchair;15,99\r\nchair;15,99;A\r\nKännchen;1.299,00;B\r\n"
COLUMNS = ["--column", "Artikel=name", "--column", "Preis=price"]
FLAW = "line 2: The number of cells is 2, and that of columns 3.\n"
READ = "Read as csv, windows-1252, semicolon. Columns: name, price. Ignored: Regal.\n"

Run = Callable[..., Result]


@pytest.fixture
def run(engine: sa.Engine, settings: Settings) -> Run:
    return lambda *args, **more: run_with(settings, *args, **more)


@pytest.fixture
def bring(run: Run, tmp_path: Path) -> Run:
    """Imports of a text into the store that has a chair."""

    def bring(text: str | bytes, *args: str) -> Result:
        path = tmp_path / "goods.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return run("import", str(path), "--store", "ikea", *args)

    return bring


def test_a_single_line_is_told_as_one(bring: Run) -> None:
    assert bring("name,price\nlamp,5\n").stdout.endswith("\n1 line: 1 added, 0 changed, 0 unchanged, 0 refused.\n")


def test_a_plan_is_told_and_carried_out_later(bring: Run, run: Run, alice: Person, tmp_path: Path) -> None:
    before = catalogue(alice)
    result = bring("name,price\nchair,15.99\nlamp,5\n", "--dry-run")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "Read as csv, utf-8, comma. Columns: name, price.\n"
        "2 lines: 1 would be added, 0 would be changed, 1 unchanged, 0 refused. "
        "Nothing is changed yet: `storekeeper imports confirm 1` does it.\n"
    )
    assert catalogue(alice) == before
    result = run("imports", "confirm", "1")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == "2 lines: 1 added, 0 changed, 1 unchanged, 0 refused."
    assert [each["name"] for each in catalogue(alice)] == ["chair", "lamp"]
    assert kept(tmp_path) == []
    says(run("imports", "confirm", "1"), 1, "Only an import whose plan is made can be confirmed.")
    says(run("imports", "confirm", "9"), 1, "Import not found.")


def test_a_refused_line_is_named_and_skipped_when_asked(bring: Run, run: Run, alice: Person) -> None:
    result = bring(GERMAN.encode("cp1252"), *COLUMNS)
    assert (result.exit_code, result.stderr) == (1, FLAW)
    assert result.stdout == READ + (
        "3 lines: 1 would be added, 0 would be changed, 1 unchanged, 1 refused. "
        "Nothing is imported. `storekeeper imports confirm 1 --skip-refused` imports the others.\n"
    )
    result = run("imports", "confirm", "1")
    assert (result.exit_code, result.stderr) == (1, FLAW)
    result = run("imports", "confirm", "1", "--skip-refused")
    assert (result.exit_code, result.stderr) == (0, FLAW)
    assert result.stdout == READ + "3 lines: 1 added, 0 changed, 1 unchanged, 1 refused.\n"
    assert [each["name"] for each in catalogue(alice)] == ["chair", "Kännchen"]


def test_what_a_plan_proposes_can_be_done_as_it_says(bring: Run, run: Run, alice: Person) -> None:
    result = bring("name,price\nlamp,5\nbad\n", "--dry-run", "--skip-refused")
    assert result.exit_code == 0
    assert result.stdout.endswith("Nothing is changed yet: `storekeeper imports confirm 1 --skip-refused` does it.\n")
    assert run("imports", "confirm", "1", "--skip-refused").exit_code == 0
    assert [each["name"] for each in catalogue(alice)] == ["chair", "lamp"]


def test_a_refusal_names_line_field_and_reason(bring: Run, run: Run) -> None:
    result = bring("name,price,barcode\na,1,4006381333939\na,1,\nb,1.9999,\n")
    assert result.stderr.splitlines() == [
        "line 2, barcode: This is no barcode: after 400638133393, the last digit would have to be 1.",
        "line 4, price: A price in EUR has at most 2 digits after the point.",
    ]
    assert run("imports", "refused", "1").stdout.splitlines()[-1].split("\t") == [
        "4",
        "price",
        "A price in EUR has at most 2 digits after the point.",
    ]


def test_many_refusals_are_not_all_told_at_once(bring: Run, run: Run) -> None:
    result = bring("name,price\n" + "lamp,x\n" * 30)
    assert len(result.stderr.splitlines()) == 21
    assert result.stderr.endswith("... and more: `storekeeper imports refused 1` lists them all.\n")
    assert len(run("imports", "refused", "1").stdout.splitlines()) == 30


@pytest.mark.parametrize(
    ("text", "args", "reason"),
    [
        ("", [], "The file is empty."),
        (
            "Artikel;Preis\n",
            [],
            f"No heading here is a field of an item. The fields are: {', '.join(FIELDS)}, currency, store. Say which "
            "of these columns is which of them: Artikel, Preis.",
        ),
        ("Artikel,price\n", ["--column", "Art=name"], "There is no column 'art'. The headings are: Artikel, price."),
        ("a\x1b[2J,b\n", ["--column", "a=name"], "There is no column 'a'. The headings are: a\ufffd[2J, b."),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_line(text: str, args: list[str], reason: str, bring: Run) -> None:
    result = bring(text, *args)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"The import has failed: {reason}\n"
    assert len(reason) < MAX_TOLD


def test_a_file_without_items_says_so(bring: Run) -> None:
    result = bring("name,price\n")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "The file has no items.")


def test_wrong_usage(bring: Run, run: Run, tmp_path: Path) -> None:
    says(run("import", __file__, "--store", "nosuch"), 1, "Store not found.")
    for args in (["--column", "Artikel"], ["--encoding", "latin"], ["--delimiter", ";"], ["--match", "price"]):
        result = bring("name,price\n", *args)
        assert (result.exit_code, result.stdout) == (2, "")
    assert run("import", "nosuch.csv", "--store", "ikea").exit_code == 2
    assert kept(tmp_path) == []


def test_without_a_place_for_the_file_nothing_is_begun(
    bring: Run, run: Run, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise Unavailable

    monkeypatch.setattr(storage.Storage, "copy_from", fail)
    assert bring("name,price\nlamp,5\n").exit_code == 1
    assert run("imports", "list", "--store", "ikea").stdout.split("\t")[1] == "cancelled"
    assert len(catalogue(alice)) == 1


def test_old_files_that_no_import_needs_are_deleted_unless_they_may_be_another_databases(
    run: Run, engine: sa.Engine, settings: Settings
) -> None:
    files = storage.create_storage(settings)
    for name in (storage.MARK, "imports/old"):
        files.copy_from(name, io.BytesIO(b"mark"))
    (path,) = Path(settings.data).parent.rglob("imports/old")
    os.utime(path, (0, 0))
    for mark, is_there in (("other", True), ("mark", False)):
        with transaction(engine) as conn:
            installation.record_storage_mark(conn, mark)
        assert run("imports", "run").exit_code == 0
        assert path.exists() == is_there


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_terminal_shows_how_far_it_is(settings: Settings, engine: sa.Engine, tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    path.write_text("name,price\n" + "".join(f"item {number},1\n" for number in range(5000)))
    ours, theirs = pty.openpty()
    environ = os.environ | {"STOREKEEPER_DATA": settings.data, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "storekeeper", "import", str(path), "--store", "ikea"]
    done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, stderr=theirs, check=True, timeout=60)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    os.close(theirs)
    assert done.stdout.endswith(b"5,000 lines: 5,000 added, 0 changed, 0 unchanged, 0 refused.\n")
    for step in ("Checking", "Importing"):
        assert f"{step}  [" in shown
    assert shown.count("100%") == 2
