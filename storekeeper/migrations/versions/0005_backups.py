"""When the last backup was made."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table("backups", sa.Column("made_at", sa.BigInteger, primary_key=True, autoincrement=False))
