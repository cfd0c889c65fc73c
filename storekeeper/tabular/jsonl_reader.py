"""JSON Lines: an object in each line, read as strictly as the bodies of requests."""

import codecs
from collections.abc import Iterator
from typing import Any, BinaryIO

from storekeeper.domain import strict_json
from storekeeper.domain.strict_json import NotStrict
from storekeeper.errors import Invalid
from storekeeper.messages import ErrorMessage

MAX_LINE = 2**20  # bytes


def read(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | ErrorMessage]]:
    """Yield each line's number with its object, or with the reason why it is invalid. Skips blank lines."""
    for number, line in _lines(file):
        try:
            record = _decode(line)
        except NotStrict as error:
            yield number, ErrorMessage("line_not_strict_json", fault=error.fault)
        else:
            yield number, record


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    file.seek(0)
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE:
            raise Invalid("line_too_long", number=number, maximum=MAX_LINE)
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if not line.isspace():
            yield number, line


def _decode(line: bytes) -> dict[str, Any]:
    record = strict_json.decode(line)
    if not isinstance(record, dict):
        raise NotStrict(ErrorMessage("json_no_object"))
    if b"\\u0000" in line and _has_nul(record):
        raise NotStrict(ErrorMessage("json_nul"))
    return record


def _has_nul(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_has_nul, [*value, *value.values()] if isinstance(value, dict) else value))
    return isinstance(value, str) and "\0" in value
