"""The journal says what kind of author a change has, and what the sender called the request."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("changes", sa.Column("author_kind", sa.String(8)))
    op.add_column("changes", sa.Column("client_request", sa.String))
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute("DROP TRIGGER changes_stay" + ("" if is_sqlite else " ON changes"))
    # Who registered is the user themselves. Only requests have an id: at the command line it was empty.
    op.execute("""
        UPDATE changes SET author_kind = 'user', user_id = subject_id
        WHERE kind = 'user' AND action = 'create' AND user_id IS NULL AND request <> ''
    """)
    if is_sqlite:
        stay = "SELECT RAISE(ABORT, 'the journal is not to be altered')"
        op.execute(f"CREATE TRIGGER changes_stay BEFORE UPDATE ON changes BEGIN {stay}; END")
    else:
        op.execute("CREATE TRIGGER changes_stay BEFORE UPDATE ON changes EXECUTE FUNCTION changes_stay()")
