"""Reads the rows of a sheet in batches, and checks each row by itself.

It uses no database: `models.item_batch` compares rows with the store.
"""

import time
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache, partial
from itertools import islice
from typing import Any, BinaryIO

import msgspec

from storekeeper.domain import money, names
from storekeeper.errors import Invalid
from storekeeper.models import item_fields
from storekeeper.models.item_batch import CheckedRow, RefusedRow
from storekeeper.models.item_fields import ITEM_FIELDS, CellFormat, Converters
from storekeeper.models.store import Store
from storekeeper.tabular.sheet import Row as Record
from storekeeper.tabular.sheet import Sheet

PORTION_SECONDS = 1.0  # that the reading of a portion may take
CACHE_SIZE = 20_000  # cells of a column
FIELDS = (*item_fields.FIELDS, "currency", "store")  # the last two are only compared


class RowBatch(msgspec.Struct, frozen=True):
    """Some lines of a file: their number, the accepted rows, and the refusals of the others.

    `position` is how far the file was read, in bytes. `are_new` if the store had none of the rows.
    """

    lines: int
    position: int
    rows: list[CheckedRow]
    refused: list[RefusedRow]
    are_new: bool = False


def read(
    file: BinaryIO, sheet: Sheet, converters: Converters, size: int, done: int = 0, refused: Collection[int] = ()
) -> Iterator[RowBatch]:
    """Yield batches of all lines after the first `done`. The lines in `refused` are only counted.

    A batch has `size` lines, or fewer if they take longer than a second.
    """
    records = islice(sheet, done, None)
    while (portion := _read(_in_time(islice(records, size)), converters, refused)).lines:
        yield msgspec.structs.replace(portion, position=file.tell())


def _in_time(records: Iterator[Record]) -> Iterator[Record]:
    """The first record, and those that follow within a second."""
    end = time.monotonic() + PORTION_SECONDS
    for record in records:
        yield record
        if time.monotonic() >= end:
            return


def _read(records: Iterator[Record], converters: Converters, refused: Collection[int]) -> RowBatch:
    lines, rows, flaws = 0, [], []
    for record in records:
        lines += 1
        if record.line in refused:
            continue
        if record.error:
            flaws.append(RefusedRow(record.line, None, record.error))
            continue
        try:
            rows.append(CheckedRow(record.line, _columns(record, converters)))
        except Invalid as error:
            flaws += [RefusedRow(record.line, each.field, each.message) for each in error.fields]
    return RowBatch(lines, 0, rows, flaws)


def _columns(record: Record, converters: Converters) -> dict[str, Any]:
    values = item_fields.convert(record.values, converters)
    values.pop("", None)  # what was only to be compared
    return values


def create_converters(sheet: Sheet, store: Store) -> Converters:
    """For each column, a function from a cell of the sheet to the value of the item's column."""
    format = CellFormat(sheet.decimal, money.DIGITS[store.currency])
    found: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "store": ("", lambda value: _compare(value, "store", store.name)),
        "currency": ("", lambda value: _compare(value, "currency", store.currency)),
    }
    for field in ITEM_FIELDS:
        convert = partial(_convert, partial(field.parse_cell, format), partial(field.to_column, store))
        # In JSON Lines, tags are lists.
        is_remembered = field.is_repetitive and sheet.format != "jsonl"
        found[field.name] = (field.column, lru_cache(CACHE_SIZE, typed=True)(convert) if is_remembered else convert)
    return found


def _convert(parse: Callable[[Any], Any], check: Callable[[Any], Any], value: object) -> Any:
    return check(parse(value))


def _compare(value: object, field: str, expected: str) -> None:
    said = value.strip(names.WHITE_SPACE) if isinstance(value, str) else value
    if said not in (None, "", expected):
        raise Invalid("import_line_of_another", field=field, value=str(value), expected=expected)
