"""How the chores of each process are getting on."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "chores",
        sa.Column("server", sa.String, primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("last_success", sa.BigInteger),
        sa.Column("last_error", sa.String),
        sa.Column("last_error_at", sa.BigInteger),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("reported_at", sa.BigInteger, nullable=False),
    )
