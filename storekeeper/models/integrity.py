"""Whether what is stored is whole: pages, indexes, references between rows, and the files that rows name.

Each finding is a sentence for the operator. There are at most `MAX_FINDINGS` of a kind: what is damaged once is often
damaged in thousands of places.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database.engine import metadata
from storekeeper.files import images
from storekeeper.files.storage import Storage
from storekeeper.models import import_queue, item

MAX_FINDINGS = 20
IMPORTS = "imports"  # the folder of their files


def find_faults(conn: Connection) -> Iterator[str]:
    """What a look at each page, or at the state of the server, finds. Reads all of an SQLite file once."""
    if conn.dialect.name == "sqlite":
        yield from _damage(conn, "quick_check")
    elif conn.scalar(sa.text("SHOW transaction_read_only")) == "on":
        yield "The database takes no changes: it is read-only."


def find_deep_faults(conn: Connection) -> Iterator[str]:
    """All that can be found by reading everything: indexes against their tables, and rows that others name."""
    if conn.dialect.name == "sqlite":
        yield from _damage(conn, "integrity_check")
    else:
        yield from _unread_pages(conn)
        yield from _unsound_indexes(conn)
    yield from islice(_dangling_references(conn), MAX_FINDINGS)


def find_missing_files(conn: Connection, storage: Storage) -> Iterator[str]:
    """The files that rows name and the storage does not have."""
    stored = {*storage.list(images.FOLDER)}
    named = {images.path(key, size) for key in item.images(conn) for size in images.SIZES}
    yield from _missing("An item has an image", named - stored)
    stored = {*storage.list(IMPORTS)}
    yield from _missing("An import needs the file", import_queue.files(conn) - stored)


def _missing(noun: str, names: Iterable[str]) -> Iterator[str]:
    names = sorted(names)
    yield from (f"{noun} {name}, which is not there." for name in names[:MAX_FINDINGS])
    if len(names) > MAX_FINDINGS:
        yield f"So it is with {len(names) - MAX_FINDINGS:,} more files."


def _damage(conn: Connection, check: str) -> Iterator[str]:
    rows = conn.exec_driver_sql(f"PRAGMA {check}({MAX_FINDINGS})").scalars().all()
    for line in "\n".join(rows).splitlines():
        if line != "ok" and not line.startswith("*** in database"):
            yield f"The database is damaged: {line} (what to do: docs/operating/damaged-database.md)"


def _unread_pages(conn: Connection) -> Iterator[str]:
    """PostgreSQL raises an error for a page that it cannot read, and counts the checksums that have failed."""
    failed = "SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()"
    if count := conn.scalar(sa.text(failed)):
        yield f"The checksums of {count:,} pages were wrong when PostgreSQL read them."
    for table in metadata.sorted_tables:
        conn.execute(sa.text(f"SELECT sum(hashtextextended(each::text, 0)) FROM {table.name} AS each"))  # noqa: S608


def _unsound_indexes(conn: Connection) -> Iterator[str]:
    unsound = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
    for name in conn.scalars(sa.text(unsound)):
        yield f"The index {name} is not valid: REINDEX INDEX {name}."
    if conn.scalar(sa.text("SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'")):
        ours = "SELECT indexrelid FROM pg_stat_user_indexes JOIN pg_class ON pg_class.oid = indexrelid"
        conn.execute(
            sa.text(
                f"SELECT bt_index_check(indexrelid) FROM ({ours} JOIN pg_am ON pg_am.oid = relam "  # noqa: S608
                "WHERE amname = 'btree') AS btrees"
            )
        )


def _dangling_references(conn: Connection) -> Iterator[str]:
    for table in metadata.sorted_tables:
        for key in table.foreign_keys:
            referred = key.column.table.alias("referred")
            is_there = sa.exists().where(referred.c[key.column.name] == key.parent)
            lost = sa.select(sa.func.count()).select_from(table).where(key.parent.is_not(None), ~is_there)
            if count := conn.scalar(lost):
                there = key.column.table.name
                yield f"In {table.name}, {count:,} rows have a {key.parent.name} that is not in {there}."
