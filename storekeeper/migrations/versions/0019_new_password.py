"""A user may have to choose a new password at the next login."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    must_change = sa.Column("must_change_password", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("users", must_change)
