"""The first tables: users, sessions, failed logins, stores, their members and their items."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Text = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", Id, primary_key=True),
        sa.Column("username", Text, nullable=False),
        sa.Column("username_key", Text, nullable=False),
        sa.Column("password_hash", sa.String, nullable=False),
        sa.Column("is_admin", sa.Boolean, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.UniqueConstraint("username_key", name="uq_users_username_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sessions",
        sa.Column("id", Id, primary_key=True),
        sa.Column("user_id", Id, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("last_used_at", sa.BigInteger, nullable=False),
        sa.Column("device", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("refresh_number", sa.Integer, nullable=False),
        sa.Column("recent_uses", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "login_failures",
        sa.Column("id", Id, primary_key=True),
        sa.Column("bucket", sa.String(64), nullable=False),
        sa.Column("failed_at", sa.BigInteger, nullable=False, index=True),
        sa.Index("ix_login_failures_bucket_failed_at", "bucket", "failed_at"),
    )
    op.create_table(
        "stores",
        sa.Column("id", Id, primary_key=True),
        sa.Column("name", Text, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.UniqueConstraint("name", name="uq_stores_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "store_members",
        sa.Column("store_id", Id, sa.ForeignKey("stores.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("user_id", Id, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
        sa.Column("role", sa.String(5), nullable=False),
        sa.CheckConstraint("role IN ('owner', 'clerk')", name="role"),
    )
    op.create_table(
        "items",
        sa.Column("id", Id, primary_key=True),
        sa.Column("store_id", Id, sa.ForeignKey("stores.id"), nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("price_minor", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("store_id", "name", name="uq_items_store_id"),
        sa.CheckConstraint("price_minor >= 0", name="price"),
        sa.Index("ix_items_name_id", "name", "id"),
        sa.Index("ix_items_store_id_id", "store_id", "id"),
        sqlite_autoincrement=True,
    )
