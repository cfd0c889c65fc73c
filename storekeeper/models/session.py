"""Sessions: a row for each login. Its tokens are good as long as the row is there, on every worker and node.

Refresh tokens are numbered, and using number n answers n+1, always the same one: a client may lose an answer, or ask
twice at once. The first never expires for a client that uses no other. All others, and the first once
another was used, are spent when the grace has passed since n+1 was first used or its receipt proven, by the use of an
access token that came with it. Use of a spent one means that somebody has a copy, and ends the session.
"""

import json
import math
import time
from collections.abc import Mapping
from functools import cache
from typing import TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import records
from storekeeper.database.compiled_query import CompiledQuery, delete_some
from storekeeper.database.engine import Id, metadata
from storekeeper.database.records import nested, scalar
from storekeeper.errors import InvalidCredentials, NotFound, TicketInvalid, TokenExpired, TokenRevoked
from storekeeper.models import journal, paging, user
from storekeeper.models.paging import Paginator
from storekeeper.models.user import Login, User, users

SWEEP_BATCH_SIZE = 10
SWEEP_AFTER = 60  # seconds beyond the end, so that a token's own expiry is what its sender hears of
DEVICE_LENGTH = 200
MINUTE = 60

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("began_at", sa.BigInteger, nullable=False),
    sa.Column("ends_at", sa.BigInteger, nullable=False, index=True),
    sa.Column("last_used_at", sa.BigInteger, nullable=False),
    sa.Column("device", sa.String, nullable=False),
    sa.Column("address", sa.String, nullable=False),
    # The newest refresh number that was used, and when each number of the last seconds of grace was first used.
    sa.Column("refresh_number", sa.Integer, nullable=False),
    sa.Column("recent_uses", sa.JSON, nullable=False),
    # The newest refresh number whose receipt is proven, and since when: an access token that came with it was used.
    sa.Column("received_number", sa.Integer, nullable=False, server_default="0"),
    sa.Column("received_at", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("wrong_passwords", sa.Integer, nullable=False, server_default="0"),  # in a row
    sqlite_autoincrement=True,  # an id is never used again: an old token must not fit a new session
)

live_select = (
    sa.select(sessions.c.user_id, users.c.is_admin, sessions.c.ends_at)
    .join_from(sessions, users, users.c.id == sessions.c.user_id)
    .where(sessions.c.id == sa.bindparam("session_id"), users.c.is_active)
)

MAX_WRONG_PASSWORDS = 100  # in a row, in one session, until it ends (NIST SP 800-63B-4, section 3.2.2)
PROVES_FROM = 3  # a lower number, once received, spends none but the first, and that is for the use of the second

L = TypeVar("L", bound="LiveSession")
Use = tuple[int, int]  # the session, and the number of the refresh token that came with the access token; 0 if none did

_note_refresh = CompiledQuery(
    sa.update(sessions)
    .where(sessions.c.id == sa.bindparam("session_id"))
    .values({name: sa.bindparam(f"new_{name}") for name in ("refresh_number", "recent_uses", "last_used_at")})
)
_BEGUN = ("user_id", "began_at", "ends_at", "last_used_at", "device", "address", "refresh_number", "recent_uses")
_over = sa.select(sessions.c.id).where(sessions.c.ends_at < sa.bindparam("before"))
_sweep = CompiledQuery(delete_some(_over, SWEEP_BATCH_SIZE))
_listed = sa.select(sessions.c.id, sessions.c.device, sessions.c.address, sessions.c.began_at, sessions.c.last_used_at)


class LiveSession(msgspec.Struct, frozen=True):
    """Whose session it is, whether they are an administrator now, and when it ends, in seconds since 1970.

    It is known to be live once `check_live` has returned it.
    """

    user_id: int
    is_admin: bool
    ends_at: int


class _Refreshable(LiveSession, frozen=True):
    """A session, with the numbers of its refresh tokens: see `sessions`."""

    began_at: int
    last_used_at: int
    refresh_number: int
    recent_uses: list[tuple[int, float]]
    received_number: int
    received_at: int


_live = CompiledQuery(live_select, LiveSession)
_refreshable = CompiledQuery(
    live_select.add_columns(
        sessions.c.began_at,
        sessions.c.last_used_at,
        sessions.c.refresh_number,
        sessions.c.recent_uses,
        sessions.c.received_number,
        sessions.c.received_at,
    ).with_for_update(of=sessions),
    _Refreshable,
)


class Session(msgspec.Struct, frozen=True):
    """Times are seconds since 1970; `last_used_at` is kept to the minute."""

    id: int
    device: str
    address: str
    began_at: int
    last_used_at: int


_is_live = sa.and_(sessions.c.ends_at > sa.bindparam("now"), sessions.c.last_used_at >= sa.bindparam("since"))
_living = Paginator(
    _listed.where(sessions.c.user_id == sa.bindparam("user_id"), _is_live),
    {"id": sessions.c.id},
    Session,
)


class Viewer(msgspec.Struct, frozen=True):
    """Who looks at the pages: the user of a session."""

    id: int
    username: str
    is_admin: bool
    session_id: int


class _ViewerSession(msgspec.Struct, frozen=True):
    viewer: Viewer
    last_used_at: int


_viewer_session = nested(_ViewerSession, viewer=Viewer)


class SessionLimits(msgspec.Struct, frozen=True):
    """For how many seconds a session lives at the most, and how many of one user's there are; 0 is no limit."""

    seconds: int
    per_user: int = 0


class Grant(msgspec.Struct, frozen=True):
    """What the tokens of a session are issued for; `number` is the next refresh token's.

    `ended_id` is the session that was ended to make room for this one.
    """

    user_id: int
    is_admin: bool
    session_id: int
    began_at: int
    number: int = 1
    ended_id: int | None = None


def get_live(conn: Connection, session_id: int, user_id: int) -> LiveSession:
    return check_live(_live.fetch_first(conn, session_id=session_id), user_id)


def check_live(session: L | None, user_id: int) -> L:
    """The session, if it is the user's. TokenRevoked, or TokenExpired, for one that is not live."""
    if session is None or session.user_id != user_id:
        raise TokenRevoked
    if session.ends_at < time.time():  # an access token may outlast its session
        raise TokenExpired
    return session


def get_viewer(conn: Connection, session_id: int, idle: int) -> Viewer:
    """Whose session it is. TokenExpired where it has lain unused for `idle` seconds: no refresh token says so here."""
    columns = (users.c.id, users.c.username, users.c.is_admin, sessions.c.id.label("session_id"))
    query = sa.select(*columns, sessions.c.last_used_at).join(sessions, sessions.c.user_id == users.c.id)
    found = records.fetch_first(conn, query.where(sessions.c.id == session_id), _viewer_session)
    if found is None:
        raise TokenRevoked
    if found.last_used_at + idle < time.time():
        raise TokenExpired
    return found.viewer


def begin(conn: Connection, user_id: int, limits: SessionLimits, device: str, address: str) -> Grant:
    """A new session; of a user who has too many, the one that was unused longest ends.

    Takes away a few that are over, so that they need no other sweeper.
    """
    now = int(time.time())
    before = now - SWEEP_AFTER
    begun = _beginning(limits.per_user).fetch_only(
        conn,
        new_user_id=user_id,
        new_began_at=now,
        new_ends_at=now + limits.seconds,
        new_last_used_at=now,
        new_device=device[:DEVICE_LENGTH],
        new_address=address,
        new_refresh_number=0,
        new_recent_uses="[]",
        before=before,
    )
    if begun.are_over:
        _sweep.execute(conn, before=before)
    ended_id = None
    if begun.may_exceed and not begun.is_admin:
        ended_id = _ending(limits.per_user).fetch_first(conn, user_id=user_id, but_session_id=begun.id, now=now)
    return Grant(user_id, begun.is_admin, begun.id, now, ended_id=ended_id)


class _Begun(msgspec.Struct, frozen=True):
    """A new session's id; whether its user is an administrator, and may have more than the most that there may be; and
    whether there are sessions to sweep.
    """

    id: int
    is_admin: bool
    may_exceed: bool
    are_over: bool


@cache
def _beginning(maximum: int) -> CompiledQuery[_Begun]:
    """Adds a session.

    Those that are over count as well, so that no row is read but in an index. Whether the new one counts is not the
    same in both databases.
    """
    user_id: sa.ColumnElement[int] = sa.bindparam("new_user_id")
    mine, over = sessions.alias("mine"), sessions.alias("over")
    is_admin = sa.select(users.c.is_admin).where(users.c.id == user_id).scalar_subquery()
    last = sa.select(mine.c.user_id).where(mine.c.user_id == user_id).limit(sa.literal_column("1"))
    may_exceed = sa.exists(last.offset(sa.literal_column(str(maximum - 1)))) if maximum else sa.false()
    are_over = sa.exists().where(over.c.ends_at < sa.bindparam("before"))
    added = sa.insert(sessions).values({name: sa.bindparam(f"new_{name}") for name in _BEGUN})
    told = {"is_admin": is_admin, "may_exceed": may_exceed, "are_over": are_over}
    returning = added.returning(sessions.c.id, *(column.label(name) for name, column in told.items()))
    return CompiledQuery(returning, _Begun)


@cache
def _ending(maximum: int) -> CompiledQuery[int]:
    """Ends the live session that the user has not used for longest, but never `but_session_id`, if there are more than
    `maximum`. Tells its id. Every login of a user with so many sessions comes here.
    """
    live = sa.and_(sessions.c.user_id == sa.bindparam("user_id"), sessions.c.ends_at > sa.bindparam("now"))
    unused = sa.select(sessions.c.id).where(live, sessions.c.id != sa.bindparam("but_session_id"))
    first = unused.order_by(sessions.c.last_used_at, sessions.c.id).limit(sa.literal_column("1")).scalar_subquery()
    count = sa.select(sa.func.count()).where(live).scalar_subquery()
    too_many = count > sa.literal_column(str(maximum))
    return CompiledQuery(sa.delete(sessions).where(sessions.c.id == first, too_many).returning(sessions.c.id), scalar)


def page(conn: Connection, user_id: int, idle: int, page_request: paging.PageRequest) -> paging.Page[Session]:
    """The user's sessions that are not over, nor unused for `idle` seconds."""
    now = int(time.time())
    return _living.fetch(conn, page_request, {"user_id": user_id, "now": now, "since": now - idle})


def end(conn: Connection, user_id: int, session_id: int) -> None:
    mine = sa.delete(sessions).where(sessions.c.id == session_id, sessions.c.user_id == user_id)
    if not conn.execute(mine).rowcount:
        raise NotFound("session_not_found")


def log_out(conn: Connection, user_id: int, session_id: int) -> None:
    """End the session of whoever asks. TokenRevoked if that was done since they were admitted."""
    try:
        end(conn, user_id, session_id)
    except NotFound:
        raise TokenRevoked from None


def end_others(conn: Connection, user_id: int, but_session_id: int = 0) -> int:
    """End all sessions of the user but one, or all; how many they were."""
    others = sa.delete(sessions).where(sessions.c.user_id == user_id, sessions.c.id != but_session_id)
    return conn.execute(others).rowcount


def change_user(
    conn: Connection,
    user_id: int,
    is_admin: bool | None = None,
    is_active: bool | None = None,
    must_change_password: bool | None = None,
) -> User:
    """`user.change`; the sessions of a user who is not active, or has to choose a new password, end."""
    changed = user.change(conn, user_id, is_admin, is_active, must_change_password)
    if must_change_password or not changed.is_active:
        end_others(conn, user_id)
    return changed


def change_password(conn: Connection, login: Login, new_hash: str, session_id: int) -> None:
    """End the user's other sessions with it. InvalidCredentials if somebody else has changed it meanwhile."""
    if not user.has_hash(conn, login.user_id, login.password_hash):
        raise InvalidCredentials
    user.set_password(conn, login.user_id, new_hash)
    end_others(conn, login.user_id, session_id)


def choose_password(
    conn: Connection, login: Login, new_hash: str, limits: SessionLimits, device: str, address: str
) -> Grant:
    """Replace a password that had to be, and begin a session. TicketInvalid if somebody else was faster."""
    if not user.has_hash(conn, login.user_id, login.password_hash):
        raise TicketInvalid
    journal.set_author_user(conn, login.user_id)
    user.set_password(conn, login.user_id, new_hash)
    end_others(conn, login.user_id)
    return begin(conn, login.user_id, limits, device, address)


def reset_password(conn: Connection, user_id: int, new_hash: str) -> int:
    """Give a user another password and end their sessions; how many they were."""
    user.set_password(conn, user_id, new_hash)
    return end_others(conn, user_id)


def reset_password_as(conn: Connection, actor_id: int, user_id: int, new_hash: str) -> int:
    """The same, for an administrator."""
    user.require_admin(conn, actor_id)
    return reset_password(conn, user.get(conn, user_id).id, new_hash)


def note_wrong_password(conn: Connection, session_id: int) -> bool:
    """Count a wrong password that was given in a live session. Whether the session is ended, as there were too many."""
    mine = sessions.c.id == session_id
    counted = sa.update(sessions).where(mine).values(wrong_passwords=sessions.c.wrong_passwords + 1)
    count = conn.execute(counted.returning(sessions.c.wrong_passwords)).scalar_one()
    if count < MAX_WRONG_PASSWORDS:
        return False
    conn.execute(sa.delete(sessions).where(mine))
    return True


def has_wrong_passwords(conn: Connection, session_id: int) -> bool:
    return conn.scalar(sa.select(sessions.c.wrong_passwords).where(sessions.c.id == session_id)) != 0


def forget_wrong_passwords(conn: Connection, session_id: int) -> None:
    """The right one was given."""
    conn.execute(sa.update(sessions).where(sessions.c.id == session_id).values(wrong_passwords=0))


def note_uses(conn: Connection, used_at: Mapping[Use, float]) -> None:
    """Write down when tokens of sessions were last used: for many at once, so that no read costs a write."""
    _note_last_uses(conn, used_at)
    _note_receipts(conn, {use: at for use, at in used_at.items() if use[1] >= PROVES_FROM})


def _note_last_uses(conn: Connection, used_at: Mapping[Use, float]) -> None:
    last: dict[int, int] = {}
    for (id, _), at in used_at.items():
        last[id] = max(last.get(id, 0), int(at) // MINUTE * MINUTE)
    later = sa.update(sessions).where(
        sessions.c.id == sa.bindparam("sid"), sessions.c.last_used_at < sa.bindparam("at")
    )
    rows = [{"sid": id, "at": at} for id, at in sorted(last.items())]  # sorted: two workers do not wait for each other
    conn.execute(later.values(last_used_at=sa.bindparam("at")), rows)


def _note_receipts(conn: Connection, used_at: Mapping[Use, float]) -> None:
    """The first proof of a number counts. Its time is never too early, or an honest client would lose of its grace."""
    newest: dict[int, tuple[int, float]] = {}
    for (id, number), at in used_at.items():
        newest[id] = max(newest.get(id, (0, 0.0)), (number, at))
    newer = sa.update(sessions).where(
        sessions.c.id == sa.bindparam("sid"), sessions.c.received_number < sa.bindparam("number")
    )
    now = time.time()
    rows = [{"sid": id, "number": number, "at": math.ceil(max(at, now))} for id, (number, at) in sorted(newest.items())]
    if rows:
        conn.execute(newer.values(received_number=sa.bindparam("number"), received_at=sa.bindparam("at")), rows)


def refresh(conn: Connection, session_id: int, user_id: int, number: int, idle: int, grace: int) -> Grant | None:
    """Use refresh token `number` of a live session; `idle` and `grace` are in seconds. Raises TokenRevoked or
    TokenExpired.

    Return None for a spent number: the session is then ended, and raising would roll that back. Number n is spent
    `grace` seconds after the first use of n + 1, or after the receipt of n + 1 was recorded. For example, with a grace
    of 10 s: the client uses 4 and gets 5; it uses 5 at 12:00:00; then 4 is valid until 12:00:10, and its use at
    12:00:11 ends the session.
    """
    live = check_live(_refreshable.fetch_first(conn, session_id=session_id), user_id)
    now = time.time()
    if live.last_used_at + idle < now:
        raise TokenExpired
    newest = live.refresh_number
    # A time that is yet to come is a clock's fault: it counts from now on.
    recent = {used: min(at, now) for used, at in live.recent_uses if now - at <= grace}
    is_superseded = number < newest and number + 1 not in recent
    is_received = number + 1 == live.received_number and now - live.received_at > grace
    if is_superseded or is_received:
        conn.execute(sa.delete(sessions).where(sessions.c.id == session_id))
        return None
    if number > newest:
        recent[number] = now
    _note_refresh.execute(
        conn,
        session_id=session_id,
        new_refresh_number=max(number, newest),
        new_recent_uses=json.dumps(list(recent.items())),
        new_last_used_at=int(now),
    )
    return Grant(user_id, live.is_admin, session_id, live.began_at, number + 1)
