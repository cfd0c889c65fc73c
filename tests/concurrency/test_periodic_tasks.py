"""What a server does by itself: each chore goes on, whatever it or another meets, and everybody can see how it is."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from falcon import testing
from structlog.testing import capture_logs

from storekeeper.app import create_api, create_app
from storekeeper.components import Parts, create_components
from storekeeper.concurrency import periodic_tasks
from storekeeper.concurrency.periodic_tasks import PeriodicTask, PeriodicTasks, TaskState
from storekeeper.database.executor import Database
from storekeeper.errors import Unavailable
from storekeeper.http.root_app import RootApp
from storekeeper.models import periodic_task
from storekeeper.models.periodic_task import RETENTION_SECONDS, SILENT_SECONDS
from storekeeper.models.session import sessions
from storekeeper.security import signing_keys
from storekeeper.security.passwords import Passwords
from storekeeper.settings import Settings
from tests.conftest import Clock, make_parts
from tests.support.cast import CHEAP, PASSWORD
from tests.support.cli_runner import run_with
from tests.support.concurrent_workers import Call, send
from tests.support.console_browser import Browser, said
from tests.support.databases import transaction
from tests.support.server_process import BOUND_SECONDS

PAUSE = 0.01  # seconds


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        while not condition():  # noqa: ASYNC110  what it asks may be in another process
            await asyncio.sleep(0.005)


async def tended(*started: PeriodicTask, until_: Callable[[PeriodicTasks], object]) -> PeriodicTasks:
    """Chores that ran until something holds."""
    running = PeriodicTasks()
    for each in started:
        running.start(each)
    await until(lambda: until_(running))
    await running.close()
    return running


def counted(calls: list[float]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        calls.append(time.monotonic())

    return run


@pytest.mark.parametrize("error", [ValueError("a bug"), Unavailable(), MemoryError(), asyncio.CancelledError()])
def test_a_chore_goes_on_whatever_it_raises_and_disturbs_no_other(error: BaseException) -> None:
    calls, others = list[float](), list[float]()

    async def fail() -> None:
        calls.append(time.monotonic())
        if len(calls) <= 3:
            raise error

    with capture_logs() as lines:
        running = asyncio.run(
            tended(
                PeriodicTask("failing", PAUSE, fail),
                PeriodicTask("other", PAUSE, counted(others)),
                until_=lambda running: len(calls) > 4 and len(others) > 4 and not running.states[0].failures,
            )
        )
    failing, other = running.states
    assert (failing.name, failing.failures, other.failures, other.last_error) == ("failing", 0, 0, None)
    assert failing.last_success is not None
    assert failing.last_error is not None
    assert failing.last_error_at is not None
    assert [line["event"] for line in lines] == ["chore_failed", "chore_recovered"]
    assert lines[0]["chore"] == lines[1]["chore"] == "failing"


def test_a_chore_that_hangs_is_cancelled_noticed_and_run_again() -> None:
    calls, others = list[float](), list[float]()

    async def hang() -> None:
        calls.append(time.monotonic())
        if len(calls) == 1:
            await asyncio.Event().wait()

    with capture_logs() as lines:
        running = asyncio.run(
            tended(
                PeriodicTask("hanging", PAUSE, hang, limit=0.05),
                PeriodicTask("other", PAUSE, counted(others)),
                until_=lambda _: len(calls) > 1,
            )
        )
    assert running.states[0].last_error == "TimeoutError: It took longer than 0.05 seconds."
    assert lines[0]["reason"] == running.states[0].last_error
    assert len(others) > 2, "it kept another from its work"


def test_a_failure_that_stays_the_same_is_logged_once_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("storekeeper.concurrency.periodic_tasks.time.monotonic", lambda: now[0])
    loop = periodic_tasks._Loop(PeriodicTask("failing", PAUSE, counted([])))

    def fail(after: float, text: str) -> int:
        """How many lines are logged if it fails then in this way."""
        now[0] += after
        with capture_logs() as lines:
            loop.note_failure(OSError(text))
        return len(lines)

    assert [fail(0, "one"), fail(1, "one"), fail(1, "another"), fail(60, "another")] == [1, 0, 0, 1]
    assert [fail(60, "another"), fail(3500, "another"), fail(41, "another")] == [0, 0, 1]
    assert loop.state.failures == 7
    assert loop.state.last_error == "OSError: another"


def test_what_is_told_of_an_error_is_one_line_of_bounded_length() -> None:
    assert periodic_tasks.describe(OSError("a\nb")) == "OSError: a"
    assert len(periodic_tasks.describe(OSError("a" * 10_000))) == periodic_tasks.MAX_ERROR


# On a server


@asynccontextmanager
async def alive(app: Any) -> Any:
    """The application with its life, as Uvicorn gives it."""
    to_app, from_app = asyncio.Queue[Any](), asyncio.Queue[Any]()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
    life = asyncio.create_task(app(scope, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    assert (await from_app.get())["type"] == "lifespan.startup.complete"
    try:
        yield
    finally:
        await to_app.put({"type": "lifespan.shutdown"})
        assert (await from_app.get())["type"] == "lifespan.shutdown.complete"
        await life


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storekeeper.maintenance.TASK_PAUSE", 0.05)


@contextmanager
def new_parts(settings: Settings) -> Iterator[Parts]:
    """For an event loop of its own."""
    signing_keys.ensure(settings.keys_path)
    db = Database(settings.database)
    passwords = Passwords(CHEAP, 2, settings.password_length)
    try:
        yield make_parts(settings, db, passwords)
    finally:
        passwords.close()
        db.close()


@contextmanager
def without(engine: sa.Engine, table: str) -> Iterator[None]:
    """That table is missing meanwhile, as in an administrator's mishap."""
    with engine.begin() as conn:
        conn.execute(sa.text(f"ALTER TABLE {table} RENAME TO {table}_gone"))
    try:
        yield
    finally:
        with engine.begin() as conn:
            conn.execute(sa.text(f"ALTER TABLE {table}_gone RENAME TO {table}"))


def state(parts: Parts, name: str) -> TaskState:
    found = parts.periodic_tasks.find(name)
    assert found
    return found


def last_used(engine: sa.Engine) -> int:
    with engine.connect() as conn:
        return int(conn.scalars(sa.select(sessions.c.last_used_at)).one())


async def use_session(app: Any) -> None:
    """As if long ago; and now."""
    answer = await send(app, Call("POST", "/login", {"username": "alice", "password": PASSWORD}))
    assert (await send(app, Call("GET", "/store/ikea/history", None, answer.body["access_token"]))).status == 200


def age(engine: sa.Engine) -> None:
    with transaction(engine) as conn:
        conn.execute(sa.update(sessions).values(last_used_at=1))


def test_chores_go_on_after_a_table_was_missing(engine: sa.Engine, settings: Settings, quick: None) -> None:
    """What no one foresaw, and no outage: each chore fails for as long as it lasts, and then does its work again."""
    settings = msgspec.structs.replace(settings, journal_days=60)
    with new_parts(settings) as parts:
        app = create_app(settings, parts)

        async def scenario() -> None:
            async with alive(app):
                await until(lambda: all(each.last_success for each in parts.periodic_tasks.states))
                with without(engine, "imports"), without(engine, "webhooks"), without(engine, "changes"):
                    for name in ("imports", "webhooks", "journal_retention"):
                        await until(lambda name=name: state(parts, name).failures > 1)
                    assert state(parts, "session_use").failures == 0
                await until(lambda: not any(each.failures for each in parts.periodic_tasks.states))
                await use_session(app)
                age(engine)
                await until(lambda: last_used(engine) > 1)

        with capture_logs() as lines:
            asyncio.run(scenario())
    failed = sorted(line["chore"] for line in lines if line["event"] == "chore_failed")
    assert failed == ["imports", "journal_retention", "webhooks"]


def test_the_use_of_a_session_that_could_not_be_written_down_is_written_the_next_time(
    engine: sa.Engine, settings: Settings
) -> None:
    with new_parts(settings) as parts:
        components = create_components(settings, parts)
        guard, api = components.guard, create_api(components)
        app = RootApp(api, api, settings.body_seconds)

        async def scenario() -> None:
            await use_session(app)
            age(engine)
            with without(engine, "sessions"), pytest.raises((sa.exc.DBAPIError, Unavailable)):
                await guard.flush()
            assert last_used(engine) == 1
            await guard.flush()

        asyncio.run(scenario())
    assert last_used(engine) > 1


def test_a_server_reports_its_chores_and_takes_the_report_back_when_it_ends(
    engine: sa.Engine, settings: Settings, quick: None
) -> None:
    def reported() -> list[periodic_task.Report]:
        with engine.connect() as conn:
            return [each for each in periodic_task.reports(conn) if each.last_success]

    with new_parts(settings) as parts:

        async def scenario() -> None:
            async with alive(create_app(settings, parts)):
                await until(lambda: len(reported()) == 12)
                for each in reported():
                    assert each.server.endswith(f":{os.getpid()}")
                    assert (each.failures, each.last_error, each.is_failing(time.time())) == (0, None, False)

        asyncio.run(scenario())
    assert reported() == []


# Where it can be seen


def note(engine: sa.Engine, server: str, *states: TaskState) -> None:
    with transaction(engine) as conn:
        periodic_task.report(conn, server, states)


def good(name: str) -> TaskState:
    return TaskState(name, 60, 60, int(time.time()) - 5, last_success=int(time.time()))


def bad(name: str) -> TaskState:
    return TaskState(name, 60, 60, 1, last_success=1_800_000_000, last_error="OSError: no", last_error_at=5, failures=3)


def test_check_tells_of_chores(engine: sa.Engine, settings: Settings, clock: Clock) -> None:
    def told() -> tuple[int, str]:
        result = run_with(settings, "check")
        return result.exit_code, result.output.splitlines()[-1]

    assert told() == (0, "chores: no server is running")
    note(engine, "a:1", good("imports"), good("session_use"))
    note(engine, "b:1", good("imports"))
    assert told() == (0, "chores: ok (2 running)")
    note(engine, "a:1", good("imports"), bad("session_use"))
    assert told() == (
        1,
        "chores: session_use of a:1 fails (OSError: no); its last success: 2027-01-15 08:00:00 UTC",
    )
    clock.now += SILENT_SECONDS + 1
    note(engine, "b:1", good("imports"))
    assert told() == (0, "chores: ok (1 running); a:1 was killed, or hangs: it reports nothing any more")
    clock.now += RETENTION_SECONDS
    note(engine, "b:1", good("imports"))
    assert told() == (0, "chores: ok (1 running)")


def test_a_chore_that_never_ends_is_told_as_one_that_fails(engine: sa.Engine, settings: Settings, clock: Clock) -> None:
    hanging = good("imports")
    clock.now = hanging.due_at + SILENT_SECONDS + 1
    note(engine, "a:1", hanging)
    result = run_with(settings, "check")
    assert result.exit_code == 1
    assert "imports of a:1 fails (it hangs)" in result.output


def test_the_console_shows_administrators_each_chore(client: testing.TestClient, engine: sa.Engine) -> None:
    roots = Browser(client, "root")
    assert "No process has reported yet" in said(roots.get("/console/system"))
    note(engine, "a:1", good("imports"), bad("session_use"))
    page = said(roots.get("/console/system"))
    assert "session_use a:1 2027-01-15 08:00 UTC ✗ OSError: no" in page
    assert page.count("✓ ok") == 1
