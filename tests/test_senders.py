"""Several senders on one database: each webhook is served by one of them, and another takes over."""

import asyncio

import sqlalchemy as sa

from storekeeper.courier import Courier
from storekeeper.db import Database
from storekeeper.models import outbox, user, webhook
from storekeeper.models.outbox import Hook, Outcome
from storekeeper.sending import Sender
from tests.databases import transaction
from tests.posting import LOOPBACK, add, has_ended, now, presume_dead, sell, send, told
from tests.receiving import Receive
from tests.serving import BOUND_SECONDS


def hooks(engine: sa.Engine, sender: str) -> list[Hook]:
    with transaction(engine) as conn:
        outbox.hold(conn, sender)
    with engine.connect() as conn:
        return [hook for hook in outbox.look(conn, sender) if hook.is_ours]


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
        courier = Courier(LOOPBACK)
        await asyncio.wait_for(Sender(db, courier).run(), BOUND_SECONDS)
        courier.close()
        db.close()

    asyncio.run(run())


def test_one_that_was_taken_for_dead_changes_nothing_when_it_goes_on(engine: sa.Engine) -> None:
    add(engine, "http://127.0.0.1/")
    sell(engine)
    assert len(hooks(engine, "first")) == 1
    with transaction(engine) as conn:
        outbox.fan_out(conn, "first", 1)
        (parcel,) = outbox.due(conn, 1, [], 4)
    presume_dead(engine)
    assert len(hooks(engine, "second")) == 1
    sell(engine, price="6")
    before = told(engine), now(engine)
    with transaction(engine) as conn:
        assert not outbox.fan_out(conn, "first", 1)
        assert outbox.note(conn, "first", parcel, Outcome(410, None, 1, False, None)) is None
        outbox.let_go(conn, "first")
    assert (told(engine), now(engine)) == before
    assert hooks(engine, "first") == []
    assert len(hooks(engine, "second")) == 1


def test_one_that_ends_in_good_order_keeps_nobody_waiting(engine: sa.Engine) -> None:
    add(engine, "http://127.0.0.1/")
    assert len(hooks(engine, "first")) == 1
    with transaction(engine) as conn:
        assert not outbox.is_waiting(conn)
        outbox.let_go(conn, "first")
        assert outbox.is_waiting(conn)
    assert len(hooks(engine, "second")) == 1


def test_a_user_who_is_no_more_leaves_his_webhooks_to_the_other_owners(engine: sa.Engine) -> None:
    with transaction(engine) as conn:
        webhook.add(conn, 1, "http://shop.example/", "ikea")
        user.delete(conn, 4, 1)
    assert now(engine).user_id is None
