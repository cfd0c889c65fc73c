"""The sender: each receiver gets each message at least once with the same id, whatever it does, and delays no other."""

import time

import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook as Verifier

from storekeeper.models import journal, paging, store_items, store_member, webhook, webhook_delivery, webhook_queue
from storekeeper.models.webhook import deliveries
from storekeeper.models.webhook_queue import RETENTION_SECONDS
from storekeeper.webhooks.sender import OF_ONE
from tests.conftest import Clock
from tests.support.databases import transaction
from tests.support.webhook_receiver import CUT, HANG, NONSENSE, Behaviour, Receive
from tests.support.webhook_senders import PATIENT, add, changes, has_ended, now, sell, send, shown, told


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storekeeper.webhooks.sender.GRACE_SECONDS", 0.05)


def test_each_change_of_the_store_is_told_and_signed(engine: sa.Engine, receive: Receive) -> None:
    receiver, everything = receive(), receive()
    hook, _ = add(engine, receiver.url), add(engine, everything.url, None)
    sell(engine, 3)
    with transaction(engine) as conn:
        store_member.create_store(conn, 1, "other", "EUR")
    send(engine, lambda: has_ended(engine, 1) and has_ended(engine, 2))
    known = {f"msg_1_{each.id}": each for each in changes(engine, hook.cursor)}
    assert len(receiver.messages) == len(known) - 1 == 3
    assert sorted(everything.ids) == sorted(id.replace("msg_1_", "msg_2_") for id in known)
    for message in receiver.messages:
        change = known[message.id]
        Verifier(shown(hook)).verify(message.body, message.headers)
        assert message.json["type"] == "item.create"
        assert message.json["data"]["after"]["name"] == f"item {change.id - hook.cursor - 1}"
        assert message.json["data"]["id"] == change.id
        assert b'"price":5.00' in message.body
    (ended,) = [each for each in told(engine) if each.message_id == receiver.ids[0]]
    assert (ended.state, ended.attempts, ended.status, ended.error) == ("delivered", 1, 200, None)
    assert ended.ms is not None
    assert now(engine).is_active


@pytest.mark.parametrize(
    "behaviours",
    [
        (500, 503, 429, 404, 200),
        (HANG, HANG, 200),
        (CUT, NONSENSE, CUT, 200),
        (302, 307, 200),
        (500, HANG, CUT, 301, 204),
    ],
)
def test_whatever_a_receiver_does_it_gets_each_message_with_the_same_id(
    engine: sa.Engine, receive: Receive, behaviours: tuple[Behaviour, ...]
) -> None:
    elsewhere = receive()
    receiver = receive(*behaviours, location=elsewhere.url)
    hook = add(engine, receiver.url)
    sell(engine, 5)
    send(engine, lambda: has_ended(engine), seconds=0.3)
    expected = {f"msg_{hook.id}_{each.id}" for each in changes(engine, hook.cursor)}
    assert set(receiver.ids) == expected
    assert {each.message_id: each.state for each in told(engine)} == dict.fromkeys(expected, "delivered")
    assert sum(each.attempts for each in told(engine)) >= 5 + len(behaviours) - 1
    bodies = {(message.id, message.body) for message in receiver.messages}
    assert len(bodies) == 5, "a message differs from one attempt to the next"
    assert elsewhere.messages == []


def test_one_that_hangs_delays_no_other(engine: sa.Engine, receive: Receive) -> None:
    slow, quick = receive(HANG), receive()
    add(engine, slow.url)
    add(engine, quick.url)
    sell(engine, 30)
    send(engine, lambda: has_ended(engine, 2) and len(slow.messages) == OF_ONE)
    assert len(quick.messages) == len(set(quick.ids)) == 30
    assert len(slow.messages) == OF_ONE
    assert {each.state for each in told(engine, 1)} == {"pending"}


def test_a_name_that_is_none_delays_no_other(engine: sa.Engine, receive: Receive) -> None:
    quick = receive()
    add(engine, f"http://{'a' * 64}.example/")
    add(engine, quick.url)
    sell(engine, 10)
    send(engine, lambda: has_ended(engine, 2) and told(engine, 1)[-1].attempts > 0, retries=(PATIENT,))
    assert len(quick.messages) == 10
    assert told(engine, 1)[0].error == "The host has no address that may be reached."


def test_attempts_are_made_later_and_later(engine: sa.Engine, receive: Receive, clock: Clock) -> None:
    receiver = receive(500)
    add(engine, receiver.url)
    sell(engine)
    retries = (5.0, 300.0)
    for attempt, seconds in enumerate(retries, 1):
        send(engine, lambda attempt=attempt: told(engine) and told(engine)[0].attempts == attempt, retries=retries)
        (waiting,) = told(engine)
        assert waiting.next_at is not None
        assert 0.8 * seconds - 1 <= waiting.next_at - clock.now <= 1.2 * seconds + 1
        clock.now = waiting.next_at + 1
    send(engine, lambda: not now(engine).is_active, retries=retries)
    (failed,) = told(engine)
    assert (failed.state, failed.attempts, failed.status, failed.next_at) == ("failed", 3, 500, None)
    assert len(receiver.messages) == 3


def test_one_that_fails_for_good_is_stopped_and_misses_nothing_when_it_goes_on(
    engine: sa.Engine, receive: Receive
) -> None:
    receiver = receive(*[500] * 3, 200)
    add(engine, receiver.url)
    sell(engine)
    send(engine, lambda: not now(engine).is_active, retries=(0, 0))
    assert "All attempts" in (now(engine).reason or "")
    assert told(engine)[0].state == "failed"
    sell(engine, 3, price="6")
    with transaction(engine) as conn:
        webhook.change(conn, None, 1, None, True)
    send(engine, lambda: has_ended(engine) and len(told(engine)) == 4)
    assert len(set(receiver.ids)) == 4
    assert (now(engine).is_active, now(engine).reason) == (True, None)


def test_one_message_that_is_never_taken_stops_no_other(engine: sa.Engine, receive: Receive) -> None:
    receiver = receive(500, 500, 200)
    add(engine, receiver.url)
    sell(engine)
    send(engine, lambda: bool(told(engine)) and told(engine)[0].attempts == 2, retries=(0, PATIENT))
    sell(engine, 2, price="6")
    send(engine, lambda: [each.state for each in told(engine)][1:] == 2 * ["delivered"], retries=(0, PATIENT))
    with transaction(engine) as conn:
        conn.execute(sa.update(deliveries).where(deliveries.c.next_at.is_not(None)).values(next_at=0))
    receiver.behaviours = iter([500])
    send(engine, lambda: has_ended(engine), retries=(0, 0))
    assert told(engine)[0].state == "failed"
    assert now(engine).is_active


def test_410_stops_it(engine: sa.Engine, receive: Receive) -> None:
    receiver = receive(410)
    add(engine, receiver.url)
    sell(engine)
    send(engine, lambda: not now(engine).is_active)
    assert now(engine).reason == "Its receiver answered 410: it wants no more."
    assert [(each.state, each.attempts, each.status) for each in told(engine)] == [("failed", 1, 410)]


def test_both_secrets_are_good_for_a_day(engine: sa.Engine, receive: Receive, clock: Clock) -> None:
    receiver = receive()
    old = shown(add(engine, receiver.url))
    with transaction(engine) as conn:
        new = shown(webhook.rotate(conn, None, 1))
    sell(engine)
    send(engine, lambda: has_ended(engine) and len(receiver.messages) == 1)
    clock.now += 86_401
    sell(engine, price="6")
    send(engine, lambda: has_ended(engine) and len(receiver.messages) == 2)
    first, second = [message.headers["webhook-signature"].split() for message in receiver.messages]
    assert (len(first), len(second)) == (2, 1)
    assert old != new
    for secret in (old, new):
        Verifier(secret).verify(receiver.messages[0].body, receiver.messages[0].headers)


def test_what_was_forgotten_is_told_as_one_resync(engine: sa.Engine, receive: Receive) -> None:
    receiver = receive()
    add(engine, receiver.url)
    sell(engine, 5)
    with transaction(engine) as conn:
        journal.forget(conn, int(time.time()) + 10)
        cursor = journal.last_visible_id(conn)
    send(engine, lambda: has_ended(engine) and len(told(engine)) == 1)
    sell(engine, price="6")
    send(engine, lambda: has_ended(engine) and len(told(engine)) == 2)
    resync, update = receiver.messages
    assert (resync.id, resync.json["type"], resync.json["data"]) == (
        f"msg_1_resync_{cursor}",
        "resync",
        {"cursor": cursor},
    )
    assert update.json["type"] == "item.update"


def test_what_is_forgotten_while_it_waits_is_a_resync_too(engine: sa.Engine, receive: Receive) -> None:
    receiver = receive()
    hook = add(engine, receiver.url)
    sell(engine)
    with transaction(engine) as conn:
        webhook_queue.claim(conn, "other")
        webhook_queue.fan_out(conn, "other", 1)
        webhook_queue.release(conn, "other")
        journal.forget(conn, int(time.time()) + 10)
    send(engine, lambda: has_ended(engine) and len(receiver.messages) == 1)
    (message,) = receiver.messages
    assert (message.id, message.json["type"]) == (f"msg_1_{hook.cursor + 1}", "resync")
    assert message.json["data"] == {"cursor": hook.cursor + 1}


def test_what_is_replayed_has_the_same_ids(engine: sa.Engine, receive: Receive) -> None:
    receiver = receive()
    hook = add(engine, receiver.url)
    sell(engine, 4)
    send(engine, lambda: has_ended(engine) and len(receiver.messages) == 4)
    with transaction(engine) as conn:
        webhook.go_back(conn, None, 1, hook.cursor + 2)
        webhook_delivery.replay(conn, None, 1, told(engine)[0].id)
    send(engine, lambda: has_ended(engine) and len(receiver.messages) == 7)
    assert set(receiver.ids[4:]) == {f"msg_1_{hook.cursor + number}" for number in (1, 3, 4)}
    assert len(told(engine)) == 4


def test_no_more_wait_than_may_and_the_others_wait_in_the_journal(
    engine: sa.Engine, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storekeeper.models.webhook_queue.MAX_PENDING", 6)
    monkeypatch.setattr("storekeeper.models.webhook_queue.FANNED_OUT", 2)
    receiver = receive()
    add(engine, receiver.url)
    sell(engine, 20)
    with transaction(engine) as conn:
        webhook_queue.claim(conn, "other")
        while webhook_queue.fan_out(conn, "other", 1):
            pass
        webhook_queue.release(conn, "other")
    assert len(told(engine)) == 6
    send(engine, lambda: has_ended(engine) and len(receiver.messages) == 20)
    assert len(set(receiver.ids)) == 20


def test_a_store_tells_of_its_end_and_its_webhook_goes_with_it(engine: sa.Engine, receive: Receive) -> None:
    receiver = receive()
    add(engine, receiver.url)
    with transaction(engine) as conn:
        store_items.delete_store(conn, 1, "ikea", True)
    send(engine, lambda: len(receiver.messages) == 2 and has_ended(engine))
    assert sorted(message.json["type"] for message in receiver.messages) == ["item.delete", "store.delete"]
    with transaction(engine) as conn:
        webhook_queue.sweep(conn)
        assert webhook.page(conn, None, paging.PageRequest()).rows == []


def test_what_ended_long_ago_is_forgotten(engine: sa.Engine, receive: Receive) -> None:
    add(engine, receive().url)
    sell(engine, 2)
    send(engine, lambda: has_ended(engine) and len(told(engine)) == 2)
    with transaction(engine) as conn:
        old = sa.update(deliveries).where(deliveries.c.id == told(engine)[0].id)
        conn.execute(old.values(ended_at=deliveries.c.ended_at - RETENTION_SECONDS - 1))
        webhook_queue.sweep(conn)
    assert len(told(engine)) == 1
