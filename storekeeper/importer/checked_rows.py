"""The accepted rows of a file, in a temporary file on disk, so that memory does not grow with the file."""

import sqlite3
from collections.abc import Iterator, Sequence

import msgspec

from storekeeper.importer.row_reader import RowBatch
from storekeeper.models.item_batch import KEYS, CheckedRow, Key


class CheckedRows:
    """The accepted rows; and the names, SKUs and barcodes so far, as no two lines may have the same."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)  # a temporary file, which goes with the connection
        for field in KEYS:
            self._db.execute(f"CREATE TABLE {field} (value TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        self._db.execute("CREATE TABLE portions (number INTEGER PRIMARY KEY, portion BLOB)")
        self._db.execute("BEGIN")

    def first(self, field: Key, rows: Sequence[CheckedRow]) -> dict[int, int]:
        """For each of these lines that repeats a value of an earlier one, the number of the earlier line."""
        before = self._db.total_changes
        found = [(row.values[field], row.line) for row in rows]
        self._db.executemany(f"INSERT OR IGNORE INTO {field} VALUES (?, ?)", found)  # noqa: S608
        if self._db.total_changes - before == len(found):
            return {}
        return {line: earlier for value, line in found if (earlier := self._line(field, value)) != line}

    def _line(self, field: Key, value: str) -> int:
        (line,) = self._db.execute(f"SELECT line FROM {field} WHERE value = ?", (value,)).fetchone()  # noqa: S608
        return int(line)

    def add(self, portion: RowBatch) -> None:
        self._db.execute("INSERT INTO portions (portion) VALUES (?)", (msgspec.msgpack.encode(portion),))

    def __iter__(self) -> Iterator[RowBatch]:
        decoder = msgspec.msgpack.Decoder(RowBatch)
        for (portion,) in self._db.execute("SELECT portion FROM portions ORDER BY number"):
            yield decoder.decode(portion)

    def close(self) -> None:
        self._db.close()
