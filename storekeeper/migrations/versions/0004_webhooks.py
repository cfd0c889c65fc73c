"""Webhooks, and what is to be delivered to them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", Id, primary_key=True),
        sa.Column("url", sa.String, nullable=False),
        sa.Column("store_id", sa.BigInteger),
        sa.Column("user_id", Id, sa.ForeignKey("users.id", ondelete="SET NULL"), index=True),
        sa.Column("secret", sa.String, nullable=False),
        sa.Column("old_secret", sa.String),
        sa.Column("old_until", sa.BigInteger),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("reason", sa.String),
        sa.Column("cursor", sa.BigInteger, nullable=False),
        sa.Column("sender", sa.String),
        sa.Column("beat_at", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "deliveries",
        sa.Column("id", Id, primary_key=True),
        sa.Column("webhook_id", Id, sa.ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("change_id", sa.BigInteger),
        sa.Column("state", sa.String(9), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.String),
        sa.Column("ms", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("tried_at", sa.BigInteger),
        sa.Column("next_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger, index=True),
        sa.UniqueConstraint("webhook_id", "type", "change_id"),
        sa.Index("ix_deliveries_webhook_id_id", "webhook_id", "id"),
        sa.Index("ix_deliveries_webhook_id_next_at", "webhook_id", "next_at"),
        sqlite_autoincrement=True,
    )
