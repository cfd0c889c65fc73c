"""The file that is adopted: read in any state it may be in, never changed, and refused in a clear sentence."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from threading import Event, Thread

import pytest

from storekeeper.adoption import report
from storekeeper.adoption.plan import AdoptionPlan
from storekeeper.errors import Conflict
from storekeeper.settings import Settings
from tests.support import course_databases, databases
from tests.support.cli_runner import run_with, says


@pytest.fixture
def settings(template: Path, tmp_path: Path) -> Settings:
    databases.copy_file(template, tmp_path)
    return Settings(data=str(tmp_path))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the course's app is: a folder of its own."""
    path = tmp_path / "a folder with ? and # and %41"
    path.mkdir()
    return path


State = dict[str, tuple[bytes, int]]


def state(folder: Path) -> State:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def adopted(settings: Settings, path: Path) -> str:
    before = state(path.parent), path.parent.stat().st_mtime_ns
    result = run_with(settings, "adopt", str(path))
    assert result.exit_code == 0, result.output
    assert (state(path.parent), path.parent.stat().st_mtime_ns) == before
    return result.stdout


def test_a_file_at_rest(settings: Settings, folder: Path) -> None:
    assert "Users taken over: 2\n" in adopted(settings, course_databases.usual(folder / "data.db", "lecture"))


def test_a_link_to_the_file(settings: Settings, folder: Path) -> None:
    path = course_databases.usual(folder / "data.db", "lecture")
    link = folder.parent / "link.db"
    link.symlink_to(path)
    before = state(folder)
    assert run_with(settings, "adopt", str(link)).exit_code == 0
    assert state(folder) == before


@pytest.mark.parametrize("is_shm_there", [True, False])
def test_a_file_whose_last_changes_are_in_the_wal_only(is_shm_there: bool, settings: Settings, folder: Path) -> None:
    """As an app leaves it that was killed; without the -shm, as somebody leaves it who copied the two others."""
    living = folder.parent / "living"
    living.mkdir()
    with closing(sqlite3.connect(course_databases.usual(living / "data.db", "lecture"))) as db:
        db.execute("PRAGMA journal_mode = WAL")
        with db:
            course_databases.fill(db, "users", [(3, "charlie", "in the WAL")])
        for path in living.iterdir():
            if is_shm_there or not path.name.endswith("-shm"):
                shutil.copyfile(path, folder / path.name)
    assert "charlie" not in (folder / "data.db").read_text("latin-1")
    assert "Users taken over: 3\n" in adopted(settings, folder / "data.db")


def test_a_file_that_was_left_in_the_middle_of_a_change(settings: Settings, folder: Path) -> None:
    """The journal beside it has what has to be undone."""
    living = folder.parent / "living"
    living.mkdir()
    with closing(sqlite3.connect(course_databases.usual(living / "data.db", "lecture"))) as db:
        db.execute("PRAGMA cache_size = 1")  # so that it goes to the file before it is committed
        db.execute("PRAGMA cache_spill = 1")
        course_databases.fill(db, "users", [(n, f"user {n}", "never committed" * 20) for n in range(3, 500)])
        db.execute("UPDATE stores SET name = 'never committed'")
        for path in living.iterdir():
            shutil.copyfile(path, folder / path.name)
    assert "never committed" in (folder / "data.db").read_text("latin-1")
    assert "Users taken over: 2\n" in adopted(settings, folder / "data.db")


def test_text_that_is_no_utf8_and_a_null_where_none_may_be(settings: Settings, folder: Path) -> None:
    path = course_databases.make(
        folder / "data.db", course_databases.LECTURE, items=[(1, None, 1, 1), (2, "chair", None, 1)]
    )
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO stores VALUES (1, CAST(x'ff6b' AS TEXT))")
        db.execute("PRAGMA writable_schema = ON")
        strict = "REPLACE(sql, 'VARCHAR(80)', 'VARCHAR(80) NOT NULL')"
        db.execute(f"UPDATE sqlite_schema SET sql = {strict} WHERE name = 'items'")
    told = adopted(settings, path)
    assert "Items taken over: 1 of 2\n" in told
    assert "  1: None -> 'item-1'  A name has 1 to 80 characters.\n" in told


def test_a_file_that_changes_while_it_is_read(settings: Settings, folder: Path) -> None:
    rows = [(n, f"item {n}", 1.5, 1) for n in range(30_000)]  # enough for the other thread to have its turn
    path = course_databases.make(folder / "data.db", course_databases.LECTURE, items=rows)
    expected = f"{path} was changed while it was read. Stop the course's app first."
    with touching(path):
        says(run_with(settings, "adopt", str(path)), 1, expected)


@contextmanager
def touching(path: Path) -> Iterator[None]:
    """Somebody else writes to the file all the time."""
    is_over, has_begun = Event(), Event()

    def touch() -> None:
        for nanoseconds in count():
            os.utime(path, ns=(nanoseconds, nanoseconds))
            has_begun.set()
            if is_over.is_set():
                return

    thread = Thread(target=touch)
    thread.start()
    has_begun.wait()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_a_file_in_wal_mode_without_a_wal(settings: Settings, folder: Path) -> None:
    with closing(sqlite3.connect(course_databases.usual(folder / "data.db", "lecture"))) as db:
        db.execute("PRAGMA journal_mode = WAL")
    assert [path.name for path in folder.iterdir()] == ["data.db"]
    assert "Users taken over: 2\n" in adopted(settings, folder / "data.db")


# What is refused


def _empty(path: Path) -> None:
    path.touch()


def _text(path: Path) -> None:
    path.write_text("id,name\n1,chair\n" * 100)


def _foreign(path: Path) -> None:
    course_databases.make(path, "CREATE TABLE notes (id INTEGER)")


def _another_shape(path: Path) -> None:
    course_databases.make(path, "CREATE TABLE items (id INTEGER, title TEXT, price FLOAT, store_id INTEGER)")


def _cut(path: Path) -> None:
    course_databases.make(path, course_databases.LECTURE, users=[(n, f"user {n}", "x" * 50) for n in range(1000)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _overwritten(path: Path) -> None:
    course_databases.make(path, course_databases.LECTURE, users=[(n, f"user {n}", "x" * 50) for n in range(1000)])
    content = bytearray(path.read_bytes())
    content[4096 * 5 : 4096 * 6] = content[4096 * 6 : 4096 * 7]  # a good page, in a wrong place
    path.write_bytes(content)


def _folder(path: Path) -> None:
    path.mkdir()


def _missing(path: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_empty, " is empty."),
        (_text, " is not an SQLite database."),
        (_foreign, " has none of the course's tables: users, stores, items."),
        (_another_shape, " has no column name, which `adopt` needs."),
        (_cut, " is damaged: "),
        (_overwritten, " is damaged: "),
        (_folder, ": Is a directory"),
        (_missing, ": No such file or directory"),
    ],
)
def test_what_is_no_database_of_the_courses(
    make: Callable[[Path], None], message: str, settings: Settings, folder: Path
) -> None:
    path = folder / "data.db"
    make(path)
    result = run_with(settings, "adopt", str(path))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert str(path) in result.stderr
    assert result.stderr.count("\n") == 1


def test_storekeepers_own_database(settings: Settings, tmp_path: Path) -> None:
    own = tmp_path / "storekeeper.db"
    says(run_with(settings, "adopt", str(own)), 1, f"{own} is a database of Storekeeper's own, not the course's.")


def test_the_report_is_never_written_over_another_file(settings: Settings, folder: Path) -> None:
    path = course_databases.usual(folder / "data.db", "lecture")
    before = state(folder)
    says(run_with(settings, "adopt", str(path), "--report", str(path)), 1, f"{path}: File exists")
    assert state(folder) == before


def test_no_report_is_left_of_what_did_not_happen(folder: Path) -> None:
    nothing = AdoptionPlan([], [], "EUR", None, None, [])
    with pytest.raises(Conflict), report.kept(folder / "adopted.jsonl", nothing):
        raise Conflict
    assert list(folder.iterdir()) == []


def test_without_a_database_to_adopt_into(folder: Path) -> None:
    path = course_databases.usual(folder / "data.db", "lecture")
    nowhere = Settings(data=str(folder / "nowhere"))
    expected = "There is no database yet: `storekeeper migrate` creates it."
    says(run_with(nowhere, "adopt", str(path)), 1, expected)
    assert not nowhere.data_path.exists()
