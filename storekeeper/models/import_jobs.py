"""Imports as their runners see them: which to take up, where it stands, and what was refused.

A job belongs to the runner that took it up last. Each of its steps is one transaction with the rows that it changes, so
a job that was interrupted goes on where it stood; and a runner that was taken for dead cannot do any harm.
"""

import time
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.errors import Forbidden, ImportIsOver
from storekeeper.models import member, user
from storekeeper.models.batch import Key, Refusal
from storekeeper.models.imports import ALIVE, KEPT, Counts, State, jobs, refusals
from storekeeper.models.store import Store
from storekeeper.sheets import Options

DEAD_AFTER = 60  # seconds without a sign of life
OLD_AFTER = 7 * 86_400  # seconds
MOST_TOLD = 500  # characters


class Job(msgspec.Struct, frozen=True):
    """A job, as its runner sees it. `rows` are those that are imported already."""

    id: int
    store_id: int
    user_id: int | None
    is_dry_run: bool
    skips_refused: bool
    match: Key
    options: Options
    file: str
    size: int
    is_checked: bool
    counts: Counts
    runner: str


def _waits() -> sa.ColumnElement[bool]:
    return sa.and_(jobs.c.state.in_(ALIVE), jobs.c.beat_at < time.time() - DEAD_AFTER)


def _is_old() -> sa.ColumnElement[bool]:
    return sa.and_(jobs.c.ended_at.is_not(None), jobs.c.ended_at < time.time() - OLD_AFTER)


def is_waiting(conn: Connection) -> bool:
    """Whether there is something to be done: a job, or to forget one."""
    return conn.execute(sa.select(jobs.c.id).where(sa.or_(_waits(), _is_old())).limit(1)).first() is not None


def take(conn: Connection, runner: str, import_id: int | None = None) -> Job | None:
    """The oldest job that waits, or whose runner is dead, or that very one; now it is this runner's."""
    waiting = sa.select(jobs.c.id).where(_waits()).order_by(jobs.c.id).limit(1)
    if import_id is not None:
        waiting = waiting.where(jobs.c.id == import_id)
    id = conn.scalar(waiting.with_for_update(skip_locked=True))
    if id is None:
        return None
    conn.execute(sa.update(jobs).where(jobs.c.id == id).values(runner=runner, beat_at=int(time.time())))
    return _job(conn.execute(sa.select(jobs).where(jobs.c.id == id)).one())


def require_right(conn: Connection, job: Job) -> Store:
    """The job's store, as long as whoever started it is active and works there."""
    if job.user_id is not None and not user.get(conn, job.user_id).is_active:
        raise Forbidden("Whoever started this import may no longer log in.")
    return member.require_worker(conn, job.user_id, job.store_id)


def note(conn: Connection, job: Job, state: State, counts: Counts, percent: int, **more: Any) -> None:
    """Where the job stands, as a sign of life. ImportIsOver if it was cancelled or deleted, or is another runner's."""
    values = {"state": state, "percent": percent, "beat_at": int(time.time())} | more | msgspec.structs.asdict(counts)
    if state not in ALIVE:
        values["ended_at"] = int(time.time())
    ours = sa.and_(jobs.c.id == job.id, jobs.c.runner == job.runner, jobs.c.state.in_(ALIVE))
    if not conn.execute(sa.update(jobs).where(ours).values(values)).rowcount:
        raise ImportIsOver


def refuse(conn: Connection, job: Job, refused: Sequence[Refusal]) -> None:
    """Write down what is refused."""
    rows = [msgspec.structs.asdict(each) | {"import_id": job.id, "message": told(each.message)} for each in refused]
    if rows:
        conn.execute(sa.insert(refusals), rows)


def forget_refusals(conn: Connection, job: Job) -> None:
    conn.execute(sa.delete(refusals).where(refusals.c.import_id == job.id))


def refused_lines(conn: Connection, job: Job) -> set[int]:
    return set(conn.scalars(sa.select(refusals.c.line).where(refusals.c.import_id == job.id).distinct()))


def sweep(conn: Connection) -> None:
    """Delete the jobs that ended long ago."""
    conn.execute(sa.delete(jobs).where(_is_old()))


def files(conn: Connection) -> set[str]:
    """The names of the files that are still needed."""
    return set(conn.scalars(sa.select(jobs.c.file).where(jobs.c.state.in_(KEPT))))


def told(message: str) -> str:
    """A message that may hold parts of the file: of bounded length, and without NUL, which PostgreSQL cannot store."""
    short = message if len(message) <= MOST_TOLD else f"{message[:MOST_TOLD]}…"
    return short.replace("\0", "\ufffd")


def _job(row: Any) -> Job:
    return Job(
        id=row.id,
        store_id=row.store_id,
        user_id=row.user_id,
        is_dry_run=row.is_dry_run,
        skips_refused=row.skips_refused,
        match=row.match,
        options=msgspec.convert(row.options, Options),
        file=row.file,
        size=row.size,
        is_checked=row.state == "importing",
        counts=Counts(row.rows, row.added, row.changed, row.unchanged, row.refused),
        runner=row.runner,
    )
