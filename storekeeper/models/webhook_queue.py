"""Webhooks as their senders see them: which to serve, what has to be sent, and what came of it.

A webhook is served by the sender that has taken it, for as long as that one gives signs of life. Every step says whose
it is, so one that was taken for dead and goes on cannot undo what another has done.
"""

import time
from collections.abc import Collection
from http import HTTPStatus
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import dialects, records
from storekeeper.errors import ResyncRequired
from storekeeper.models import journal_feed, webhook, webhook_delivery
from storekeeper.models.journal_feed import Change
from storekeeper.models.store import stores
from storekeeper.models.webhook import CHALLENGE, deliveries, is_entitled, is_orphaned, webhooks
from storekeeper.models.webhook_delivery import NewDelivery

HEARTBEAT_TIMEOUT = 30  # seconds without a sign of life
RETENTION_SECONDS = 7 * 86_400  # that deliveries are remembered for after their end
SWEEP_BATCH_SIZE = 1000
FANNED_OUT = 200  # changes at once
MAX_DEATHS = 3  # of senders at one webhook's messages, none of which was survived
MAX_PENDING = 10_000  # deliveries of one webhook: what comes after waits in the journal

_HOST = sa.func.coalesce(webhooks.c.host, webhooks.c.url)


class HeldWebhook(msgspec.Struct, frozen=True):
    """A webhook that is to be served: by this sender, or by nobody yet. `secrets` are those to sign with.

    Nothing is sent to one that `is_orphaned`: its owner may not have these changes sent any more. To one with a `nonce`
    only the challenge, until its receiver says that. `host` is one text for each host, however URLs write it.
    """

    id: int
    url: str
    secrets: tuple[str, ...]
    cursor: int
    is_ours: bool
    is_orphaned: bool
    host: str
    nonce: str | None
    deaths: int = 0  # of senders that were at its messages

    @property
    def is_suspect(self) -> bool:
        """Whether one more death would stop it: its messages are sent while no other suspect's are."""
        return self.deaths >= MAX_DEATHS - 1


class DueDelivery(msgspec.Struct, frozen=True):
    """A delivery that is due. `attempts` are those before this one; no change is for a ping or a resync.

    `nonce` is what the receiver of a challenge has to say.
    """

    id: int
    webhook_id: int
    message_id: str
    type: str
    attempts: int
    created_at: int
    cursor: int | None
    change: Change | None
    nonce: str | None = None

    @property
    def is_challenge(self) -> bool:
        return self.type == webhook_delivery.type_on_wire(CHALLENGE)


class _WebhookRow(NamedTuple):
    id: int
    url: str
    secret: str
    old_secret: str | None
    old_until: int | None
    cursor: int
    sender: str | None
    is_orphaned: bool
    host_key: str
    nonce: str | None
    deaths: int


class _DeliveryRow(NamedTuple):
    """A row of a delivery, with the nonce of its webhook."""

    id: int
    webhook_id: int
    type: str
    change_id: int | None
    attempts: int
    created_at: int
    nonce: str | None


class _Cursor(NamedTuple):
    """Up to where the changes of a store, or of all, have become deliveries."""

    store_id: int | None
    cursor: int


class AttemptResult(msgspec.Struct, frozen=True):
    """What came of an attempt. `again_at` is when to try again; None for never."""

    status: int | None
    error: str | None
    ms: int | None
    is_good: bool
    again_at: int | None


def _is_free() -> sa.ColumnElement[bool]:
    return sa.and_(webhooks.c.is_active, webhooks.c.beat_at < time.time() - HEARTBEAT_TIMEOUT)


def _is_free_for(sender: str) -> sa.ColumnElement[bool]:
    """Free, and of a host to which no other sender sends: one alone can tell how much goes there."""
    other = webhooks.alias()
    is_elsewhere = sa.and_(
        other.c.is_active, other.c.sender != sender, other.c.beat_at >= time.time() - HEARTBEAT_TIMEOUT
    )
    hosts = sa.select(sa.func.coalesce(other.c.host, other.c.url)).where(is_elsewhere)
    return sa.and_(_is_free(), _HOST.not_in(hosts))


def _is_of(sender: str, webhook_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(webhooks.c.id == webhook_id, webhooks.c.sender == sender, webhooks.c.is_active)


def is_waiting(conn: Connection) -> bool:
    """Whether there is a webhook that nobody serves."""
    return conn.execute(sa.select(webhooks.c.id).where(_is_free()).limit(1)).first() is not None


def list_held(conn: Connection, sender: str) -> list[HeldWebhook]:
    """Those that the sender serves, or may take."""
    is_ours = sa.and_(webhooks.c.is_active, webhooks.c.sender == sender)
    query = sa.select(webhooks, is_orphaned, _HOST.label("host_key"))
    query = query.where(sa.or_(is_ours, _is_free_for(sender))).order_by(webhooks.c.id)
    now = time.time()
    return [_held(row, sender, now) for row in records.fetch_all(conn, query, _WebhookRow)]


def pause_orphaned(conn: Connection, sender: str) -> dict[int, str]:
    """Pause what this sender serves, or might, for owners who have no right to it any more; why, by their ids."""
    return webhook.pause_orphaned(conn, sa.or_(webhooks.c.sender == sender, _is_free()))


def claim(conn: Connection, sender: str) -> None:
    """A sign of life; and take those that are free."""
    dialects.serialize(conn, "the hosts of webhooks")
    is_ours = sa.and_(webhooks.c.is_active, webhooks.c.sender == sender)
    mine = sa.select(webhooks.c.id).where(sa.or_(is_ours, _is_free_for(sender))).with_for_update(skip_locked=True)
    ids = conn.scalars(mine).all()
    conn.execute(sa.update(webhooks).where(webhooks.c.id.in_(ids)).values(sender=sender, beat_at=int(time.time())))


def release(conn: Connection, sender: str) -> None:
    """At the sender's end: another need not wait for its death."""
    conn.execute(sa.update(webhooks).where(webhooks.c.sender == sender).values(sender=None, beat_at=0))


def note_death(conn: Connection, sender: str, under_way: Collection[int]) -> list[int]:
    """A sender died amid the messages of some webhooks. Frees what it held; the ids of those that are stopped for it.

    Nobody knows which of them it was. Where there is a suspect among them, that one: see `HeldWebhook.is_suspect`.
    """
    held = sa.and_(webhooks.c.sender == sender, webhooks.c.is_active)
    rows = conn.execute(sa.select(webhooks.c.id, webhooks.c.deaths).where(held, webhooks.c.id.in_(under_way))).all()
    suspects: list[int] = [id for id, deaths in rows if deaths >= MAX_DEATHS - 1]
    counted = suspects or [id for id, _ in rows]
    conn.execute(sa.update(webhooks).where(webhooks.c.id.in_(counted)).values(deaths=webhooks.c.deaths + 1))
    reason = f"Sending its messages ended the sender {MAX_DEATHS} times."
    stopped = {"is_active": False, "reason": reason}
    conn.execute(sa.update(webhooks).where(webhooks.c.id.in_(suspects)).values(stopped))
    release(conn, sender)
    return suspects


def clear_deaths(conn: Connection, sender: str, webhook_id: int) -> None:
    """The sender has survived a message of the webhook."""
    conn.execute(sa.update(webhooks).where(_is_of(sender, webhook_id)).values(deaths=0))


def fan_out(conn: Connection, sender: str, webhook_id: int) -> bool:
    """Make deliveries of what comes after a webhook's cursor, and move that; whether there may be more.

    Where changes after it are forgotten, a `resync` stands for all of them.
    """
    may_send = sa.and_(_is_of(sender, webhook_id), is_entitled, webhooks.c.nonce.is_(None))
    ours = sa.select(webhooks.c.cursor, webhooks.c.store_id).where(may_send)
    hook = records.fetch_first(conn, ours.with_for_update(), _Cursor)
    if hook is None or _is_full(conn, webhook_id):
        return False
    try:
        found = journal_feed.page(conn, hook.store_id, hook.cursor, FANNED_OUT)
        drafts, cursor = [NewDelivery(f"{each.kind}.{each.action}", each.id) for each in found.changes], found.cursor
    except ResyncRequired as error:
        drafts, cursor = [NewDelivery("resync", error.cursor)], error.cursor
    webhook_delivery.add(conn, webhook_id, drafts)
    if cursor != hook.cursor:
        conn.execute(sa.update(webhooks).where(webhooks.c.id == webhook_id).values(cursor=cursor))
    return len(drafts) == FANNED_OUT


def _is_full(conn: Connection, webhook_id: int) -> bool:
    waits = sa.and_(deliveries.c.webhook_id == webhook_id, deliveries.c.next_at.is_not(None))
    return conn.execute(sa.select(deliveries.c.id).where(waits).offset(MAX_PENDING - 1).limit(1)).first() is not None


def due(conn: Connection, webhook_id: int, under_way: Collection[int], limit: int) -> list[DueDelivery]:
    """What a webhook is to be sent now, first what has waited longest, without what is under way.

    Nothing, if its owner has lost the right to it since it was looked at.
    """
    waits = sa.and_(deliveries.c.webhook_id == webhook_id, deliveries.c.next_at <= int(time.time()))
    # A challenge while that is not answered, and nothing else meanwhile.
    fits = (deliveries.c.type == CHALLENGE) == webhooks.c.nonce.is_not(None)
    may_send = sa.and_(webhooks.c.id == webhook_id, webhooks.c.is_active, is_entitled, fits)
    query = sa.select(deliveries, webhooks.c.nonce).join(webhooks, webhooks.c.id == deliveries.c.webhook_id)
    query = query.where(waits, deliveries.c.id.not_in(under_way), may_send)
    query = query.order_by(deliveries.c.next_at, deliveries.c.id).limit(limit)
    rows = records.fetch_all(conn, query, _DeliveryRow)
    known = journal_feed.get_many(
        conn, [row.change_id for row in rows if row.change_id is not None and row.type != "resync"]
    )
    return [_due_delivery(row, None if row.change_id is None else known.get(row.change_id)) for row in rows]


def note(conn: Connection, sender: str, delivery: DueDelivery, outcome: AttemptResult) -> str | None:
    """Write down what came of an attempt; why the webhook becomes inactive, if it does.

    Nothing is written where the webhook is another sender's now, which will see for itself.
    """
    now = int(time.time())
    values = {"attempts": delivery.attempts + 1, "status": outcome.status, "error": outcome.error, "ms": outcome.ms}
    values |= {"tried_at": now, "next_at": outcome.again_at}
    if outcome.again_at is None:
        values |= {"state": "delivered" if outcome.is_good else "failed", "ended_at": now}
    ours = sa.select(webhooks.c.id).where(_is_of(sender, delivery.webhook_id))
    is_it = sa.and_(deliveries.c.id == delivery.id, deliveries.c.webhook_id.in_(ours))
    if not conn.execute(sa.update(deliveries).where(is_it).values(values)).rowcount:
        return None
    if delivery.nonce and outcome.is_good:
        webhook.settle(conn, delivery.webhook_id, delivery.nonce)
    reason = _reason_to_stop(conn, delivery, outcome)
    if reason:
        stopped = sa.update(webhooks).where(webhooks.c.id == delivery.webhook_id)
        conn.execute(stopped.values(is_active=False, reason=reason))
    return reason


def _reason_to_stop(conn: Connection, delivery: DueDelivery, outcome: AttemptResult) -> str | None:
    if outcome.status == HTTPStatus.GONE:
        return "Its receiver answered 410: it wants no more."
    if delivery.is_challenge and not outcome.is_good and outcome.again_at is None:
        return "Its receiver has not answered the challenge."
    if (
        outcome.is_good
        or outcome.again_at is not None
        or _has_succeeded(conn, delivery.webhook_id, delivery.created_at)
    ):
        return None
    return "All attempts to deliver a message have failed, and no other message has arrived meanwhile."


def _has_succeeded(conn: Connection, webhook_id: int, since: int) -> bool:
    """Whether a delivery has arrived since then."""
    arrived = sa.and_(deliveries.c.webhook_id == webhook_id, deliveries.c.state == "delivered")
    query = sa.select(deliveries.c.id).where(arrived, deliveries.c.ended_at >= since).limit(1)
    return conn.execute(query).first() is not None


def sweep(conn: Connection) -> None:
    """Forget deliveries that ended long ago; and webhooks of stores that are no more, once they have told of it."""
    old = (
        sa.select(deliveries.c.id)
        .where(deliveries.c.ended_at < time.time() - RETENTION_SECONDS)
        .limit(SWEEP_BATCH_SIZE)
    )
    conn.execute(sa.delete(deliveries).where(deliveries.c.id.in_(old)))
    is_of_none = sa.and_(webhooks.c.store_id.is_not(None), webhooks.c.store_id.not_in(sa.select(stores.c.id)))
    has_told = webhooks.c.id.in_(sa.select(deliveries.c.webhook_id).where(deliveries.c.type == "store.delete"))
    waits = webhooks.c.id.in_(sa.select(deliveries.c.webhook_id).where(deliveries.c.next_at.is_not(None)))
    is_done = sa.or_(sa.not_(webhooks.c.is_active), sa.and_(has_told, sa.not_(waits)))
    conn.execute(sa.delete(webhooks).where(is_of_none, is_done))


def _held(row: _WebhookRow, sender: str, now: float) -> HeldWebhook:
    return HeldWebhook(
        id=row.id,
        url=row.url,
        secrets=_secrets(row, now),
        cursor=row.cursor,
        is_ours=row.sender == sender,
        is_orphaned=row.is_orphaned,
        host=row.host_key,
        nonce=row.nonce,
        deaths=row.deaths,
    )


def _secrets(row: _WebhookRow, now: float) -> tuple[str, ...]:
    if row.old_secret is not None and row.old_until is not None and row.old_until > now:
        return row.secret, row.old_secret
    return (row.secret,)


def _due_delivery(row: _DeliveryRow, change: Change | None) -> DueDelivery:
    """A change that was forgotten while it waited has become a resync."""
    draft = NewDelivery(row.type, row.change_id)
    id = webhook_delivery.message_id(row.webhook_id, row.id, draft)
    is_lost = row.change_id is not None and change is None
    type = "resync" if is_lost else webhook_delivery.type_on_wire(row.type)
    nonce = row.nonce if row.type == CHALLENGE else None
    return DueDelivery(row.id, row.webhook_id, id, type, row.attempts, row.created_at, row.change_id, change, nonce)
