"""Imports as their runners see them: which to take up, where it stands, and what was refused.

A job belongs to the runner that took it up last. Each of its steps is one transaction with the rows that it changes, so
a job that was interrupted goes on where it stood; and a runner that was taken for dead cannot do any harm.
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import records
from storekeeper.database.records import nested
from storekeeper.errors import Forbidden, ImportIsOver
from storekeeper.models import store_member, user
from storekeeper.models.import_job import ALIVE, KEPT, Counts, State, jobs, refusals
from storekeeper.models.item_batch import Key, RefusedRow
from storekeeper.models.store import Store
from storekeeper.tabular.sheet import Options

HEARTBEAT_TIMEOUT = 60  # seconds without a sign of life
OLD_AFTER = 7 * 86_400  # seconds
MAX_TOLD = 500  # characters
MAX_DEATHS = 3  # of runners at one job, without progress
MAX_AT_ONCE = 3  # jobs of one host
MAX_LARGE_AT_ONCE = 2  # so that a small file never waits for large ones
SMALL_BYTES = 2**20


class ImportJob(msgspec.Struct, frozen=True):
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


class _Waiting(NamedTuple):
    """A job that waits, or whose `runner` is dead."""

    id: int
    runner: str | None
    deaths: int


def _options(options: dict[str, Any]) -> Options:
    return msgspec.convert(options, Options)


_select = sa.select(jobs, (jobs.c.state == "importing").label("is_checked"))
_job = nested(ImportJob, options=_options, counts=Counts)


def _waits() -> sa.ColumnElement[bool]:
    return sa.and_(jobs.c.state.in_(ALIVE), jobs.c.beat_at < time.time() - HEARTBEAT_TIMEOUT)


def _is_old() -> sa.ColumnElement[bool]:
    return sa.and_(jobs.c.ended_at.is_not(None), jobs.c.ended_at < time.time() - OLD_AFTER)


def is_waiting(conn: Connection) -> bool:
    """Whether there is something to be done: a job, or to forget one."""
    return conn.execute(sa.select(jobs.c.id).where(sa.or_(_waits(), _is_old())).limit(1)).first() is not None


def claim(conn: Connection, runner: str, import_id: int | None = None) -> ImportJob | None:
    """A job that waits, or whose runner is dead, or that very one; now it is this runner's. None where there is none.

    Of those that wait it is the one that has waited longest, of a user who has no other under way: nobody waits for
    another user's, but where a host has enough to do. `runner` is a name that begins with the host's: `host/…`.
    A job that was given back by none of its last runners is set aside.
    """
    wanted = _is_next(conn, runner) if import_id is None else sa.and_(_waits(), jobs.c.id == import_id)
    waiting = sa.select(jobs.c.id, jobs.c.runner, jobs.c.deaths).where(wanted).order_by(jobs.c.taken_at, jobs.c.id)
    while found := records.fetch_first(conn, waiting.limit(1).with_for_update(skip_locked=True), _Waiting):
        deaths = found.deaths + (found.runner is not None)
        is_it = sa.update(jobs).where(jobs.c.id == found.id)
        if deaths < MAX_DEATHS:
            now = int(time.time())
            conn.execute(is_it.values(runner=runner, beat_at=now, taken_at=now, deaths=deaths))
            return records.fetch_only(conn, _select.where(jobs.c.id == found.id), _job)
        reason = f"It ended its process {deaths} times."
        conn.execute(is_it.values(state="failed", reason=reason, deaths=deaths, ended_at=int(time.time())))
    return None


def _is_next(conn: Connection, runner: str) -> sa.ColumnElement[bool]:
    """Of a user without another job under way; and small, where the host is busy with large ones."""
    other = jobs.alias()
    is_busy = sa.exists().where(_is_under_way(other), other.c.user_id.is_not_distinct_from(jobs.c.user_id))
    here = sa.and_(_is_under_way(jobs), jobs.c.runner.startswith(_host(runner), autoescape=True))
    sizes = conn.scalars(sa.select(jobs.c.size).where(here)).all()
    large = sum(size > SMALL_BYTES for size in sizes)
    may_be_large = sa.true() if large < MAX_LARGE_AT_ONCE else jobs.c.size <= SMALL_BYTES
    return sa.and_(_waits(), ~is_busy, may_be_large, sa.true() if len(sizes) < MAX_AT_ONCE else sa.false())


def _is_under_way(job: sa.FromClause) -> sa.ColumnElement[bool]:
    has_runner = sa.and_(job.c.state.in_(ALIVE), job.c.runner.is_not(None))
    return sa.and_(has_runner, job.c.beat_at >= time.time() - HEARTBEAT_TIMEOUT)


def _host(runner: str) -> str:
    return runner.rpartition("/")[0] + "/"


def is_wanted_by_another(conn: Connection, job: ImportJob) -> bool:
    """Whether a job of another user waits that has no runner, and whose user has no job under way."""
    other = jobs.alias()
    is_busy = sa.exists().where(_is_under_way(other), other.c.user_id.is_not_distinct_from(jobs.c.user_id))
    another = sa.and_(_waits(), jobs.c.user_id.is_distinct_from(job.user_id), ~is_busy)
    return conn.execute(sa.select(jobs.c.id).where(another).limit(1)).first() is not None


def _is_ours(job: ImportJob) -> sa.ColumnElement[bool]:
    return sa.and_(jobs.c.id == job.id, jobs.c.runner == job.runner, jobs.c.state.in_(ALIVE))


def hold(conn: Connection, job: ImportJob) -> bool:
    """A sign of life; whether the job is still this runner's."""
    return conn.execute(sa.update(jobs).where(_is_ours(job)).values(beat_at=int(time.time()))).rowcount > 0


def give_back(conn: Connection, runner: str) -> None:
    """What this runner has is for others now. It goes on where it stood; a check begins anew."""
    held = sa.and_(jobs.c.runner == runner, jobs.c.state.in_(ALIVE))
    state = sa.case((jobs.c.state == "checking", "queued"), else_=jobs.c.state)
    conn.execute(sa.update(jobs).where(held).values(runner=None, beat_at=0, state=state))


def expire(conn: Connection, runner: str) -> None:
    """This runner is dead: nobody need wait until its leases are over. Who takes its job next counts the death."""
    held = sa.and_(jobs.c.runner == runner, jobs.c.state.in_(ALIVE))
    conn.execute(sa.update(jobs).where(held).values(beat_at=0))


def require_right(conn: Connection, job: ImportJob) -> Store:
    """The job's store, as long as whoever started it is active and works there."""
    if job.user_id is not None and not user.get(conn, job.user_id).is_active:
        raise Forbidden("import_author_inactive")
    return store_member.require_worker(conn, job.user_id, job.store_id)


def record_progress(conn: Connection, job: ImportJob, state: State, counts: Counts, percent: int, **more: Any) -> None:
    """Where the job stands, as a sign of life. ImportIsOver if it was cancelled or deleted, or is another runner's."""
    values = {"state": state, "percent": percent, "beat_at": int(time.time())} | more | msgspec.structs.asdict(counts)
    if state not in ALIVE:
        values["ended_at"] = int(time.time())
    if state == "importing":  # this step is kept, whatever becomes of the runner
        values["deaths"] = 0
    if not conn.execute(sa.update(jobs).where(_is_ours(job)).values(values)).rowcount:
        raise ImportIsOver


def add_refusals(conn: Connection, job: ImportJob, refused: Sequence[RefusedRow]) -> None:
    """Write down what is refused, in English."""
    rows = [
        {"import_id": job.id, "line": each.line, "field": each.field, "message": truncate(str(each.message))}
        for each in refused
    ]
    if rows:
        conn.execute(sa.insert(refusals), rows)


def forget_refusals(conn: Connection, job: ImportJob) -> None:
    conn.execute(sa.delete(refusals).where(refusals.c.import_id == job.id))


def refused_lines(conn: Connection, job: ImportJob) -> set[int]:
    return set(conn.scalars(sa.select(refusals.c.line).where(refusals.c.import_id == job.id).distinct()))


def delete_old(conn: Connection) -> None:
    """Delete the jobs that ended long ago."""
    conn.execute(sa.delete(jobs).where(_is_old()))


def files(conn: Connection) -> set[str]:
    """The names of the files that are still needed."""
    return set(conn.scalars(sa.select(jobs.c.file).where(jobs.c.state.in_(KEPT))))


def truncate(message: str) -> str:
    """A message that may hold parts of the file: of bounded length, and without NUL, which PostgreSQL cannot store."""
    short = message if len(message) <= MAX_TOLD else f"{message[:MAX_TOLD]}…"
    return short.replace("\0", "\ufffd")
