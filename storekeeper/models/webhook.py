"""Webhooks: URLs that are told of changes, of one store or of all. Who may see and change them, and their secrets.

A row for each, and one for each message to it: what `webhook_delivery` and `webhook_queue` do is done with these.
"""

import hmac
import time
from contextlib import suppress
from functools import cache
from secrets import token_hex
from typing import Annotated, Any, Literal

import msgspec
import sqlalchemy as sa
from msgspec import Meta
from sqlalchemy import Connection

from storekeeper.database import dialects, records
from storekeeper.database.engine import Id, metadata
from storekeeper.database.records import nested
from storekeeper.domain import webhook_url
from storekeeper.errors import (
    Forbidden,
    Invalid,
    NotFound,
    TooManyTests,
    TooManyWebhooks,
    WebhookInactive,
    WebhookOrphaned,
    WebhookPending,
)
from storekeeper.messages import ErrorMessage
from storekeeper.models import journal, journal_feed, paging, store, store_member, user
from storekeeper.models.paging import Paginator
from storekeeper.models.store import stores
from storekeeper.models.store_member import members
from storekeeper.models.user import users
from storekeeper.security import webhook_signatures
from storekeeper.security.secret import Secret

OwnerKind = Literal["user", "operator"]

State = Literal["active", "paused", "pending", "orphaned"]

MAX_OF_USER = 20
MAX_OF_STORE = 20
MAX_TESTS = 6  # pings and challenges of one webhook that are asked for within
TEST_SECONDS = 60
NONCE_BYTES = 16
CHALLENGE = "challenge"  # the type in `deliveries`; on the wire it is `webhook.challenge`
OLD_SECONDS = 86_400  # that a secret is good for after it was replaced

webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("url", sa.String, nullable=False),
    sa.Column("store_id", sa.BigInteger),  # no foreign key: it outlives the store, to tell of its end
    sa.Column(
        "user_id", sa.ForeignKey("users.id", ondelete="SET NULL"), index=True
    ),  # none: the operator, or a user who is no more
    sa.Column("secret", sa.String, nullable=False),
    sa.Column("old_secret", sa.String),
    sa.Column("old_until", sa.BigInteger),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("reason", sa.String),
    sa.Column("cursor", sa.BigInteger, nullable=False),
    sa.Column("sender", sa.String),
    sa.Column("beat_at", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    # The default is the one of which nothing can be sent without a user: a row of an older release may lack it.
    sa.Column("owner_kind", sa.String(8), nullable=False, server_default="user"),
    sa.Column("deaths", sa.Integer, nullable=False, server_default="0"),  # of senders, since one survived a message
    sa.Column("host", sa.String),  # endpoint.host_key of the URL's; none in rows of an older release
    sa.Column("nonce", sa.String),  # what the receiver has to say before anything is sent; none: it has said it
    sqlite_autoincrement=True,
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("webhook_id", sa.ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    sa.Column("type", sa.String(16), nullable=False),
    sa.Column("change_id", sa.BigInteger),  # of a resync, the cursor; of a ping, none
    sa.Column("state", sa.String(9), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("error", sa.String),
    sa.Column("ms", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("tried_at", sa.BigInteger),
    sa.Column("next_at", sa.BigInteger),  # none: it has ended
    sa.Column("ended_at", sa.BigInteger, index=True),
    sa.UniqueConstraint("webhook_id", "type", "change_id"),
    sa.Index("ix_deliveries_webhook_id_id", "webhook_id", "id"),
    sa.Index("ix_deliveries_webhook_id_next_at", "webhook_id", "next_at"),
    sqlite_autoincrement=True,
)

_owns_store = (
    sa.exists()
    .where(
        members.c.store_id == webhooks.c.store_id,
        members.c.user_id == webhooks.c.user_id,
        members.c.role == "owner",
    )
    .correlate_except(members)
)
# With a store its members are gone: whoever had no right by then was paused before, by `pause_orphaned`.
_store_is_gone = sa.and_(
    webhooks.c.store_id.is_not(None),
    sa.not_(sa.exists().where(stores.c.id == webhooks.c.store_id).correlate_except(stores)),
)
_is_of_entitled_user = (
    sa.exists()
    .where(users.c.id == webhooks.c.user_id, users.c.is_active, sa.or_(users.c.is_admin, _owns_store, _store_is_gone))
    .correlate_except(users)
)
# Whether the owner may still have these changes sent. Asked whenever messages are made or sent, so that it does not
# matter how a right was lost.
is_entitled = sa.or_(webhooks.c.owner_kind == "operator", _is_of_entitled_user)
is_orphaned = sa.type_coerce(sa.not_(is_entitled), sa.Boolean).label("is_orphaned")
_state = sa.case(
    (sa.not_(is_entitled), "orphaned"),
    (sa.not_(webhooks.c.is_active), "paused"),
    (webhooks.c.nonce.is_not(None), "pending"),
    else_="active",
).label("state")

_shown = (
    webhooks.c.id,
    webhooks.c.url,
    stores.c.name.label("store"),
    webhooks.c.store_id,
    webhooks.c.user_id,
    webhooks.c.owner_kind,
    _state,
    webhooks.c.is_active,
    webhooks.c.reason,
    webhooks.c.cursor,
    webhooks.c.created_at,
    users.c.is_active.label("owner_is_active"),
)
_listed = (
    sa.select(*_shown)
    .outerjoin(stores, stores.c.id == webhooks.c.store_id)
    .outerjoin(users, users.c.id == webhooks.c.user_id)
)
_owned = sa.select(members.c.store_id).where(members.c.user_id == sa.bindparam("owner_id"), members.c.role == "owner")
_CONDITIONS = {
    "store_id": webhooks.c.store_id == sa.bindparam("store_id"),
    "owner_id": webhooks.c.store_id.in_(_owned),
}


class Webhook(msgspec.Struct, frozen=True):
    """Of one store, or without one of all. `cursor` is up to where changes have become deliveries.

    It belongs to the operator, or to the user who added it or took it over; without `user_id`, to one who is no more.
    Its `state` is `pending` until its receiver has answered a challenge, and `orphaned` when its owner may not have
    these changes sent any more: then it waits to be taken over. It is `active` in no other state.
    `reason` is why it was made inactive, where that was not by hand.
    """

    id: int
    url: str
    store: str | None
    store_id: int | None
    user_id: int | None
    owner_kind: OwnerKind
    state: State
    is_active: bool
    reason: str | None
    cursor: int
    created_at: int


def _why_orphaned(user_id: int | None, owner_is_active: bool | None, store_id: int | None) -> str:
    if user_id is None:
        reason = "The account of its owner was deleted."
    elif not owner_is_active:
        reason = "Its owner's account was deactivated."
    elif store_id is None:
        reason = "Its owner is no longer an administrator."
    else:
        reason = "Its owner no longer owns the store."
    return f"{reason} It pauses until somebody takes it over."


def _with_state(stored: Webhook, owner_is_active: bool | None) -> Webhook:
    """An orphaned one sends nothing, also before a sender has come by to write that down."""
    reason = stored.reason
    if stored.state == "orphaned" and reason is None:
        reason = _why_orphaned(stored.user_id, owner_is_active, stored.store_id)
    return msgspec.structs.replace(stored, is_active=stored.state == "active", reason=reason)


_webhook = nested(_with_state, stored=Webhook)


class _Orphan(msgspec.Struct, frozen=True):
    id: int
    reason: str


_orphan = nested(_Orphan, reason=_why_orphaned)


class NewSecret(Webhook, frozen=True):
    """A webhook, with its secret: this is the only time that it is shown."""

    secret: Annotated[
        Secret | None,
        Meta(description="Shown once: it is `null` where the answer is repeated for an `Idempotency-Key`."),
    ]


def add(conn: Connection, user_id: int | None, url: str, store_ref: int | str | None) -> NewSecret:
    """A webhook for what changes from now on, in a store that the user owns; or in all, for administrators.

    Forbidden for all others. Without a user it is the operator's. It is pending.
    """
    of_store = _require_right(conn, user_id, store_ref)
    if user_id is not None:
        _require_room(conn, "user_id", user_id, MAX_OF_USER)
        _require_room(conn, "store_id", of_store.id if of_store else None, MAX_OF_STORE)
    values = {
        **_leading_to(url),
        "store_id": of_store.id if of_store else None,
        **_owned_by(user_id),
        "secret": webhook_signatures.new_secret(),
        "is_active": True,
        "cursor": journal.last_visible_id(conn),
        "beat_at": 0,
        "created_at": int(time.time()),
    }
    id = conn.scalars(sa.insert(webhooks).values(values).returning(webhooks.c.id)).one()
    _challenge(conn, id)
    return _with_secret(conn, id)


def get(conn: Connection, user_id: int | None, webhook_id: int) -> Webhook:
    """A webhook, for whoever might have added it. For all others there is none."""
    found = records.fetch_first(conn, _listed.where(webhooks.c.id == webhook_id), _webhook)
    if found is None or not _may_see(conn, user_id, found.store_id):
        raise NotFound("webhook_not_found")
    return found


def get_active(conn: Connection, user_id: int | None, webhook_id: int) -> Webhook:
    """WebhookInactive, or WebhookPending, for one that sends nothing."""
    found = get(conn, user_id, webhook_id)
    if found.state == "pending":
        raise WebhookPending
    if not found.is_active:
        raise WebhookInactive
    return found


def page(
    conn: Connection, user_id: int | None, page_request: paging.PageRequest, store_id: int | None = None
) -> paging.Page[Webhook]:
    """Those that the user may see: all, or those of one store."""
    values = {} if store_id is None else {"store_id": store_id}
    if user_id is not None and not user.get(conn, user_id).is_admin:
        values["owner_id"] = user_id
    return _pages(tuple(values)).fetch(conn, page_request, values)


@cache
def _pages(names: tuple[str, ...]) -> Paginator[Webhook]:
    return Paginator(_listed.where(*(_CONDITIONS[name] for name in names)), {"id": webhooks.c.id}, _webhook)


def change(conn: Connection, user_id: int | None, webhook_id: int, url: str | None, is_active: bool | None) -> Webhook:
    """Change what is not None. One that becomes active goes on where it stood, and tries at once what has failed.

    It is pending once it leads to another host or port. WebhookOrphaned for one that has to be taken over first.
    """
    known = get(conn, user_id, webhook_id)
    if is_active and known.state == "orphaned":
        raise WebhookOrphaned
    values = _led_to(known, url)
    if is_active is not None:
        values |= {"is_active": is_active, "reason": None, "deaths": 0}
    if values:
        conn.execute(sa.update(webhooks).where(webhooks.c.id == webhook_id).values(values))
    if is_active and not known.is_active:
        _retry_at_once(conn, webhook_id)
    if is_active or "nonce" in values:
        _challenge(conn, webhook_id)
    return get(conn, user_id, webhook_id)


def _led_to(known: Webhook, url: str | None) -> dict[str, Any]:
    """What changes when a webhook is to lead there."""
    if url is None or webhook_url.read(url).place == webhook_url.read(known.url).place:
        return {} if url is None else {"url": url}
    # Nobody's until somebody takes it: all webhooks of a host are served by one sender.
    return _leading_to(url) | {"sender": None, "beat_at": 0}


def verify(conn: Connection, user_id: int | None, webhook_id: int, nonce: str | None) -> Webhook:
    """Let it send, as the receiver's owner has told what the challenge said; without that, send the challenge again.

    Invalid for anything else. One that is not pending stays as it is.
    """
    get(conn, user_id, webhook_id)
    right = conn.scalars(sa.select(webhooks.c.nonce).where(webhooks.c.id == webhook_id)).one()
    if right is not None and nonce is None:
        require_test(conn, webhook_id)
        _challenge(conn, webhook_id)
    elif right is not None and nonce is not None:
        if not hmac.compare_digest(right.encode(), nonce.encode()):
            raise Invalid("webhook_challenge_wrong", field="challenge")
        settle(conn, webhook_id, right)
    return get(conn, user_id, webhook_id)


def settle(conn: Connection, webhook_id: int, nonce: str) -> None:
    """It sends from now on, if this is what its receiver has to say: it may lead elsewhere by now."""
    is_it = sa.and_(webhooks.c.id == webhook_id, webhooks.c.nonce == nonce)
    if conn.execute(sa.update(webhooks).where(is_it).values(nonce=None)).rowcount:
        _end_challenges(conn, webhook_id)


def require_test(conn: Connection, webhook_id: int) -> None:
    """TooManyTests where somebody has asked too often for messages that tell of nothing."""
    since = int(time.time()) - TEST_SECONDS
    tests = sa.and_(deliveries.c.webhook_id == webhook_id, deliveries.c.type.in_(["ping", CHALLENGE]))
    known = sa.select(sa.func.count()).where(tests, deliveries.c.created_at > since)
    if conn.scalars(known).one() >= MAX_TESTS:
        raise TooManyTests


def _challenge(conn: Connection, webhook_id: int) -> None:
    """If it is pending, let its receiver be asked for the nonce, in place of a question that waits."""
    is_pending = sa.and_(webhooks.c.id == webhook_id, webhooks.c.nonce.is_not(None))
    if conn.execute(sa.select(webhooks.c.id).where(is_pending)).first() is None:
        return
    _end_challenges(conn, webhook_id)
    now = int(time.time())
    values = {"type": CHALLENGE, "state": "pending", "attempts": 0, "created_at": now, "next_at": now}
    conn.execute(sa.insert(deliveries).values(values | {"webhook_id": webhook_id}))


def _end_challenges(conn: Connection, webhook_id: int) -> None:
    """Those that wait are not sent any more."""
    is_challenge = sa.and_(deliveries.c.webhook_id == webhook_id, deliveries.c.type == CHALLENGE)
    ended = {"state": "failed", "next_at": None, "ended_at": int(time.time())}
    conn.execute(sa.update(deliveries).where(is_challenge, deliveries.c.next_at.is_not(None)).values(ended))


def _leading_to(url: str) -> dict[str, Any]:
    """The columns of a webhook that leads elsewhere: its receiver has to agree."""
    return {"url": url, "host": webhook_url.read(url).place[0], "nonce": token_hex(NONCE_BYTES)}


def take_over(conn: Connection, user_id: int | None, webhook_id: int) -> NewSecret:
    """Make it the user's who asks, or without one the operator's. It is active then, and goes on where it stood.

    Nothing is signed any more with the secrets that it had: those are known to somebody else.
    """
    known = get(conn, user_id, webhook_id)
    if user_id is not None and known.user_id != user_id:
        _require_room(conn, "user_id", user_id, MAX_OF_USER)
    values = _owned_by(user_id) | {"secret": webhook_signatures.new_secret(), "old_secret": None, "old_until": None}
    values |= {"is_active": True, "reason": None}
    conn.execute(sa.update(webhooks).where(webhooks.c.id == known.id).values(values))
    _retry_at_once(conn, webhook_id)
    _challenge(conn, webhook_id)
    return _with_secret(conn, webhook_id)


def pause_orphaned(conn: Connection, *which: sa.ColumnElement[bool]) -> dict[int, str]:
    """Pause those of these webhooks whose owners have no right to them any more; why, by their ids."""
    orphaned = sa.and_(webhooks.c.is_active, sa.not_(is_entitled))
    found = records.fetch_all(conn, _listed.where(orphaned, *which).order_by(webhooks.c.id), _orphan)
    for each in found:
        pause = sa.update(webhooks).where(webhooks.c.id == each.id, orphaned)
        conn.execute(pause.values(is_active=False, reason=each.reason))
    return {each.id: each.reason for each in found}


def _owned_by(user_id: int | None) -> dict[str, Any]:
    return {"user_id": user_id, "owner_kind": "operator" if user_id is None else "user"}


def _require_room(conn: Connection, column: str, value: int | None, maximum: int) -> None:
    """TooManyWebhooks where a user, or a store, has as many as there may be. Nobody else adds one meanwhile."""
    dialects.serialize(conn, f"webhooks of {column} {value}")
    known = sa.select(sa.func.count()).where(webhooks.c[column].is_not_distinct_from(value))
    if conn.scalars(known).one() >= maximum:
        raise TooManyWebhooks


def _retry_at_once(conn: Connection, webhook_id: int) -> None:
    """What waits has all its attempts before it."""
    waits = sa.and_(deliveries.c.webhook_id == webhook_id, deliveries.c.next_at.is_not(None))
    conn.execute(sa.update(deliveries).where(waits).values(attempts=0, next_at=int(time.time())))


def rotate(conn: Connection, user_id: int | None, webhook_id: int) -> NewSecret:
    """Give it another secret. For a day, messages are signed with the old one, too."""
    get(conn, user_id, webhook_id)
    until = int(time.time()) + OLD_SECONDS
    values = {"secret": webhook_signatures.new_secret(), "old_secret": webhooks.c.secret, "old_until": until}
    conn.execute(sa.update(webhooks).where(webhooks.c.id == webhook_id).values(values))
    return _with_secret(conn, webhook_id)


def delete(conn: Connection, user_id: int | None, webhook_id: int) -> None:
    """Delete it, and by the foreign key its deliveries."""
    get(conn, user_id, webhook_id)
    conn.execute(sa.delete(webhooks).where(webhooks.c.id == webhook_id))


def go_back(conn: Connection, user_id: int | None, webhook_id: int, after: int) -> Webhook:
    """Let it go on from another cursor. ResyncRequired where changes after that are forgotten."""
    found = get_active(conn, user_id, webhook_id)
    journal_feed.page(conn, found.store_id, after, limit=1)
    conn.execute(sa.update(webhooks).where(webhooks.c.id == webhook_id).values(cursor=after))
    return get(conn, user_id, webhook_id)


def _with_secret(conn: Connection, webhook_id: int) -> NewSecret:
    secret = conn.scalars(sa.select(webhooks.c.secret).where(webhooks.c.id == webhook_id)).one()
    return NewSecret(secret=Secret(secret), **msgspec.structs.asdict(get(conn, None, webhook_id)))


def _require_right(conn: Connection, user_id: int | None, store_ref: int | str | None) -> store.Store | None:
    """The store, if one is meant. Forbidden for a user who may not have its changes sent, or those of all."""
    if user_id is None:
        return None if store_ref is None else store.get(conn, store_ref)
    if store_ref is not None:
        return store_member.require_owner(conn, user_id, store_ref)
    user.require_admin(conn, user_id, ErrorMessage("admins_follow_all_stores"))
    return None


def _may_see(conn: Connection, user_id: int | None, store_id: int | None) -> bool:
    try:
        if user_id is not None:
            _require_sight(conn, user_id, store_id)
    except Forbidden:
        return False
    return True


def _require_sight(conn: Connection, user_id: int, store_id: int | None) -> None:
    """Of a store that is no more, administrators alone see it."""
    with suppress(NotFound):
        if store_id is not None:
            store_member.require_owner(conn, user_id, store_id)
            return
    user.require_admin(conn, user_id)
