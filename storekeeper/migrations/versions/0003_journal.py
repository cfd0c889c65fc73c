"""The journal of changes, versions of stores and items, and what requests with an Idempotency-Key were answered."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    for table in ("stores", "items"):
        op.add_column(table, sa.Column("version", sa.BigInteger, nullable=False, server_default="1"))
    _create_journal()
    _begin_journal()
    _forbid_updates()
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
    )


def _create_journal() -> None:
    op.create_table(
        "changes",
        sa.Column("id", Id, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("user_id", sa.BigInteger),
        sa.Column("request", sa.String, nullable=False),
        sa.Column("kind", sa.String(6), nullable=False),
        sa.Column("action", sa.String(8), nullable=False),
        sa.Column("store_id", sa.BigInteger),
        sa.Column("subject_id", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger),
        sa.Column("price_minor", sa.BigInteger),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sa.Index("ix_changes_kind_subject_id", "kind", "subject_id", "id"),
        sa.Index("ix_changes_store_id_id", "store_id", "id"),
        sa.Index(
            "ix_changes_price",
            "subject_id",
            "id",
            sqlite_where=sa.text("price_minor IS NOT NULL"),
            postgresql_where=sa.text("price_minor IS NOT NULL"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "journal",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("last_id", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
    )


def _begin_journal() -> None:
    """What is there already is in no row. Whoever follows has to read it, as if the first row were forgotten."""
    conn = op.get_bind()
    if not conn.scalar(sa.text("SELECT count(*) FROM (SELECT id FROM users UNION ALL SELECT id FROM stores) AS known")):
        return
    conn.execute(
        sa.text("INSERT INTO journal (id, last_id, last_at) VALUES (1, 1, :at)").bindparams(at=int(time.time()))
    )
    if conn.dialect.name == "sqlite":
        conn.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('changes', 1)"))
    else:
        conn.execute(sa.text("SELECT nextval('changes_id_seq')"))


def _forbid_updates() -> None:
    """What was written stays as it was written, whoever tries."""
    message = "the journal is not to be altered"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER changes_stay BEFORE UPDATE ON changes BEGIN SELECT RAISE(ABORT, '{message}'); END")
        return
    body = f"BEGIN RAISE EXCEPTION '{message}'; END"
    op.execute(f"CREATE FUNCTION changes_stay() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
    op.execute("CREATE TRIGGER changes_stay BEFORE UPDATE ON changes EXECUTE FUNCTION changes_stay()")
