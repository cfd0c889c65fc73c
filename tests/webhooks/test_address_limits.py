"""What goes to one address is limited, whatever the number of names that lead there; what is over that waits."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine
from threading import Event, Lock
from typing import Any

import pytest
import sqlalchemy as sa

from storekeeper.concurrency.rate_limiter import DeliveryLimits
from storekeeper.models import webhook, webhook_delivery
from storekeeper.webhooks import address_limits
from storekeeper.webhooks.address_limits import AddressLimits, QueueFull
from storekeeper.webhooks.http_client import UNLIMITED, DeliveryResult, WebhookClient, network_of
from tests.support.databases import transaction
from tests.support.server_process import BOUND_SECONDS
from tests.support.webhook_receiver import Receive, Receiver
from tests.support.webhook_senders import LOOPBACK, PATIENT, add, has_ended, sell, send, told

NAMES = 60


class Clock:
    """What the pace goes by; it stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Gate:
    """Holds what comes until it is opened, and notes how much was there at once."""

    def __init__(self) -> None:
        self.is_open = Event()
        self.most = 0
        self._inside = 0
        self._lock = Lock()

    def __call__(self) -> None:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self.is_open.wait(BOUND_SECONDS)
        with self._lock:
            self._inside -= 1


async def lead_here(_host: str, port: int) -> list[Any]:
    """Whatever the name."""
    return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]


def names(receiver: Receiver, count: int = NAMES) -> list[str]:
    return [f"http://a{number}.evil.example:{receiver.port}/" for number in range(count)]


def run(
    scenario: Callable[[WebhookClient], Coroutine[Any, Any, None]], limits: DeliveryLimits = UNLIMITED, **more: Any
) -> None:
    async def in_order() -> None:
        client = WebhookClient(LOOPBACK, **({"seconds": PATIENT, "resolve": lead_here, "limits": limits} | more))
        try:
            work = asyncio.create_task(scenario(client))
            await until(work.done)
            await work
        finally:
            client.close()
            await asyncio.sleep(0)

    asyncio.run(in_order())


async def until(is_so: Callable[[], bool]) -> None:
    limit = time.monotonic() + BOUND_SECONDS
    while not is_so():
        assert time.monotonic() < limit, "waited too long"
        await asyncio.sleep(0.005)


async def post(client: WebhookClient, url: str) -> DeliveryResult:
    return await client.post(url, {"webhook-id": "msg_1"}, b"{}")


def post_all(client: WebhookClient, urls: list[str]) -> "asyncio.Future[list[DeliveryResult]]":
    return asyncio.gather(*(post(client, url) for url in urls))


def test_all_names_of_an_address_share_its_connections(receive: Receive) -> None:
    gate = Gate()
    receiver = receive(gate)

    async def scenario(client: WebhookClient) -> None:
        answers = post_all(client, names(receiver))
        await until(lambda: client.waiting == NAMES - 3 and len(receiver.messages) == 3)
        gate.is_open.set()
        assert [each.status for each in await answers] == [200] * NAMES
        assert (client.waiting, len(receiver.messages), gate.most) == (0, NAMES, 3)

    run(scenario, DeliveryLimits(1e6, 3))


def test_all_names_of_an_address_share_its_messages_a_second(receive: Receive) -> None:
    receiver, clock = receive(), Clock()

    async def scenario(client: WebhookClient) -> None:
        answers = post_all(client, names(receiver))
        for seconds, arrived in ((0, 20), (0.05, 21), (0.5, 31), (0.04, 31), (0.01, 32), (5, 52), (1, NAMES)):
            clock.now += seconds
            await until(lambda count=arrived: client.waiting == NAMES - count and len(receiver.messages) == count)  # type: ignore[misc]
        assert all(each.is_good for each in await answers)

    run(scenario, DeliveryLimits(20, 256), clock=clock)


def test_a_kept_connection_is_one_of_an_addresss_and_gives_way_to_another_names(receive: Receive) -> None:
    receiver = receive(keeps=True)

    async def scenario(client: WebhookClient) -> None:
        for url in names(receiver, 20):
            assert (await post(client, url)).is_good
        await until(lambda: receiver.connections - receiver.closed == 4)
        assert receiver.connections == 20
        assert all(each.is_good for each in await post_all(client, names(receiver, 20)[-4:]))
        assert receiver.connections == 20, "these are kept"

    run(scenario, DeliveryLimits(1e6, 4))


def test_messages_on_a_kept_connection_are_counted_as_well(receive: Receive) -> None:
    receiver, clock = receive(keeps=True), Clock()

    async def scenario(client: WebhookClient) -> None:
        async def one_after_the_other() -> None:
            for _ in range(10):
                assert (await post(client, receiver.url)).is_good

        work = asyncio.create_task(one_after_the_other())
        await until(lambda: client.waiting == 1)
        assert len(receiver.messages) == 5
        clock.now += 1
        await work
        assert (len(receiver.messages), receiver.connections) == (10, 1)

    run(scenario, DeliveryLimits(5, 256), clock=clock)


def test_another_address_waits_for_nobody(receive: Receive) -> None:
    gate = Gate()
    busy, other = receive(gate), receive(host="127.0.0.2")

    async def lead(host: str, port: int) -> list[Any]:
        address = "127.0.0.2" if host.startswith("b") else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port))]

    async def scenario(client: WebhookClient) -> None:
        answers = post_all(client, names(busy))
        await until(lambda: client.waiting == NAMES - 1)
        assert (await post(client, f"http://b.example:{other.port}/")).is_good
        assert client.waiting == NAMES - 1
        gate.is_open.set()
        await answers

    run(scenario, DeliveryLimits(1e6, 1), resolve=lead)


def test_waiting_takes_nothing_of_a_messages_time_but_has_an_end(
    receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, clock = receive(), Clock()
    monkeypatch.setattr("storekeeper.webhooks.http_client.WAIT_SECONDS", 10 * PATIENT)

    async def scenario(client: WebhookClient) -> None:
        loop = asyncio.get_running_loop()
        real, ahead = loop.time, 0.0
        monkeypatch.setattr(loop, "time", lambda: real() + ahead)
        first, second = (asyncio.create_task(post(client, url)) for url in names(receiver, 2))
        await until(lambda: client.waiting == 1)
        assert (await first).is_good
        ahead += 5 * PATIENT
        await asyncio.sleep(0.01)
        assert client.waiting == 1
        clock.now += 1
        answer = await second
        assert answer.is_good
        assert answer.ms is not None
        assert answer.ms < 1000 * PATIENT
        third = asyncio.create_task(post(client, receiver.url))
        await until(lambda: client.waiting == 1)
        ahead += 11 * PATIENT
        assert await third == DeliveryResult(None, "Too much goes to this address.", None, is_put_off=True)
        assert (client.waiting, len(receiver.messages)) == (0, 2)

    run(scenario, DeliveryLimits(1, 256), clock=clock)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("64:ff9b::c000:201", "192.0.2.1"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%lo", "fe80::/64"),
    ],
)
def test_an_address_counts_however_it_is_written_and_of_ipv6_its_64(address: str, network: str) -> None:
    assert network_of(address) == network


def test_the_address_counts_however_the_resolver_writes_it(receive: Receive) -> None:
    gate = Gate()
    receiver = receive(gate)

    async def lead(host: str, port: int) -> list[Any]:
        mapped = (socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("::ffff:127.0.0.1", port, 0, 0))
        return [mapped] if int(host[1]) % 2 else await lead_here(host, port)

    async def scenario(client: WebhookClient) -> None:
        answers = post_all(client, names(receiver, 8))
        await until(lambda: client.waiting == 6 and len(receiver.messages) == 2)
        gate.is_open.set()
        assert all(each.is_good for each in await answers)
        assert gate.most == 2

    run(scenario, DeliveryLimits(1e6, 2), resolve=lead)


# Who comes next


async def take(limits: AddressLimits, host: str, order: list[str], done: Awaitable[object]) -> None:
    async with limits.slot("address", host):
        order.append(host)
        await done


async def begin(
    limits: AddressLimits, hosts: str, order: list[str], done: Awaitable[object]
) -> list["asyncio.Task[None]"]:
    tasks = [asyncio.create_task(take(limits, host, order, done)) for host in hosts]
    await asyncio.sleep(0)
    return tasks


def test_hosts_of_one_address_take_turns() -> None:
    async def scenario() -> list[str]:
        limits, done, order = AddressLimits(DeliveryLimits(1e6, 2)), asyncio.Event(), list[str]()
        release = asyncio.ensure_future(done.wait())
        tasks = await begin(limits, "aaaaabbbc", order, asyncio.shield(release))
        assert (order, limits.waiting, limits.under_way("address")) == (["a", "a"], 7, 2)
        done.set()
        await asyncio.gather(*tasks)
        assert (limits.waiting, limits.under_way("address")) == (0, 0)
        return order

    assert "".join(asyncio.run(scenario())) == "aabcababa"


def test_of_too_many_the_one_whose_turn_is_last_is_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address_limits, "MAX_WAITING", 3)

    async def scenario() -> None:
        mine, done, order = AddressLimits(DeliveryLimits(1e6, 1)), asyncio.Event(), list[str]()
        release = asyncio.ensure_future(done.wait())
        tasks = await begin(mine, "aaaab", order, asyncio.shield(release))
        await asyncio.sleep(0)
        assert [task.done() for task in tasks] == [False, False, False, True, False]
        with pytest.raises(QueueFull):
            await tasks[3]
        done.set()
        await asyncio.gather(*tasks[:3], tasks[4])
        assert order == ["a", "b", "a", "a"]

    asyncio.run(scenario())


def test_what_is_cancelled_leaves_its_turn_to_others() -> None:
    async def scenario() -> None:
        mine, order, never = AddressLimits(DeliveryLimits(1e6, 1)), list[str](), asyncio.Event()

        async def go_first() -> None:
            async with mine.slot("address", "a"):
                await asyncio.sleep(0.01)
                second.cancel()  # it has not left the line yet when this turn ends
            third.cancel()  # it has its turn now, but does not know yet

        first = asyncio.create_task(go_first())
        await asyncio.sleep(0)
        second, third, fourth = await begin(mine, "bcd", order, never.wait())
        assert mine.waiting == 3
        await asyncio.wait([first, second, third])
        await asyncio.sleep(0)
        assert first.exception() is None
        assert (order, mine.waiting, mine.under_way("address")) == (["d"], 0, 1)
        fourth.cancel()
        await asyncio.wait([fourth])
        assert (mine.waiting, mine.under_way("address")) == (0, 0)

    asyncio.run(scenario())


# With a sender


def test_what_has_no_turn_in_time_is_sent_later_and_that_is_no_attempt(
    engine: sa.Engine, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storekeeper.webhooks.http_client.WAIT_SECONDS", 0.05)
    monkeypatch.setattr("storekeeper.webhooks.sender.REST_SECONDS", 0.05)
    gate = Gate()
    receiver = receive(gate)
    urls = names(receiver, 3)
    hooks = [add(engine, url).id for url in urls]
    sell(engine)
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[Any]:
        asked.append(host)
        return await lead_here(host, port)

    def is_through() -> bool:
        if len(asked) > 10 and not gate.is_open.is_set():  # they were put off, and have come again
            assert [each.attempts for hook in hooks for each in told(engine, hook)] == [0, 0, 0]
            gate.is_open.set()
        return all(has_ended(engine, hook) for hook in hooks)

    send(engine, is_through, limits=DeliveryLimits(1e6, 1), resolve=resolve, retries=())
    assert [(each.state, each.attempts) for hook in hooks for each in told(engine, hook)] == [("delivered", 1)] * 3
    assert gate.most == 1


def test_who_waits_at_one_address_takes_no_room_of_another(
    engine: sa.Engine, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storekeeper.webhooks.sender.MAX_CONCURRENT", 4)
    monkeypatch.setattr("storekeeper.webhooks.sender.GRACE_SECONDS", 0.05)
    gate = Gate()
    busy, other = receive(gate), receive(host="127.0.0.2")
    for url in names(busy, 20):
        add(engine, url)
    late = add(engine, f"http://127.0.0.2:{other.port}/").id
    sell(engine, 3)

    async def lead(host: str, port: int) -> list[Any]:
        return [(*(await lead_here(host, port))[0][:4], (host if host[0] == "1" else "127.0.0.1", port))]

    send(engine, lambda: has_ended(engine, late), limits=DeliveryLimits(1e6, 1), resolve=lead)
    assert (len(busy.messages), len(other.messages)) == (1, 3)
    gate.is_open.set()


def test_pings_and_challenges_wait_like_all_others(engine: sa.Engine, receive: Receive) -> None:
    receiver = receive(says=b"{}")
    *pinged, asked = names(receiver, 12)
    for url in pinged:
        add(engine, url)
    with transaction(engine) as conn:
        webhook.add(conn, None, asked, None)
        for number in range(1, 12):
            webhook_delivery.ping(conn, None, number)
    clock = Clock()

    def is_through() -> bool:
        may = 10 + round((clock.now - 1000) * 10)
        assert len(receiver.messages) <= may
        if len(receiver.messages) == may:
            clock.now += 0.1
        return may == 12 == len(receiver.messages)

    send(engine, is_through, limits=DeliveryLimits(10, 256), resolve=lead_here, clock=clock, retries=(PATIENT,))
    assert sorted(message.json["type"] for message in receiver.messages) == ["ping"] * 11 + ["webhook.challenge"]
