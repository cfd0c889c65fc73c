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


FAULTS = {  # by how the messages of msgspec's decoder begin
    "Input data was truncated": "it has no end",
    "JSON is malformed: trailing characters": "there is more after the end of the object",
    "JSON is malformed: expected ':'": "a colon is missing",
    "JSON is malformed: expected ','": "a comma or the end of a list or an object is missing",
    "JSON is malformed: object keys": "the name of a member is missing, in double quotes",
    "JSON is malformed: trailing comma": "nothing comes after a comma",
    "JSON is malformed: invalid number": "a number is not written as JSON has it",
    "JSON is malformed: invalid escape": "a text holds an escape that JSON does not have",
    "JSON is malformed: invalid utf-16": "it holds half of a surrogate pair",
}
PLACE = re.compile(r" \(byte [0-9]+\)$")


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
        case Flaw():
            return str(error)
        case _:
            return _describe(str(error))


def _describe(message: str) -> str:
    faults = (fault for start, fault in FAULTS.items() if message.startswith(start))
    place = PLACE.search(message)
    return next(faults, "it cannot be read") + (place[0] if place else "")
