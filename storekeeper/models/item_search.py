"""The index of words: finds the items that have all of some words, on SQLite by FTS5 and on PostgreSQL by a tsvector.

A row has the words of an item's title (name, SKU and barcode) and of its body (description, tags, and terms for its
store and its tags). In a tsvector, words of the title have a marker. `domain.search_words` splits the texts; the
databases only index its words.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.types import UserDefinedType

from storekeeper.database import dialects
from storekeeper.database.compiled_query import execute
from storekeeper.domain import search_words

COMMON = 10  # matches in a sample: see `choose_plan`

# Not in the metadata: on SQLite it is a virtual table.
entries = sa.table("item_search", sa.column("rowid", sa.BigInteger), sa.column("document"))

_ADD_TO_SQLITE = "INSERT INTO item_search (rowid, title, body) VALUES (?, ?, ?)"
_TO_SQLITE = _ADD_TO_SQLITE.replace("INSERT", "INSERT OR REPLACE")
_TO_POSTGRESQL = """
    INSERT INTO item_search (rowid, document) VALUES (%(id)s, %(document)s::tsvector)
    ON CONFLICT (rowid) DO UPDATE SET document = excluded.document
"""
# What is looked for stands in a select of its own here, and in `_match`: PostgreSQL then makes one plan for all words.
# It would make one for each search otherwise, which takes longer than the search.
_HITS = """
    SELECT count(*) FILTER (WHERE document @@ (SELECT %(title_words)s::tsquery)), count(*)
    FROM item_search TABLESAMPLE system ((
        SELECT (100 / sqrt(greatest(reltuples, 1)))::real FROM pg_class WHERE oid = 'item_search'::regclass
    )) WHERE document @@ (SELECT %(words)s::tsquery)
"""


class Tsquery(UserDefinedType[str]):
    """PostgreSQL's own type. SQLAlchemy has it too, in a package that SQLite never needs: see `dialects`."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "tsquery"


class SearchDocument(msgspec.Struct, frozen=True):
    """What an item is found by. `tags` are as the table has them, with semicolons in between."""

    id: int
    store_id: int
    name: str
    sku: str | None
    barcode: str | None
    description: str
    tags: str

    def title(self) -> list[str]:
        return search_words.split_words(" ".join(filter(None, (self.name, self.sku, self.barcode))))

    def body(self) -> list[str]:
        marks = map(search_words.of_tag, self.tags.split(";")) if self.tags else ()
        return [
            *search_words.split_words(f"{self.description} {self.tags}"),
            search_words.of_store(self.store_id),
            *marks,
        ]


class ScanPlan(NamedTuple):
    """Whether to find the items with the words in the title, or anywhere, by a walk: see `choose_plan`."""

    title: bool = True
    anywhere: bool = True


class SearchTerms(msgspec.Struct, frozen=True):
    """What is looked for: items that hold a word for each of these beginnings, and all of these marks."""

    beginnings: Sequence[str]
    marks: Sequence[str]


def index(conn: Connection, entries: Iterable[SearchDocument]) -> None:
    """Make these items findable, new ones and changed ones."""
    if conn.dialect.name == "sqlite":
        _execute(conn, _TO_SQLITE, [_to_sqlite(each) for each in entries])
    else:
        _execute(conn, _TO_POSTGRESQL, [{"id": each.id, "document": vector(each)} for each in entries])


def add(conn: Connection, entries: Sequence[SearchDocument]) -> None:
    """Make many new items findable."""
    if conn.dialect.name == "sqlite":
        _execute(conn, _ADD_TO_SQLITE, [_to_sqlite(each) for each in entries])
    else:
        dialects.copy(conn, "item_search", ("rowid", "document"), ((each.id, vector(each)) for each in entries))


def _execute(
    conn: Connection, statement: str, rows: Sequence[tuple[object, ...]] | Sequence[Mapping[str, object]]
) -> None:
    if rows:
        conn.exec_driver_sql(statement, rows)


def drop(conn: Connection, ids: sa.ScalarSelect[Any] | Sequence[int]) -> None:
    """Remove items from the index. PostgreSQL does so by itself, when their rows are deleted."""
    if conn.dialect.name == "sqlite":
        conn.execute(sa.delete(entries).where(entries.c.rowid.in_(ids)))


def expression(dialect: str, terms: SearchTerms, *, is_title: bool = False) -> str:
    """The query for the index: all terms must match, and the words in the title, if `is_title`."""
    return _sqlite_query(terms, is_title) if dialect == "sqlite" else _postgresql_query(terms, is_title)


def keep_matches(
    dialect: str, select: sa.Select[Any], id: sa.Column[int], words: str, *, is_walk: bool
) -> tuple[sa.Select[Any], sa.ColumnElement[int]]:
    """Of a select of items by `id`, those that match; and the column that sorts them in the order of their ids.

    What is looked for comes as a parameter of the name `words`, see `expression`. `is_walk` keeps PostgreSQL from its
    index, see `choose_plan`. Without, all that match are found first; planned as a join, whole tables would be read.
    """
    is_match = _match(dialect, words, is_walk)
    if is_walk:
        return select.join(entries, _holds(dialect, id)).where(is_match), entries.c.rowid
    found = sa.select(entries.c.rowid).where(is_match).scalar_subquery()
    return select.where(id == sa.any_(sa.func.array(found))), id


def _match(dialect: str, words: str, is_walk: bool) -> sa.ColumnElement[bool]:
    if dialect == "sqlite":
        return sa.literal_column("item_search").op("MATCH")(sa.bindparam(words, type_=sa.String))
    query = sa.select(sa.cast(sa.bindparam(words, type_=sa.String), Tsquery)).scalar_subquery()
    is_match = entries.c.document.op("@@", is_comparison=True)(query)
    # Of what is behind a function, PostgreSQL expects half to match: it walks, and stops as soon as it can.
    return sa.func.coalesce(is_match, sa.false()) if is_walk else is_match


def _holds(dialect: str, id: sa.Column[int]) -> sa.ColumnElement[bool]:
    """The condition that joins `entries` with the items.

    SQLite has to begin with the index of words: without statistics its planner would rather try each item that some
    filter leaves, and search the index anew for every one. The sum keeps it from that.
    """
    entry = entries.c.rowid + sa.literal_column("0") if dialect == "sqlite" else entries.c.rowid
    return entry == id


def choose_plan(conn: Connection, expression: str, title_expression: str) -> ScanPlan:
    """Choose between an index scan and a scan of all items in the order of their ids, for the title and for all words.

    SQLite's index is in that order. PostgreSQL must fetch and sort all matches, and its planner cannot estimate how
    many words begin with a prefix. So a sample decides: 100 rows of ten thousand, 1,000 of a million. With `COMMON` or
    more matches in the sample, the scan by id finds a page sooner. For example, a word in 2 % of a million items
    matches some 20 sampled rows: scan by id. A word in 300 items probably matches none: use the index.
    """
    if conn.dialect.name == "sqlite":
        return ScanPlan()
    words = {"words": expression, "title_words": title_expression}
    ((in_titles, anywhere),) = execute(conn, _HITS, words).fetchall()
    return ScanPlan(title=in_titles >= COMMON, anywhere=anywhere >= COMMON)


def analyze(conn: Connection) -> None:
    """After many changes, update PostgreSQL's statistics, so that its planner finds the best plans.

    SQLite is better off without statistics. It would not update them by itself, and a connection knows only those from
    when it was opened: with statistics of a small database it would read every item in each search.
    """
    if conn.dialect.name == "sqlite":
        return
    conn.exec_driver_sql("SELECT gin_clean_pending_list('ix_item_search_document')")
    conn.exec_driver_sql("ANALYZE items, item_search")


def vector(entry: SearchDocument) -> str:
    """The text of a tsvector."""
    return " ".join(f"'{word}'" for word in (*map(search_words.in_title, entry.title()), *entry.body()))


def _to_sqlite(entry: SearchDocument) -> tuple[int, str, str]:
    return entry.id, " ".join(entry.title()), " ".join(entry.body())


def _sqlite_query(terms: SearchTerms, is_title: bool) -> str:
    columns = "{title} : " if is_title else ""
    wanted = [f'{columns}"{word}" *' for word in terms.beginnings]
    return " AND ".join([*wanted, *(f'"{mark}"' for mark in terms.marks)])


def _postgresql_query(terms: SearchTerms, is_title: bool) -> str:
    in_title = [f"'{search_words.in_title(word)}':*" for word in terms.beginnings]
    anywhere = [f"('{word}':* | {titled})" for word, titled in zip(terms.beginnings, in_title, strict=True)]
    return " & ".join([*(in_title if is_title else anywhere), *(f"'{mark}'" for mark in terms.marks)])
