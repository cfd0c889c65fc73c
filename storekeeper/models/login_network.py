"""From which networks users have signed in: where a flood of wrong logins comes from everywhere, those may go on."""

import time

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import dialects
from storekeeper.database.compiled_query import CompiledQuery, delete_some
from storekeeper.database.engine import metadata
from storekeeper.database.records import nested, optional, scalar
from storekeeper.domain import names
from storekeeper.domain.ip_networks import networks
from storekeeper.errors import InvalidCredentials
from storekeeper.models import login_throttle, network_rate, user
from storekeeper.models.login_throttle import Attempt
from storekeeper.models.network_rate import Rate
from storekeeper.models.user import Login, users

DAY = 86_400
KNOWN_DAYS = 90
MAX_NETWORKS = 50  # of a user: the last ones
SWEEP_BATCH_SIZE = 10

sign_ins = sa.Table(
    "sign_ins",
    metadata,
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("network", sa.String(64), primary_key=True),
    sa.Column("last_at", sa.BigInteger, nullable=False, index=True),  # to the day
)

_is_there = sa.and_(sign_ins.c.user_id == users.c.id, sign_ins.c.network == sa.bindparam("network"))
_last_at = sa.func.coalesce(sign_ins.c.last_at, 0).label("last_at")
# A row also where there is no such user: an unknown name must not take longer than a known one, nor less.
_anybody = sa.select(sa.literal_column("1").label("one")).subquery()
_judged = (network_rate.is_full.label("is_full"), login_throttle.has_failures.label("has_failures"))


class LoginLookup(msgspec.Struct, frozen=True):
    """An active user, if there is one; when they last signed in from there, or from near it, to the day, 0 for never;
    and whether the attempt may have to be refused for its network, or refused or delayed for failures before it.
    """

    login: Login | None
    last_at: int
    is_full: bool
    has_failures: bool


_find = CompiledQuery(
    sa.select(*user.login_columns, _last_at, *_judged).select_from(
        _anybody.outerjoin(users, user.has_name).outerjoin(sign_ins, _is_there)
    ),
    nested(LoginLookup, login=optional(Login, "user_id")),
)
_has_failures: CompiledQuery[bool] = CompiledQuery(
    sa.select(login_throttle.has_failures).where(user.has_same_hash).with_for_update(of=users), scalar
)
_old = sa.select(sign_ins.c.user_id, sign_ins.c.network).where(sign_ins.c.last_at < sa.bindparam("before"))
_sweep = CompiledQuery(delete_some(_old, SWEEP_BATCH_SIZE))


def find(conn: Connection, username: str, address: str, rate: Rate, attempt: Attempt) -> LoginLookup:
    """An active user, by name. TooManyAttempts for an address from which there were too many logins."""
    asked = network_rate.values(rate, address) | login_throttle.values(attempt)
    found = _find.fetch_only(conn, key=names.fold(username), network=_network(address), **asked)
    if found.is_full:
        network_rate.check(conn, rate, address)
    return found


def admit(conn: Connection, login: Login, attempt: Attempt) -> None:
    """Judge an attempt whose password was right. Nobody changes the password before the transaction ends.

    TooManyAttempts. InvalidCredentials if the password was changed, or the user deactivated, since it was checked.
    """
    has_failures = _has_failures.fetch_first(
        conn, user_id=login.user_id, hash=login.password_hash, **login_throttle.values(attempt)
    )
    if has_failures is None or has_failures:
        login_throttle.check(conn, attempt)
    if has_failures is None:
        raise InvalidCredentials


def is_known(last_at: int) -> bool:
    """Whether that is not long ago."""
    return last_at >= time.time() - KNOWN_DAYS * DAY


def note(conn: Connection, user_id: int, address: str, last_at: int) -> None:
    """The user signs in from there, as they last did at `last_at`. Written once a day for each network."""
    now = int(time.time())
    if now - last_at < DAY:
        return
    _sweep.execute(conn, before=now - KNOWN_DAYS * DAY)
    row = {"user_id": user_id, "network": _network(address), "last_at": now}
    dialects.upsert(conn, sign_ins, [row], ("user_id", "network"), ("last_at",))
    own = sign_ins.c.user_id == user_id
    last = sa.select(sign_ins.c.network).where(own).order_by(sign_ins.c.last_at.desc()).limit(MAX_NETWORKS)
    conn.execute(sa.delete(sign_ins).where(own, sign_ins.c.network.not_in(last)))


def _network(address: str) -> str:
    """The widest: who comes home is often given another address near the last one."""
    return networks(address)[0].name
