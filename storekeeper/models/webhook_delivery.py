"""Deliveries: what is sent to a webhook, a row for each message, with what became of it.

A message is a change, a `ping`, a `webhook.challenge`, or a `resync` where changes were forgotten before they could be
sent. It has the same id however often it is sent.
"""

import time
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import dialects, records
from storekeeper.database.records import nested
from storekeeper.errors import NotFound
from storekeeper.models import paging, webhook
from storekeeper.models.paging import Paginator
from storekeeper.models.webhook import deliveries

State = Literal["pending", "delivered", "failed"]


class Delivery(msgspec.Struct, frozen=True):
    """A message, how often it was sent, and what came of the last attempt: a status or an error, in `ms`.

    `message_id` is its `webhook-id`. Times are in seconds since 1970.
    """

    id: int
    message_id: str
    type: str
    change_id: int | None
    state: State
    attempts: int
    status: int | None
    error: str | None
    ms: int | None
    created_at: int
    tried_at: int | None
    next_at: int | None
    ended_at: int | None


class NewDelivery(msgspec.Struct, frozen=True):
    """What is to be sent: the type of the message, and the change that it tells of."""

    type: str
    change_id: int | None


def add(conn: Connection, webhook_id: int, drafts: Sequence[NewDelivery]) -> None:
    """Let these be sent now; again, those that were there already."""
    rows = [_row(webhook_id, each) for each in drafts]
    if rows:
        dialects.upsert(conn, deliveries, rows, ("webhook_id", "type", "change_id"), _anew())


def ping(conn: Connection, user_id: int | None, webhook_id: int) -> Delivery:
    """A message that only shows whether messages arrive."""
    found = webhook.get_active(conn, user_id, webhook_id)
    webhook.require_test(conn, found.id)
    insert = sa.insert(deliveries).values(_row(found.id, NewDelivery("ping", None)))
    return _get(conn, found.id, conn.scalars(insert.returning(deliveries.c.id)).one())


def replay(conn: Connection, user_id: int | None, webhook_id: int, delivery_id: int) -> Delivery:
    """Send a message again, with a new round of attempts."""
    known = _get(conn, webhook.get_active(conn, user_id, webhook_id).id, delivery_id)
    conn.execute(sa.update(deliveries).where(deliveries.c.id == known.id).values(_anew()))
    return _get(conn, webhook_id, delivery_id)


def page(
    conn: Connection, user_id: int | None, webhook_id: int, state: State | None, page_request: paging.PageRequest
) -> paging.Page[Delivery]:
    """What was sent, or is to be, newest first."""
    values = {"webhook_id": webhook.get(conn, user_id, webhook_id).id}
    if state is None:
        return _sent.fetch(conn, page_request, values)
    return _in_state.fetch(conn, page_request, values | {"state": state})


def message_id(webhook_id: int, delivery_id: int, draft: NewDelivery) -> str:
    """The same for each attempt. Of two messages of one webhook, none has that of the other."""
    if draft.change_id is None:
        return f"msg_{webhook_id}_{draft.type}_{delivery_id}"
    return f"msg_{webhook_id}_{'resync_' if draft.type == 'resync' else ''}{draft.change_id}"


def type_on_wire(type: str) -> str:
    """The column is too short for one of them."""
    return f"webhook.{type}" if type == webhook.CHALLENGE else type


def _get(conn: Connection, webhook_id: int, delivery_id: int) -> Delivery:
    is_it = sa.and_(deliveries.c.webhook_id == webhook_id, deliveries.c.id == delivery_id)
    found = records.fetch_first(conn, sa.select(deliveries).where(is_it), _delivery)
    if found is None:
        raise NotFound("delivery_not_found")
    return found


def _row(webhook_id: int, draft: NewDelivery) -> dict[str, Any]:
    anew = _anew()
    return anew | {"webhook_id": webhook_id, "created_at": anew["next_at"]} | msgspec.structs.asdict(draft)


def _anew() -> dict[str, Any]:
    """The columns of a delivery that has its attempts before it."""
    return {"state": "pending", "attempts": 0, "next_at": int(time.time()), "ended_at": None}


def _message_id(webhook_id: int, id: int, type: str, change_id: int | None) -> str:
    return message_id(webhook_id, id, NewDelivery(type, change_id))


_delivery = nested(Delivery, message_id=_message_id, type=type_on_wire)
_of_webhook = sa.select(deliveries).where(deliveries.c.webhook_id == sa.bindparam("webhook_id"))
_sent = Paginator(_of_webhook, {"id": deliveries.c.id}, _delivery)
_in_state = Paginator(
    _of_webhook.where(deliveries.c.state == sa.bindparam("state")), {"id": deliveries.c.id}, _delivery
)
