"""Refresh tokens over time: who is honest is never signed out, and a thief is found. Across two workers.

A scenario is a line of steps on one session. The workers take turns, so that what one knows the other has to be told:

    r2   uses refresh token 2, which is good; !r2 ends the session instead
    a3   uses the access token that came with refresh token 3
    ~    writes down what was used, as each worker does once a minute
    +60  waits for so many seconds
    f    gives the password again, with the first access token, and uses the fresh one
    x    kills the workers and starts others
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import hypothesis
import pytest
import sqlalchemy as sa
from falcon import testing
from hypothesis import strategies as st

from storekeeper.app import create_api
from storekeeper.components import create_components
from storekeeper.database.executor import Database
from storekeeper.http.root_app import RootApp
from storekeeper.models.session import sessions
from storekeeper.security.passwords import Passwords
from storekeeper.security.signing_keys import ensure
from storekeeper.settings import Settings
from tests.conftest import Clock, as_served, bearer, make_parts
from tests.support.cast import CHEAP, PASSWORD
from tests.support.databases import transaction

GRACE = 10


class Worker:
    def __init__(self, settings: Settings, db: Database, passwords: Passwords) -> None:
        parts = make_parts(settings, db, passwords)
        components = create_components(settings, parts)
        self._guard = components.guard
        api = create_api(components)
        self.client = testing.TestClient(as_served(RootApp(api, api, settings.body_seconds)))

    def write_down(self) -> None:
        asyncio.run(self._guard.flush())


class Shop:
    """Two workers on one database, and one session of Alice's."""

    def __init__(self, settings: Settings, clock: Clock, stack: ExitStack) -> None:
        self._settings = settings
        self._clock = clock
        self._stack = stack
        self._turn = 0
        self.start()
        self.log_in()

    def start(self) -> None:
        self._workers = [self._stack.enter_context(_working(self._settings)) for _ in range(2)]

    def log_in(self) -> None:
        answer = self._next().simulate_post("/login", json={"username": "alice", "password": PASSWORD})
        self.refresh_tokens = {1: answer.json["refresh_token"]}
        self.access_tokens = {1: answer.json["access_token"]}

    def _next(self) -> testing.TestClient:
        self._turn += 1
        return self._workers[self._turn % 2].client

    def refresh(self, number: int) -> str:
        """What comes of using the refresh token: `live`, or the error."""
        answer = self._next().simulate_post("/refresh", headers=bearer(self.refresh_tokens[number]))
        if answer.status_code != 200:
            return str(answer.json["error"])
        known = self.refresh_tokens.setdefault(number + 1, answer.json["refresh_token"])
        assert answer.json["refresh_token"] == known, "another successor than before"
        self.access_tokens[number + 1] = answer.json["access_token"]
        return "live"

    def use(self, number: int) -> str:
        answer = self._next().simulate_get("/item/chair", headers=bearer(self.access_tokens[number]))
        return "live" if answer.status_code == 200 else str(answer.json["error"])

    def confirm(self) -> str:
        token = bearer(self.access_tokens[1])
        fresh = self._next().simulate_post("/login/fresh", headers=token, json={"password": PASSWORD})
        answer = self._next().simulate_get("/item/chair", headers=bearer(fresh.json["access_token"]))
        return "live" if answer.status_code == 200 else str(answer.json["error"])

    def write_down(self) -> None:
        for each in self._workers:
            each.write_down()

    def wait(self, seconds: float) -> None:
        self._clock.now += seconds

    def play(self, scenario: str) -> None:
        for step in scenario.split():
            assert self._take(step) == ("token_revoked" if step.startswith("!") else "live"), f"{step} in: {scenario}"

    def _take(self, step: str) -> str:
        kind, number = step.lstrip("!")[0], step.lstrip("!")[1:]
        if kind in "ra":
            return self.refresh(int(number)) if kind == "r" else self.use(int(number))
        if kind == "f":
            return self.confirm()
        {"~": self.write_down, "+": lambda: self.wait(float(number)), "x": self.start}[kind]()
        return "live"


@contextmanager
def _working(settings: Settings) -> Iterator[Worker]:
    ensure(settings.keys_path)
    db, passwords = Database(settings.database), Passwords(CHEAP, 2, 8)
    try:
        yield Worker(settings, db, passwords)
    finally:
        passwords.close()
        db.close()


@pytest.fixture
def shop(engine: sa.Engine, settings: Settings, clock: Clock) -> Iterator[Shop]:
    with ExitStack() as stack:
        yield Shop(settings, clock, stack)


def play(shop: Shop, *scenarios: str) -> None:
    for each in scenarios:
        shop.log_in()
        shop.play(each)


# The honest


def test_a_client_that_keeps_its_first_refresh_token_goes_on(shop: Shop) -> None:
    play(shop, "a1 ~ +900 r1 a2 ~ +900 r1 a2 ~ +90000 r1 a2 ~ +11 r1")


def test_an_answer_that_was_lost_is_given_again_however_late(shop: Shop) -> None:
    play(shop, "r1 r2 +900 r2 ~ +90000 r2 a3 ~ +9 r2")


def test_what_was_not_written_down_spends_nothing(shop: Shop) -> None:
    """A read costs no write, and a worker that dies forgets what it has not written down."""
    play(shop, "r1 r2 a3 +100 r2", "r1 r2 a3 x ~ +100 r2")


def test_tokens_from_before_prove_nothing_and_those_of_a_confirmed_password_neither(shop: Shop) -> None:
    play(shop, "r1 r2 f ~ +100 r2", "r1 r2 r3 a2 a3 ~ +100 r3")


def test_the_first_token_has_its_grace_when_another_is_used_for_the_first_time(shop: Shop) -> None:
    play(shop, "r1 a2 ~ +900 r2 ~ +9 r1 +2 !r1")


STEPS = st.one_of(
    st.tuples(st.sampled_from(["refresh", "lose", "use", "write down"]), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 1000)),
    st.tuples(st.just("other tab"), st.integers(0, GRACE - 1)),
)


@hypothesis.settings(max_examples=20, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(st.lists(STEPS, max_size=25), st.data())
def test_whatever_an_honest_client_does_it_is_not_signed_out_and_whoever_has_a_copy_is_found(
    shop: Shop, steps: list[tuple[str, int]], data: st.DataObject
) -> None:
    """It keeps the refresh token before it uses the access token. Another tab may be slow, but not beyond the grace."""
    shop.log_in()
    kept = 1
    seen = [1]
    for step, number in [*steps, ("refresh", 0), ("refresh", 0)]:
        if step in ("refresh", "lose"):
            assert shop.refresh(kept) == "live"
            kept += step == "refresh"
        elif step == "use":
            shop.use(kept)  # it may have expired
        elif step == "write down":
            shop.write_down()
        elif step == "wait":
            shop.wait(number)
        else:
            before = kept
            assert shop.refresh(before) == "live"
            kept += 1
            shop.use(kept)
            shop.write_down()
            shop.wait(number)
            assert shop.refresh(before) == "live"
        seen.append(kept)
    # Some time ago somebody has made a copy, and uses it when the newest access token was used and that is known.
    stolen = min(data.draw(st.sampled_from(seen)), kept - 1)
    assert shop.use(kept) == "live"
    shop.write_down()
    shop.wait(GRACE + 2)
    assert shop.refresh(stolen) == "token_revoked"
    assert shop.refresh(kept) == "token_revoked"


# The thief


def test_a_thief_who_stays_one_step_behind_is_found(shop: Shop) -> None:
    play(
        shop,
        "r1 a2 ~ +900 r2 a3 ~ +900 !r2 !r3 !a3",
        "r1 a2 ~ +900 r2 a3 ~ +900 r3 a4 ~ +11.1 !r3",
        "r1 r2 r3 r4 a5 ~ +12 !r4",
    )


def test_a_thief_who_is_a_step_ahead_is_found_when_the_owner_refreshes(shop: Shop) -> None:
    owner, thief = "r2", "r2 a3"
    play(shop, f"r1 a2 {thief} ~ +900 !{owner} !r3 !a3", f"r1 {owner} +11 !r1")


def test_the_first_use_that_was_written_down_counts(shop: Shop) -> None:
    play(shop, "r1 r2 a3 ~ +6 a3 ~ +6 !r2", "r1 r2 a3 +100 ~ +9 r2 +3 !r2")


def test_a_later_number_is_not_forgotten_for_an_earlier_one(shop: Shop) -> None:
    """One worker may write down what another has overtaken."""
    play(shop, "r1 r2 a3 r3 a4 ~ a3 ~ +12 !r3")


def test_a_clock_that_was_ahead_gives_no_more_than_the_grace(shop: Shop, clock: Clock) -> None:
    shop.play("r1 r2 +7200 r3 +-7200 r2 +11 !r2")


# What was there before


def test_sessions_of_the_version_before_go_on(shop: Shop, engine: sa.Engine) -> None:
    """What their tokens prove is not known, until there are others."""
    shop.play("r1 r2 a3 ~ +900")
    with transaction(engine) as conn:
        conn.execute(sa.update(sessions).values(received_number=0, received_at=0))
    shop.play("r2 r3 ~ +100 r3 a4 ~ +12 !r3")
