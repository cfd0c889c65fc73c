"""Several senders on one database: each webhook is served by one of them, and another takes over."""

import asyncio

import sqlalchemy as sa

from storekeeper.database.executor import Database
from storekeeper.models import user, webhook, webhook_queue
from storekeeper.models.webhook_queue import AttemptResult, HeldWebhook
from storekeeper.webhooks.http_client import WebhookClient
from storekeeper.webhooks.sender import WebhookSender
from tests.support.databases import transaction
from tests.support.server_process import BOUND_SECONDS
from tests.support.webhook_receiver import HANG, Receive
from tests.support.webhook_senders import LOOPBACK, add, has_ended, now, presume_dead, sell, send, told


def hooks(engine: sa.Engine, sender: str) -> list[HeldWebhook]:
    with transaction(engine) as conn:
        webhook_queue.claim(conn, sender)
    with engine.connect() as conn:
        return [hook for hook in webhook_queue.list_held(conn, sender) if hook.is_ours]


def test_of_two_senders_one_serves_and_the_other_ends(engine: sa.Engine, receive: Receive) -> None:
    receiver = receive()
    add(engine, receiver.url)
    assert len(hooks(engine, "first")) == 1
    send_nothing(engine)
    assert receiver.messages == []
    presume_dead(engine)
    sell(engine)
    send(engine, lambda: has_ended(engine) and len(receiver.messages) == 1)


def send_nothing(engine: sa.Engine) -> None:
    async def run() -> None:
        db = Database(engine.url.render_as_string(hide_password=False))
        client = WebhookClient(LOOPBACK)
        await asyncio.wait_for(WebhookSender(db, client).run(), BOUND_SECONDS)
        client.close()
        db.close()

    asyncio.run(run())


def test_one_that_was_taken_for_dead_changes_nothing_when_it_goes_on(engine: sa.Engine) -> None:
    add(engine, "http://127.0.0.1/")
    sell(engine)
    assert len(hooks(engine, "first")) == 1
    with transaction(engine) as conn:
        webhook_queue.fan_out(conn, "first", 1)
        (parcel,) = webhook_queue.due(conn, 1, [], 4)
    presume_dead(engine)
    assert len(hooks(engine, "second")) == 1
    sell(engine, price="6")
    before = told(engine), now(engine)
    with transaction(engine) as conn:
        assert not webhook_queue.fan_out(conn, "first", 1)
        assert webhook_queue.note(conn, "first", parcel, AttemptResult(410, None, 1, False, None)) is None
        webhook_queue.release(conn, "first")
    assert (told(engine), now(engine)) == before
    assert hooks(engine, "first") == []
    assert len(hooks(engine, "second")) == 1


def test_one_that_ends_in_good_order_keeps_nobody_waiting(engine: sa.Engine) -> None:
    add(engine, "http://127.0.0.1/")
    assert len(hooks(engine, "first")) == 1
    with transaction(engine) as conn:
        assert not webhook_queue.is_waiting(conn)
        webhook_queue.release(conn, "first")
        assert webhook_queue.is_waiting(conn)
    assert len(hooks(engine, "second")) == 1


def test_a_user_who_is_no_more_leaves_his_webhooks_to_the_other_owners(engine: sa.Engine) -> None:
    with transaction(engine) as conn:
        webhook.add(conn, 1, "http://shop.example/", "ikea")
        user.delete(conn, 1)
    assert now(engine).user_id is None


# Webhooks whose messages end the sender


def die(engine: sa.Engine, sender: str, *under_way: int) -> list[int]:
    """A sender has taken all that is free, and dies amid the messages of these; those that are stopped for it."""
    with transaction(engine) as conn:
        webhook_queue.claim(conn, sender)
        return webhook_queue.note_death(conn, sender, under_way)


def test_of_all_whose_messages_were_under_way_in_two_deaths_only_the_one_of_the_third_is_stopped(
    engine: sa.Engine,
) -> None:
    for number in range(4):
        add(engine, f"http://127.0.0.1/{number}")
    assert die(engine, "first", 1, 2, 3) == []
    assert die(engine, "second", 1, 2, 4) == []
    assert {hook.id for hook in hooks(engine, "third") if hook.is_suspect} == {1, 2}
    assert die(engine, "third", 2, 3, 4) == [2]
    assert [now(engine, id).is_active for id in (1, 2, 3, 4)] == [True, False, True, True]
    assert now(engine, 2).reason == "Sending its messages ended the sender 3 times."
    assert {hook.id: hook.deaths for hook in hooks(engine, "fourth")} == {1: 2, 3: 1, 4: 1}


def test_a_death_amid_no_message_is_nobodys_and_all_are_free_at_once(engine: sa.Engine) -> None:
    add(engine, "http://127.0.0.1/")
    for number in range(5):
        assert die(engine, f"sender {number}") == []
    assert [hook.deaths for hook in hooks(engine, "next")] == [0]


def test_a_message_that_was_survived_acquits(engine: sa.Engine, receive: Receive) -> None:
    receiver = receive()
    add(engine, receiver.url)
    for number in range(2):
        die(engine, f"sender {number}", 1)
    sell(engine)
    send(engine, lambda: has_ended(engine))
    assert [hook.deaths for hook in hooks(engine, "next")] == [0]


def test_a_suspects_messages_are_sent_while_no_other_suspects_are(engine: sa.Engine, receive: Receive) -> None:
    receivers = [receive(HANG), receive(HANG), receive()]
    for receiver in receivers:
        add(engine, receiver.url)
    for number in range(2):
        die(engine, f"sender {number}", 1, 2)
    sell(engine, 5)
    send(engine, lambda: has_ended(engine, 3))
    assert [len(receiver.messages) > 0 for receiver in receivers] == [True, False, True]


def test_one_that_is_made_active_again_begins_without_deaths(engine: sa.Engine) -> None:
    add(engine, "http://127.0.0.1/")
    assert [die(engine, f"sender {number}", 1) for number in range(3)] == [[], [], [1]]
    with transaction(engine) as conn:
        webhook.change(conn, None, 1, None, True)
    assert [hook.deaths for hook in hooks(engine, "next")] == [0]
    assert now(engine).reason is None
