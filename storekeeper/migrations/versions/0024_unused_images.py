"""Images that no item has any more, and since when. Those that are stored already are found by the server."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "unused_images",
        sa.Column("key", sa.String, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_unused_images"),
    )
    op.create_index("ix_unused_images_since", "unused_images", ["since"])
    has_image = sa.text("image IS NOT NULL")
    op.create_index("ix_items_image", "items", ["image"], sqlite_where=has_image, postgresql_where=has_image)
