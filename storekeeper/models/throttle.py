"""The login throttle: failed logins, counted in the database, so that they hold over workers, nodes and restarts.

PyPI's figures by default: 10 failures in 5 minutes for one name and for one address, 1,000 over all. A guess is
judged after its password was checked and before its answer is given: so bursts in parallel learn no more than 10.

Where a session gives its password again, its own failures count and nobody else's: wrong logins from elsewhere must not
keep it from that, nor its own ones keep its user from logging in.
"""

import hashlib
import ipaddress
import itertools
import math
import time

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper import dialects, names
from storekeeper.db import Id, metadata
from storekeeper.errors import TooManyAttempts
from storekeeper.query import Query

EVERYBODY = "everybody"

failures = sa.Table(
    "login_failures",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("bucket", sa.String(64), nullable=False),
    sa.Column("failed_at", sa.BigInteger, nullable=False, index=True),  # milliseconds since 1970
    sa.Index("ix_login_failures_bucket_failed_at", "bucket", "failed_at"),
)


MAX_BUCKETS = 3
_COUNTED = [f"bucket_{n}" for n in range(MAX_BUCKETS)]
_counts = Query(
    sa.select(failures.c.bucket, sa.func.count(), sa.func.min(failures.c.failed_at))
    .where(
        failures.c.bucket.in_([sa.bindparam(each) for each in _COUNTED]), failures.c.failed_at > sa.bindparam("since")
    )
    .group_by(failures.c.bucket)
)


class Limits(msgspec.Struct, frozen=True):
    """How many failures are borne in `window` seconds: for one name or address, and over all."""

    each: int = 10
    overall: int = 1000
    window: int = 300


class Attempt(msgspec.Struct, frozen=True):
    """A guess at a password: how many failures in `window` seconds each of the buckets holds that its own counts in."""

    bounds: dict[str, int]
    window: int


def login(username: str, address: str, limits: Limits) -> Attempt:
    """Names are hashed: people type passwords into the wrong field."""
    name = hashlib.sha256(names.fold(username).encode()).hexdigest()[:40]
    bounds = {f"name {name}": limits.each, f"address {_network(address)}": limits.each, EVERYBODY: limits.overall}
    return Attempt(bounds, limits.window)


def confirmation(session_id: int, limits: Limits) -> Attempt:
    return Attempt({f"session {session_id}": limits.each}, limits.window)


def _network(address: str) -> str:
    """A single address; of IPv6 the /64, which is what one customer has."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    # A socket for both spells 192.0.2.1 as ::ffff:192.0.2.1: by their /64 all of IPv4 would be one customer.
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))


def check(conn: Connection, attempt: Attempt) -> None:
    """TooManyAttempts while any of the buckets is full, until none is."""
    bounds, since = attempt.bounds, _now() - attempt.window * 1000
    buckets = dict(zip(_COUNTED, itertools.cycle(bounds), strict=False))
    found = _counts.all(conn, since=since, **buckets)
    full = [(first, bounds[bucket]) for bucket, failed, first in found if failed >= bounds[bucket]]
    if full:
        first, bound = max(full)
        raise TooManyAttempts(max(1, math.ceil((first - since) / 1000)), bound, attempt.window)


def count(conn: Connection, attempt: Attempt) -> None:
    """Judge an attempt whose password was wrong: refuse it or count it, one after the other.

    One with the right password is judged by `check`: it adds nothing that others would have to wait for.
    """
    dialects.serialize(conn, "logins")
    check(conn, attempt)
    now = _now()
    conn.execute(sa.delete(failures).where(failures.c.failed_at <= now - attempt.window * 1000))
    conn.execute(sa.insert(failures), [{"bucket": bucket, "failed_at": now} for bucket in attempt.bounds])


def _now() -> int:
    return int(time.time() * 1000)
