"""The connection that a database thread holds, and how it runs jobs."""

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from storekeeper.database.compiled_query import fetch_together, held_cursor
from storekeeper.database.status import DatabaseStatus, find_damage, first_line
from storekeeper.database.worker_threads import QueuedCall
from storekeeper.errors import Conflict, DatabaseDamaged, OutcomeUnknown, StorekeeperError, Unavailable

PAUSES = (0.0, 0.1, 0.4)  # seconds before each further try: a restart of PostgreSQL takes about as long
LOCK = "BEGIN IMMEDIATE"  # SQLite's write lock, at once: writers then queue instead of failing half-way
SQLITE_CACHE_KIB = 1024  # SQLite's default is 2,000: look-ups, pages and lists were as fast with this


class Reader:
    """A reading thread's connection: opened when first needed, and again after any surprise."""

    def __init__(self, engine: sa.Engine, status: DatabaseStatus) -> None:
        self._engine = engine
        self._status = status
        self._conn: Connection | None = None

    def run(self, jobs: Sequence[QueuedCall]) -> Iterable[QueuedCall]:
        """Do the jobs that somebody still waits for, and yield each once it is settled. Raises nothing."""
        for job in jobs:
            if not job.is_abandoned():
                job.settle(self._do)
            yield job

    def _do(self, job: QueuedCall) -> Any:
        """Do the job, whole, and again if the connection was lost before anything of it was kept."""
        try:
            return self._try(job)
        except _ConnectionLost:
            return self._try_again(job)

    def _try_again(self, job: QueuedCall) -> Any:
        for pause in PAUSES:
            if job.is_abandoned():
                break
            time.sleep(pause)
            with suppress(_ConnectionLost):
                return self._try(job)
        raise Unavailable("database_silent")

    def _try(self, job: QueuedCall) -> Any:
        try:
            self._conn = self._conn or self._connect()  # no call of its own: each look-up comes here
            return self._perform(self._conn, job)
        except StorekeeperError:
            raise
        except IntegrityError as error:  # lost a race, or named a row that is not there
            raise Conflict from error
        except Exception as error:
            self.close()
            raise self._explain(error) from error

    def _connected(self) -> Connection:
        self._conn = self._conn or self._connect()
        return self._conn

    def _connect(self) -> Connection:
        return self._engine.connect()

    def close(self) -> None:
        if self._conn is not None:
            with suppress(Exception):  # it may be broken already
                self._conn.invalidate()
                self._conn.close()
        self._conn = None

    def _perform(self, conn: Connection, job: QueuedCall) -> Any:
        return job.call(conn)

    def _explain(self, error: Exception) -> Exception:
        """An outage is worth another try, damage is not; anything else is a bug and stays as it is."""
        dbapi = self._engine.dialect.loaded_dbapi
        cause = _cause(error)
        if (damage := find_damage(cause)) is not None:
            self._status.note_damage(damage)
            return DatabaseDamaged()
        # InternalError is what a server says that is read-only, after a failover.
        if not isinstance(cause, (dbapi.OperationalError, dbapi.InterfaceError, dbapi.InternalError)):
            return error
        self._note_failure(first_line(cause))
        if self._engine.dialect.name == "sqlite":  # locked, full or read-only: waited for already
            return Unavailable("database_silent")
        return _ConnectionLost()

    def _note_failure(self, reason: str) -> None:
        structlog.get_logger().warning("database_failed", reason=reason)


def _cause(error: BaseException) -> BaseException:
    """The driver's own error, which SQLAlchemy may have wrapped."""
    return (error.orig if isinstance(error, DBAPIError) else None) or error


class SQLiteReader(Reader):
    """A connection that reads SQLite, with half of the usual pages in memory: others come from the kernel's cache."""

    def _connect(self) -> Connection:
        conn = super()._connect()
        held_cursor(conn).execute(f"PRAGMA cache_size = -{SQLITE_CACHE_KIB}")
        return conn


class LookupReader(Reader):
    """A connection for look-ups in PostgreSQL: those that wait share a trip, which is most of what one costs.

    Its jobs are those of `Database.read_one`: their arguments are a query and its values.
    """

    def run(self, jobs: Sequence[QueuedCall]) -> Iterable[QueuedCall]:
        return jobs if len(jobs) > 1 and self._try_together(jobs) else super().run(jobs)

    def _try_together(self, jobs: Sequence[QueuedCall]) -> bool:
        try:
            conn = self._connected()
            for job, rows in zip(jobs, fetch_together(conn, [job.args for job in jobs]), strict=True):
                job.result, job.error = rows, None
        except Exception:
            self.close()  # each is done by itself then, and may fail for itself
            return False
        return True


class _ConnectionLost(Exception):
    """The connection was lost, or the transaction undone by the server. Nothing was kept."""


class Writer(Reader):
    """A writing thread's connection: each job is a transaction."""

    def _perform(self, conn: Connection, job: QueuedCall) -> Any:
        with conn.begin() as transaction:
            begin_writing(conn)
            job.is_committing = False  # a commit that was shared may have failed before
            result = job.call(conn)
            self._commit(transaction, [job])
            return result

    def _commit(self, transaction: sa.RootTransaction, jobs: Sequence[QueuedCall]) -> None:
        for job in jobs:
            job.is_committing = True
        if any(job.is_abandoned() for job in jobs):
            raise Unavailable  # a caller was told so, before it was too late: roll back, to make it true
        try:
            transaction.commit()
        except DBAPIError as error:
            self.close()  # SQLite's transaction is still open
            if isinstance(error, IntegrityError):
                raise
            self._note_failed_commit(_cause(error))
            raise OutcomeUnknown from error

    def _note_failed_commit(self, cause: BaseException) -> None:
        if (damage := find_damage(cause)) is not None:
            self._status.note_damage(damage)
        self._status.write_failure = reason = first_line(cause)
        structlog.get_logger().warning("commit_failed", reason=reason)

    def _note_failure(self, reason: str) -> None:
        super()._note_failure(reason)
        self._status.write_failure = reason


class GroupWriter(Writer):
    """SQLite's writing thread: makes all waiting changes in one transaction, which syncs the disk once.

    Each change runs in its own savepoint. A refusal (StorekeeperError) rolls back its savepoint only; any other error
    rolls back the group, and then each change runs by itself. For example, of a sale, a price for an unknown item, and
    another sale, the second is answered 404, and one commit saves the two sales before all three are answered.
    """

    def run(self, jobs: Sequence[QueuedCall]) -> Iterable[QueuedCall]:
        wanted = [job for job in jobs if not job.is_abandoned()]
        return jobs if len(wanted) > 1 and self._try_together(wanted) else super().run(jobs)

    def _try_together(self, jobs: Sequence[QueuedCall]) -> bool:
        try:
            self._do_together(jobs)
        except OutcomeUnknown as error:
            for job in jobs:
                job.result, job.error = None, error
        except Exception:
            self.close()  # nothing was kept: each is done by itself then, and may fail for itself
            return False
        return True

    def _do_together(self, jobs: Sequence[QueuedCall]) -> None:
        conn = self._connected()
        with conn.begin() as transaction:
            begin_writing(conn)
            for job in jobs:
                _do_apart(conn, job)
            self._commit(transaction, jobs)


def _do_apart(conn: Connection, job: QueuedCall) -> None:
    """Run one job in a savepoint. A refusal undoes its changes alone, an unexpected error the whole group."""
    cursor = held_cursor(conn)
    cursor.execute("SAVEPOINT job")
    try:
        job.result, job.error = job.call(conn), None
    except StorekeeperError as error:
        job.error = error
        cursor.execute("ROLLBACK TO job")
    cursor.execute("RELEASE job")


def begin_writing(conn: Connection) -> None:
    if conn.dialect.name == "sqlite":
        held_cursor(conn).execute(LOCK)  # by way of SQLAlchemy it takes twice as long
