"""`storekeeper backup`: a copy is whole, for its owner only, and noted; what is no copy does not stay."""

import stat
from itertools import count
from pathlib import Path
from threading import Event, Thread

import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.database.engine import create_engine
from storekeeper.models import item, system, user
from storekeeper.settings import Settings
from tests.conftest import Clock
from tests.support import databases
from tests.support.cli_runner import run_with, says, version
from tests.support.console_browser import Browser, said
from tests.support.databases import transaction
from tests.support.server_process import BOUND_SECONDS

ELSEWHERE = "PostgreSQL is backed up by pg_dump. `storekeeper backup --noted` notes that it was."


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a copy is to be. A URL would understand its name otherwise."""
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder / "of ?the% day#.db"


@pytest.fixture
def lone(template: Path, tmp_path: Path) -> Settings:
    """An SQLite database without anybody in it."""
    return Settings(data=str(tmp_path), database_url=databases.copy_file(template, tmp_path))


def last(engine: sa.Engine) -> int | None:
    with engine.connect() as conn:
        return system.last_backup(conn)


def test_a_backup_is_noted_and_shown(
    engine: sa.Engine, settings: Settings, client: testing.TestClient, clock: Clock
) -> None:
    roots = Browser(client, "root")
    assert "Last backup none recorded" in said(roots.get("/console/system"))
    clock.now = 1_800_000_000.5
    for _ in range(2):
        result = run_with(settings, "backup", "--noted")
        assert (result.exit_code, result.output) == (0, "It is noted.\n")
    assert last(engine) == 1_800_000_000
    clock.now += 86_400
    run_with(settings, "backup", "--noted")
    assert last(engine) == 1_800_086_400
    assert "Last backup 2027-01-16 08:00 UTC" in said(Browser(client, "root").get("/console/system"))
    with engine.connect() as conn:
        assert conn.scalars(sa.select(sa.func.count()).select_from(system.backups)).one() == 1


def test_each_database_is_copied_in_its_own_way(
    engine: sa.Engine, settings: Settings, file: Path, clock: Clock
) -> None:
    result = run_with(settings, "backup", str(file))
    if engine.dialect.name == "postgresql":
        says(result, 1, ELSEWHERE)
        assert (last(engine), list(file.parent.iterdir())) == (None, [])
        return
    assert (result.exit_code, result.output) == (
        0,
        f"{file} has the database as it was, {file.stat().st_size:,} bytes.\n",
    )
    assert last(engine) == int(clock.now)
    assert list(file.parent.iterdir()) == [file]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    copied = file.rename(file.with_name("copy.db"))
    with create_engine(f"sqlite:///{copied}").connect() as conn:
        assert item.get(conn, "chair").name == "chair"


def test_a_copy_has_one_moments_state_while_others_read_and_write(lone: Settings, file: Path) -> None:
    engine, has_begun, is_over = create_engine(lone.database), Event(), Event()

    def register_pairs() -> None:
        for number in count():
            with transaction(engine) as conn:
                user.add(conn, f"left{number}", "hash")
                user.add(conn, f"right{number}", "hash")
            has_begun.set()
            if is_over.is_set():
                return

    writer = Thread(target=register_pairs)
    with engine.connect() as reader:
        assert reader.scalars(users()).one() == 0
        writer.start()
        has_begun.wait(BOUND_SECONDS)
        result = run_with(lone, "backup", str(file))
        is_over.set()
        writer.join()
    assert result.exit_code == 0, result.output
    copied = file.rename(file.with_name("copy.db"))
    with create_engine(f"sqlite:///{copied}").connect() as copy, engine.connect() as conn:
        number = copy.scalars(users()).one()
        assert (number > 0, number % 2) == (True, 0)
        assert number <= conn.scalars(users()).one()


def users() -> sa.Select[tuple[int]]:
    return sa.select(sa.func.count()).select_from(user.users)


def test_what_is_there_is_not_overwritten(lone: Settings, file: Path) -> None:
    for content in (b"", b"mine"):
        file.write_bytes(content)
        says(run_with(lone, "backup", str(file)), 1, f"{file}: File exists")
        assert file.read_bytes() == content
    nowhere = file.parent / "nowhere" / "a.db"
    says(run_with(lone, "backup", str(nowhere)), 1, f"{nowhere}: No such file or directory")
    assert last(create_engine(lone.database)) is None


def test_no_copy_of_what_is_damaged_stays(lone: Settings, file: Path) -> None:
    """One that SQLite cannot read; and one that it can, though its index of words is not what it was."""
    path = Path(lone.data, "storekeeper.db")
    engine, whole = create_engine(lone.database), path.read_bytes()
    with transaction(engine) as conn:
        conn.execute(sa.text("DELETE FROM item_search_data"))
    result = run_with(lone, "backup", str(file))
    assert result.exit_code == 1
    assert "which is not kept" in result.stderr
    assert list(file.parent.iterdir()) == []
    path.write_bytes(whole[:8192] + b"\xff" * 4096 * 20 + whole[8192 + 4096 * 20 :])
    assert "The database is damaged" in run_with(lone, "backup", str(file)).stderr
    assert list(file.parent.iterdir()) == []


def test_another_version_is_copied_and_not_noted(lone: Settings, file: Path) -> None:
    engine = create_engine(lone.database)
    with version(engine, "0001"):
        assert run_with(lone, "backup", str(file)).exit_code == 0
        assert run_with(lone, "backup", "--noted").exit_code == 1
    assert last(engine) is None


def test_what_cannot_be_meant(tmp_path: Path, lone: Settings, file: Path) -> None:
    for args in ((), (str(file), "--noted")):
        result = run_with(lone, "backup", *args)
        assert (result.exit_code, "Say what to do: FILE or --noted." in result.stderr) == (2, True)
    none = Settings(data=str(tmp_path / "none"))
    says(run_with(none, "backup", str(file)), 1, "There is no database yet: `storekeeper migrate` creates it.")
    assert not file.exists()
