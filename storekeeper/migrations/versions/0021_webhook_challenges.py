"""Webhooks wait until their receivers have answered a challenge, and are counted by the hosts that they lead to."""

import re
import socket

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

WEBHOOKS = sa.table("webhooks", sa.column("id"), sa.column("url"), sa.column("host"))


def upgrade() -> None:
    """Those that are there need no challenge."""
    op.add_column("webhooks", sa.Column("host", sa.String))
    op.add_column("webhooks", sa.Column("nonce", sa.String))
    conn = op.get_bind()
    for row in conn.execute(sa.select(WEBHOOKS.c.id, WEBHOOKS.c.url)).all():
        conn.execute(sa.update(WEBHOOKS).where(WEBHOOKS.c.id == row.id).values(host=_host(row.url)))


def _host(url: str) -> str:
    found = re.match(r"https?://(?:\[([^]]+)\]|([^:/?]+))", url)
    host = (found[1] or found[2]) if found else url
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return host.lower().rstrip(".")
