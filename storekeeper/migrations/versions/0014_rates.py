"""How often something was done from a network in a minute."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "rates",
        sa.Column("bucket", sa.String(80), nullable=False),
        sa.Column("minute", sa.BigInteger, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("bucket", name="pk_rates"),
    )
    op.create_index("ix_rates_minute", "rates", ["minute"])
