"""What quotas are counted by: who founded a store, and what answers and images take.

Of answers, those from before count for nothing in their day. Images that items have are counted by the server.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")

# Who founded it by the journal, where that goes back so far: nobody, if it was the operator. Else one of its owners.
FOUNDERS = """
    UPDATE stores SET founder_id = CASE
        WHEN EXISTS (
            SELECT 1 FROM changes WHERE kind = 'store' AND action = 'create' AND subject_id = stores.id
        ) THEN (
            SELECT min(user_id) FROM changes WHERE kind = 'store' AND action = 'create' AND subject_id = stores.id
        )
        ELSE (SELECT min(user_id) FROM store_members WHERE store_id = stores.id AND role = 'owner')
    END
"""


def upgrade() -> None:
    op.add_column("stores", sa.Column("founder_id", sa.BigInteger))
    op.create_index("ix_stores_founder_id", "stores", ["founder_id"])
    op.execute(FOUNDERS)
    op.create_table(
        "answer_space",
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("hour", sa.BigInteger, nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "hour", "part", name="pk_answer_space"),
    )
    op.create_index("ix_answer_space_hour", "answer_space", ["hour"])
    op.create_table(
        "store_images",
        sa.Column("store_id", Id, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "key", name="pk_store_images"),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name="fk_store_images_store_id_stores", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_store_images_key", "store_images", ["key"])
    op.create_index("ix_store_images_store_id_bytes", "store_images", ["store_id", "bytes"])
