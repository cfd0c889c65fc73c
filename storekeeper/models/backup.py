"""Backups: when the last one was made, as far as the operator says so."""

import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import dialects
from storekeeper.database.engine import metadata

backups = sa.Table("backups", metadata, sa.Column("made_at", sa.BigInteger, primary_key=True, autoincrement=False))


def note(conn: Connection, made_at: int) -> None:
    """A backup has what there was at this time, in seconds since 1970. Those before it need not be known any more."""
    conn.execute(sa.delete(backups).where(backups.c.made_at < made_at))
    dialects.insert_new(conn, backups, {"made_at": made_at}, backups.c)


def last(conn: Connection) -> int | None:
    """When the last one was made; None if none was noted."""
    made_at: int | None = conn.scalars(sa.select(sa.func.max(backups.c.made_at))).one()
    return made_at
