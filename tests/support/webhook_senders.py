"""Webhooks as the tests of senders use them: one is added, something is sold, and a sender sends until it is done."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from storekeeper.concurrency.rate_limiter import DeliveryLimits
from storekeeper.database.executor import Database
from storekeeper.domain.money import PriceInput
from storekeeper.domain.webhook_url import AllowedNetworks
from storekeeper.models import item, journal, journal_feed, paging, webhook, webhook_delivery
from storekeeper.models.item_fields import Fields
from storekeeper.models.webhook import CHALLENGE, NewSecret, deliveries, webhooks
from storekeeper.models.webhook_delivery import Delivery
from storekeeper.models.webhook_queue import HEARTBEAT_TIMEOUT
from storekeeper.webhooks.http_client import UNLIMITED, WebhookClient
from storekeeper.webhooks.sender import WebhookSender
from tests.support.databases import transaction
from tests.support.server_process import BOUND_SECONDS

LOOPBACK = AllowedNetworks(["127.0.0.0/8"])
PATIENT = 3600  # seconds
AT_ONCE = 100 * (0.0,)  # attempts that follow each other without a pause


def add(engine: sa.Engine, url: str, store: str | None = "ikea") -> NewSecret:
    """A webhook of the operator's, whose receiver has agreed."""
    with transaction(engine) as conn:
        added = webhook.add(conn, None, url, store)
        agree(conn)
    return added


def agree(conn: sa.Connection) -> None:
    """As if all receivers had answered their challenges, and nobody had been asked."""
    conn.execute(sa.update(webhooks).values(nonce=None))
    conn.execute(sa.delete(deliveries).where(deliveries.c.type == CHALLENGE))


def shown(hook: NewSecret) -> str:
    """The secret that is shown."""
    assert hook.secret
    return hook.secret.value


def sell(engine: sa.Engine, count: int = 1, price: str = "5", user_id: int = 1) -> None:
    """So many changes."""
    for number in range(count):
        with transaction(engine) as conn:
            item.put(conn, user_id, 1, f"item {number}", Fields(price=PriceInput(price)))


def told(engine: sa.Engine, webhook_id: int = 1) -> list[Delivery]:
    """Oldest first."""
    with engine.connect() as conn:
        return webhook_delivery.page(conn, None, webhook_id, None, paging.PageRequest(200, "", "-id")).rows[::-1]


def now(engine: sa.Engine, webhook_id: int = 1) -> webhook.Webhook:
    with engine.connect() as conn:
        return webhook.get(conn, None, webhook_id)


def changes(engine: sa.Engine, after: int) -> list[journal_feed.Change]:
    with engine.connect() as conn:
        return journal_feed.page(conn, None, after, 200).changes


def has_ended(engine: sa.Engine, webhook_id: int = 1) -> bool:
    """Whether all changes have become deliveries, and these have come to their end."""
    with engine.connect() as conn:
        is_through = now(engine, webhook_id).cursor >= journal.last_visible_id(conn)
    return is_through and all(each.state != "pending" for each in told(engine, webhook_id))


def send(engine: sa.Engine, until: Callable[[], bool], **more: Any) -> None:
    asyncio.run(send_until(engine, until, **more))


async def send_until(
    engine: sa.Engine,
    until: Callable[[], bool],
    retries: tuple[float, ...] = AT_ONCE,
    seconds: float = PATIENT,
    limits: DeliveryLimits = UNLIMITED,
    **more: Any,
) -> None:
    db = Database(engine.url.render_as_string(hide_password=False))
    client = WebhookClient(LOOPBACK, seconds, limits=limits, **more)
    sender = WebhookSender(db, client, retries, look_seconds=0.01, limits=limits)
    work = asyncio.create_task(sender.run())
    limit = time.monotonic() + BOUND_SECONDS
    is_over = False  # as it was before each look: a sender without webhooks ends by itself, and may do so amid a look
    while not await asyncio.to_thread(until):
        assert time.monotonic() < limit, "waited too long"
        assert not is_over, work.exception()
        is_over = work.done()
        await asyncio.sleep(0.01)
    sender.end()
    await work
    client.close()
    db.close()


def presume_dead(engine: sa.Engine) -> None:
    """As if its sender had given no sign of life for too long."""
    with transaction(engine) as conn:
        conn.execute(sa.update(webhooks).values(beat_at=webhooks.c.beat_at - HEARTBEAT_TIMEOUT - 1))
