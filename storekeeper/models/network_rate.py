"""How often something may be done from one network in a minute. Counted in the database: for all workers and nodes."""

import time
from itertools import cycle
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database.compiled_query import CompiledQuery, delete_some
from storekeeper.database.engine import metadata
from storekeeper.domain.ip_networks import MAX_NETWORKS, networks
from storekeeper.errors import TooManyAttempts
from storekeeper.messages import ErrorMessage

MINUTE = 60
SWEEP_BATCH_SIZE = 10

rates = sa.Table(
    "rates",
    metadata,
    sa.Column("bucket", sa.String(80), primary_key=True),
    sa.Column("minute", sa.BigInteger, nullable=False, index=True),
    sa.Column("count", sa.Integer, nullable=False),
)


class BucketCount(msgspec.Struct, frozen=True):
    """How often something was done in a minute."""

    bucket: str
    count: int


_BUCKETS = [f"bucket_{n}" for n in range(MAX_NETWORKS)]
_BOUNDS = [f"bound_{n}" for n in range(MAX_NETWORKS)]
_counts = CompiledQuery(
    sa.select(rates.c.bucket, rates.c.count).where(
        rates.c.bucket.in_([sa.bindparam(each) for each in _BUCKETS]), rates.c.minute == sa.bindparam("minute")
    ),
    BucketCount,
)
# For another module's query, with `values`: where it is so, `check` tells more.
# One look for each: see `login_throttle`.
is_full = sa.or_(
    *(
        sa.exists().where(
            rates.c.bucket == sa.bindparam(bucket),
            rates.c.minute == sa.bindparam("minute"),
            rates.c.count >= sa.bindparam(bound),
        )
        for bucket, bound in zip(_BUCKETS, _BOUNDS, strict=True)
    )
)
_old = sa.select(rates.c.bucket).where(rates.c.minute < sa.bindparam("minute"))
_sweep = CompiledQuery(delete_some(_old, SWEEP_BATCH_SIZE))


def _increase(buckets: int) -> CompiledQuery[BucketCount]:
    """One more in each of so many buckets: how many there are now."""
    values = ", ".join(f"(:bucket_{n}, :minute, 1)" for n in range(buckets))
    sql = (
        f"INSERT INTO rates (bucket, minute, count) VALUES {values} ON CONFLICT (bucket) DO UPDATE "  # noqa: S608
        "SET count = CASE WHEN rates.minute = excluded.minute THEN rates.count + 1 ELSE 1 END, "
        "minute = excluded.minute RETURNING bucket, count"
    )
    columns = sa.column("bucket", sa.String), sa.column("count", sa.Integer)
    return CompiledQuery(sa.text(sql).columns(*columns), BucketCount)


_increases = {count: _increase(count) for count in range(1, MAX_NETWORKS + 1)}


class Rate(msgspec.Struct, frozen=True):
    """`limit` is for a single sender in a minute, `message` the error beyond it. A wider network has several shares."""

    name: str
    limit: int
    message: ErrorMessage


def values(rate: Rate, address: str) -> dict[str, Any]:
    """What `is_full` is asked with."""
    found: dict[str, Any] = {"minute": _minute()}
    for bucket, bound, (name, limit) in zip(_BUCKETS, _BOUNDS, cycle(_bounds(rate, address).items()), strict=False):
        found[bucket], found[bound] = name, limit
    return found


def check(conn: Connection, rate: Rate, address: str) -> None:
    """TooManyAttempts where it was done as often already as it may be."""
    minute, bounds = _minute(), _bounds(rate, address)
    asked = {name: list(bounds)[n % len(bounds)] for n, name in enumerate(_BUCKETS)}
    for each in _counts.fetch_all(conn, minute=minute, **asked):
        if each.count >= bounds[each.bucket]:
            raise _refusal(rate, bounds[each.bucket])


def count(conn: Connection, rate: Rate, address: str) -> None:
    """Count that it was done, and judge it once more: others may have been faster.

    The first in a minute sweeps a few old counters. To be called last in a transaction: until its end, others from the
    same network wait.
    """
    minute, bounds = _minute(), _bounds(rate, address)
    names = dict(zip(_BUCKETS, bounds, strict=False))
    counts = _increases[len(bounds)].fetch_all(conn, minute=minute, **names)
    for each in counts:
        if each.count > bounds[each.bucket]:
            raise _refusal(rate, bounds[each.bucket])
    if any(each.count == 1 for each in counts):
        _sweep.execute(conn, minute=minute)


def _bounds(rate: Rate, address: str) -> dict[str, int]:
    """How many each bucket holds, the widest network's first: all take them in the same order."""
    return {f"{rate.name} {each.name}": rate.limit * each.share for each in networks(address)}


def _refusal(rate: Rate, limit: int) -> TooManyAttempts:
    return TooManyAttempts(MINUTE - int(time.time()) % MINUTE, limit, MINUTE, rate.message, rate.name)


def _minute() -> int:
    return int(time.time()) // MINUTE
