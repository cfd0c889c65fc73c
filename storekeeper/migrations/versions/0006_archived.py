"""An index of the archived items: all others are counted as all but these."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    is_archived = sa.text("archived_at IS NOT NULL")
    op.create_index(
        "ix_items_archived",
        "items",
        ["store_id", "archived_at"],
        sqlite_where=is_archived,
        postgresql_where=is_archived,
    )
