"""Forms that came when nobody was signed in any more, or had to give their password first: kept until that is done.

Each is bound to the browser that sent it, by a token in a cookie, of which only the hash is here, and to the user whom
it was shown to. It holds no password and no file.
"""

import hashlib
import time
from typing import Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database.engine import metadata
from storekeeper.models.user import users

RETENTION_SECONDS = 3600
MAX_BYTES = 64 * 1024
MAX_OF_USER = 5  # the newest

Reason = Literal["signed out", "not fresh"]

kept_forms = sa.Table(
    "kept_forms",
    metadata,
    sa.Column("browser", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("path", sa.String, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
)


class Content(msgspec.Struct, frozen=True):
    """What was typed, and what is not kept of it."""

    fields: list[tuple[str, str]]
    reason: Reason
    has_passwords: bool = False
    has_file: bool = False


def keep(conn: Connection, user_id: int, browser: str, path: str, content: Content) -> bool:
    """Keep a form that was sent to `path`, and whether that could be done: not if it is too long, or its user gone."""
    text = msgspec.json.encode(content).decode()
    known = conn.scalar(sa.select(users.c.id).where(users.c.id == user_id, users.c.is_active))
    if len(text) > MAX_BYTES or known is None:
        return False
    _forget_oldest(conn, user_id)
    values = {"browser": _hash(browser), "user_id": user_id, "path": path, "content": text, "at": int(time.time())}
    conn.execute(sa.insert(kept_forms).values(values))
    return True


def find(conn: Connection, user_id: int, browser: str, path: str) -> Content | None:
    """What the user had typed there in that browser, within the last hour."""
    content = conn.scalar(
        sa.select(kept_forms.c.content).where(
            kept_forms.c.browser == _hash(browser),
            kept_forms.c.user_id == user_id,
            kept_forms.c.path == path,
            kept_forms.c.at > int(time.time()) - RETENTION_SECONDS,
        )
    )
    return msgspec.json.decode(content, type=Content) if content else None


def forget(conn: Connection) -> None:
    """Delete what is over."""
    conn.execute(sa.delete(kept_forms).where(kept_forms.c.at <= int(time.time()) - RETENTION_SECONDS))


def _forget_oldest(conn: Connection, user_id: int) -> None:
    """Make room for one more of the user's."""
    mine = sa.select(kept_forms.c.browser).where(kept_forms.c.user_id == user_id)
    oldest = mine.order_by(kept_forms.c.at.desc(), kept_forms.c.browser).limit(MAX_OF_USER).offset(MAX_OF_USER - 1)
    conn.execute(sa.delete(kept_forms).where(kept_forms.c.browser.in_(oldest)))


def _hash(browser: str) -> str:
    return hashlib.sha256(browser.encode()).hexdigest()
