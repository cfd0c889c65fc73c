"""The login throttle: what it counts, whom it refuses and for how long; and how much Argon2 there is at once."""

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Event
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from storekeeper.db import metadata, transaction
from storekeeper.models import session
from storekeeper.models.throttle import failures
from storekeeper.models.user import users
from storekeeper.settings import Settings
from tests.conftest import CHEAP, PASSWORD, Clock
from tests.crowd import Answer, Call, at_once, call, log_in, send, statuses, worker

WRONG = "wrong horse battery"

Worker = Callable[..., Any]


@pytest.fixture
def start(engine: sa.Engine, settings: Settings) -> Iterator[Worker]:
    """Starts a worker: `start(login_failures=3)`."""
    with ExitStack() as stack:
        yield lambda hasher=CHEAP, at_once=8, **changed: stack.enter_context(
            worker(msgspec.structs.replace(settings, **changed), hasher, at_once)
        )


def login(name: str = "alice", password: str = WRONG, address: str = "192.0.2.1") -> Call:
    return Call("POST", "/login", {"username": name, "password": password}, "", address)


def fail(app: Any, times: int, *each: Call) -> None:
    """One wrong login after the other, none of them refused."""
    for n in range(times):
        answer = at_once([app], [each[n % len(each)] if each else login()])[0]
        assert (answer.status, answer.body["error"]) == (401, "invalid_credentials")


def attempt(app: Any, *args: str) -> Answer:
    return at_once([app], [login(*args)])[0]


def from_many() -> list[Call]:
    """Wrong logins with nothing in common."""
    return [login(f"nobody{n}", WRONG, f"192.0.2.{n}") for n in range(100)]


# What counts


def test_ten_failures_close_a_name_from_everywhere(start: Worker) -> None:
    app = start()
    fail(app, 10, *[login("alice", WRONG, f"192.0.2.{n}") for n in range(10)])
    assert attempt(app, "alice", WRONG, "198.51.100.1").status == 429
    assert attempt(app, "bob", PASSWORD, "192.0.2.1").status == 200


def test_ten_failures_close_an_address_for_every_name(start: Worker) -> None:
    app = start()
    fail(app, 10, *[login(f"nobody{n}") for n in range(10)])
    assert attempt(app, "alice", PASSWORD).status == 429
    assert attempt(app, "alice", PASSWORD, "192.0.2.2").status == 200


def test_failures_over_all_close_the_door_for_everybody(start: Worker) -> None:
    app = start(login_failures_overall=15)
    fail(app, 15, *from_many())
    refused = attempt(app, "alice", PASSWORD, "198.51.100.1")
    assert refused.status == 429
    assert refused.headers["ratelimit-policy"] == '"login";q=15;w=300'


def test_successes_are_not_counted(start: Worker) -> None:
    app = start(login_failures=3)
    for _ in range(5):
        assert attempt(app, "alice", PASSWORD).status == 200
    fail(app, 3)


@pytest.mark.parametrize("variant", ["ALICE", "Alice", "ａｌｉｃｅ", "ＡＬＩＣＥ"])
def test_variants_of_a_name_are_one_name(start: Worker, variant: str) -> None:
    app = start(login_failures=2)
    fail(app, 2, login("alice"), login(variant, WRONG, "192.0.2.2"))
    assert attempt(app, "alice", PASSWORD, "192.0.2.3").status == 429


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
    ],
)
def test_an_address_is_one_customer(start: Worker, one: str, other: str, is_same: bool) -> None:
    """Of IPv6 a /64; IPv4 is the same however a socket for both spells it."""
    app = start(login_failures=2)
    fail(app, 2, login("nobody1", WRONG, one), login("nobody2", WRONG, one))
    assert attempt(app, "alice", PASSWORD, other).status == (429 if is_same else 200)


# For how long


def test_a_refusal_says_how_long_it_lasts(start: Worker, clock: Clock) -> None:
    app = start()
    fail(app, 10)
    clock.now += 120.5
    refused = attempt(app)
    wait = math.ceil(300 - 120.5)
    assert refused.status == 429
    assert refused.body == {"error": "too_many_attempts", "message": "Too many failed logins. Try again later."}
    assert refused.headers["retry-after"] == str(wait)
    assert refused.headers["ratelimit-policy"] == '"login";q=10;w=300'
    assert refused.headers["ratelimit"] == f'"login";r=0;t={wait}'
    clock.now += wait
    assert attempt(app, "alice", PASSWORD).status == 200


def test_the_window_slides(start: Worker, clock: Clock) -> None:
    app = start()
    fail(app, 4)
    clock.now += 200
    fail(app, 6)
    assert attempt(app).headers["retry-after"] == "100"
    clock.now += 100
    fail(app, 4)
    assert attempt(app).headers["retry-after"] == "200"


def test_refused_attempts_do_not_prolong_the_wait(start: Worker, clock: Clock) -> None:
    app = start()
    fail(app, 10)
    for waited in range(0, 300, 60):
        assert attempt(app).headers["retry-after"] == str(300 - waited)
        clock.now += 60
    assert attempt(app, "alice", PASSWORD).status == 200


def test_of_two_reasons_the_longer_wait_counts(start: Worker, clock: Clock) -> None:
    app = start(login_failures=2, login_failures_overall=4)
    for _ in range(2):
        fail(app, 1, login("alice", WRONG, "192.0.2.7"))
        clock.now += 10
        fail(app, 1, login("nobody", WRONG, "192.0.2.8"))
    assert attempt(app, "bob", PASSWORD).headers["retry-after"] == "280"  # over all
    assert attempt(app, "alice", PASSWORD).headers["retry-after"] == "280"  # and for the name
    assert attempt(app, "alice", PASSWORD, "192.0.2.8").headers["retry-after"] == "290"  # and for the address


def test_old_failures_are_swept(start: Worker, engine: sa.Engine, clock: Clock) -> None:
    app = start()
    fail(app, 9)
    clock.now += 300
    fail(app, 1)
    with engine.connect() as conn:
        assert len(conn.execute(sa.select(failures)).all()) == 3


# Exactly so many


def test_a_burst_learns_no_more_than_ten_answers(start: Worker) -> None:
    answers = at_once([start()], [login()] * 50)
    assert statuses(answers) == {401: 10, 429: 40}


def test_two_workers_count_together(start: Worker) -> None:
    answers = at_once([start(), start()], [login()] * 50)
    assert statuses(answers) == {401: 10, 429: 40}


def test_the_overall_limit_holds_in_a_burst(start: Worker) -> None:
    answers = at_once([start(login_failures_overall=12), start(login_failures_overall=12)], from_many()[:40])
    assert statuses(answers) == {401: 12, 429: 28}


def test_the_right_password_in_a_burst_is_no_way_in_afterwards(start: Worker) -> None:
    app = start()
    at_once([app], [login()] * 20)
    answers = at_once([app], [login(), login("alice", PASSWORD), login("alice", PASSWORD, "192.0.2.9")])
    assert statuses(answers) == {429: 3}


def test_the_counters_survive_a_restart(start: Worker) -> None:
    fail(start(), 10)
    assert attempt(start(), "alice", PASSWORD).status == 429


# The victim


def test_a_locked_name_keeps_its_sessions(start: Worker) -> None:
    app = start()
    pair = log_in(app, "alice")
    at_once([app], [login()] * 20)
    assert attempt(app, "alice", PASSWORD).status == 429
    assert call(app, "GET", "/item/chair", token=pair["access_token"]).status == 200
    assert call(app, "POST", "/refresh", token=pair["refresh_token"]).status == 200


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("POST", "/login/fresh", lambda password: {"password": password}),
        ("PUT", "/user/1/password", lambda password: {"current_password": password, "new_password": "a new one 123"}),
    ],
)
def test_giving_the_password_again_is_under_the_same_throttle(
    start: Worker, method: str, path: str, given: Any
) -> None:
    app = start(login_failures=4)
    token = log_in(app, "alice")["access_token"]
    wrong = Call(method, path, given(WRONG), token, "192.0.2.50")
    assert statuses(at_once([app], [wrong, wrong])) == {401: 2}
    fail(app, 2)
    assert statuses(at_once([app], [wrong, wrong._replace(body=given(PASSWORD)), login("alice", PASSWORD)])) == {429: 3}
    assert call(app, "GET", "/item/chair", token=token).status == 200


class Counting(PasswordHasher):
    """Counts what it is asked for."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.count = 0

    def hash(self, *args: Any, **more: Any) -> str:
        self.count += 1
        return super().hash(*args, **more)

    def verify(self, *args: Any) -> Any:
        self.count += 1
        return super().verify(*args)


def test_unknown_inactive_and_existing_names_look_the_same(start: Worker, engine: sa.Engine) -> None:
    """In every answer, in the statements that the database runs, and in the work of Argon2."""
    with transaction(engine) as conn:
        session.set_roles(conn, 3, None, False)
    names = ("alice", "carol", "nobody", "alice's cat\n")
    told = [_told(start, name, f"192.0.2.{n}") for n, name in enumerate(names)]
    assert all(each == told[0] for each in told)
    assert [status for status, *_ in told[0]] == [401, 401, 429]
    assert [argon2 for *_, argon2 in told[0]] == [1, 1, 0]


def _told(start: Worker, name: str, address: str) -> list[Any]:
    """What somebody can learn from three wrong logins with this name."""
    hasher, statements = Counting(), []
    app = start(hasher, login_failures=2)

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    learnt = []
    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        for _ in range(3):
            hasher.count = 0
            statements.clear()
            answer = attempt(app, name, WRONG, address)
            headers = {key: value for key, value in answer.headers.items() if key != "x-request-id"}
            learnt.append((answer.status, answer.body, headers, list(statements), hasher.count))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    return learnt


def test_what_was_typed_is_neither_stored_nor_logged(
    start: Worker, engine: sa.Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    """Names neither: people type passwords there."""
    app = start(login_failures=3)
    token = log_in(app, "alice")["access_token"]
    fail(app, 2, login("my secret", "guess 1234"))
    assert call(app, "POST", "/login/fresh", {"password": "guess 1234"}, token).status == 401
    at_once([app], [login("my secret", "guess 1234")] * 5)
    logged = "".join(capfd.readouterr())
    assert "login_failed" in logged
    with engine.connect() as conn:
        stored = [str(row) for table in metadata.sorted_tables for row in conn.execute(sa.select(table))]
    for word in ("my secret", "guess", PASSWORD, token):
        assert not [line for line in (*stored, *logged.splitlines()) if word in line]


# Argon2


class Blocked(PasswordHasher):
    """Verifies nothing until it is released."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.release = Event()

    def verify(self, *args: Any) -> Any:
        self.release.wait(30)
        return super().verify(*args)


def test_beyond_its_queue_a_login_is_refused_and_other_requests_go_on(start: Worker) -> None:
    hasher = Blocked()
    app = start(hasher, at_once=1)
    hasher.release.set()
    token = log_in(app, "alice")["access_token"]
    hasher.release.clear()

    async def scenario() -> list[Answer]:
        logins = [asyncio.create_task(send(app, login("alice", PASSWORD))) for _ in range(20)]
        try:
            refused: set[Any] = set()
            waiting: set[Any] = set(logins)
            done = waiting
            while done and len(refused) < 3:  # one is under way, and 16 wait for it
                done, waiting = await asyncio.wait(waiting, timeout=10, return_when=asyncio.FIRST_COMPLETED)
                refused |= done
            assert statuses([task.result() for task in refused]) == {503: 3}
            assert {task.result().headers["retry-after"] for task in refused} == {"1"}
            assert (await send(app, Call("GET", "/item/chair", None, token))).status == 200
            assert len([task for task in logins if not task.done()]) == 17
        finally:
            hasher.release.set()
        return await asyncio.gather(*waiting)

    assert statuses(asyncio.run(scenario())) == {200: 17}
    assert attempt(app, "bob", PASSWORD).status == 200


def test_a_login_with_old_parameters_is_hashed_anew(start: Worker, engine: sa.Engine) -> None:
    app = start(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    log_in(app, "alice")
    with engine.connect() as conn:
        hashed = conn.execute(sa.select(users.c.password_hash).where(users.c.username == "alice")).scalar_one()
    assert "m=16,t=2,p=1" in hashed
    log_in(app, "alice")
