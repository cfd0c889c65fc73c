"""The login throttle: failed logins, counted in the database, so that they hold over workers, nodes and restarts.

PyPI's figures by default: 10 failures in 5 minutes for one name and for one address, 1,000 over all. A guess is
judged after its password was checked and before its answer is given: so bursts in parallel learn no more than 10.

An address counts for all the networks that it is in: a household has as many of IPv6 as it likes. When there are too
many failures over all, whoever signs in from a network that is known for it is delayed, and the others are refused.

Where a session gives its password again, its own failures count and nobody else's: wrong logins from elsewhere must not
keep it from that, nor its own ones keep its user from logging in. The same holds for a browser that has signed in as
that user before (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
"""

import hashlib
import itertools
import math
import time
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import dialects
from storekeeper.database.compiled_query import CompiledQuery
from storekeeper.database.engine import Id, metadata
from storekeeper.domain import names
from storekeeper.domain.ip_networks import MAX_NETWORKS, networks
from storekeeper.errors import TooManyAttempts

EVERYBODY = "everybody"
MAX_DELAY = 2.0  # seconds
LEEWAY = 30  # seconds that clocks may differ: a failure that is later was told by a wrong one, and is none

failures = sa.Table(
    "login_failures",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("bucket", sa.String(64), nullable=False),
    sa.Column("failed_at", sa.BigInteger, nullable=False, index=True),  # milliseconds since 1970
    sa.Index("ix_login_failures_bucket_failed_at", "bucket", "failed_at"),
)


MAX_BUCKETS = 2 + MAX_NETWORKS
_COUNTED = [f"failed_{n}" for n in range(MAX_BUCKETS)]
_is_recent = sa.and_(failures.c.failed_at > sa.bindparam("since"), failures.c.failed_at <= sa.bindparam("until"))
# For another module's query, with `values`: where there are none, an attempt is neither refused nor delayed.
# One look for each: to look for one of several, SQLite makes a table of them first, which takes longer than the look.
has_failures = sa.or_(*(sa.exists().where(failures.c.bucket == sa.bindparam(each), _is_recent) for each in _COUNTED))


class _BucketFailures(NamedTuple):
    """How many failures a bucket has, and when the first of them was."""

    bucket: str
    failures: int
    first_at: int


_counts = CompiledQuery(
    sa.select(failures.c.bucket, sa.func.count().label("failures"), sa.func.min(failures.c.failed_at).label("first_at"))
    .where(failures.c.bucket.in_([sa.bindparam(each) for each in _COUNTED]), _is_recent)
    .group_by(failures.c.bucket),
    _BucketFailures,
)


class LoginThrottleLimits(msgspec.Struct, frozen=True):
    """How many failures are borne in `window` seconds: for one name or address, and over all."""

    each: int = 10
    overall: int = 1000
    window: int = 300


class Attempt(msgspec.Struct, frozen=True):
    """A guess at a password: how many failures in `window` seconds each of the buckets holds that its own counts in.

    One that `is_known` is not refused for the failures of everybody, but delayed.
    """

    bounds: dict[str, int]
    window: int
    is_known: bool = False


def login(username: str, address: str, limits: LoginThrottleLimits) -> Attempt:
    """Names are hashed: people type passwords into the wrong field."""
    name = hashlib.sha256(names.fold(username).encode()).hexdigest()[:40]
    bounds = {f"name {name}": limits.each}
    bounds |= {f"address {network.name}": limits.each * network.share for network in networks(address)}
    return Attempt(bounds | {EVERYBODY: limits.overall}, limits.window)


def login_of_device(cookie_id: str, limits: LoginThrottleLimits) -> Attempt:
    """By a browser that has signed in as that user before."""
    return Attempt({f"device {cookie_id}": limits.each}, limits.window)


def confirmation(session_id: int, limits: LoginThrottleLimits) -> Attempt:
    return Attempt({f"session {session_id}": limits.each}, limits.window)


def values(attempt: Attempt) -> dict[str, Any]:
    """What `has_failures` is asked with."""
    now, buckets = _now(), itertools.cycle(attempt.bounds)
    return {
        "since": now - attempt.window * 1000,
        "until": now + LEEWAY * 1000,
        **dict(zip(_COUNTED, buckets, strict=False)),
    }


def check(conn: Connection, attempt: Attempt) -> float:
    """By how many seconds the attempt is to be delayed. TooManyAttempts while a bucket is full, until none is."""
    bounds, asked = attempt.bounds, values(attempt)
    since, found = asked["since"], _counts.fetch_all(conn, **asked)
    full = {each.bucket: each for each in found if each.failures >= bounds[each.bucket]}
    overall = full.pop(EVERYBODY, None) if attempt.is_known else None
    if full:
        first_at, bound = max((each.first_at, bounds[bucket]) for bucket, each in full.items())
        wait = math.ceil((first_at - since) / 1000)
        raise TooManyAttempts(min(max(1, wait), attempt.window), bound, attempt.window)
    return _delay(overall.failures, bounds[EVERYBODY]) if overall else 0.0


def _delay(failed: int, bound: int) -> float:
    """The longer, the more failures there are beyond the bound."""
    return MAX_DELAY * min(1.0, (failed - bound + 1) / bound)


def count(conn: Connection, attempt: Attempt) -> None:
    """Judge an attempt whose password was wrong: refuse it or count it, one after the other.

    One with the right password is judged by `check`: it adds nothing that others would have to wait for.
    """
    dialects.serialize(conn, "logins")
    check(conn, attempt)
    now, window = _now(), attempt.window * 1000
    is_old, is_yet_to_come = failures.c.failed_at <= now - window, failures.c.failed_at > now + window
    conn.execute(sa.delete(failures).where(sa.or_(is_old, is_yet_to_come)))
    conn.execute(sa.insert(failures), [{"bucket": bucket, "failed_at": now} for bucket in attempt.bounds])


def _now() -> int:
    return int(time.time() * 1000)
