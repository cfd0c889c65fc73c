"""JSON Lines: the objects of a file, one in each line, as strict as `parsing` but many times as fast."""

import codecs
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO

import msgspec

from storekeeper.errors import Invalid

MOST_LINE = 2**20  # bytes
COLON_AFTER_QUOTE = re.compile(rb'"[ \t\r]*:')
STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"([ \t\r]*:)?')  # with the colon, if it is the name of a member


class Flaw(ValueError):
    """What msgspec would let pass."""


def read(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Each line's number with its object, or with the reason why it is none. Blank lines are left out."""
    decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
    for number, line in _lines(file):
        try:
            record = decoder.decode(line)
            _check(line, record)
        except (ValueError, InvalidOperation, RecursionError) as error:
            yield number, f"This is not strict JSON: {_reason(error)}."
        else:
            yield number, record


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    file.seek(0)
    number = 0
    while line := file.readline(MOST_LINE):
        number += 1
        if len(line) == MOST_LINE:
            raise Invalid(f"Line {number} is too long: at most {MOST_LINE:,} bytes are read.")
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if not line.isspace():
            yield number, line


def _check(line: bytes, record: dict[str, Any]) -> None:
    """Flaw where a member stands twice: then fewer were read than the line has."""
    # A text may begin with a colon too, so there are never fewer of these than of members: the quick answer for most.
    if len(COLON_AFTER_QUOTE.findall(line)) != len(record) and _count_names(line) != _count_members(record):
        raise Flaw("a member stands twice")
    if b"\\u0000" in line and _has_nul(record):
        raise Flaw("it holds NUL")


def _count_names(line: bytes) -> int:
    return sum(1 for colon in STRING.findall(line) if colon)


def _count_members(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_count_members, value.values()))
    return sum(map(_count_members, value)) if isinstance(value, list) else 0


def _has_nul(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_has_nul, [*value, *value.values()] if isinstance(value, dict) else value))
    return isinstance(value, str) and "\0" in value


def _reason(error: Exception) -> str:
    match error:
        case msgspec.ValidationError():
            return "it is no object" if "Expected" in str(error) else "it holds a number beyond all bounds"
        case UnicodeDecodeError():
            return "it is not UTF-8"
        case RecursionError():
            return "it is nested too deeply"
        case InvalidOperation():
            return "it holds a number beyond all bounds"
        case _:
            return str(error).removeprefix("JSON is malformed: ").lower()
