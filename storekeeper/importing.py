"""The work of an import: first the whole file is checked, then its rows are brought in, a thousand at a time.

Nothing is written while it is checked, so a file with a line that is refused changes nothing, unless such lines are to
be skipped. Each thousand is one transaction, with the job's own progress in it: what is interrupted goes on there.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from itertools import islice
from typing import Any, BinaryIO, TypeVar

import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError

from storekeeper import barcodes, cells, money
from storekeeper.db import transaction
from storekeeper.errors import Conflict, ImportIsOver, Invalid, StorekeeperError
from storekeeper.models import batch, import_jobs, search
from storekeeper.models.batch import Draft, Plan, Refusal
from storekeeper.models.import_jobs import Job
from storekeeper.models.imports import Counts, Found, State
from storekeeper.models.store import Store
from storekeeper.sheets import Row, Sheet, open_sheet

T = TypeVar("T")
Tell = Callable[[State, Counts, int], None]

AT_ONCE = 1000
TRIES = 3
MOST_REFUSED = 10_000


class Importer:
    """Carries out one job, whose file is at hand. `tell` is told of each step."""

    def __init__(self, engine: Engine, job: Job, file: BinaryIO, tell: Tell) -> None:
        self._engine = engine
        self._job = job
        self._file = file
        self._tell = tell
        self._done = job.counts if job.is_checked else Counts()

    def run(self) -> None:
        """To the job's end; or until somebody cancels it, or another runner has it.

        While the database is away the job stays as it is, and goes on later.
        """
        try:
            self._run()
        except ImportIsOver:
            return
        except StorekeeperError as error:
            self.fail(str(error))
        except (OperationalError, InterfaceError, InternalError):
            raise
        except Exception:  # a bug: the next runner would only meet it again
            self.fail("Something went wrong here. The server's log has it.")
            raise

    def fail(self, reason: str) -> None:
        with suppress(ImportIsOver):
            self._end("failed", self._done, reason)

    def _run(self) -> None:
        sheet = open_sheet(self._file, self._job.options)
        if self._job.is_checked or self._check(sheet):
            self._import(sheet)

    def _check(self, sheet: Sheet) -> bool:
        """Look at every row. Whether they are to be imported now."""
        counts = Counts()
        self._begin(sheet)
        with closing(_Seen()) as seen:
            for rows in _by(AT_ONCE, sheet):
                counts = self._check_some(sheet, rows, seen, counts)
                if counts.refused > MOST_REFUSED:
                    self._end(
                        "refused", counts, f"More than {MOST_REFUSED:,} lines are refused. Only these are listed."
                    )
                    return False
        if counts.refused and not self._job.skips_refused:
            self._end("refused", counts, None)
        elif self._job.is_dry_run:
            self._end("planned", counts, None)
        else:
            return True
        return False

    def _begin(self, sheet: Sheet) -> None:
        with transaction(self._engine) as conn:
            import_jobs.forget_refusals(conn, self._job)
            self._note(conn, "checking", Counts(), found=self._describe(sheet))

    def _describe(self, sheet: Sheet) -> Any:
        return msgspec.to_builtins(Found(sheet.format, sheet.encoding, sheet.delimiter, sheet.columns, sheet.ignored))

    def _check_some(self, sheet: Sheet, rows: list[Row], seen: "_Seen", counts: Counts) -> Counts:
        with self._engine.connect() as conn:
            of = import_jobs.require_right(conn, self._job)
            drafts, refused = _read_drafts(rows, _readers(sheet, of))
            made = batch.plan(conn, of, drafts, self._job.match, first=seen.first)
        counts = _add_up(counts, len(rows), made, refused)
        with transaction(self._engine) as conn:
            import_jobs.refuse(conn, self._job, sorted(refused + made.refusals, key=lambda each: each.line))
            self._note(conn, "checking", counts, found=self._describe(sheet))
        return counts

    def _import(self, sheet: Sheet) -> None:
        counts = self._done
        with self._engine.connect() as conn:
            refused = import_jobs.refused_lines(conn, self._job)
        for rows in _by(AT_ONCE, islice(sheet, counts.rows, None)):
            counts = self._import_some(sheet, rows, refused, counts)
        with suppress(DBAPIError), transaction(self._engine) as conn:  # all is there, whether it is tidy or not
            search.tidy(conn)
        self._end("done", counts, None)

    def _import_some(self, sheet: Sheet, rows: list[Row], refused: set[int], counts: Counts) -> Counts:
        for _ in range(TRIES - 1):
            try:
                return self._try(sheet, rows, refused, counts)
            except ImportIsOver:
                raise
            except (Conflict, OperationalError):  # somebody has just added one of these items, or held them too long
                continue
        return self._try(sheet, rows, refused, counts)

    def _try(self, sheet: Sheet, rows: list[Row], refused: set[int], counts: Counts) -> Counts:
        good = [row for row in rows if row.line not in refused]
        with transaction(self._engine) as conn:
            of = import_jobs.require_right(conn, self._job)
            drafts, unread = _read_drafts(good, _readers(sheet, of))
            made = batch.plan(conn, of, drafts, self._job.match, is_final=True)
            batch.carry_out(conn, of, made)
            import_jobs.refuse(conn, self._job, unread + made.refusals)
            counts = _add_up(counts, len(rows), made, unread, len(rows) - len(good))
            self._note(conn, "importing", counts)
        self._done = counts
        return counts

    def _note(self, conn: Connection, state: State, counts: Counts, **more: Any) -> None:
        percent = min(100, 100 * self._file.tell() // max(1, self._job.size))
        import_jobs.note(conn, self._job, state, counts, percent, **more)
        self._tell(state, counts, percent)

    def _end(self, state: State, counts: Counts, reason: str | None) -> None:
        reason = import_jobs.told(reason) if reason else None
        with transaction(self._engine) as conn:
            self._note(conn, state, counts, reason=reason)


def _add_up(counts: Counts, rows: int, made: Plan, refused: list[Refusal], known: int = 0) -> Counts:
    lines = {each.line for each in (*refused, *made.refusals)}
    return Counts(
        counts.rows + rows,
        counts.added + len(made.adds),
        counts.changed + len(made.changes),
        counts.unchanged + len(made.unchanged),
        counts.refused + len(lines) + known,
    )


def _by(count: int, rows: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(rows)
    while some := list(islice(iterator, count)):
        yield some


Readers = Mapping[str, Callable[[Any], Any]]


def _read_drafts(rows: Iterable[Row], readers: Readers) -> tuple[list[Draft], list[Refusal]]:
    """What the rows of a sheet say of items, and which of them cannot be understood."""
    drafts: list[Draft] = []
    refused: list[Refusal] = []
    for row in rows:
        if row.error:
            refused.append(Refusal(row.line, None, row.error))
            continue
        fields, flaws = _read(row.values, readers)
        if flaws:
            refused += [Refusal(row.line, error.field, error.message) for flaw in flaws for error in flaw.errors]
        else:
            drafts.append(Draft(row.line, fields))
    return drafts, refused


def _read(values: Mapping[str, object], readers: Readers) -> tuple[dict[str, Any], list[Invalid]]:
    fields: dict[str, Any] = {}
    flaws: list[Invalid] = []
    for field, read in readers.items():
        try:
            if field in values:
                fields[field] = read(values[field])
        except Invalid as flaw:
            flaws.append(flaw)
    for field in ("store", "currency"):  # they were only to be compared
        fields.pop(field, None)
    return fields, flaws


def _readers(sheet: Sheet, of: Store) -> Readers:
    digits = money.DIGITS[of.currency]
    return {
        "name": cells.name,
        "price": lambda value: cells.price(value, sheet.decimal, digits),
        "sku": lambda value: cells.text(value, "sku"),
        "barcode": lambda value: barcodes.restore(cells.text(value, "barcode")),
        "description": lambda value: cells.text(value, "description"),
        "tags": cells.tags,
        "stock": cells.stock,
        "archived": cells.flag,
        "store": lambda value: _compare(value, "store", of.name),
        "currency": lambda value: _compare(value, "currency", of.currency),
    }


def _compare(value: object, field: str, expected: str) -> None:
    if value not in (None, "", expected):
        raise Invalid(f"This line is for the {field} '{value}', and the store's is '{expected}'.", field)


class _Seen:
    """The names, SKUs and barcodes of a file so far, on the disk: no two of its lines may share one."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)  # a temporary file, which goes with the connection
        self._db.execute(
            "CREATE TABLE seen (field TEXT, value TEXT, line INTEGER, PRIMARY KEY (field, value)) WITHOUT ROWID"
        )
        self._db.execute("BEGIN")

    def first(self, field: str, value: str, line: int) -> int:
        """The line that had this value first."""
        if self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (field, value, line)).rowcount:
            return line
        (earlier,) = self._db.execute("SELECT line FROM seen WHERE field = ? AND value = ?", (field, value)).fetchone()
        return int(earlier)

    def close(self) -> None:
        self._db.close()
