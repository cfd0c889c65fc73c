"""/readyz: what was found of the server, told from memory: whether it can read, and make changes."""

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from falcon import testing
from structlog.testing import capture_logs

from storekeeper.app import create_app
from storekeeper.components import Parts
from storekeeper.concurrency.periodic_tasks import PeriodicTask, _Loop
from storekeeper.database.executor import Database
from storekeeper.errors import DatabaseDamaged
from storekeeper.security import signing_keys
from storekeeper.security.passwords import Passwords
from storekeeper.services.health import STALE_SECONDS
from storekeeper.settings import Settings
from tests.conftest import Person, as_served, make_parts
from tests.database.test_outage import administer, cut
from tests.support import damaged_files, databases
from tests.support.cast import CHEAP
from tests.support.console_browser import Browser

READY = (200, {"message": "ready", "status": "ready"})
READ_ONLY = (200, {"message": "The database takes no changes.", "status": "read_only"})
NO_CHANGES = (503, {"error": "unavailable", "message": "The database takes no changes."})

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("url", ["postgresql"], indirect=True)


class Served(NamedTuple):
    parts: Parts
    client: testing.TestClient

    def sample(self) -> None:
        asyncio.run(self.parts.health.sample_reads())
        asyncio.run(self.parts.health.sample_writes())

    def ready(self, query: str = "") -> tuple[int, object]:
        answer = self.client.simulate_get("/readyz", query_string=query)
        return answer.status_code, answer.json


@contextmanager
def serve(settings: Settings, seconds: float = 2.0) -> Iterator[Served]:
    signing_keys.ensure(settings.keys_path)
    db = Database(settings.database, seconds=seconds)
    parts = make_parts(settings, db, Passwords(CHEAP, 2, 8))
    parts.periodic_tasks._loops["rest"] = _Loop(PeriodicTask("rest", 60, asyncio.Event().wait))  # to be reported
    try:
        yield Served(parts, testing.TestClient(as_served(create_app(settings, parts))))
    finally:
        parts.passwords.close()
        parts.images.close()
        db.close()


@pytest.fixture
def served(engine: sa.Engine, settings: Settings) -> Iterator[Served]:
    with serve(settings) as served:
        yield served


def test_asking_costs_the_database_nothing(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the last sample is so old that nobody can be taking any."""
    read, queries = served.parts.db.read, list[object]()

    async def count(function: Callable[..., Any], *args: Any) -> Any:
        queries.append(function)
        return await read(function, *args)

    monkeypatch.setattr(served.parts.db, "read", count)
    assert served.ready() == READY  # the first sample is waited for
    assert len(queries) > 0
    queries.clear()
    assert [served.ready() for _ in range(20)] == [READY] * 20
    assert queries == []
    served.parts.health._sampled_at -= STALE_SECONDS
    assert served.ready() == READY
    assert len(queries) > 0


def test_only_what_is_known_can_be_asked_for(served: Served) -> None:
    assert served.ready("for=writes") == READY
    assert served.ready("for=reads")[0] == 400
    assert served.ready("fro=writes")[0] == 400


@on_sqlite
def test_a_write_lock_that_is_held_makes_a_server_read_only(served: Served, tmp_path: Path) -> None:
    with closing(damaged_files.connect(tmp_path / "storekeeper.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        served.sample()
        assert served.ready() == READ_ONLY
        assert served.ready("for=writes") == NO_CHANGES
        other.execute("ROLLBACK")
    served.sample()
    assert served.ready("for=writes") == READY


@on_postgresql
def test_a_postgresql_that_is_read_only_makes_a_server_read_only(served: Served, url: str) -> None:
    name = sa.make_url(url).database
    served.sample()
    administer(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        cut(url)
        served.sample()
        assert served.ready() == READ_ONLY
        assert served.ready("for=writes") == NO_CHANGES
    finally:
        administer(url, f"ALTER DATABASE {name} RESET default_transaction_read_only")
    served.sample()
    assert served.ready("for=writes") == READY


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB. Only root can have one."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=False, capture_output=True)
    if made.returncode:
        pytest.skip("a small file system can be mounted by root alone")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@on_sqlite
def test_a_full_disk_makes_a_server_read_only_until_there_is_room_again(
    url: str, engine: sa.Engine, tmp_path: Path, small_disk: Path
) -> None:
    engine.dispose()
    damaged_files.checkpoint(tmp_path / "storekeeper.db")
    settings = Settings(data=str(small_disk), database_url=databases.copy_file(tmp_path / "storekeeper.db", small_disk))
    with serve(settings, 5.0) as served:
        alice = Person(served.client, "alice", 1)
        assert alice.put("/item/chair", {"price": 1, "store_id": 1}).status_code == 200
        served.sample()
        assert served.ready("for=writes") == READY
        fill(small_disk / "junk")
        answers = [alice.put(f"/item/{number}{'x' * 70}", {"price": 1, "store_id": 1}) for number in range(300)]
        assert {answer.status_code for answer in answers} in ({503}, {201, 503})
        served.sample()
        assert served.ready() == READ_ONLY
        assert served.ready("for=writes") == NO_CHANGES
        assert alice.get("/item/chair").json["price"] == 1
        (small_disk / "junk").unlink()
        served.sample()
        assert served.ready("for=writes") == READY
        assert alice.put("/item/chair", {"price": 2, "store_id": 1}).status_code == 200


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096):
            try:
                while True:
                    file.write(os.urandom(size))
            except OSError:
                pass


def test_one_change_that_fails_alone_changes_nothing(served: Served) -> None:
    """A stranger may have caused it: another change is tried, and decides."""
    served.sample()
    served.parts.db.status.write_failure = "canceling statement due to statement timeout"
    served.sample()
    assert served.ready("for=writes") == READY
    assert served.parts.db.status.write_failure is None


@on_sqlite
def test_damage_that_a_request_met_with_makes_a_server_unavailable(served: Served, tmp_path: Path) -> None:
    alice = Person(served.client, "alice", 1)
    alice.log_in()
    damaged_files.checkpoint(tmp_path / "storekeeper.db")
    damaged_files.damage_table(tmp_path / "storekeeper.db", b"chair")
    assert served.ready() == READY
    assert alice.get("/item/chair").status_code == 503
    served.sample()

    assert served.ready() == (503, {"error": "unavailable", "message": str(DatabaseDamaged())})


def test_reasons_are_told_to_administrators_alone(served: Served, url: str, tmp_path: Path) -> None:
    root, alice = Person(served.client, "root", 4), Person(served.client, "alice", 1)
    for each in (root, alice):
        each.log_in()
    with blocked(url, tmp_path):
        served.sample()
        assert "conditions" not in alice.get("/readyz").json
        assert "conditions" not in served.ready()[1]  # type: ignore[operator]
        shown = {each["name"]: each for each in root.get("/readyz").json["conditions"]}
        refused = root.get("/readyz?for=writes")
    assert shown["database"] | {"since": 0} == {
        "name": "database",
        "status": "ready",
        "message": "ready",
        "reason": None,
        "since": 0,
    }
    assert shown["changes"]["status"] == "read_only"
    assert shown["changes"]["reason"] in (
        "database is locked",
        "cannot execute UPDATE in a read-only transaction",
        "The database does not answer. Try again soon.",  # where the machine is too busy to hear more in time
    )
    assert shown["changes"]["since"] > 0
    assert refused.status_code == 503
    assert {each["name"]: each for each in refused.json["conditions"]} == shown


@contextmanager
def blocked(url: str, folder: Path) -> Iterator[None]:
    """No change can be made meanwhile."""
    if url.startswith("sqlite"):
        with closing(damaged_files.connect(folder / "storekeeper.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    name = sa.make_url(url).database
    administer(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        cut(url)
        yield
    finally:
        administer(url, f"ALTER DATABASE {name} RESET default_transaction_read_only")
        cut(url)


def test_the_log_has_each_turn_once(served: Served, url: str, tmp_path: Path) -> None:
    with capture_logs() as logs:
        served.sample()
        with blocked(url, tmp_path):
            for _ in range(3):
                served.sample()
        for _ in range(3):
            served.sample()
    turns = [line for line in logs if line["event"] == "readiness_changed"]
    assert [(line["condition"], line["status"], line["log_level"]) for line in turns] == [
        ("changes", "read_only", "error"),
        ("changes", "ready", "info"),
    ]


def test_the_system_page_shows_the_reason(served: Served, url: str, tmp_path: Path) -> None:
    browser = Browser(served.client, "root")
    with blocked(url, tmp_path):
        served.sample()
        page = browser.get("/console/system").text
    assert 'This process can read</td><td class="end"><span class="good">✓ yes' in page
    (reason,) = [each.reason for each in served.parts.health.conditions if each.name == "changes"]
    assert reason
    assert f'This process can make changes</td><td class="end"><span class="danger">✗ no: {reason}<' in page
