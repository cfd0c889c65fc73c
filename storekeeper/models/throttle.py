"""The login throttle: failed logins, counted in the database, so that they hold over workers, nodes and restarts.

PyPI's figures by default: 10 failures in 5 minutes for one name and for one address, 1,000 over all. A guess is
judged after its password was checked and before its answer is given: so bursts in parallel learn no more than 10.
"""

import hashlib
import ipaddress
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


_COUNTED = ("name", "address", "everybody")
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
    """A guess at a password: the buckets that its failure counts against, and the limits that hold for it."""

    name: str
    address: str
    limits: Limits

    def bounds(self) -> dict[str, int]:
        """How many failures each bucket holds."""
        return {self.name: self.limits.each, self.address: self.limits.each, EVERYBODY: self.limits.overall}


def attempt(username: str, address: str, limits: Limits) -> Attempt:
    """Names are hashed: people type passwords into the wrong field."""
    name = hashlib.sha256(names.fold(username).encode()).hexdigest()[:40]
    return Attempt(f"name {name}", f"address {_network(address)}", limits)


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
    window, bounds = attempt.limits.window, attempt.bounds()
    since = _now() - window * 1000
    found = _counts.all(conn, name=attempt.name, address=attempt.address, everybody=EVERYBODY, since=since)
    full = [(first, bounds[bucket]) for bucket, failed, first in found if failed >= bounds[bucket]]
    if full:
        first, bound = max(full)
        raise TooManyAttempts(max(1, math.ceil((first - since) / 1000)), bound, window)


def count(conn: Connection, attempt: Attempt) -> None:
    """Judge an attempt whose password was wrong: refuse it or count it, one after the other.

    One with the right password is judged by `check`: it adds nothing that others would have to wait for.
    """
    dialects.serialize(conn, "logins")
    check(conn, attempt)
    now = _now()
    conn.execute(sa.delete(failures).where(failures.c.failed_at <= now - attempt.limits.window * 1000))
    conn.execute(sa.insert(failures), [{"bucket": bucket, "failed_at": now} for bucket in attempt.bounds()])


def _now() -> int:
    return int(time.time() * 1000)
