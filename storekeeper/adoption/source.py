"""The course's database, read whole, whatever its shape. Neither the file is changed nor anything beside it."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

HEADER = b"SQLite format 3\0"
BESIDE = ("-wal", "-journal")  # where SQLite keeps what is not in the file yet, or has to be undone there
TABLES = {
    "users": ("id", "username", "password"),
    "stores": ("id", "name"),
    "items": ("id", "name", "price", "store_id"),
    "tags": ("id", "name"),
    "items_tags": ("item_id", "tag_id"),
    "confirmations": ("user_id", "confirmed"),
}
OPTIONAL = {"users": {"activated": "1"}, "items": {"description": "NULL"}}  # and what stands for a missing one
MAIN = ("users", "stores", "items")
NOT_NEEDED = {"tags": {"store_id"}, "items_tags": {"id"}, "confirmations": {"id", "expire_at"}}
BOOKKEEPING = {"alembic_version"}
ABOUT_VALUES = ("NULL value in", "CHECK constraint failed")  # damage that this program bears

Rows = list[tuple[Any, ...]]


class SourceError(Exception):
    """This is not the course's database, or it cannot be read. The message says which."""


class LeftOut(msgspec.Struct, frozen=True):
    """A table, or a column of one, that has no place in Storekeeper; and how many rows or values it has."""

    table: str
    column: str | None
    count: int


class Source(msgspec.Struct, frozen=True):
    """The rows, by id. Any value may be of any type: SQLite does not care what a column was declared to be."""

    users: Rows  # id, username, password, activated (1: the table has no such column)
    stores: Rows
    items: Rows  # id, name, price, store_id, description (None: the table has no such column)
    tags: Rows
    items_tags: Rows
    confirmations: Rows | None  # None: nobody had to confirm
    left_out: list[LeftOut]


def read(path: Path) -> Source:
    """SourceError, or OSError, where that cannot be done."""
    path = path.resolve(strict=True)  # SQLite looks beside the file itself, not beside a link to it
    _require_sqlite(path)
    before = _state(path)
    try:
        with _reachable(path) as uri, closing(sqlite3.connect(uri, uri=True)) as db:
            found = _read(db, path)
    except sqlite3.Error as error:
        raise SourceError(f"{path} is damaged: {error}.") from None
    if _state(path) != before:
        raise SourceError(f"{path} was changed while it was read. Stop the course's app first.")
    return found


def _require_sqlite(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(len(HEADER))
    if not start:
        raise SourceError(f"{path} is empty.")
    if start != HEADER:
        raise SourceError(f"{path} is not an SQLite database.")


def _beside(path: Path) -> list[Path]:
    found = [Path(f"{path}{ending}") for ending in BESIDE]
    return [each for each in found if each.exists() and each.stat().st_size]


def _state(path: Path) -> list[tuple[str, int, int]]:
    return [(each.name, each.stat().st_size, each.stat().st_mtime_ns) for each in (path, *_beside(path))]


@contextmanager
def _reachable(path: Path) -> Iterator[str]:
    """What to open. With a WAL or a journal even a reader makes files and locks them: then that is a copy."""
    beside = _beside(path)
    if not beside:
        yield f"{path.as_uri()}?mode=ro&immutable=1"
        return
    with TemporaryDirectory(prefix="storekeeper-") as folder:  # for its owner only
        for each in (path, *beside):
            shutil.copyfile(each, Path(folder, each.name))
        yield f"{Path(folder, path.name).as_uri()}?mode=rw"


def _read(db: sqlite3.Connection, path: Path) -> Source:
    db.execute("PRAGMA trusted_schema = OFF")
    db.text_factory = lambda text: text.decode(errors="replace")
    tables = _tables(db)
    if "store_members" in tables:
        raise SourceError(f"{path} is a database of Storekeeper's own, not the course's.")
    _require_whole(db, path)
    columns = {table: _columns(db, table) for table in tables}
    _require_the_courses(columns, path)
    rows = {table: _rows(db, table, columns[table]) for table in TABLES if table in columns}
    return Source(
        **{table: rows.get(table, []) for table in TABLES if table != "confirmations"},
        confirmations=rows.get("confirmations"),
        left_out=list(_left_out(db, columns)),
    )


def _require_whole(db: sqlite3.Connection, path: Path) -> None:
    for (line,) in db.execute("PRAGMA quick_check"):
        if line != "ok" and not line.startswith(ABOUT_VALUES):
            raise SourceError(f"{path} is damaged: {' '.join(line.split())}.")


def _tables(db: sqlite3.Connection) -> list[str]:
    """In small letters, as SQLite takes either. Without virtual ones: they may need what is not here."""
    found = [name.lower() for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage")]
    return [name for name in found if not name.startswith("sqlite_")]


def _columns(db: sqlite3.Connection, table: str) -> set[str]:
    return {row[1].lower() for row in db.execute(f"PRAGMA table_info({_quoted(table)})")}


def _require_the_courses(columns: dict[str, set[str]], path: Path) -> None:
    if not set(MAIN) & columns.keys():
        raise SourceError(f"{path} has none of the course's tables: users, stores, items.")
    for table, needed in TABLES.items():
        for column in needed:
            if column not in columns.get(table, needed):
                raise SourceError(f"The table {table} in {path} has no column {column}, which `adopt` needs.")


def _rows(db: sqlite3.Connection, table: str, columns: set[str]) -> Rows:
    more = (name if name in columns else f"{usual} AS {name}" for name, usual in OPTIONAL.get(table, {}).items())
    wanted = [*TABLES[table], *more]
    # The names are those above, not the file's.
    return db.execute(f"SELECT {', '.join(wanted)} FROM {table} ORDER BY 1").fetchall()  # noqa: S608


def _left_out(db: sqlite3.Connection, columns: dict[str, set[str]]) -> Iterator[LeftOut]:
    for table in sorted(columns.keys() - BOOKKEEPING):
        if table not in TABLES:
            yield LeftOut(table, None, _count(db, table, "*"))
            continue
        known = {*TABLES[table], *NOT_NEEDED.get(table, ()), *OPTIONAL.get(table, ())}
        for column in sorted(columns[table] - known):
            yield LeftOut(table, column, _count(db, table, _quoted(column)))


def _count(db: sqlite3.Connection, table: str, noun: str) -> int:
    (count,) = db.execute(f"SELECT count({noun}) FROM {_quoted(table)}").fetchone()  # noqa: S608  quoted
    return int(count)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
