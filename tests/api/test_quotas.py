"""Quotas of stores, sessions and streams: who may have how many, counted at once and by several workers."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from storekeeper.components import Parts, quotas
from storekeeper.models import session, store, store_member
from storekeeper.models.session import SessionLimits, sessions
from storekeeper.models.store import stores
from storekeeper.settings import Settings
from tests.conftest import Clock, Person, bearer
from tests.older.database import Upgraded
from tests.support import course_databases
from tests.support.cast import PASSWORD
from tests.support.cli_runner import run_with
from tests.support.concurrent_workers import Call, at_once, log_in, statuses
from tests.support.console_browser import said
from tests.support.databases import transaction
from tests.support.raw_requests import scope
from tests.support.small_quotas import MIB, Limited, refused

DAY = 86_400


@pytest.fixture
def limited(settings: Settings, parts: Parts) -> Limited:
    return Limited(settings, parts)


def test_the_quotas_that_nobody_has_set() -> None:
    usual = Settings()
    assert (usual.stores_per_user, usual.sessions_per_user, usual.streams_per_user) == (200, 100, 20)
    most = quotas(usual)
    assert (most.import_bytes, most.answer_bytes, most.image_bytes) == (1024 * MIB, 16 * MIB, 5 * 1024 * MIB)


# Stores


def found(person: Person, *names: str) -> list[int]:
    return [person.post(f"/store/{name}").status_code for name in names]


def test_a_user_creates_as_many_stores_as_they_may(limited: Limited, engine: sa.Engine) -> None:
    carol = limited.person("carol", stores_per_user=3)
    assert found(carol, "a", "b", "c") == [201, 201, 201]
    with capture_logs() as logs:
        answer = carol.post("/store/d")
    assert refused(answer) == (409, "too_many_stores", 3, 3)
    assert answer.json["message"] == (
        "You have created as many stores as a user may have. Delete one, or ask an administrator to create this one. "
        "3 of 3 are used."
    )
    assert [each["user_id"] for each in logs if each["event"] == "too_many_stores"] == [3]
    assert carol.get("/store/d").status_code == 404
    assert carol.delete("/store/a").status_code == 200
    assert found(carol, "d", "e") == [201, 409]


def test_a_store_counts_for_its_founder_whoever_owns_it(limited: Limited, engine: sa.Engine) -> None:
    """Or whoever is given stores could found none, and whoever gives them away any number."""
    carol, bob = (limited.person(name, stores_per_user=2) for name in ("carol", "bob"))
    assert found(carol, "a", "b") == [201, 201]
    for name in ("a", "b"):
        carol.put(f"/store/{name}/members/bob", {"role": "owner"})
        assert carol.delete(f"/store/{name}/members/carol").status_code == 200
    assert found(carol, "c") == [409]
    assert found(bob, "c", "d", "e") == [201, 201, 409]


def test_administrators_found_what_they_like(limited: Limited, engine: sa.Engine) -> None:
    assert found(limited.person("root", stores_per_user=1), "a", "b", "c") == [201, 201, 201]


def test_with_0_there_is_no_limit_and_what_is_there_stays(limited: Limited, engine: sa.Engine) -> None:
    assert found(limited.person("carol", stores_per_user=0), "a", "b", "c", "d") == [201] * 4
    carol = limited.person("carol", stores_per_user=2)
    assert refused(carol.post("/store/e")) == (409, "too_many_stores", 2, 4)
    assert [carol.get(f"/store/{name}").status_code for name in "abcd"] == [200] * 4
    assert found(limited.person("carol", stores_per_user=5), "e", "f") == [201, 409]


def test_of_many_who_found_at_once_one_gets_the_last_place(limited: Limited, engine: sa.Engine) -> None:
    with transaction(engine) as conn:
        store_member.create_store(conn, 3, "first", "EUR")
    with limited.workers(stores_per_user=2) as apps:
        token = log_in(apps[0], "carol")["access_token"]
        answers = at_once(apps, [Call("POST", f"/store/s{number}", token=token) for number in range(10)])
    assert statuses(answers) == {201: 1, 409: 9}
    with engine.connect() as conn:
        assert store.count_created(conn, 3) == 2


def test_a_form_for_one_store_too_many_says_so_and_keeps_what_was_typed(limited: Limited, engine: sa.Engine) -> None:
    carols = limited.browser("carol", stores_per_user=1)
    assert carols.post("/console/new-store", {"name": "a", "currency": "EUR"}).status_code == 303
    page = carols.post("/console/new-store", {"name": "corner shop", "currency": "EUR"})
    assert page.status_code == 409
    assert "Delete one, or ask an administrator to create this one. 1 of 1 are used." in said(page)
    assert 'value="corner shop"' in page.text


def test_what_is_adopted_counts_for_nobody(limited: Limited, settings: Settings, tmp_path: Path) -> None:
    course_databases.make(
        tmp_path / "course.db", course_databases.LECTURE, users=[(1, "jose", PASSWORD)], stores=[(1, "a"), (2, "b")]
    )
    command = ("adopt", str(tmp_path / "course.db"), "--owner", "jose", "--into-existing")
    adopted = run_with(settings, *command, STOREKEEPER_STORES_PER_USER="1")
    assert adopted.exit_code == 0, adopted.output
    jose = Person(limited.person("carol", stores_per_user=1).client, "jose", 1)
    assert found(jose, "c", "d") == [201, 409]


@pytest.mark.parametrize("version", ["0.1.0", "223c058"])
def test_an_upgrade_finds_out_who_founded_what(version: str, upgraded: Callable[[str], Upgraded]) -> None:
    it = upgraded(version)
    founders = {name: told["id"] for name, told in it.facts["users"].items()}
    with it.engine.connect() as conn:
        known = dict(conn.execute(sa.select(stores.c.id, stores.c.founder_id)).all())
    told = {each["id"]: founders.get(each["founder"]) for each in it.facts["stores"].values() if each["id"] in known}
    there = {id: founder_id for id, founder_id in told.items() if founder_id is not None}
    assert {known[id] for id in there} == set(there.values())
    assert {id: known[id] for id in there} == there


# Sessions


def live(engine: sa.Engine, user_id: int) -> set[int]:
    with engine.connect() as conn:
        return set(conn.scalars(sa.select(sessions.c.id).where(sessions.c.user_id == user_id)))


def use(engine: sa.Engine, session_id: int, at: float) -> None:
    with engine.begin() as conn:
        conn.execute(sa.update(sessions).where(sessions.c.id == session_id).values(last_used_at=int(at)))


def test_a_login_too_many_ends_the_session_that_was_unused_longest(
    limited: Limited, engine: sa.Engine, clock: Clock
) -> None:
    carol = limited.person("carol", sessions_per_user=3)
    pairs: dict[int, dict[str, str]] = {}
    for _ in range(3):
        pair = carol.log_in()
        (id,) = live(engine, 3) - pairs.keys()
        pairs[id] = pair
    first, second, third = pairs
    for id, ago in ((first, 60), (second, 180), (third, 120)):
        use(engine, id, clock.now - ago)
    with capture_logs() as logs:
        carol.log_in()
    assert live(engine, 3) & pairs.keys() == {first, third}
    assert len(live(engine, 3)) == 3
    ended = [each for each in logs if each["event"] == "session_ended"]
    assert [(each["session_id"], each["reason"]) for each in ended] == [(second, "There were too many.")]
    answers = [
        carol.client.simulate_get("/sessions", headers=bearer(pair["access_token"])).status_code
        for pair in [*pairs.values(), carol.pair]
    ]
    assert answers == [200, 401, 200, 200]


def test_a_login_never_ends_its_own_session(limited: Limited, engine: sa.Engine, clock: Clock) -> None:
    """Also where all others seem to have been used later, as clocks may differ."""
    carol = limited.person("carol", sessions_per_user=1)
    for _ in range(3):
        before = live(engine, 3)
        for id in before:
            use(engine, id, clock.now + 100)
        carol.log_in()
        assert len(live(engine, 3)) == 1
        assert not live(engine, 3) & before
        assert carol.get("/sessions").status_code == 200


def test_a_sign_in_to_the_console_counts_like_any_login(limited: Limited, engine: sa.Engine) -> None:
    carols = limited.browser("carol", sessions_per_user=2)
    (first,) = live(engine, 3)
    use(engine, first, 0)
    limited.person("carol", sessions_per_user=2).log_in()
    assert first in live(engine, 3)
    carols.sign_in("carol")
    assert first not in live(engine, 3)
    assert len(live(engine, 3)) == 2
    assert carols.get("/console").status_code == 200


def test_administrators_have_as_many_sessions_as_they_like(limited: Limited, engine: sa.Engine) -> None:
    root = limited.person("root", sessions_per_user=2)
    for _ in range(4):
        root.log_in()
    assert len(live(engine, 4)) == 4


def test_sessions_that_are_there_stay_and_one_ends_for_each_that_begins(limited: Limited, engine: sa.Engine) -> None:
    free = limited.person("carol", sessions_per_user=0)
    for _ in range(5):
        free.log_in()
    before = live(engine, 3)
    carol = limited.person("carol", sessions_per_user=2)
    carol.log_in()
    assert len(live(engine, 3)) == 5
    assert len(before - live(engine, 3)) == 1


def test_sessions_that_are_over_are_not_counted(limited: Limited, engine: sa.Engine) -> None:
    with transaction(engine) as conn:
        over = {session.begin(conn, 3, SessionLimits(-10), "", "").session_id for _ in range(3)}
    carol = limited.person("carol", sessions_per_user=2)
    carol.log_in()
    carol.log_in()
    assert over <= live(engine, 3)
    assert len(live(engine, 3)) == 5


def test_of_many_who_log_in_at_once_no_more_are_left(limited: Limited, engine: sa.Engine) -> None:
    body = {"username": "carol", "password": PASSWORD}
    with limited.workers(sessions_per_user=3) as apps:
        answers = at_once(apps, [Call("POST", "/login", body)] * 12)
    assert statuses(answers) == {200: 12}
    assert len(live(engine, 3)) == 3


# Streams


class Follower:
    """Somebody who follows the changes until they hang up."""

    def __init__(self, app: Any, token: str, query: str = "after=now") -> None:
        headers = [*bearer(token).items(), ("Accept", "text/event-stream")]
        self.status = 0
        self.headers: dict[str, str] = {}
        self._begun, self._over = asyncio.Event(), asyncio.Event()
        self.task = asyncio.create_task(app(scope("GET", f"/changes?{query}", headers), self._receive, self._send))

    async def begin(self) -> int:
        """The status of the answer, when it has begun."""
        await asyncio.wait_for(self._begun.wait(), 30)
        return self.status

    async def hang_up(self) -> None:
        self._over.set()
        await asyncio.wait_for(self.task, 30)

    async def _receive(self) -> Any:
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, event: Any) -> None:
        if event["type"] == "http.response.start":
            self.status = event["status"]
            self.headers = {name.decode(): value.decode() for name, value in event["headers"]}
            self._begun.set()


async def follow(app: Any, token: str, count: int, **more: Any) -> list[Follower]:
    """So many at once. Those that are admitted come first."""
    followers = [Follower(app, token, **more) for _ in range(count)]
    for each in followers:
        await each.begin()
    return sorted(followers, key=lambda each: each.status)


async def end(followers: list[Follower]) -> None:
    for each in followers:
        await each.hang_up()


def test_of_many_streams_at_once_as_many_are_admitted_as_there_may_be(limited: Limited, engine: sa.Engine) -> None:
    with limited.workers(streams_per_user=3) as (app, _):
        carol, bob = (log_in(app, name)["access_token"] for name in ("carol", "bob"))

        async def scenario() -> None:
            followers = await follow(app, carol, 40)
            assert [each.status for each in followers] == [200] * 3 + [429] * 37
            assert int(followers[-1].headers["retry-after"]) == 60
            others = await follow(app, bob, 3)
            assert [each.status for each in others] == [200] * 3, "each user's are counted for themselves"
            await followers[0].hang_up()
            again = await follow(app, carol, 2)
            assert [each.status for each in again] == [200, 429], "one has made room"
            await end([*followers[1:], *others, *again])
            again = await follow(app, carol, 3)
            assert [each.status for each in again] == [200] * 3
            await end(again)

        asyncio.run(scenario())


def test_what_is_refused_or_cut_off_takes_no_place(limited: Limited, engine: sa.Engine) -> None:
    with limited.workers(streams_per_user=2) as (app, _):
        token = log_in(app, "carol")["access_token"]

        async def scenario() -> None:
            for _ in range(3):
                refusals = await follow(app, token, 2, query="after=999999")
                assert [each.status for each in refusals] == [410, 410]
                await end(refusals)
            cut = [Follower(app, token) for _ in range(2)]
            await asyncio.sleep(0)  # they have begun, and the database has not answered yet
            for each in cut:
                each.task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await each.task
            followers = await follow(app, token, 2)
            assert [each.status for each in followers] == [200, 200]
            await end(followers)

        asyncio.run(scenario())


def test_administrators_follow_as_often_as_they_like_and_0_is_no_limit(limited: Limited, engine: sa.Engine) -> None:
    for name, most in (("root", 1), ("carol", 0)):
        with limited.workers(streams_per_user=most) as (app, _):
            token = log_in(app, name)["access_token"]

            async def scenario(app: Any = app, token: str = token) -> None:
                followers = await follow(app, token, 5)
                assert [each.status for each in followers] == [200] * 5
                await end(followers)

            asyncio.run(scenario())


def test_pages_of_changes_are_no_streams(limited: Limited, engine: sa.Engine) -> None:
    carol = limited.person("carol", streams_per_user=1)
    assert [carol.get("/changes").status_code for _ in range(3)] == [200] * 3
