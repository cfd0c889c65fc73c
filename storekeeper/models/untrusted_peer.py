"""Peers that have sent forwarding headers without being trusted, as servers report them, for `storekeeper check`."""

import time
from collections.abc import Mapping

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import records
from storekeeper.database.compiled_query import CompiledQuery
from storekeeper.database.engine import metadata
from storekeeper.database.records import scalar

RETENTION_SECONDS = 7 * 86_400
MAX_PEERS = 20  # those with the most requests: a stranger does not push out a proxy

untrusted_peers = sa.Table(
    "untrusted_peers",
    metadata,
    sa.Column("address", sa.String, primary_key=True),
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
)

_add: CompiledQuery[str] = CompiledQuery(
    sa.text(
        "INSERT INTO untrusted_peers (address, requests, seen_at) VALUES (:address, :requests, :now) "
        "ON CONFLICT (address) DO UPDATE SET requests = untrusted_peers.requests + excluded.requests, "
        "seen_at = excluded.seen_at RETURNING address"
    ).columns(sa.column("address", sa.String)),
    scalar,
)


class UntrustedPeer(msgspec.Struct, frozen=True):
    """`requests` are those with forwarding headers; `seen_at` is the time of the last report, in seconds since 1970."""

    address: str
    requests: int
    seen_at: int


def report(conn: Connection, requests: Mapping[str, int]) -> None:
    """Add what a server has seen. Forgets peers that have sent none for a week."""
    now = int(time.time())
    for address, count in sorted(requests.items()):
        _add.fetch_all(conn, address=address, requests=count, now=now)
    most = sa.select(untrusted_peers.c.address).order_by(untrusted_peers.c.requests.desc()).limit(MAX_PEERS)
    is_old = untrusted_peers.c.seen_at < now - RETENTION_SECONDS
    conn.execute(sa.delete(untrusted_peers).where(sa.or_(is_old, untrusted_peers.c.address.not_in(most))))


def all_known(conn: Connection) -> list[UntrustedPeer]:
    """Those of the last week, with the most requests first."""
    found = sa.select(untrusted_peers.c.address, untrusted_peers.c.requests, untrusted_peers.c.seen_at)
    lately = found.where(untrusted_peers.c.seen_at >= int(time.time()) - RETENTION_SECONDS)
    return records.fetch_all(conn, lately.order_by(untrusted_peers.c.requests.desc()), UntrustedPeer)
