"""The statements of the busiest paths: compiled once, then run on the driver's own connection."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import signature
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.sql.selectable import ReturnsRows

from storekeeper.errors import Conflict

T = TypeVar("T")

Row = Sequence[Any]
Converters = list[tuple[int, Any]]


class CompiledQuery:
    """A statement of the busiest paths: compiled once, then run on the driver's own connection.

    Its rows are the ones `conn.execute` gives, for a quarter of the time (4 µs, not 16): tuples, or what `record`
    makes of one. Conflict where it breaks a constraint.
    """

    def __init__(self, statement: ReturnsRows, record: Callable[[Row], Any] | None = None) -> None:
        self._statement = statement
        self._record = record
        self._compiled: dict[str, CompiledSQL] = {}

    def execute(self, conn: Connection, **values: Any) -> None:
        """For a change that returns nothing."""
        self.start(conn, held_cursor(conn), values)

    def fetch_first(self, conn: Connection, **values: Any) -> Any | None:
        rows = self.fetch(conn, values)
        return rows[0] if rows else None

    def fetch_all(self, conn: Connection, **values: Any) -> list[Any]:
        return self.fetch(conn, values)

    def fetch(self, conn: Connection, values: Mapping[str, Any]) -> list[Any]:
        return self.fetch_rows(conn, self.start(conn, held_cursor(conn), values))

    def start(self, conn: Connection, cursor: Any, values: Mapping[str, Any]) -> Any:
        """Run the statement on this cursor. Returns the cursor."""
        made = self._for(conn)
        return execute(conn, made.sql, {**made.constants, **values} if made.constants else values, cursor)

    def fetch_rows(self, conn: Connection, cursor: Any) -> list[Any]:
        # Fetch all, even of one row: SQLite would keep a half-read statement's snapshot open.
        rows: list[Row] = cursor.fetchall()
        converters = self._for(conn).converters
        if converters:
            rows = [_converted(list(row), converters) for row in rows]
        return [self._record(row) for row in rows] if self._record else rows

    def _for(self, conn: Connection) -> "CompiledSQL":
        return self._compiled.get(conn.dialect.name) or self._compile(conn.dialect)

    def _compile(self, dialect: sa.Dialect) -> "CompiledSQL":
        compiled = self._statement.compile(dialect=dialect)
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        types = [column.type.dialect_impl(dialect) for column in self._statement.exported_columns]
        found = [type_.result_processor(dialect, None) for type_ in types]
        converters = [(index, convert) for index, convert in enumerate(found) if convert]
        return self._compiled.setdefault(dialect.name, CompiledSQL(str(compiled), constants, converters))


class CompiledSQL(NamedTuple):
    """A statement in a driver's words, the values that stand in it, and how to read its rows."""

    sql: str
    constants: Mapping[str, Any]
    converters: Converters


def reader(
    record: Callable[..., T], columns: Iterable[sa.ColumnElement[Any]], **convert: Callable[[Any], Any]
) -> Callable[[Row], T]:
    """A function that makes a record of a row with these columns: each field from the column of its name.

    `convert` changes the values of some fields. LookupError for a field without a column.

    A struct does not check its members. Were they filled by position, a column more would shift each value to the next
    field, as a password's hash once became `is_active`.
    """
    names, fields = [column.key for column in columns], list(signature(record).parameters)
    if missing := [field for field in fields if field not in names]:
        raise LookupError(f"{record}: no column is named {', '.join(missing)}")
    pick = itemgetter(*map(names.index, fields))
    if not convert:
        return lambda row: record(*pick(row))
    converters = [(fields.index(field), function) for field, function in convert.items()]
    return lambda row: record(*_converted(list(pick(row)), converters))


def limited(select: sa.Select[Any], maximum: int) -> sa.Select[Any]:
    """The first rows. The number is written out: SQLite prepares a statement anew whenever a parameter stands there."""
    return select.limit(sa.literal_column(str(maximum))).offset(sa.literal_column("0"))


def fetch_together(conn: Connection, queries: Sequence[tuple[CompiledQuery, Mapping[str, Any]]]) -> list[list[Any]]:
    """The rows of several queries, each with its values, for one trip to PostgreSQL: what psycopg calls a pipeline."""
    if conn.dialect.name == "sqlite":
        return [query.fetch(conn, values) for query, values in queries]
    driver: Any = conn.connection.driver_connection
    with driver.pipeline():
        cursors = [query.start(conn, driver.cursor(binary=True), values) for query, values in queries]
        return [query.fetch_rows(conn, cursor) for (query, _), cursor in zip(queries, cursors, strict=True)]


def execute(conn: Connection, sql: str, values: Any, cursor: Any = None) -> Any:
    """Run the driver's own SQL, where no other cursor is given on the one that the connection keeps. Returns it."""
    try:
        return (cursor or held_cursor(conn)).execute(sql, values)
    except conn.dialect.loaded_dbapi.IntegrityError as error:
        raise Conflict from error


def _converted(row: list[Any], converters: Converters) -> Row:
    for index, convert in converters:
        row[index] = convert(row[index])
    return row


def held_cursor(conn: Connection) -> Any:
    """The driver's cursor that this connection keeps for its queries."""
    cursor = conn.info.get("cursor")
    if cursor is None:
        options = {} if conn.dialect.name == "sqlite" else {"binary": True}
        cursor = conn.info["cursor"] = conn.connection.cursor(**options)
    return cursor
