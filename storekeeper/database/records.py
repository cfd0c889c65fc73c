"""Records of rows: each field is the column of its name. Its place is looked up once for a statement, not for each row.

A record is a struct, a named tuple, or a function whose parameters have the names of columns. A struct does not check
its members: filled by position, one column more shifts each value to the next field, as a password's hash once became
`is_active`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from inspect import signature
from operator import itemgetter
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.sql.selectable import ExecutableReturnsRows

T = TypeVar("T")

Row = Sequence[object]  # as the driver returns it: only a reader knows the places of the columns
Reader = Callable[[Row], T]
Columns = Iterable[sa.ColumnElement[Any] | str]  # or their names

CACHE_SIZE = 512  # of readers


class _Composed(Generic[T]):
    """A record with its own way to read a row: `bind` takes the names of the columns and returns a reader."""

    def __init__(self, bind: Callable[[tuple[str, ...]], Reader[T]]) -> None:
        self.bind = bind

    def __call__(self, *_: Any) -> T:
        raise TypeError("Only a reader makes this record.")


def reader(record: Callable[..., T], columns: Columns) -> Reader[T]:
    """A function that makes a record of a row with these columns. LookupError for a field without one, or with two."""
    return _bind(record, tuple(column if isinstance(column, str) else column.key for column in columns))


@lru_cache(CACHE_SIZE)
def _bind(record: Callable[..., Any], names: tuple[str, ...]) -> Reader[Any]:
    if isinstance(record, _Composed):
        return record.bind(names)
    pick = _picker(record, names, _fields(record))
    return (lambda row: record(*pick(row))) if pick else (lambda row: record(*row))


def _fields(record: Callable[..., Any]) -> list[str]:
    return list(signature(record).parameters)


def _picker(
    record: Callable[..., Any], names: Sequence[str], fields: Sequence[str]
) -> Callable[[Row], Sequence[Any]] | None:
    """The function that takes the fields out of a row; None where the row is exactly these."""
    if wrong := [field for field in fields if names.count(field) != 1]:
        raise LookupError(f"{record}: not just one column is named {', '.join(wrong)}")
    places = [names.index(field) for field in fields]
    first, end = places[0], places[0] + len(places)
    if places != list(range(first, end)):
        return itemgetter(*places)
    return None if len(places) == len(names) else itemgetter(slice(first, end))


def nested(record: Callable[..., T], **parts: Callable[..., Any]) -> Callable[..., T]:
    """A record in which these fields are not columns but records, of columns of the same row."""

    def bind(names: tuple[str, ...]) -> Reader[T]:
        fields = _fields(record)
        if unknown := parts.keys() - fields:
            raise LookupError(f"{record} has no field {', '.join(sorted(unknown))}.")
        readers = [reader(parts[field], names) if field in parts else _value(names, field) for field in fields]
        if len(readers) == 2:
            first, second = readers
            return lambda row: record(first(row), second(row))
        return lambda row: record(*[read(row) for read in readers])

    return _Composed(bind)


def optional(record: Callable[..., T], key: str) -> Callable[..., T | None]:
    """A record, or None where the column `key` is NULL, as in the row of an outer join that finds nothing."""

    def bind(names: tuple[str, ...]) -> Reader[T | None]:
        read, read_key = reader(record, names), _value(names, key)
        return lambda row: None if read_key(row) is None else read(row)

    return _Composed(bind)


def converted(record: Callable[..., T], **convert: Callable[[Any], Any]) -> Callable[..., T]:
    """A record in which a function changes the values of these fields."""

    def bind(names: tuple[str, ...]) -> Reader[T]:
        fields = _fields(record)
        pick = _picker(record, names, fields) or tuple
        changes = [(fields.index(field), function) for field, function in convert.items()]
        return lambda row: record(*convert_values(list(pick(row)), changes))

    return _Composed(bind)


def _value(names: tuple[str, ...], name: str) -> Reader[Any]:
    if names.count(name) != 1:
        raise LookupError(f"Not just one column is named {name}.")
    return itemgetter(names.index(name))


def _only_value(names: tuple[str, ...]) -> Reader[Any]:
    if len(names) != 1:
        raise LookupError(f"These are several columns: {', '.join(names)}.")
    return itemgetter(0)


# The value of the only column. The query's annotation declares its type.
scalar: Callable[..., Any] = _Composed(_only_value)


def convert_values(values: list[Any], converters: Iterable[tuple[int, Callable[[Any], Any]]]) -> list[Any]:
    """The same list, with the values in these places converted."""
    for index, convert in converters:
        values[index] = convert(values[index])
    return values


def fetch_all(
    conn: Connection,
    statement: ExecutableReturnsRows,
    record: Callable[..., T],
    values: Sequence[Mapping[str, Any]] | None = None,
) -> list[T]:
    """The records of a statement that is built for one use; for others there is `CompiledQuery`."""
    read = reader(record, statement.exported_columns)
    return [read(row) for row in conn.execute(statement, values)]


def fetch_first(conn: Connection, statement: ExecutableReturnsRows, record: Callable[..., T]) -> T | None:
    """The record of the first row; None where there is none."""
    found = fetch_all(conn, statement, record)
    return found[0] if found else None


def fetch_only(conn: Connection, statement: ExecutableReturnsRows, record: Callable[..., T]) -> T:
    """The record of a statement that always returns one row."""
    (only,) = fetch_all(conn, statement, record)
    return only
