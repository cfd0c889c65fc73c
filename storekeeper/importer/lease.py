"""The lease of a job, which its runner renews, and the turns of users: when a runner returns a job."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from storekeeper.concurrency.heartbeat import HeartbeatWriter
from storekeeper.database.engine import transaction
from storekeeper.importer.importer import ReportProgress
from storekeeper.models import import_queue
from storekeeper.models.import_job import Counts, State
from storekeeper.models.import_queue import ImportJob

HEARTBEAT_SECONDS = 1.0  # between signs of life to the server
HOLD_SECONDS = 10.0  # between signs of life in the database
PATIENCE_SECONDS = 300.0  # that a job may take for one step, such as the opening of a large workbook
TURN_SECONDS = 30.0  # that a job is worked at while another user's waits
POLL_SECONDS = 5.0  # between looks for such a job


class Lease:
    """Renews the lease from a thread, as a step may take longer than a lease; but not for a step that hangs."""

    def __init__(self, engine: Engine, job: ImportJob, heartbeat: HeartbeatWriter) -> None:
        self._engine = engine
        self._job = job
        self._heartbeat = heartbeat
        self._progressed_at = time.monotonic()
        self._held_at = time.monotonic()
        self._is_over = Event()
        self._thread = Thread(target=self._work, daemon=True, name="lease")

    def start(self) -> None:
        self._heartbeat.beat([self._job.id])
        self._thread.start()

    def end(self) -> None:
        self._is_over.set()
        self._thread.join()
        self._heartbeat.beat()

    def noting(self, report_progress: ReportProgress) -> ReportProgress:
        """A function that reports progress, and records it as a sign of life."""

        def note(state: State, counts: Counts, percent: int) -> None:
            self.progress()
            report_progress(state, counts, percent)

        return note

    def progress(self) -> None:
        self._progressed_at = time.monotonic()

    def _work(self) -> None:
        while not self._is_over.wait(HEARTBEAT_SECONDS):
            now = time.monotonic()
            if now - self._progressed_at > PATIENCE_SECONDS:
                continue  # until the server ends this process, or another takes the job
            self._heartbeat.beat([self._job.id])
            if now - self._held_at >= HOLD_SECONDS:
                self._held_at = now
                with suppress(DBAPIError), transaction(self._engine) as conn:  # the next one may do
                    import_queue.hold(conn, self._job)


@contextmanager
def keep(engine: Engine, job: ImportJob, heartbeat: HeartbeatWriter | None = None) -> Iterator[Lease]:
    """Hold the job's lease inside the `with` block."""
    lease = Lease(engine, job, heartbeat or HeartbeatWriter(job.runner))
    lease.start()
    try:
        yield lease
    finally:
        lease.end()


class Turn:
    """Decides when a runner returns a job, and when it ends."""

    def __init__(self, engine: Engine, heartbeat: HeartbeatWriter) -> None:
        self.name = heartbeat.name
        self.is_told = False  # to end
        self._engine = engine
        self._heartbeat = heartbeat
        self._job: ImportJob | None = None
        self._lease: Lease | None = None
        self._look_at = 0.0
        heartbeat.beat()

    def end(self, *_: Any) -> None:
        """The handler of SIGTERM."""
        self.is_told = True

    @property
    def is_over(self) -> bool:
        """Whether the runner must end: it got SIGTERM, or the server that started it is gone."""
        return self.is_told or not self._heartbeat.is_heard

    @contextmanager
    def begin(self, job: ImportJob) -> Iterator[None]:
        with keep(self._engine, job, self._heartbeat) as self._lease:
            self._job = job
            self._look_at = time.monotonic() + TURN_SECONDS
            yield

    def note(self, *_: object) -> None:
        if self._lease:
            self._lease.progress()

    def pauses(self, state: State) -> bool:
        """Whether to return the job. For another user's only after the check, which would have to start again."""
        if self.is_over:
            return True
        if state != "importing" or self._job is None or time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + POLL_SECONDS
        with self._engine.connect() as conn:
            return import_queue.is_wanted_by_another(conn, self._job)
