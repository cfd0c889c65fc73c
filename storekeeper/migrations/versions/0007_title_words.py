"""The words of a title are words of their own: PostgreSQL's index does not hold the weights that told them."""

from alembic import op

revision = "0007"
down_revision = "0006"

_TITLE = "array_to_string(tsvector_to_array(ts_filter(document, '{a}')), ' \xb6')"
_MARKED = f"array_to_tsvector(array_remove(string_to_array('\xb6' || {_TITLE}, ' '), '\xb6'))"
_BODY = "strip(ts_filter(document, '{c}'))"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    # It writes the table and its index anew, which is far quicker than changing each row. What has no weights comes
    # from an earlier migration, which writes as the program does now.
    op.execute(f"""
        ALTER TABLE item_search ALTER COLUMN document TYPE tsvector
        USING CASE WHEN document = strip(document) THEN document ELSE {_MARKED} || {_BODY} END
    """)
    op.execute("ANALYZE item_search")
