"""The login throttle: what it counts, whom it refuses and for how long; exactly, also in a burst."""

import asyncio
import math
import time
from collections.abc import Iterator
from threading import Event

import pytest
import sqlalchemy as sa
from msgspec import structs

from storekeeper.models import login_throttle
from storekeeper.models.login_network import sign_ins
from storekeeper.models.login_throttle import failures
from storekeeper.security.argon2 import Hasher
from storekeeper.settings import Settings
from tests.conftest import Clock
from tests.support.cast import PASSWORD
from tests.support.concurrent_workers import Answer, Call, at_once, log_in, send, statuses
from tests.support.databases import transaction
from tests.support.login_guesses import WRONG, Start, attempt, fail, login, starting


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


def test_failures_over_all_refuse_who_has_not_signed_in_from_there(start: Start) -> None:
    """Also a name that is known elsewhere, and a network that others have signed in from."""
    app = start(login_failures_overall=15)
    assert attempt(app, "bob", PASSWORD, "198.51.100.1").status == 200
    fail(app, 15, *from_many())
    for name, address in (("alice", "198.51.100.1"), ("bob", "203.0.113.1"), ("nobody", "198.51.100.1")):
        refused = attempt(app, name, PASSWORD, address)
        assert refused.status == 429, (name, address)
        assert refused.headers["ratelimit-policy"] == '"login";q=15;w=300'


@pytest.mark.parametrize(
    ("before", "now"), [("198.51.100.1", "198.51.100.77"), ("2001:db8:7:1::1", "2001:db8:7:ffff::1"), ("", "")]
)
def test_whoever_has_signed_in_from_there_is_delayed_and_no_more(start: Start, before: str, now: str) -> None:
    """From the same /24 or /48: at home one is often given another address."""
    app = start(login_failures_overall=15)
    assert attempt(app, "bob", PASSWORD, before).status == 200
    fail(app, 15, *from_many())
    began = time.monotonic()
    assert attempt(app, "bob", PASSWORD, now).status == 200
    assert time.monotonic() - began >= 2 / 15
    assert attempt(app, "bob", WRONG, now).status == 401


def test_a_sign_in_is_forgotten_after_90_days(start: Start, engine: sa.Engine, clock: Clock) -> None:
    app = start(login_failures_overall=15)
    for days, status in ((0, 200), (89, 200), (91, 429)):
        assert attempt(app, "bob", PASSWORD, "198.51.100.1").status == 200
        clock.now += days * 86_400
        fail(app, 15, *from_many())
        assert attempt(app, "bob", PASSWORD, "198.51.100.1").status == status
        clock.now += 301
    assert attempt(app, "alice", PASSWORD, "203.0.113.1").status == 200  # and swept by the next one
    with engine.connect() as conn:
        assert [row.network for row in conn.execute(sa.select(sign_ins))] == ["203.0.113.0/24"]


def test_of_a_users_networks_the_last_50_are_kept(start: Start, engine: sa.Engine, clock: Clock) -> None:
    app = start()
    for n in range(55):
        assert attempt(app, "bob", PASSWORD, f"198.51.{n}.1").status == 200
        clock.now += 1
    with engine.connect() as conn:
        kept = {row.network for row in conn.execute(sa.select(sign_ins))}
    assert kept == {f"198.51.{n}.0/24" for n in range(5, 55)}


@pytest.mark.parametrize(("failed", "seconds"), [(14, 0), (15, 2 / 15), (22, 16 / 15), (29, 2), (1000, 2)])
def test_the_delay_grows_up_to_two_seconds(engine: sa.Engine, failed: int, seconds: float) -> None:
    limits = login_throttle.LoginThrottleLimits(overall=15)
    with transaction(engine) as conn:
        rows = [{"bucket": "everybody", "failed_at": int(time.time() * 1000)}] * failed
        conn.execute(sa.insert(failures), rows)
        judged = structs.replace(login_throttle.login("bob", "192.0.2.1", limits), is_known=True)
        assert login_throttle.check(conn, judged) == pytest.approx(seconds)


def test_one_household_does_not_lock_out_everybody(start: Start) -> None:
    """It may have a /56 of IPv6, of which each /64 was an address of its own."""
    app = start(login_failures_overall=100)
    calls = [login(f"nobody{n}", WRONG, f"2001:db8:0:{n:x}::1") for n in range(0x2F, 0xA0)]
    assert statuses(at_once([app], calls)) == {401: 30, 429: 83}
    assert attempt(app, "alice", PASSWORD, "2001:db8:0:a0::1").status == 429
    assert attempt(app, "alice", PASSWORD, "2001:db8:0:100::1").status == 200
    calls = [login(f"none{n}", WRONG, f"2001:db8:0:{n:x}00::1") for n in range(0x2F, 0xA0)]
    assert statuses(at_once([app], calls)) == {401: 70, 429: 43}  # with the others, ten times as many as of a /64
    assert attempt(app, "alice", PASSWORD, "2001:db8:0:aaaa::1").status == 429


def test_a_hundred_failures_close_a_block_of_256_addresses(start: Start) -> None:
    app = start()
    fail(app, 100, *from_many())
    assert attempt(app, "alice", PASSWORD, "192.0.2.200").status == 429
    assert attempt(app, "alice", PASSWORD, "192.0.3.200").status == 200


@pytest.mark.parametrize("ahead", [7200, 299, 31])
def test_a_failure_that_a_wrong_clock_told_locks_nobody_out_for_longer(start: Start, clock: Clock, ahead: int) -> None:
    app = start()
    clock.now += ahead
    fail(app, 10)
    clock.now -= ahead
    assert attempt(app, "alice", PASSWORD).status == 200
    fail(app, 10, login("alice", WRONG, "198.51.100.9"))
    assert int(attempt(app, "alice", PASSWORD).headers["retry-after"]) <= 300
    clock.now += 600 + 31
    assert attempt(app, "alice", PASSWORD).status == 200


def test_clocks_may_differ_a_little(start: Start, clock: Clock) -> None:
    app = start()
    clock.now += 30
    fail(app, 10)
    clock.now -= 30
    refused = attempt(app, "alice", PASSWORD)
    assert (refused.status, refused.headers["retry-after"]) == (429, "300")


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
        assert len(conn.execute(sa.select(failures)).all()) == 4


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
