"""Sessions count the wrong passwords that were given in them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("wrong_passwords", sa.Integer, nullable=False, server_default="0"))
