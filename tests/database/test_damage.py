"""A database that is damaged: every request that meets with it is told so, and the operator is."""

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from falcon import testing
from structlog.testing import capture_logs

from storekeeper.database.engine import create_engine
from storekeeper.database.executor import Database
from storekeeper.domain.money import PriceInput
from storekeeper.errors import DatabaseDamaged
from storekeeper.models import item
from storekeeper.models.item_fields import Fields
from storekeeper.settings import Settings
from tests.conftest import as_served
from tests.database.test_executor import read, write
from tests.support import damaged_files
from tests.support.cli_runner import run_with
from tests.support.concurrent_workers import Call, call, log_in, worker
from tests.support.console_browser import Browser
from tests.support.databases import transaction

TOLD = {"error": "database_damaged", "message": "The database is damaged. Its operator has to repair it."}
TEXT = b"made of oak and oiled by hand, number"

sqlite_only = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def path(engine: sa.Engine, tmp_path: Path) -> Path:
    """A file in which tables and indexes have many pages."""
    with transaction(engine) as conn:
        for number in range(400):
            fields = Fields(price=PriceInput(number), description=f"{TEXT.decode()} {number}", sku=f"SKU-{number}")
            item.add(conn, 1, 1, f"chair {number}", fields)
    engine.dispose()
    damaged_files.checkpoint(tmp_path / "storekeeper.db")
    return tmp_path / "storekeeper.db"


@pytest.fixture
def token(path: Path, settings: Settings) -> str:
    """One that is good on the damaged database, if its session can be read there."""
    with worker(settings) as app:
        token: str = log_in(app, "alice")["access_token"]
    damaged_files.checkpoint(path)
    return token


def asked(token: str) -> list[Call]:
    return [
        Call("GET", "/item/chair 200?store_id=1", None, token),
        Call("GET", "/store/ikea/items?limit=200"),
        Call("GET", "/items?sku=SKU-200", None, token),
        Call("PATCH", "/item/chair 200", {"price": 1}, token),
        Call("PUT", "/item/new", {"price": 1, "store_id": 1}, token),
    ]


DAMAGES: dict[str, tuple[Callable[[Path], None], list[int]]] = {
    "pages of tables": (lambda path: damaged_files.damage_table(path, TEXT), [503, 503, 503, 503, 503]),
    "an index": (lambda path: damaged_files.damage_root(path, "uq_items_sku_store_id"), [200, 200, 503, 200, 503]),
    "half of the file": (damaged_files.truncate, [503] * 5),
    "the header": (damaged_files.damage_header, [503] * 5),
}


@sqlite_only
@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_is_told_and_logged_once_a_minute_and_is_no_bug(
    kind: str, path: Path, settings: Settings, token: str
) -> None:
    make, expected = DAMAGES[kind]
    make(path)
    with worker(settings) as app, capture_logs() as logs:
        answers = [call(app, *each[:4]) for each in asked(token)]
    assert [answer.status for answer in answers] == expected, [answer.text for answer in answers]
    for answer in answers:
        if answer.status == 503:
            assert answer.body == TOLD
            assert answer.headers["retry-after"] == "60"
    events = [line["event"] for line in logs]
    assert "bug" not in events
    assert events.count("database_damaged") == 1
    (line,) = [line for line in logs if line["event"] == "database_damaged"]
    assert line["log_level"] == "error"
    assert line["reason"] in ("database disk image is malformed", "file is not a database")


@sqlite_only
def test_a_text_that_is_none_is_damage_and_is_not_logged(path: Path, settings: Settings, token: str) -> None:
    with transaction(create_engine(settings.database)) as conn:
        conn.execute(sa.text("UPDATE items SET description = CAST(x'736563726574ff' AS TEXT) WHERE name = 'chair 7'"))
    with worker(settings) as app, capture_logs() as logs:
        answer = call(app, "GET", "/item/chair 7", None, token)
    assert (answer.status, answer.body) == (503, TOLD)
    assert [line["event"] for line in logs] == ["database_damaged"]
    assert "secret" not in str(logs)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("state", ["XX001", "XX002"])
def test_what_postgresql_calls_corrupted_is_damage(url: str, engine: sa.Engine, state: str) -> None:
    """Also in a change, and without another try."""
    asked = []

    def meet(conn: sa.Connection) -> None:
        asked.append(conn)
        conn.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'invalid page' USING ERRCODE = '{state}'; END $$")

    db = Database(url)
    with capture_logs() as logs:
        for run in (read, write):
            with pytest.raises(DatabaseDamaged):
                run(db, meet)
    db.close()
    assert db.status.damage == "invalid page"
    assert len(asked) == 2
    assert [(line["event"], line["reason"]) for line in logs] == [("database_damaged", "invalid page")]


@sqlite_only
def test_the_console_says_so_on_a_page(path: Path, settings: Settings) -> None:
    with worker(settings) as app:
        browser = Browser(testing.TestClient(as_served(app)), "alice")
    damaged_files.checkpoint(path)
    damaged_files.damage_table(path, TEXT)
    with worker(settings) as app:
        browser.client = testing.TestClient(as_served(app))
        shown = browser.get("/console/store/ikea")
    assert shown.status_code == 503
    assert "<h1>The database is damaged</h1>" in shown.text
    assert TOLD["message"] in shown.text


def _damage_version(path: Path) -> None:
    damaged_files.damage_root(path, "alembic_version")


@sqlite_only
@pytest.mark.parametrize("make", [damaged_files.truncate, damaged_files.damage_header, _damage_version])
def test_a_command_says_it_in_one_line(make: Callable[[Path], None], path: Path, settings: Settings) -> None:
    make(path)
    result = run_with(settings, "users", "list")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The database is damaged: ")
    assert result.stderr.endswith(" (what to do: docs/operating/damaged-database.md)\n")
