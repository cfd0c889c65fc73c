"""The cells of a file of items: parses text or JSON to a value of its kind, and formats it for an export.

A cell comes from a sheet as text, or from JSON Lines with its type. This module only parses it: whether a name, tag or
price is allowed is checked elsewhere. A cell that is ambiguous or cannot be parsed raises Invalid.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

import msgspec

from storekeeper.domain.money import LITERAL
from storekeeper.errors import Invalid

Cell = str | int | Decimal | list[str] | None
DecimalMark = Literal["auto", "point", "comma"]

GAPS = " \u00a0\u2009\u202f'’"  # that stand between thousands, and for nothing else
AMOUNT = r"([0-9]{{1,13}}|[1-9][0-9]{{0,2}}(?:([{gaps}])[0-9]{{3}})(?:\2[0-9]{{3}}){{0,3}})(?:[{mark}]([0-9]{{1,13}}))?"
WITH_POINT = re.compile(AMOUNT.format(mark=".", gaps="," + GAPS))
WITH_COMMA = re.compile(AMOUNT.format(mark=",", gaps="." + GAPS))
READINGS = {"auto": (WITH_POINT, WITH_COMMA), "point": (WITH_POINT,), "comma": (WITH_COMMA,)}
MAX_WHOLE = 10**15 - 1  # to be understood; what a store may have is for others to say
WHOLE = re.compile(r"(-?[0-9]{1,15})(?:[.,]00?)?", re.ASCII)
GROUPED = re.compile(r"-?[0-9]{1,3}(?:[.,][0-9]{3})+", re.ASCII)
FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

# Spreadsheets take such cells for formulas. The quotes do not keep them from that, but whatever would would change the
# text, and what is exported here has to come back as it was. Spaces at the ends are quoted as some readers strip them.
TO_QUOTE = re.compile(r'^[=+\-@\t ]|[",\r\n]| $', re.ASCII)


_ENCODER = msgspec.json.Encoder(decimal_format="number")


def name(value: object) -> str:
    if not (name := text(value, "name")):
        raise Invalid("cell_name_missing", field="name")
    return name


def text(value: object, field: str) -> str:
    """The text of a name, SKU, barcode or description, with its spaces; empty for an empty cell."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        raise Invalid("cell_text_a_number", field=field)
    raise Invalid("cell_text_unreadable", field=field)


def price(value: object, decimal_mark: DecimalMark, digits: int) -> Decimal:
    """The amount as written, with all its digits. `digits` are those of the store's currency.

    If the decimal mark is unknown, `1,234` is ambiguous and Invalid; `1.234` is valid for a currency with three digits,
    as exports write such prices like that.
    """
    if value is None or value == "":
        raise Invalid("cell_price_missing", field="price")
    if isinstance(value, str):
        return _amount(value.strip(), decimal_mark, digits)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value < 0:
        raise _no_price()
    return Decimal(value)


def _amount(text: str, decimal_mark: DecimalMark, digits: int) -> Decimal:
    if decimal_mark != "comma" and LITERAL.fullmatch(text) and len(text.partition(".")[2]) == digits:
        return Decimal(text)
    readings = {_reading(match) for pattern in READINGS[decimal_mark] if (match := pattern.fullmatch(text))}
    if not readings:
        raise _no_price()
    if len(readings) > 1:
        amounts = " or ".join(map(str, sorted(readings)))
        raise Invalid("cell_price_unclear", field="price", text=text, amounts=amounts)
    return readings.pop()


def _reading(match: re.Match[str]) -> Decimal:
    whole, _, part = match.groups()
    return Decimal(re.sub("[^0-9]", "", whole) + (f".{part}" if part else ""))


def _no_price() -> Invalid:
    return Invalid("cell_price_unreadable", field="price")


def whole(value: object, field: str) -> int:
    """An integer: `12`, and `3.0` as some programs write it. `1.000` could be a thousand, and is Invalid."""
    if value is None or value == "":
        raise Invalid("cell_number_missing", field=field)
    if isinstance(value, str):
        return _count(value.strip(), field)
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if not is_number or not -MAX_WHOLE <= value <= MAX_WHOLE or value % 1:  # type: ignore[operator]
        raise _not_whole(field)
    return int(value)  # type: ignore[call-overload, no-any-return]


def _count(text: str, field: str) -> int:
    if match := WHOLE.fullmatch(text):
        return int(match[1])
    if GROUPED.fullmatch(text):
        raise Invalid("cell_number_unclear", field=field, text=text)
    raise _not_whole(field)


def _not_whole(field: str) -> Invalid:
    return Invalid("cell_number_unreadable", field=field)


def flag(value: object) -> bool:
    """The value of `archived`."""
    if isinstance(value, bool):
        return value
    if value is None or value == "":
        raise Invalid("cell_archived_missing", field="archived")
    if not isinstance(value, str) or (known := FLAGS.get(value.strip().lower())) is None:
        raise Invalid("cell_archived_unreadable", field="archived")
    return known


def tags(value: object) -> list[str]:
    """Tags: in a sheet separated by semicolons, in JSON a list."""
    if value is None:
        return []
    if isinstance(value, str):
        return [tag for part in value.split(";") if (tag := part.strip())]
    if isinstance(value, list) and all(isinstance(tag, str) for tag in value):
        return value
    raise Invalid("cell_tags_unreadable", field="tags")


def csv_line(line: msgspec.Struct) -> bytes:
    return csv_row(msgspec.structs.astuple(line))


def csv_row(values: Iterable[Cell]) -> bytes:
    """A row by RFC 4180, in UTF-8."""
    return (",".join(map(_cell, values)) + "\r\n").encode()


def _cell(value: Cell) -> str:
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"' if TO_QUOTE.search(value) else value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return _cell(";".join(value))
    return str(value) if value >= 0 else f'"{value}"'


def json_line(line: msgspec.Struct) -> bytes:
    return _ENCODER.encode(line) + b"\n"
