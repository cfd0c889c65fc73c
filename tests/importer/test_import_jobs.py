"""Imports that are interrupted: by a crash, by another runner, by their owner, or as a right is lost."""

import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import sqlalchemy as sa

from storekeeper.concurrency.heartbeat import HeartbeatWriter
from storekeeper.database import records
from storekeeper.domain.money import PriceInput
from storekeeper.errors import Conflict, ImportIsOver
from storekeeper.files.storage import create_storage
from storekeeper.importer.importer import Importer, Paused
from storekeeper.importer.lease import Turn, keep
from storekeeper.models import import_job, import_queue, item, item_batch, session, store_items, store_member, user
from storekeeper.models.import_job import Import, ImportRequest, jobs
from storekeeper.models.import_queue import HEARTBEAT_TIMEOUT, MAX_DEATHS, OLD_AFTER, SMALL_BYTES, ImportJob
from storekeeper.models.item import items
from storekeeper.models.item_fields import Fields
from storekeeper.models.store import stores
from storekeeper.settings import Settings
from tests.conftest import Clock, Person
from tests.support.databases import transaction
from tests.support.imports import carry_out, catalogue, kept, start
from tests.support.server_process import await_that

AT_ONCE = 2  # rows in a step
FILE = b"name,price,sku\n" + b"".join(b"item %d,%d,%d\n" % (number, number, number) for number in range(1, 8))

Meet = Callable[[], Any]


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storekeeper.importer.importer.BATCH_SIZE", AT_ONCE)


@pytest.fixture
def job(engine: sa.Engine) -> ImportJob:
    """Bob's import, in the hands of a runner."""
    order = ImportRequest(store="ikea", file="imports/a", file_name="", size=len(FILE))
    with transaction(engine) as conn:
        import_job.add(conn, 2, order)
    return take(engine)


def take(engine: sa.Engine) -> ImportJob:
    with transaction(engine) as conn:
        taken = import_queue.claim(conn, token_hex(4))
    assert taken
    return taken


def presume_dead(engine: sa.Engine) -> None:
    with transaction(engine) as conn:
        conn.execute(sa.update(jobs).values(beat_at=jobs.c.beat_at - HEARTBEAT_TIMEOUT - 1))


def run(engine: sa.Engine, job: ImportJob, meet: Meet, when: tuple[str, int] = ("importing", 4)) -> None:
    """Carry out a job. Something happens once it has come so far: a state, and a number of rows."""

    def tell(state: str, counts: import_job.Counts, _percent: int) -> None:
        if (state, counts.rows) == when:
            meet()

    Importer(engine, job, BytesIO(FILE), tell).run()


def now(engine: sa.Engine) -> Import:
    with engine.connect() as conn:
        return import_job.get(conn, None, 1)


def names(engine: sa.Engine) -> list[str]:
    with engine.connect() as conn:
        return list(conn.scalars(sa.select(items.c.name).order_by(items.c.id)))


ALL = ["chair", *(f"item {number}" for number in range(1, 8))]


class Crash(BaseException):
    """As sudden as the end of a process: nothing is tidied up."""


def crash() -> None:
    raise Crash


@pytest.mark.parametrize(
    "when", [("checking", 0), ("checking", 4), ("checking", 7), ("importing", 2), ("importing", 6), ("importing", 7)]
)
def test_an_interrupted_import_goes_on_and_ends_as_any_other(
    when: tuple[str, int], engine: sa.Engine, job: ImportJob
) -> None:
    with pytest.raises(Crash):  # `report_progress` is called within the step: that step is lost
        run(engine, job, crash, when)
    with transaction(engine) as conn:
        assert import_queue.claim(conn, "too early") is None
        assert not import_queue.is_waiting(conn)
    presume_dead(engine)
    run(engine, take(engine), crash, ("never", 0))
    ended = now(engine)
    assert (ended.state, ended.rows, ended.added, ended.unchanged, ended.refused) == ("done", 7, 7, 0, 0)
    assert names(engine) == ALL


@pytest.mark.parametrize("when", [("checking", 4), ("importing", 4)])
def test_a_runner_that_was_taken_for_dead_does_no_harm(
    when: tuple[str, int], engine: sa.Engine, job: ImportJob
) -> None:
    done: list[Import] = []

    def stall() -> None:
        """Meanwhile another runner takes the job up and ends it."""
        presume_dead(engine)
        run(engine, take(engine), crash, ("never", 0))
        done.append(now(engine))

    _Stalled(engine, job, stall, when).run()
    assert done[0].state == "done"
    assert now(engine) == done[0]
    assert names(engine) == ALL


class _Stalled(Importer):
    """Is stopped between two steps."""

    def __init__(self, engine: sa.Engine, job: ImportJob, meet: Meet, when: tuple[str, int]) -> None:
        super().__init__(engine, job, BytesIO(FILE), lambda *_: None)
        self._meet, self._when = meet, when

    def _check_some(self, sheet: Any, portion: Any, checked: Any, counts: import_job.Counts) -> import_job.Counts:
        self._stall("checking", counts)
        return super()._check_some(sheet, portion, checked, counts)

    def _import_some(self, portion: Any) -> None:
        self._stall("importing", self._done)
        super()._import_some(portion)

    def _stall(self, state: str, counts: import_job.Counts) -> None:
        if (state, counts.rows) == self._when:
            self._meet()


def deactivate(conn: sa.Connection) -> None:
    session.change_user(conn, 2, None, False)


def let_go(conn: sa.Connection) -> None:
    store_member.delete(conn, 1, "ikea", "bob")


def cancel(conn: sa.Connection) -> None:
    import_job.cancel(conn, 2, 1)


@pytest.mark.parametrize("when", [("checking", 4), ("importing", 4)])
@pytest.mark.parametrize(
    ("meet", "state", "reason"),
    [
        (deactivate, "failed", "Whoever started this import may no longer log in."),
        (let_go, "failed", "Only those who work in the store may do this."),
        (cancel, "cancelled", None),
    ],
)
def test_an_import_ends_with_the_right_to_it(
    meet: Callable[[sa.Connection], None],
    state: str,
    reason: str | None,
    when: tuple[str, int],
    engine: sa.Engine,
    job: ImportJob,
) -> None:
    def interfere() -> None:
        with transaction(engine) as conn:
            meet(conn)

    _Stalled(engine, job, interfere, when).run()
    ended, done = now(engine), when[1] if when[0] == "importing" else 0
    assert (ended.state, ended.reason, ended.added, len(names(engine)) - 1) == (state, reason, done, done)
    assert ended.ended_at is not None


@pytest.mark.parametrize("when", [("checking", 4), ("importing", 4)])
@pytest.mark.parametrize("gone", ["user", "store"])
def test_an_import_goes_with_its_user_and_its_store(
    gone: str, when: tuple[str, int], engine: sa.Engine, job: ImportJob
) -> None:
    def interfere() -> None:
        with transaction(engine) as conn:
            if gone == "user":
                user.delete(conn, 2)
            else:
                store_items.delete_store(conn, 1, "ikea", True)

    _Stalled(engine, job, interfere, when).run()
    with engine.connect() as conn:
        assert conn.execute(sa.select(jobs)).all() == []
    expected = {"user": ALL[: 1 + (4 if when[0] == "importing" else 0)], "store": []}
    assert names(engine) == expected[gone]


def test_what_was_new_when_it_was_checked_may_be_there_when_its_turn_comes(engine: sa.Engine, job: ImportJob) -> None:
    def be_faster() -> None:
        with transaction(engine) as conn:
            item.add(conn, 1, 1, "item 3", Fields(price=PriceInput("99"), stock=5))
            item.add(conn, 1, 1, "rival", Fields(price=PriceInput("1"), sku="6"))

    _Stalled(engine, job, be_faster, ("importing", 0)).run()
    ended = now(engine)
    assert (ended.state, ended.rows, ended.added, ended.changed, ended.refused) == ("done", 7, 5, 1, 1)
    with engine.connect() as conn:
        assert list(conn.scalars(sa.select(import_job.refusals.c.message))) == [
            "The item 'rival' has the SKU '6' already."
        ]
        rows = conn.execute(sa.select(items.c.price_minor, items.c.stock).where(items.c.name == "item 3")).all()
    assert rows == [(300, 5)]


def test_prices_are_not_taken_for_another_currency(engine: sa.Engine, job: ImportJob) -> None:
    """An empty store may get one."""

    def change_currency() -> None:
        with transaction(engine) as conn:
            conn.execute(sa.delete(items))
            conn.execute(sa.update(stores).values(currency="JPY"))

    _Stalled(engine, job, change_currency, ("importing", 0)).run()
    assert (now(engine).state, names(engine)) == ("failed", [])
    assert now(engine).reason == (
        "The store's currency was changed after the prices were checked. Import the file again."
    )


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)  # on SQLite nobody can: there is one writer
@pytest.mark.parametrize(
    ("rival", "added", "changed", "refused"),
    [(("item 1", "77"), 6, 1, []), (("rival", "1"), 6, 0, ["The item 'rival' has the SKU '1' already."])],
)
def test_what_somebody_adds_between_the_plan_of_a_step_and_its_end_is_compared_anew(
    rival: tuple[str, str],
    added: int,
    changed: int,
    refused: list[str],
    engine: sa.Engine,
    job: ImportJob,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rivals = [rival]
    carry_out = item_batch.apply

    def be_late(conn: sa.Connection, of: Any, made: item_batch.BatchPlan) -> list[int]:
        if rivals:
            name, sku = rivals.pop()
            with transaction(engine) as other:
                item.add(other, 1, 1, name, Fields(price=PriceInput("99"), sku=sku))
        return carry_out(conn, of, made)

    monkeypatch.setattr(item_batch, "apply", be_late)
    run(engine, job, crash, ("never", 0))
    ended = now(engine)
    assert (ended.state, ended.rows, ended.added, ended.changed, ended.refused) == (
        "done",
        7,
        added,
        changed,
        len(refused),
    )
    with engine.connect() as conn:
        assert list(conn.scalars(sa.select(import_job.refusals.c.message))) == refused
        prices = dict(conn.execute(sa.select(items.c.name, items.c.price_minor)).all())  # type: ignore[arg-type]
    assert sorted(prices) == sorted({*ALL, rival[0]} - ({"item 1"} if refused else set()))
    assert prices.get("item 1") == (None if refused else 100)


def test_a_conflict_that_does_not_end_fails_the_import(
    engine: sa.Engine, job: ImportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def lose(*_: object) -> list[int]:
        tries.append(1)
        raise Conflict

    monkeypatch.setattr(item_batch, "apply", lose)
    run(engine, job, crash, ("never", 0))
    assert (now(engine).state, len(tries)) == ("failed", 3)
    assert now(engine).reason == "The change conflicts with what is stored."


def test_a_bug_fails_the_import_and_is_shown(
    engine: sa.Engine, job: ImportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall_over(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(item_batch, "compare", fall_over)
    with pytest.raises(ZeroDivisionError):
        run(engine, job, crash, ("never", 0))
    assert (now(engine).state, now(engine).reason) == ("failed", "Something went wrong here. The server's log has it.")


def test_without_the_database_an_import_waits(
    engine: sa.Engine, job: ImportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("", {}, Exception("gone"))

    with monkeypatch.context() as patched:
        patched.setattr(item_batch, "compare", lose)
        with pytest.raises(sa.exc.OperationalError):
            run(engine, job, crash, ("never", 0))
    assert now(engine).state == "checking"
    presume_dead(engine)
    run(engine, take(engine), crash, ("never", 0))
    assert now(engine).state == "done"


# Whose turn it is


def queue(engine: sa.Engine, user_id: int | None, size: int = 10) -> int:
    with transaction(engine) as conn:
        return import_job.add(conn, user_id, ImportRequest(store="ikea", file="imports/a", file_name="", size=size)).id


def taken(engine: sa.Engine, runner: str) -> int | None:
    """What a runner of that name takes."""
    with transaction(engine) as conn:
        job = import_queue.claim(conn, runner)
    return job.id if job else None


def _held(conn: sa.Connection, import_id: int) -> ImportJob:
    return records.fetch_only(conn, import_queue._select.where(jobs.c.id == import_id), import_queue._job)


def test_each_user_has_one_job_under_way_and_waits_for_no_other_user(engine: sa.Engine) -> None:
    first, second = queue(engine, 1), queue(engine, 1)
    other, operators = queue(engine, 2), queue(engine, None)
    assert [taken(engine, f"host/{number}") for number in range(4)] == [first, other, operators, None]
    with transaction(engine) as conn:
        import_queue.give_back(conn, "host/0")
    assert taken(engine, "host/4") == second, "it was the turn of the one that was never taken up"
    with transaction(engine) as conn:
        import_queue.give_back(conn, "host/4")
    assert taken(engine, "host/5") == first


def test_a_small_file_waits_for_no_large_ones(engine: sa.Engine) -> None:
    large = SMALL_BYTES + 1
    jobs_of = [queue(engine, user_id, large) for user_id in (1, 2, 4)]
    small = queue(engine, None)
    assert [taken(engine, f"host/{number}") for number in range(4)] == [*jobs_of[:2], small, None]
    assert taken(engine, "another/1") == jobs_of[2], "another host has enough to do"


def test_a_job_that_killed_its_runners_is_set_aside_and_the_next_is_taken(engine: sa.Engine) -> None:
    poison = queue(engine, 1)
    for death in range(MAX_DEATHS):
        assert taken(engine, f"host/{death}") == poison
        with transaction(engine) as conn:
            import_queue.expire(conn, f"host/{death}")
    other = queue(engine, 1)
    assert taken(engine, "host/8") == other, "it was the turn of the one that was never taken up"
    with transaction(engine) as conn:
        import_queue.record_progress(conn, _held(conn, other), "done", import_job.Counts(), 100)
    assert taken(engine, "host/9") is None
    with engine.connect() as conn:
        ended = import_job.get(conn, 1, poison)
    assert (ended.state, ended.reason) == ("failed", "It ended its process 3 times.")
    assert ended.ended_at is not None


def test_progress_and_being_given_back_are_no_deaths(engine: sa.Engine, job: ImportJob) -> None:
    for _ in range(2 * MAX_DEATHS):
        with transaction(engine) as conn:
            import_queue.give_back(conn, job.runner)
        job = take(engine)
    for _ in range(2 * MAX_DEATHS):
        with transaction(engine) as conn:
            import_queue.record_progress(conn, job, "importing", import_job.Counts(1), 1)
            import_queue.expire(conn, job.runner)
        job = take(engine)
    assert now(engine).state == "importing"


def test_a_plan_that_is_confirmed_begins_without_deaths(engine: sa.Engine, job: ImportJob) -> None:
    with transaction(engine) as conn:
        conn.execute(sa.update(jobs).values(deaths=MAX_DEATHS - 1))
        import_queue.record_progress(conn, job, "planned", import_job.Counts(), 100)
        import_job.confirm(conn, None, job.id, False)
    assert taken(engine, "host/1") == job.id
    with engine.connect() as conn:
        assert conn.scalars(sa.select(jobs.c.deaths)).one() == 0


def test_a_job_that_is_given_back_goes_on_where_it_stood(engine: sa.Engine, job: ImportJob) -> None:
    """A check begins anew; what is imported is kept."""
    for state, rows in (("checking", 0), ("importing", 2), ("importing", 4)):
        importer = Importer(engine, job, BytesIO(FILE), lambda *_: None, state.__eq__)
        with pytest.raises(Paused):
            importer.run()
        with transaction(engine) as conn:
            import_queue.give_back(conn, job.runner)
        assert (now(engine).state, now(engine).rows) == ("queued" if state == "checking" else state, rows)
        job = take(engine)
    run(engine, job, crash, ("never", 0))
    assert (now(engine).state, now(engine).rows, names(engine)) == ("done", 7, ALL)


@pytest.mark.parametrize(("other_user", "gives_back"), [(1, True), (2, False), (None, True)])
def test_a_runner_gives_a_job_back_when_another_users_waits(
    other_user: int | None, gives_back: bool, engine: sa.Engine, job: ImportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storekeeper.importer.lease.TURN_SECONDS", 0)
    monkeypatch.setattr("storekeeper.importer.lease.POLL_SECONDS", 0)
    turn = Turn(engine, HeartbeatWriter(job.runner))
    with turn.begin(job):
        assert not turn.pauses("importing")
        queue(engine, other_user)
        assert turn.pauses("importing") == gives_back
        assert not turn.pauses("checking"), "a check would begin anew"
        turn.end()
        assert turn.pauses("checking")


def test_where_rows_are_slow_progress_is_told_by_time(
    engine: sa.Engine, job: ImportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So each row that takes longer than a portion may is one; a cancel is heeded after it."""
    monkeypatch.setattr("storekeeper.importer.importer.BATCH_SIZE", 2000)
    monkeypatch.setattr("storekeeper.importer.row_reader.PORTION_SECONDS", 0)
    seen: list[int] = []

    def tell(state: str, counts: import_job.Counts, _percent: int) -> None:
        if state == "checking":
            seen.append(counts.rows)
        if counts.rows == 5:
            raise ImportIsOver

    Importer(engine, job, BytesIO(FILE), tell).run()
    assert seen == [0, 1, 2, 3, 4, 5]


def test_a_lease_is_kept_during_a_long_step_but_not_for_ever(
    engine: sa.Engine, job: ImportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def beat_at() -> int:
        with engine.connect() as conn:
            return int(conn.scalars(sa.select(jobs.c.beat_at)).one())

    monkeypatch.setattr("storekeeper.importer.lease.HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr("storekeeper.importer.lease.HOLD_SECONDS", 0)
    with transaction(engine) as conn:
        conn.execute(sa.update(jobs).values(beat_at=5))
    with keep(engine, job):
        await_that(lambda: beat_at() > 5)
        monkeypatch.setattr("storekeeper.importer.lease.PATIENCE_SECONDS", 0)
    with transaction(engine) as conn:
        conn.execute(sa.update(jobs).values(beat_at=5))
    with keep(engine, job):
        time.sleep(0.1)
        assert beat_at() == 5


# By way of the command that a server starts


def test_jobs_are_done_in_turn_and_a_bad_one_holds_up_nobody(bob: Person, settings: Settings, tmp_path: Path) -> None:
    paths = [start(bob, f"name,price\nitem {number},5\n") for number in range(4)]
    first, second = sorted(kept(tmp_path), key=lambda path: path.stat().st_mtime_ns)[:2]
    first.unlink()  # as on a machine that has other files
    bob.delete(paths[1])
    assert not second.exists()
    carry_out(settings)
    states = [bob.get(path).json for path in paths]
    assert [each["state"] for each in states] == ["failed", "cancelled", "done", "done"]
    assert states[0]["reason"].startswith("Its file is not there.")
    assert [each["name"] for each in catalogue(bob)] == ["chair", "item 2", "item 3"]


def test_old_imports_are_forgotten_and_files_that_nobody_needs_deleted(
    bob: Person, settings: Settings, engine: sa.Engine, clock: Clock, tmp_path: Path
) -> None:
    planned = start(bob, "name,price\nlamp,5\n", dry_run=True)
    carry_out(settings)
    create_storage(settings).copy_from("imports/lost", BytesIO(b"a request was cut"))
    clock.now += OLD_AFTER - 2
    bob.log_in()
    carry_out(settings)
    assert bob.get(planned).status_code == 200
    (only,) = kept(tmp_path)
    assert only.name != "lost"
    clock.now += 4
    with engine.connect() as conn:
        assert import_queue.is_waiting(conn)
    carry_out(settings)
    assert bob.get(planned).status_code == 404
    assert kept(tmp_path) == []
    with engine.connect() as conn:
        assert not import_queue.is_waiting(conn)
