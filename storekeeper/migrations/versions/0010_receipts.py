"""Sessions note which refresh token was last received: sessions that are there go on, and have proven nothing yet."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("received_number", sa.Integer, nullable=False, server_default="0"))
    op.add_column("sessions", sa.Column("received_at", sa.BigInteger, nullable=False, server_default="0"))
