"""How often a job has ended its process, and when an import was last taken up."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("imports", sa.Column("taken_at", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("imports", sa.Column("deaths", sa.Integer, nullable=False, server_default="0"))
    op.add_column("webhooks", sa.Column("deaths", sa.Integer, nullable=False, server_default="0"))
    # A live job may have the name of a runner that has given it up: it is not to count as that one's death.
    op.execute("UPDATE imports SET runner = NULL WHERE state = 'queued'")
