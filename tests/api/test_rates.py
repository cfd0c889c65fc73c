"""Registrations and logins from one network: how many in a minute, and how their queue is shared."""

import asyncio
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa
from hypothesis import strategies as st

from storekeeper.concurrency.bounded_pool import BoundedPool
from storekeeper.concurrency.fair_queue import FairQueue
from storekeeper.domain.ip_networks import networks
from storekeeper.errors import Unavailable
from storekeeper.models.network_rate import rates
from storekeeper.security.argon2 import Hasher
from storekeeper.settings import Settings
from tests.conftest import Clock
from tests.support.cast import PASSWORD
from tests.support.concurrent_workers import Answer, Call, at_once, send, statuses
from tests.support.login_guesses import Start, login, starting

FLOOD = "203.0.113.9"


@pytest.fixture
def start(engine: sa.Engine, settings: Settings, clock: Clock) -> Iterator[Start]:
    """With a clock that stands still: or else another minute might begin."""
    with starting(settings) as start:
        yield start


def register(name: str, address: str = FLOOD) -> Call:
    return Call("POST", "/register", {"username": name, "password": PASSWORD}, "", address)


# How many in a minute


def test_by_default_a_network_has_60_registrations_and_300_logins_in_a_minute() -> None:
    settings = Settings()
    assert (settings.registrations_per_minute, settings.logins_per_minute) == (60, 300)


def test_registrations_from_one_network_are_limited(start: Start, clock: Clock) -> None:
    clock.now = 1_900_000_055.0  # 25 seconds before a minute begins
    app = start(registrations_per_minute=3)
    assert statuses(at_once([app], [register(f"user{n}") for n in range(3)])) == {201: 3}
    refused = at_once([app], [register("user3")])[0]
    assert refused.status == 429
    assert refused.body == {
        "error": "too_many_attempts",
        "message": "Too many registrations from your network. Try again later.",
    }
    assert refused.headers["retry-after"] == "25"
    assert refused.headers["ratelimit-policy"] == '"registration";q=3;w=60'
    assert statuses(at_once([app], [register("user4", "198.51.100.1")])) == {201: 1}
    clock.now += 25
    assert statuses(at_once([app], [register("user3")])) == {201: 1}


def test_right_logins_from_one_network_are_limited_and_wrong_ones_are_counted_elsewhere(start: Start) -> None:
    app = start(logins_per_minute=3)
    right = login("alice", PASSWORD, FLOOD)
    assert statuses(at_once([app], [login("alice", "wrong horse", FLOOD)] * 5)) == {401: 5}
    assert statuses(at_once([app], [right] * 3)) == {200: 3}
    refused = at_once([app], [right])[0]
    assert (refused.status, refused.body["message"]) == (429, "Too many logins from your network. Try again later.")
    assert statuses(at_once([app], [login("alice", PASSWORD, "198.51.100.1")])) == {200: 1}


@pytest.mark.parametrize("call", [lambda n: register(f"user{n}"), lambda _: login("alice", PASSWORD, FLOOD)])
def test_a_burst_at_two_workers_gets_no_more(start: Start, call: Callable[[int], Call]) -> None:
    apps = [start(registrations_per_minute=5, logins_per_minute=5) for _ in range(2)]
    answers = at_once(apps, [call(n) for n in range(20)])
    assert statuses(answers) in ({200: 5, 429: 15}, {201: 5, 429: 15})


@pytest.mark.parametrize(
    ("addresses", "allowed"),
    [
        (["2001:db8:0:0:a::", "2001:db8:0:0:b::"], 1),  # one /64
        ([f"2001:db8:0:{n:x}::" for n in range(8)], 3),  # of one /56
        ([f"2001:db8:0:{n:x}00::" for n in range(14)], 10),  # of one /48
        ([f"2001:db8:{n:x}::" for n in range(14)], 14),
        ([f"192.0.2.{n}" for n in range(14)], 10),
        ([f"192.0.{n}.2" for n in range(14)], 14),
        (["::ffff:192.0.2.1", "192.0.2.1"], 1),
    ],
)
def test_a_wider_network_has_its_share(start: Start, addresses: list[str], allowed: int) -> None:
    app = start(registrations_per_minute=1)
    answers = [at_once([app], [register(f"user{n}", each)])[0].status for n, each in enumerate(addresses)]
    assert answers == [201] * allowed + [429] * (len(addresses) - allowed)


def test_what_was_counted_is_swept(start: Start, engine: sa.Engine, clock: Clock) -> None:
    app = start()
    for n in range(6):
        assert at_once([app], [register(f"user{n}", f"192.0.{n}.1")])[0].status == 201
    clock.now += 60
    assert at_once([app], [register("user6", "198.51.100.1")])[0].status == 201
    clock.now -= 7200  # a counter from the future is none
    assert at_once([app], [register("user7", "198.51.100.1")])[0].status == 201
    with engine.connect() as conn:
        assert len(conn.execute(sa.select(rates)).all()) == 12 - 10 + 2


# The queue


class Blocked(Hasher):
    """Does nothing until it is released."""

    def __init__(self) -> None:
        super().__init__(8, 1)
        self.release = Event()

    def hash(self, password: str) -> str:
        self.release.wait(30)
        return super().hash(password)

    def fits(self, hashed: str, password: str) -> bool:
        self.release.wait(30)
        return super().fits(hashed, password)


async def answered(tasks: list[asyncio.Task[Answer]], count: int) -> None:
    """Wait until so many of them are."""
    while sum(task.done() for task in tasks) < count:
        await asyncio.wait([task for task in tasks if not task.done()], return_when=asyncio.FIRST_COMPLETED)


@pytest.mark.parametrize("flood", [lambda n: register(f"user{n}"), lambda _: login("alice", PASSWORD, FLOOD)])
def test_sixty_connections_from_one_network_leave_room_for_others(start: Start, flood: Callable[[int], Call]) -> None:
    """By registrations, or by logins with a right password."""
    hasher = Blocked()
    hasher.release.set()
    app = start(hasher, at_once=1)
    hasher.release.clear()
    others = [login("bob", PASSWORD, f"198.51.{n}.1") for n in range(15)]

    async def scenario() -> list[Answer]:
        pending = [asyncio.create_task(send(app, flood(n))) for n in range(60)]
        await answered(pending, 43)  # one is under way, and 16 wait
        wanted = [asyncio.create_task(send(app, each)) for each in others]
        await answered(pending, 43 + 15)
        assert not [task for task in wanted if task.done()]
        hasher.release.set()
        answers = await asyncio.gather(*pending)
        assert statuses(answers)[503] == 58
        return await asyncio.gather(*wanted)

    assert statuses(asyncio.run(asyncio.wait_for(scenario(), 60))) == {200: 15}


def test_of_a_pool_each_sender_has_its_turn() -> None:
    async def scenario() -> list[str]:
        pool, gate, done = BoundedPool("test", 1, 8), Event(), list[str]()
        calls: list[asyncio.Task[Any]] = [asyncio.create_task(pool.run(("a",), gate.wait))]
        await asyncio.sleep(0)
        calls += [asyncio.create_task(pool.run((each,), done.append, each)) for each in "aaabcb"]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*calls)
        pool.close()
        return done

    assert asyncio.run(scenario()) == ["a", "b", "c", "a", "b", "a"]


def test_who_hangs_up_while_waiting_keeps_nobody_out() -> None:
    async def scenario() -> None:
        pool, gate = BoundedPool("test", 1, 2), Event()
        calls = [asyncio.create_task(pool.run(("a",), gate.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await pool.run(("a",), bool, 1)
        pool._hand_on()  # as if there were another place
        calls[1].cancel()  # whose turn has just come
        await asyncio.sleep(0)
        gate.set()
        assert await calls[2]
        for _ in range(4):
            assert await pool.run(("b",), bool, 1)
        await asyncio.sleep(0)
        assert pool._free == 2
        pool.close()

    asyncio.run(asyncio.wait_for(scenario(), 30))


PATHS = st.tuples(st.sampled_from("abc"), st.sampled_from("xy"))


@hypothesis.given(st.lists(PATHS, max_size=40), st.integers(1, 12))
def test_nobody_has_less_than_their_share_of_a_full_queue(arrivals: list[Any], limit: int) -> None:
    """Those who came in vain have at most one fewer than anybody else; in a part of the queue as in the whole."""
    queue, waiting, refused = FairQueue[int](), dict[int, Any](), list[Any]()
    for number, path in enumerate(arrivals):
        if queue.size >= limit:
            dropped = queue.make_room(path)
            if dropped is None:
                refused.append(path)
                continue
            refused.append(waiting.pop(dropped))
        queue.push(path, number)
        waiting[number] = path
    assert queue.size == len(waiting) == min(limit, len(arrivals))
    for first, second in refused:
        firsts = [path[0] for path in waiting.values()]
        assert firsts.count(first) >= max(map(firsts.count, firsts)) - 1
        seconds = [path[1] for path in waiting.values() if path[0] == first]
        assert seconds.count(second) >= max(map(seconds.count, seconds), default=0) - 1
    assert sorted(queue.pop() for _ in range(queue.size)) == sorted(waiting)


def test_the_networks_of_an_address() -> None:
    assert [each.name for each in networks("2001:db8:1:234:5::6%eth0")] == [
        "2001:db8:1::/48",
        "2001:db8:1:200::/56",
        "2001:db8:1:234::/64",
    ]
    assert [each.name for each in networks("::ffff:192.0.2.7")] == ["192.0.2.0/24", "192.0.2.7"]
    assert [each.name for each in networks("a-socket")] == ["unknown"]
