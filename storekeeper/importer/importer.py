"""The work of an import: checks the whole file first, and then applies its rows, two thousand at a time.

The check writes nothing to the catalogue, so a file with a refused line changes nothing, unless refused lines are to
be skipped. Each step is one transaction, which also records the job's position: an interrupted job continues there. If
rows are slow, a step ends after a second, so that progress is visible and a cancellation takes effect.
"""

from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from typing import Any, BinaryIO

import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError

from storekeeper.database.engine import transaction
from storekeeper.errors import Conflict, ImportIsOver, Invalid, StorekeeperError
from storekeeper.importer.checked_rows import CheckedRows
from storekeeper.importer.row_reader import FIELDS, RowBatch, create_converters, read
from storekeeper.models import import_queue, item_batch, item_search, journal, store
from storekeeper.models.import_job import Counts, Found, State
from storekeeper.models.import_queue import ImportJob
from storekeeper.models.item_batch import BatchPlan
from storekeeper.models.journal import Author
from storekeeper.models.store import Store
from storekeeper.tabular.sheet import Sheet, open_sheet

ReportProgress = Callable[[State, Counts, int], None]
Pauses = Callable[[State], bool]

BATCH_SIZE = 2000  # rows: SQLite is written to by nobody else meanwhile, for a tenth of a second
TRIES = 3
MAX_REFUSED = 10_000


class Paused(Exception):
    """The job must be returned: its runner ends, or it is another user's turn. Applied rows stay."""


class Importer:
    """Carries out one job, whose file is at hand. `report_progress` is called after each step, and then
    `pauses` may end it."""

    def __init__(
        self,
        engine: Engine,
        job: ImportJob,
        file: BinaryIO,
        report_progress: ReportProgress,
        pauses: Pauses = lambda _: False,
    ) -> None:
        self._engine = engine
        self._job = job
        self._file = file
        self._report_progress = report_progress
        self._pauses = pauses
        self._done = job.counts if job.is_checked else Counts()
        self._currency = ""  # of the prices, once they are read

    def run(self) -> None:
        """To the job's end; or until somebody cancels it, or another runner has it.

        Paused where it is to be given back.
        While the database is away the job stays as it is, and goes on later.
        """
        try:
            self._run()
        except ImportIsOver:
            return
        except StorekeeperError as error:
            self.fail(str(error))
        except (Paused, OperationalError, InterfaceError, InternalError):
            raise
        except Exception:  # a bug: the next runner would only meet it again
            self.fail("Something went wrong here. The server's log has it.")
            raise

    def fail(self, reason: str) -> None:
        with suppress(ImportIsOver):
            self._end("failed", self._done, reason)

    def _run(self) -> None:
        sheet = open_sheet(self._file, self._job.options, FIELDS)
        with self._engine.connect() as conn:
            target_store = import_queue.require_right(conn, self._job)
            refused = import_queue.refused_lines(conn, self._job)
        self._currency = target_store.currency
        converters = create_converters(sheet, target_store)
        # A connection is held open: whenever SQLite's last one is closed, it writes its whole log back into the file.
        with closing(CheckedRows()) as checked, self._engine.connect():
            if self._job.is_checked:  # the rest of it, after an interruption
                portions = read(self._file, sheet, converters, BATCH_SIZE, self._done.rows, refused)
                self._import(portions)
            elif self._check(sheet, read(self._file, sheet, converters, BATCH_SIZE), checked):
                self._import(checked)

    def _check(self, sheet: Sheet, portions: Iterable[RowBatch], checked: CheckedRows) -> bool:
        """Check all rows. Return whether to apply them now."""
        counts = Counts()
        self._begin(sheet)
        for portion in portions:
            self._pause("checking")
            counts = self._check_some(sheet, portion, checked, counts)
            if counts.refused > MAX_REFUSED:
                self._end("refused", counts, f"More than {MAX_REFUSED:,} lines are refused. Only these are listed.")
                return False
        if counts.refused and not self._job.skips_refused:
            self._end("refused", counts, None)
        elif self._job.is_dry_run:
            self._end("planned", counts, None)
        else:
            return True
        return False

    def _pause(self, state: State) -> None:
        if self._pauses(state):
            raise Paused

    def _begin(self, sheet: Sheet) -> None:
        with transaction(self._engine) as conn:
            import_queue.forget_refusals(conn, self._job)
            self._note(conn, "checking", Counts(), found=self._describe(sheet))

    def _describe(self, sheet: Sheet) -> Any:
        return msgspec.to_builtins(Found(sheet.format, sheet.encoding, sheet.delimiter, sheet.columns, sheet.ignored))

    def _check_some(self, sheet: Sheet, portion: RowBatch, checked: CheckedRows, counts: Counts) -> Counts:
        with self._engine.connect() as conn:
            target_store = import_queue.require_right(conn, self._job)
            made = item_batch.compare(conn, target_store, portion.rows, self._job.match, first=checked.first)
        checked.add(_good(portion, made))
        counts = _add_up(counts, portion, made)
        with transaction(self._engine) as conn:
            refused = sorted(portion.refused + made.refusals, key=lambda each: each.line)
            import_queue.add_refusals(conn, self._job, refused)
            self._note(conn, "checking", counts, portion.position, found=self._describe(sheet))
        return counts

    def _import(self, portions: Iterable[RowBatch]) -> None:
        for portion in portions:
            self._import_some(portion)
            self._pause("importing")
        with suppress(DBAPIError), transaction(self._engine) as conn:  # all is there, whether it is tidy or not
            item_search.analyze(conn)
        self._end("done", self._done, None)

    def _import_some(self, portion: RowBatch) -> None:
        for _ in range(TRIES - 1):
            try:
                return self._try(portion)
            except ImportIsOver:
                raise
            except (Conflict, OperationalError):  # somebody has just added one of these items, or held them too long
                portion = msgspec.structs.replace(portion, are_new=False)
        return self._try(portion)

    def _try(self, portion: RowBatch) -> None:
        with transaction(self._engine) as conn:
            target_store = import_queue.require_right(conn, self._job)
            if target_store.currency != self._currency:
                raise Invalid("import_currency_changed")
            made = self._plan(conn, target_store, portion)
            with journal.signed(conn, self._author()):
                item_batch.apply(conn, target_store, made)
            import_queue.add_refusals(conn, self._job, portion.refused + made.refusals)
            counts = _add_up(self._done, portion, made)
            self._note(conn, "importing", counts, portion.position)
        self._done = counts

    def _author(self) -> Author:
        user_id = self._job.user_id
        return Author("operator" if user_id is None else "user", user_id, f"import {self._job.id}")

    def _plan(self, conn: Connection, target_store: Store, portion: RowBatch) -> BatchPlan:
        """The plan for some rows. If rows that were new are not any more, a unique constraint raises Conflict."""
        if portion.are_new:
            store.take_turns(conn, target_store)
            return BatchPlan(portion.rows, [], [], [])
        return item_batch.compare(conn, target_store, portion.rows, self._job.match, is_final=True)

    def _note(self, conn: Connection, state: State, counts: Counts, position: int = 0, **more: Any) -> None:
        percent = min(100, 100 * position // max(1, self._job.size))
        import_queue.record_progress(conn, self._job, state, counts, percent, **more)
        self._report_progress(state, counts, percent)

    def _end(self, state: State, counts: Counts, reason: str | None) -> None:
        reason = import_queue.truncate(reason) if reason else None
        with transaction(self._engine) as conn:
            self._note(conn, state, counts, self._file.tell(), reason=reason)


def _good(portion: RowBatch, plan: BatchPlan) -> RowBatch:
    """The accepted rows of a batch, after the comparison with the store."""
    refused = {each.line for each in plan.refusals}
    rows = [row for row in portion.rows if row.line not in refused]
    return msgspec.structs.replace(portion, rows=rows, refused=[], are_new=len(plan.adds) == len(rows))


def _add_up(counts: Counts, portion: RowBatch, plan: BatchPlan) -> Counts:
    good = len(plan.adds) + len(plan.changes) + len(plan.unchanged)
    return Counts(
        counts.rows + portion.lines,
        counts.added + len(plan.adds),
        counts.changed + len(plan.changes),
        counts.unchanged + len(plan.unchanged),
        counts.refused + portion.lines - good,
    )
