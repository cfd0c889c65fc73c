"""The login throttle: what it counts, whom it refuses and for how long; exactly, also in a burst."""

import asyncio
import math
from collections.abc import Iterator
from threading import Event

import pytest
import sqlalchemy as sa

from storekeeper.argon2 import Hasher
from storekeeper.models.throttle import failures
from storekeeper.settings import Settings
from tests.conftest import PASSWORD, Clock
from tests.crowd import Answer, Call, at_once, log_in, send, statuses
from tests.guessing import WRONG, Start, attempt, fail, login, starting


@pytest.fixture
def start(engine: sa.Engine, settings: Settings) -> Iterator[Start]:
    with starting(settings) as start:
        yield start


def from_many() -> list[Call]:
    """Wrong logins with nothing in common."""
    return [login(f"nobody{n}", WRONG, f"192.0.2.{n}") for n in range(100)]


# What counts


def test_ten_failures_close_a_name_from_everywhere(start: Start) -> None:
    app = start()
    fail(app, 10, *[login("alice", WRONG, f"192.0.2.{n}") for n in range(10)])
    assert attempt(app, "alice", WRONG, "198.51.100.1").status == 429
    assert attempt(app, "bob", PASSWORD, "192.0.2.1").status == 200


def test_ten_failures_close_an_address_for_every_name(start: Start) -> None:
    app = start()
    fail(app, 10, *[login(f"nobody{n}") for n in range(10)])
    assert attempt(app, "alice", PASSWORD).status == 429
    assert attempt(app, "alice", PASSWORD, "192.0.2.2").status == 200


def test_failures_over_all_close_the_door_for_everybody(start: Start) -> None:
    app = start(login_failures_overall=15)
    fail(app, 15, *from_many())
    refused = attempt(app, "alice", PASSWORD, "198.51.100.1")
    assert refused.status == 429
    assert refused.headers["ratelimit-policy"] == '"login";q=15;w=300'


def test_successes_are_not_counted(start: Start) -> None:
    app = start(login_failures=3)
    for _ in range(5):
        assert attempt(app, "alice", PASSWORD).status == 200
    fail(app, 3)


@pytest.mark.parametrize("variant", ["ALICE", "Alice", "ａｌｉｃｅ", "ＡＬＩＣＥ"])
def test_variants_of_a_name_are_one_name(start: Start, variant: str) -> None:
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
def test_an_address_is_one_customer(start: Start, one: str, other: str, is_same: bool) -> None:
    """Of IPv6 a /64; IPv4 is the same however a socket for both spells it."""
    app = start(login_failures=2)
    fail(app, 2, login("nobody1", WRONG, one), login("nobody2", WRONG, one))
    assert attempt(app, "alice", PASSWORD, other).status == (429 if is_same else 200)


# For how long


def test_a_refusal_says_how_long_it_lasts(start: Start, clock: Clock) -> None:
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


def test_the_window_slides(start: Start, clock: Clock) -> None:
    app = start()
    fail(app, 4)
    clock.now += 200
    fail(app, 6)
    assert attempt(app).headers["retry-after"] == "100"
    clock.now += 100
    fail(app, 4)
    assert attempt(app).headers["retry-after"] == "200"


def test_refused_attempts_do_not_prolong_the_wait(start: Start, clock: Clock) -> None:
    app = start()
    fail(app, 10)
    for waited in range(0, 300, 60):
        assert attempt(app).headers["retry-after"] == str(300 - waited)
        clock.now += 60
    assert attempt(app, "alice", PASSWORD).status == 200


def test_of_two_reasons_the_longer_wait_counts(start: Start, clock: Clock) -> None:
    app = start(login_failures=2, login_failures_overall=4)
    for _ in range(2):
        fail(app, 1, login("alice", WRONG, "192.0.2.7"))
        clock.now += 10
        fail(app, 1, login("nobody", WRONG, "192.0.2.8"))
    assert attempt(app, "bob", PASSWORD).headers["retry-after"] == "280"  # over all
    assert attempt(app, "alice", PASSWORD).headers["retry-after"] == "280"  # and for the name
    assert attempt(app, "alice", PASSWORD, "192.0.2.8").headers["retry-after"] == "290"  # and for the address


def test_old_failures_are_swept(start: Start, engine: sa.Engine, clock: Clock) -> None:
    app = start()
    fail(app, 9)
    clock.now += 300
    fail(app, 1)
    with engine.connect() as conn:
        assert len(conn.execute(sa.select(failures)).all()) == 3


# Exactly so many


def test_a_burst_learns_no_more_than_ten_answers(start: Start) -> None:
    answers = at_once([start()], [login()] * 50)
    assert statuses(answers) == {401: 10, 429: 40}


def test_two_workers_count_together(start: Start) -> None:
    answers = at_once([start(), start()], [login()] * 50)
    assert statuses(answers) == {401: 10, 429: 40}


def test_the_overall_limit_holds_in_a_burst(start: Start) -> None:
    answers = at_once([start(login_failures_overall=12), start(login_failures_overall=12)], from_many()[:40])
    assert statuses(answers) == {401: 12, 429: 28}


def test_the_right_password_in_a_burst_is_no_way_in_afterwards(start: Start) -> None:
    app = start()
    at_once([app], [login()] * 20)
    answers = at_once([app], [login(), login("alice", PASSWORD), login("alice", PASSWORD, "192.0.2.9")])
    assert statuses(answers) == {429: 3}


class Held(Hasher):
    """Checks the right password only when it is released."""

    def __init__(self) -> None:
        super().__init__(8, 1)
        self.has_begun, self.release = Event(), Event()

    def fits(self, hashed: str, password: str) -> bool:
        if password == PASSWORD:
            self.has_begun.set()
            assert self.release.wait(30)
        return super().fits(hashed, password)


@pytest.mark.parametrize("path", ["/login", "/login/fresh"])
def test_a_right_password_is_refused_if_too_many_were_wrong_while_it_was_checked(start: Start, path: str) -> None:
    token = log_in(start(), "alice")["access_token"]
    hasher = Held()
    app = start(hasher)
    given = {"username": "alice"} if path == "/login" else {}
    right, wrong = (Call("POST", path, given | {"password": each}, token) for each in (PASSWORD, WRONG))

    async def scenario() -> list[Answer]:
        first = asyncio.create_task(send(app, right))
        assert await asyncio.to_thread(hasher.has_begun.wait, 30)
        answers = await asyncio.gather(*(send(app, wrong) for _ in range(10)))
        hasher.release.set()
        return [*answers, await first]

    assert statuses(asyncio.run(scenario())) == {401: 10, 429: 1}


def test_the_counters_survive_a_restart(start: Start) -> None:
    fail(start(), 10)
    assert attempt(start(), "alice", PASSWORD).status == 429
