"""The catalogue: what an item is beside its name and price, and the index of words."""

import re
import time
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Text = sa.String().with_variant(sa.String(collation="C"), "postgresql")

AT_ONCE = 1000
COUNTS = ("rows", "added", "changed", "unchanged", "refused")


def upgrade() -> None:
    op.add_column("stores", sa.Column("negative_stock", sa.Boolean, nullable=False, server_default=sa.false()))
    for column in _columns():
        op.add_column("items", column)
    op.execute(sa.text("UPDATE items SET updated_at = :now").bindparams(now=int(time.time())))
    _create_indexes()
    _create_imports()
    _create_search()
    _index_words()


def _columns() -> list[sa.Column[object]]:
    return [
        sa.Column("sku", Text, nullable=True),
        sa.Column("barcode", Text, nullable=True),
        sa.Column("description", Text, nullable=False, server_default=sa.text("''")),
        sa.Column("tags", Text, nullable=False, server_default=sa.text("''")),
        sa.Column("stock", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("archived_at", sa.BigInteger, nullable=True),
        sa.Column("image", sa.String, nullable=True),
        sa.Column("updated_at", sa.BigInteger, nullable=False, server_default="0"),
    ]


def _create_indexes() -> None:
    op.create_index("uq_items_sku_store_id", "items", ["sku", "store_id"], unique=True)
    op.create_index("uq_items_barcode_store_id", "items", ["barcode", "store_id"], unique=True)
    op.create_index("ix_items_store_id_price", "items", ["store_id", "price_minor", "id"])
    op.create_index("ix_items_store_id_stock", "items", ["store_id", "stock", "id"])
    op.create_index("ix_items_store_id_updated", "items", ["store_id", "updated_at", "id"])
    op.create_index("ix_items_updated", "items", ["updated_at", "id"])


def _create_imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", Id, primary_key=True),
        sa.Column("store_id", Id, sa.ForeignKey("stores.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("user_id", Id, sa.ForeignKey("users.id", ondelete="CASCADE"), index=True),
        sa.Column("state", sa.String(9), nullable=False, index=True),
        sa.Column("is_dry_run", sa.Boolean, nullable=False),
        sa.Column("skips_refused", sa.Boolean, nullable=False),
        sa.Column("match", sa.String(7), nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("file", sa.String, nullable=False),
        sa.Column("file_name", sa.String, nullable=False),
        sa.Column("found", sa.JSON),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("percent", sa.Integer, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in COUNTS),
        sa.Column("reason", sa.String),
        sa.Column("runner", sa.String),
        sa.Column("beat_at", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger, index=True),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "import_refusals",
        sa.Column("id", Id, primary_key=True),
        sa.Column("import_id", Id, sa.ForeignKey("imports.id", ondelete="CASCADE"), nullable=False),
        sa.Column("line", sa.BigInteger, nullable=False),
        sa.Column("field", sa.String),
        sa.Column("message", sa.String, nullable=False),
        sa.Index("ix_import_refusals_import_id_line", "import_id", "line"),
        sqlite_autoincrement=True,
    )


def _create_search() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("""
            CREATE VIRTUAL TABLE item_search USING fts5(
                title, body, content='', contentless_delete=1, detail=column, tokenize='ascii', prefix='1 2 3'
            )
        """)
        return
    op.execute("""
        CREATE TABLE item_search (
            rowid bigint PRIMARY KEY REFERENCES items (id) ON DELETE CASCADE,
            document tsvector NOT NULL
        )
    """)
    op.execute("CREATE INDEX ix_item_search_document ON item_search USING gin (document)")


def _index_words() -> None:
    conn, last = op.get_bind(), 0
    query = sa.text("SELECT id, store_id, name FROM items WHERE id > :last ORDER BY id LIMIT :limit")
    while rows := conn.execute(query, {"last": last, "limit": AT_ONCE}).all():
        _index(conn, [(row.id, row.store_id, _words(row.name)) for row in rows])
        last = rows[-1].id


# The index of words: what the program did when 0007 was written, which leaves alone what has its form.

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})
_CJK = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")


def _index(conn: sa.Connection, items: list[tuple[int, int, list[str]]]) -> None:
    if conn.dialect.name == "sqlite":
        statement = "INSERT INTO item_search (rowid, title, body) VALUES (:id, :title, :body)"
        rows = [{"id": id, "title": " ".join(title), "body": f"\xa7s{store_id}"} for id, store_id, title in items]
    else:
        statement = "INSERT INTO item_search (rowid, document) VALUES (:id, CAST(:document AS tsvector))"
        rows = [
            {
                "id": id,
                "document": " ".join(f"'{word}'" for word in (*(f"\xb6{each}" for each in title), f"\xa7s{store_id}")),
            }
            for id, store_id, title in items
        ]
    conn.execute(sa.text(statement), rows)


def _words(text: str) -> list[str]:
    plain = (char for char in unicodedata.normalize("NFKD", text) if unicodedata.category(char)[0] != "M")
    return [word[:100] for word in _WORD.findall("".join(plain).casefold().translate(_LETTERS))]
