"""Files of items as streams of rows: CSV, JSON Lines and Excel, in memory that does not grow with the file.

This module reads the form of a file. `cells` parses the values, and the models check them.
"""

import codecs
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import compress, dropwhile
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeVar

import msgspec

from storekeeper.errors import Invalid
from storekeeper.messages import ErrorMessage
from storekeeper.tabular import csv_reader, jsonl_reader
from storekeeper.tabular.cells import DecimalMark
from storekeeper.tabular.csv_reader import Encoding

if TYPE_CHECKING:
    from storekeeper.tabular import xlsx_reader

MAX_COLUMNS = 1000
MAX_IGNORED = 100
HEAD = 2**16  # bytes
OLD_EXCEL = b"\xd0\xcf\x11\xe0"

T = TypeVar("T")
Format = Literal["csv", "jsonl", "xlsx"]
Delimiter = Literal[",", ";", "\t", "|"]

# By the names that a person gives them.
DELIMITERS: dict[str, Literal["auto"] | Delimiter] = {
    "auto": "auto",
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "pipe": "|",
}


class Options(msgspec.Struct, frozen=True):
    """How to read a file, as far as the file does not show it.

    `columns` maps headings of the file to fields; a heading that maps to an empty text is ignored.
    """

    format: Literal["auto"] | Format = "auto"
    encoding: Literal["auto"] | Encoding = "auto"
    delimiter: Literal["auto"] | Delimiter = "auto"
    decimal: DecimalMark = "auto"
    columns: dict[str, str] = {}
    sheet: str | None = None


class Row(msgspec.Struct, frozen=True):
    """A record and the line where it begins; or the reason why it could not be read, and no values."""

    line: int
    values: dict[str, object]
    error: ErrorMessage | None = None


class Sheet(msgspec.Struct, frozen=True):
    """The columns of a file and its rows. Each iteration reads the file from its beginning; the file must stay open.

    `ignored` are headings that are no fields. JSON Lines has no headings: both lists have the members of the first
    record, and those of later records are added while reading.
    """

    format: Format
    encoding: Encoding
    delimiter: str | None
    decimal: DecimalMark
    columns: list[str]
    ignored: list[str]
    rows: Callable[[], Iterator[Row]]

    def __iter__(self) -> Iterator[Row]:
        return self.rows()


def open_sheet(file: BinaryIO, options: Options, fields: Sequence[str]) -> Sheet:
    """Detect format, encoding, delimiter and columns of a file; `fields` are the known fields.

    Raises Invalid if the file cannot be read at all; errors in a row are in that Row.
    """
    _check_mapping(options.columns, fields)
    match options.format if options.format != "auto" else _recognise(file):
        case "xlsx":
            return _open_workbook(file, options, fields)
        case "jsonl":
            return _open_json_lines(file, options, fields)
        case _:
            return _open_csv(file, options, fields)


def read_columns(text: str) -> dict[str, str]:
    """`Artikel:name;Preis:price` as a mapping of headings to fields. `store:` maps to an empty text: it is ignored."""
    pairs = [each.rpartition(":") for each in text.split(";") if each.strip()]
    if not all(heading.strip() for heading, _, _ in pairs):
        raise Invalid("columns_unreadable", field="columns")
    columns = {heading.strip(): field.strip() for heading, _, field in pairs}
    if len(columns) < len(pairs):
        raise Invalid("columns_repeat_heading", field="columns")
    return columns


def _check_mapping(columns: dict[str, str], fields: Sequence[str]) -> None:
    named = [field for field in columns.values() if field]
    for field in named:
        if field not in fields:
            raise Invalid("columns_field_unknown", field="columns", name=field)
    if len(set(named)) < len(named):
        raise Invalid("columns_repeat_field", field="columns")


def _recognise(file: BinaryIO) -> Format:
    file.seek(0)
    head = file.read(HEAD)
    if head.startswith(OLD_EXCEL):
        raise Invalid("workbook_old")
    if head.startswith(b"PK"):
        return "xlsx"
    return "jsonl" if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{") else "csv"


class _Headings(msgspec.Struct, frozen=True):
    """The columns of a sheet: the fields in the file's order, and the indexes of their cells."""

    columns: list[str]
    ignored: list[str]
    are_ours: list[bool]

    def pick(self, cells: Sequence[T]) -> dict[str, T]:
        return dict(zip(self.columns, compress(cells, self.are_ours), strict=True))


def _match(headings: Sequence[str], mapping: dict[str, str], fields: Sequence[str]) -> _Headings:
    """Match headings to fields. Raises Invalid unless each field has one column, and there is at least one field."""
    if not headings:
        raise Invalid("headings_unreadable")
    if len(headings) > MAX_COLUMNS:
        raise Invalid("too_many_columns", maximum=MAX_COLUMNS)
    keys = [_fold(heading) for heading in headings]
    for number, key in enumerate(keys, 1):
        if not key:
            raise Invalid("heading_missing", number=number)
    mapped = {_fold(heading): field for heading, field in mapping.items()}
    if missing := {key for key in mapped if mapped[key]} - set(keys):
        named_there = _listed(headings)
        raise Invalid("columns_heading_unknown", field="columns", heading=min(missing), headings=named_there)
    named = [mapped.get(key, key) for key in keys]
    for name in filter(None, named):
        if named.count(name) > 1:
            raise Invalid("heading_repeated", name=name)
    are_ours = [name in fields for name in named]
    return _Headings(list(compress(named, are_ours)), _others(headings, are_ours, fields), are_ours)


def _others(headings: Sequence[str], are_ours: Sequence[bool], fields: Sequence[str]) -> list[str]:
    if not any(are_ours):
        raise Invalid("headings_unknown", known=", ".join(fields), headings=_listed(headings))
    return [heading.strip() for heading, is_ours in zip(headings, are_ours, strict=True) if not is_ours]


def _listed(headings: Sequence[str]) -> str:
    return ", ".join(heading.strip() for heading in headings)


def _fold(heading: str) -> str:
    return heading.strip().casefold()


def _open_csv(file: BinaryIO, options: Options, fields: Sequence[str]) -> Sheet:
    encoding = csv_reader.find_encoding(file) if options.encoding == "auto" else options.encoding
    suspects = csv_reader.find_suspects(file, encoding)
    known = [*fields, *map(_fold, options.columns)]
    is_asked = options.delimiter != "auto"
    delimiter = options.delimiter if is_asked else csv_reader.find_delimiter(file, encoding, known)
    begin, cells = csv_reader.read_headings(file, encoding, delimiter)
    headings = _match(cells, options.columns, fields)
    width = len(headings.are_ours)

    def rows() -> Iterator[Row]:
        records = csv_reader.read(file, encoding, delimiter)
        for line, cells in dropwhile(lambda record: record[0] <= begin, records):
            if isinstance(cells, ErrorMessage):
                yield Row(line, {}, cells)
            elif error := csv_reader.find_error(cells, width, suspects):
                yield Row(line, {}, error)
            elif any(cells):
                yield Row(line, headings.pick(cells))

    return Sheet("csv", encoding, delimiter, options.decimal, headings.columns, headings.ignored, rows)


def _open_json_lines(file: BinaryIO, options: Options, fields: Sequence[str]) -> Sheet:
    members = _members(options.columns, fields)
    first = _first_object(file)
    are_ours = [name in members for name in first]
    columns = [members[name] for name in compress(first, are_ours)]
    ignored = _others(list(first), are_ours, fields)[:MAX_IGNORED]
    known = set(first)

    def note(names: set[str]) -> None:
        others = sorted(names.difference(members))[: max(0, MAX_IGNORED - len(ignored))]
        columns.extend(members[name] for name in sorted(names.intersection(members)))
        ignored.extend(others)
        known.update(names.intersection(members), others)

    def rows() -> Iterator[Row]:
        for number, record in jsonl_reader.read(file):
            if isinstance(record, ErrorMessage):
                yield Row(number, {}, record)
                continue
            values = {members[name]: value for name, value in record.items() if name in members}
            if new := record.keys() - known:
                note(new)
            yield Row(number, values)

    return Sheet("jsonl", "utf-8", None, "point", columns, ignored, rows)


def _members(columns: dict[str, str], fields: Sequence[str]) -> dict[str, str]:
    """The member of an object for each field."""
    mapped = {name: field for name, field in columns.items() if field}
    left_out = {_fold(name) for name in columns if not columns[name]}
    return {field: field for field in fields if field not in mapped.values() and field not in left_out} | mapped


def _first_object(file: BinaryIO) -> dict[str, object]:
    reason = ErrorMessage("file_empty")
    for _, record in jsonl_reader.read(file):
        if not isinstance(record, ErrorMessage):
            return record
        reason = record
    raise Invalid(message=reason)


def _open_workbook(file: BinaryIO, options: Options, fields: Sequence[str]) -> Sheet:
    from storekeeper.tabular import xlsx_reader  # noqa: PLC0415  with calamine: over 1 MiB, and only importers read workbooks

    worksheet = xlsx_reader.open_worksheet(file, options.sheet)
    begin, cells = worksheet.read_headings()
    headings = _match(cells, options.columns, fields)

    def rows() -> Iterator[Row]:
        for number, cells in worksheet.read(begin + 1, len(headings.are_ours)):
            if isinstance(cells, ErrorMessage):
                yield Row(number, {}, cells)
            else:
                yield _workbook_row(number, headings.pick(cells))

    return Sheet("xlsx", "utf-8", None, options.decimal, headings.columns, headings.ignored, rows)


def _workbook_row(number: int, cells: "dict[str, xlsx_reader.Cell]") -> Row:
    values: dict[str, object] = {}
    for field, cell in cells.items():
        if not isinstance(cell, str | Decimal):  # a flaw
            return Row(number, {}, ErrorMessage("cell_without_value", field=field, content=cell.content))
        # The number that a price is needs no decimal mark; what else looks like a number is text.
        values[field] = cell if field == "price" else str(cell)
    return Row(number, values)
