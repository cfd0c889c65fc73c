"""Whose a webhook is, also when that user is gone; what a stored answer needs; and no secrets in stored answers."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

WEBHOOKS = sa.table("webhooks", sa.column("user_id"), sa.column("owner_kind"))
KEYS = sa.table("idempotency_keys", sa.column("key"), sa.column("result"))


def upgrade() -> None:
    op.add_column("webhooks", sa.Column("owner_kind", sa.String(8), nullable=False, server_default="user"))
    # Whether such a row was the operator's or a deleted user's cannot be told any more: it goes on as it did.
    op.execute(sa.update(WEBHOOKS).where(WEBHOOKS.c.user_id.is_(None)).values(owner_kind="operator"))
    op.add_column("idempotency_keys", sa.Column("rights", sa.Text))
    _conceal_secrets(op.get_bind())


def _conceal_secrets(conn: sa.Connection) -> None:
    """As answers are stored from now on: null stands for a secret."""
    rows = conn.execute(sa.select(KEYS).where(KEYS.c.result.like('%"secret":"whsec|_%', escape="|"))).all()
    for row in rows:
        result = json.dumps(_concealed(json.loads(row.result)), separators=(",", ":"), ensure_ascii=False)
        conn.execute(sa.update(KEYS).where(KEYS.c.key == row.key).values(result=result))


def _concealed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: None if name == "secret" else _concealed(each) for name, each in value.items()}
    return [_concealed(each) for each in value] if isinstance(value, list) else value
