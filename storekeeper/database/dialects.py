"""Statements that SQLite and PostgreSQL write differently."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from operator import itemgetter
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import records
from storekeeper.database.compiled_query import translate_error

T = TypeVar("T")


def insert_new(
    conn: Connection,
    table: sa.Table,
    values: dict[str, Any],
    columns: Iterable[sa.ColumnElement[Any]],
    record: Callable[..., T],
) -> T | None:
    """Insert a row and return the record of these columns of it; None on a uniqueness conflict.

    The constraint has the last word.
    """
    return records.fetch_first(conn, _insert_unless_there(conn, table, values).returning(*columns), record)


def insert_if_new(conn: Connection, table: sa.Table, values: dict[str, Any]) -> None:
    """Insert a row, unless there is one that it would not be unique beside."""
    conn.execute(_insert_unless_there(conn, table, values))


def _insert_unless_there(conn: Connection, table: sa.Table, values: dict[str, Any]) -> Any:
    return _insert(conn, table).values(values).on_conflict_do_nothing()


def insert_many(conn: Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, all with the same columns, by the fastest way that each database has."""
    # SQLite's driver takes longer over a None than over a text: columns that no row has are left to be null.
    columns = [column for column in rows[0] if any(row[column] is not None for row in rows)]
    values = list(map(itemgetter(*columns), rows))
    if conn.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        conn.exec_driver_sql(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", values)  # noqa: S608
    else:
        copy(conn, table, columns, values)


def upsert(
    conn: Connection, table: sa.Table, rows: list[dict[str, Any]], unique: Sequence[str], renewed: Iterable[str]
) -> None:
    """Insert rows. Where one is there already, by its unique columns, its renewed columns become the new one's."""
    insert = _insert(conn, table)
    values = {name: insert.excluded[name] for name in renewed}
    conn.execute(insert.on_conflict_do_update(index_elements=unique, set_=values), rows)


def _insert(conn: Connection, table: sa.Table) -> Any:
    """Of the one dialect that is loaded already: PostgreSQL's takes 2 MiB, with drivers that nobody uses."""
    return import_module(f"sqlalchemy.dialects.{conn.dialect.name}").insert(table)


def copy(conn: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows by PostgreSQL's COPY, three times as fast as by INSERT. Conflict where one is there already."""
    driver: Any = conn.connection
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as lines:
            for row in rows:
                lines.write_row(row)
    except conn.dialect.loaded_dbapi.Error as error:
        raise translate_error(conn, error) from error


def column_of(conn: Connection, values: Sequence[str]) -> sa.TableValuedAlias:
    """The values as a table with one column, `value`: a single parameter, however many there are."""
    if conn.dialect.name == "sqlite":
        return sa.func.json_each(json.dumps(values)).table_valued("value")
    return sa.func.unnest(sa.cast(values, sa.ARRAY(sa.String))).table_valued("value").render_derived()


def is_within(dialect: str, column: sa.ColumnElement[Any], parameter: str) -> sa.ColumnElement[bool]:
    """That the column has the parameter's value, where rows are sorted by this column first, as their index is.

    PostgreSQL believes that such rows are spread evenly over the ids. Asked for the first few by their ids, it looks
    through those of all: long, if these came late. A column that is one of a list, it believes, may differ from row to
    row, so only the index that begins with it has that order. A list of one it would take for an equation.
    """
    value = sa.bindparam(parameter, type_=sa.BigInteger)
    return column == value if dialect == "sqlite" else column.in_([value, value])


def serialize(conn: Connection, key: str) -> None:
    """Wait until no other transaction holds `key`, and hold it until this one ends. SQLite has one writer anyway."""
    if conn.dialect.name != "sqlite":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(key))))


def try_serialize(conn: Connection, key: str) -> bool:
    """Hold `key` until this transaction ends, unless another one does. SQLite has one writer anyway."""
    if conn.dialect.name == "sqlite":
        return True
    taken: bool = conn.scalars(sa.select(sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended(key, 0)))).one()
    return taken
