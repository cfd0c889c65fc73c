"""The states of the periodic tasks of all servers: each process reports its own."""

import time
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.concurrency.periodic_tasks import TaskState
from storekeeper.database import dialects, records
from storekeeper.database.compiled_query import CompiledQuery
from storekeeper.database.engine import metadata

SILENT_SECONDS = 180  # after which a process that has not reported is taken for dead, or for hanging
RETENTION_SECONDS = 3600  # that the last report of such a process is remembered

chores = sa.Table(
    "chores",
    metadata,
    sa.Column("server", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("last_success", sa.BigInteger),
    sa.Column("last_error", sa.String),
    sa.Column("last_error_at", sa.BigInteger),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("due_at", sa.BigInteger, nullable=False),
    sa.Column("reported_at", sa.BigInteger, nullable=False),
)

_probe = CompiledQuery(sa.update(chores).where(sa.false()).values(failures=0))


class Report(msgspec.Struct, frozen=True):
    """How a periodic task of one process is getting on. Times are seconds since 1970; `failures` are in a row.

    `server` is the process: its host, and its number there.
    """

    server: str
    name: str
    last_success: int | None
    last_error: str | None
    last_error_at: int | None
    failures: int
    due_at: int
    reported_at: int

    def is_silent(self, now: float) -> bool:
        """Whether its process has reported nothing for long: it was killed, or it hangs."""
        return now - self.reported_at > SILENT_SECONDS

    def is_failing(self, now: float) -> bool:
        """Whether it is overdue, or its last run has failed."""
        return self.failures > 0 or now > self.due_at + SILENT_SECONDS


def report(conn: Connection, server: str, states: Sequence[TaskState]) -> None:
    """Write down how the periodic tasks of a process are getting on. Forgets processes that are silent for long."""
    now = int(time.time())
    rows = [
        {
            "server": server,
            "name": state.name,
            "last_success": state.last_success,
            "last_error": state.last_error,
            "last_error_at": state.last_error_at,
            "failures": state.failures,
            "due_at": state.due_at,
            "reported_at": now,
        }
        for state in states
    ]
    if not rows:
        return
    dialects.upsert(
        conn, chores, rows, ("server", "name"), [name for name in rows[0] if name not in ("server", "name")]
    )
    conn.execute(sa.delete(chores).where(chores.c.reported_at < now - RETENTION_SECONDS))


def probe(conn: Connection) -> None:
    """A change of no row: refused where the database is read-only or locked, and otherwise without a trace."""
    _probe.execute(conn)


def forget(conn: Connection, server: str) -> None:
    """A process ends in good order."""
    conn.execute(sa.delete(chores).where(chores.c.server == server))


def reports(conn: Connection) -> list[Report]:
    """Of all processes, each one's in the order of their names."""
    return records.fetch_all(conn, sa.select(chores).order_by(chores.c.server, chores.c.name), Report)
