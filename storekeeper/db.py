"""The database: how to reach it, and the only place where a transaction begins or ends."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from typing import Any, TypeVar, TypeVarTuple

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError

from storekeeper.crew import Crew, Job
from storekeeper.errors import Conflict, StorekeeperError, Unavailable
from storekeeper.query import Query, Row, fetch_together, held_cursor

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Connection = sa.Connection  # also for those who only pass one on

SEEKERS, READERS, WRITERS = 2, 6, 8  # threads for PostgreSQL, which works while they wait
TOGETHER = 32  # jobs
PAUSES = (0.0, 0.1, 0.4)  # seconds before each further try: a restart of PostgreSQL takes about as long

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts ids by itself only in a column of this exact type.
Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
# Compared and sorted by code point, as SQLite does, whatever the server's locale is.
Text = sa.String().with_variant(sa.String(collation="C"), "postgresql")


class Database:
    """Runs the models' functions on threads that each hold a connection."""

    def __init__(self, url: str, *, limit: int = 256, seconds: float = 5.0) -> None:
        self.engine = create_engine(url, seconds)
        reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        if self.engine.dialect.name == "sqlite":
            # All the work is in this process: more threads would only take turns on the same core.
            self._seekers = self._readers = Crew(lambda: Reader(reading), limit, seconds, together=TOGETHER)
            self._browsers = Crew(lambda: Reader(reading), limit, seconds)
            self._writers = Crew(lambda: GroupWriter(self.engine), limit, seconds, together=TOGETHER)
        else:
            self._seekers = Crew(lambda: Seeker(reading), limit, seconds, threads=SEEKERS, together=TOGETHER)
            self._readers = self._browsers = Crew(lambda: Reader(reading), limit, seconds, threads=READERS)
            self._writers = Crew(lambda: Writer(self.engine), limit, seconds, threads=WRITERS)

    async def fetch(self, query: Query, values: Mapping[str, Any]) -> list[Row]:
        """Run one query that takes no time, such as a look-up by name. Of PostgreSQL, those that wait ask together."""
        result: list[Row] = await self._seekers.do(_fetch, query, values)
        return result

    async def read(self, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
        """Run queries. There is no transaction: one round trip for each statement."""
        result: T = await self._readers.do(function, *args)
        return result

    async def browse(self, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
        """Run a query that may take long, such as a page of a list: no look-up has to wait behind it."""
        result: T = await self._browsers.do(function, *args)
        return result

    async def write(self, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
        """Run a change in a transaction: committed when it returns, rolled back when it raises."""
        result: T = await self._writers.do(function, *args)
        return result

    def close(self) -> None:
        for crew in (self._seekers, self._readers, self._browsers, self._writers):
            crew.close()


class Reader:
    """A reading thread's connection: opened when first needed, and again after any surprise."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._conn: Connection | None = None

    def run(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            job.settle(self._do)

    def _do(self, job: Job) -> Any:
        """Do the job, whole, and again if the connection was lost before anything of it was kept."""
        try:
            return self._try(job)
        except _Lost:
            return self._try_again(job)

    def _try_again(self, job: Job) -> Any:
        for pause in PAUSES:
            if job.is_abandoned():
                break
            time.sleep(pause)
            with suppress(_Lost):
                return self._try(job)
        raise Unavailable("The database does not answer. Try again soon.")

    def _try(self, job: Job) -> Any:
        try:
            self._conn = self._conn or self._engine.connect()
            return self._perform(self._conn, job)
        except StorekeeperError:
            raise
        except IntegrityError as error:  # lost a race, or named a row that is not there
            raise Conflict from error
        except Exception as error:
            self.close()
            raise self._explain(error) from error

    def close(self) -> None:
        if self._conn is not None:
            with suppress(Exception):  # it may be broken already
                self._conn.invalidate()
                self._conn.close()
        self._conn = None

    def _perform(self, conn: Connection, job: Job) -> Any:
        return job.call(conn)

    def _explain(self, error: Exception) -> Exception:
        """An outage is worth another try; anything else is a bug and stays as it is."""
        dbapi = self._engine.dialect.loaded_dbapi
        cause = error.orig if isinstance(error, DBAPIError) else error
        # InternalError is what a server says that is read-only, after a failover.
        if not isinstance(cause, (dbapi.OperationalError, dbapi.InterfaceError, dbapi.InternalError)):
            return error
        structlog.get_logger().warning("database_failed", reason=str(cause).splitlines()[0])
        if self._engine.dialect.name == "sqlite":  # locked, full or read-only: waited for already
            return Unavailable("The database does not answer. Try again soon.")
        return _Lost()


def _fetch(conn: Connection, query: Query, values: Mapping[str, Any]) -> list[Row]:
    return query.fetch(conn, values)


class Seeker(Reader):
    """A thread for look-ups in PostgreSQL: those that wait take one trip together, which costs more than the rest."""

    def run(self, jobs: Sequence[Job]) -> None:
        try:
            if len(jobs) > 1:
                self._fetch_together(jobs)
                return
        except Exception:
            self.close()  # each is done by itself then, and may fail for itself
        super().run([job for job in jobs if not job.is_abandoned()])

    def _fetch_together(self, jobs: Sequence[Job]) -> None:
        conn = self._conn = self._conn or self._engine.connect()
        for job, rows in zip(jobs, fetch_together(conn, [job.args for job in jobs]), strict=True):
            job.result, job.error = rows, None


class _Lost(Exception):
    """The connection was lost, or the transaction undone by the server. Nothing was kept."""


class _Uncertain(Unavailable):
    """The connection was lost during the commit: nobody can tell whether the change was kept."""


class Writer(Reader):
    """A writing thread's connection: each job is a transaction."""

    def _perform(self, conn: Connection, job: Job) -> Any:
        with conn.begin() as transaction:
            begin_writing(conn)
            result = job.call(conn)
            if job.is_abandoned():
                raise Unavailable  # the caller was told so: roll back, to make it true
            self._commit(transaction)
            return result

    def _commit(self, transaction: sa.RootTransaction) -> None:
        try:
            transaction.commit()
        except DBAPIError as error:
            self.close()  # SQLite's transaction is still open
            if isinstance(error, IntegrityError):
                raise
            structlog.get_logger().warning("commit_failed", reason=str(error.orig).splitlines()[0])
            raise _Uncertain("The database was lost during the change. Look whether it was made.") from error


class GroupWriter(Writer):
    """SQLite's writing thread: what waits is done in one transaction, which takes the way to the disk once."""

    def run(self, jobs: Sequence[Job]) -> None:
        try:
            if len(jobs) > 1:
                self._do_together(jobs)
                return
        except _Uncertain as error:
            for job in jobs:
                job.result, job.error = None, error
            return
        except Exception:
            self.close()  # nothing was kept: each is done by itself then, and may fail for itself
        super().run(jobs)

    def _do_together(self, jobs: Sequence[Job]) -> None:
        conn = self._conn = self._conn or self._engine.connect()
        with conn.begin() as transaction:
            begin_writing(conn)
            for job in jobs:
                _do_apart(conn, job)
            if any(job.is_abandoned() for job in jobs):
                raise Unavailable
            self._commit(transaction)


def _do_apart(conn: Connection, job: Job) -> None:
    """Do a job among others. If it is refused, only its own changes are undone; what nobody foresaw undoes all."""
    cursor = held_cursor(conn)
    cursor.execute("SAVEPOINT job")
    try:
        job.result, job.error = job.call(conn), None
    except StorekeeperError as error:
        job.error = error
        cursor.execute("ROLLBACK TO job")
    cursor.execute("RELEASE job")


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[Connection]:
    """A connection in a transaction: committed at the end, rolled back when something is raised."""
    with engine.begin() as conn:
        begin_writing(conn)
        yield conn


def begin_writing(conn: Connection) -> None:
    """Take SQLite's write lock now: writers then queue instead of failing half-way."""
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("BEGIN IMMEDIATE")


def create_engine(url: str, seconds: float = 5.0, *, is_read_only: bool = False) -> sa.Engine:
    """An engine without a pool: our threads are the pool. No statement outlives `seconds` by much."""
    # Without its parameters an error may be logged: there are passwords' hashes among them.
    common: dict[str, Any] = {"poolclass": sa.NullPool, "hide_parameters": True}
    if sa.make_url(url).get_backend_name() != "sqlite":
        return sa.create_engine(url, connect_args=_postgresql_options(seconds), **common)
    # "named" lets a query pass its values by name to either driver.
    engine = sa.create_engine(url, module=_sqlite(), paramstyle="named", **common)
    configure = _forbid_changes if is_read_only else partial(_configure_sqlite, seconds)
    sa.event.listen(engine, "connect", configure)
    return engine


def _postgresql_options(seconds: float) -> dict[str, Any]:
    milliseconds = int(seconds * 1000)
    limits = {
        "statement_timeout": milliseconds,
        "lock_timeout": milliseconds,
        "idle_in_transaction_session_timeout": 2 * milliseconds,
    }
    return {
        "application_name": "storekeeper",
        "connect_timeout": 3,
        "tcp_user_timeout": milliseconds,
        "prepare_threshold": 0,
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
    }


def _sqlite() -> Any:
    """The bundled SQLite where there is one: the system's may still have the WAL-reset bug."""
    try:
        return import_module("pysqlite3.dbapi2")
    except ImportError:
        return import_module("sqlite3.dbapi2")


def _configure_sqlite(seconds: float, connection: Any, _record: Any) -> None:
    patience = 0.8 * seconds
    connection.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")  # first: the next line needs the lock
    _use_wal(connection, time.monotonic() + patience)
    connection.execute("PRAGMA synchronous = FULL")  # a commit survives a power cut
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")


def _use_wal(connection: Any, deadline: float) -> None:
    """Also while another starter makes the file: SQLite does not wait for that by itself."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except connection.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _forbid_changes(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA query_only = ON")
