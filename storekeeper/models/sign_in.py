"""From which networks users have signed in: where a flood of wrong logins comes from everywhere, those may go on."""

import time

import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper import dialects, names
from storekeeper.addresses import networks
from storekeeper.db import metadata
from storekeeper.models import user
from storekeeper.models.user import Login, users
from storekeeper.query import Query, limited

DAY = 86_400
KNOWN_DAYS = 90
MAX_NETWORKS = 50  # of a user: the last ones
SWEPT_AT_ONCE = 10

sign_ins = sa.Table(
    "sign_ins",
    metadata,
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("network", sa.String(64), primary_key=True),
    sa.Column("last_at", sa.BigInteger, nullable=False, index=True),  # to the day
)

_is_there = sa.and_(sign_ins.c.user_id == users.c.id, sign_ins.c.network == sa.bindparam("network"))
_find = Query(
    user.login_by_name.add_columns(sa.func.coalesce(sign_ins.c.last_at, 0).label("last_at")).outerjoin(
        sign_ins, _is_there
    )
)
_old = limited(
    sa.select(sign_ins.c.user_id, sign_ins.c.network).where(sign_ins.c.last_at < sa.bindparam("before")), SWEPT_AT_ONCE
)
_sweep = Query(
    sa.delete(sign_ins).where(
        sa.tuple_(sign_ins.c.user_id, sign_ins.c.network).in_(_old.with_for_update(skip_locked=True))
    )
)


def find(conn: Connection, username: str, address: str) -> tuple[Login | None, int]:
    """An active user, by name, and when they last signed in from there, or from near it, to the day. 0 for never."""
    row = _find.first(conn, key=names.fold(username), network=_network(address))
    return (user.as_login(row), row[-1]) if row else (None, 0)


def is_known(last_at: int) -> bool:
    """Whether that is not long ago."""
    return last_at >= time.time() - KNOWN_DAYS * DAY


def note(conn: Connection, user_id: int, address: str, last_at: int) -> None:
    """The user signs in from there, as they last did at `last_at`. Written once a day for each network."""
    now = int(time.time())
    if now - last_at < DAY:
        return
    _sweep.run(conn, before=now - KNOWN_DAYS * DAY)
    row = {"user_id": user_id, "network": _network(address), "last_at": now}
    dialects.upsert(conn, sign_ins, [row], ("user_id", "network"), ("last_at",))
    own = sign_ins.c.user_id == user_id
    last = sa.select(sign_ins.c.network).where(own).order_by(sign_ins.c.last_at.desc()).limit(MAX_NETWORKS)
    conn.execute(sa.delete(sign_ins).where(own, sign_ins.c.network.not_in(last)))


def _network(address: str) -> str:
    """The widest: who comes home is often given another address near the last one."""
    return networks(address)[0].name
