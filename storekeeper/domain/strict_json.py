"""Strict JSON (RFC 8259, I-JSON) for bodies and files: refuses input that parsers read in different ways."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from storekeeper.messages import ErrorMessage

COLON_AFTER_QUOTE = re.compile(rb'"[ \t\r\n]*:')
STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"([ \t\r\n]*:)?')  # with the colon, if it is the name of a member
TRUNCATED = "Input data was truncated"
FAULTS = {  # by how the messages of msgspec's decoder begin
    TRUNCATED: ErrorMessage("json_endless"),
    "Integer value out of range": ErrorMessage("json_number_huge"),
    "JSON is malformed: trailing characters": ErrorMessage("json_continues"),
    "JSON is malformed: expected ':'": ErrorMessage("json_colon_missing"),
    "JSON is malformed: expected ','": ErrorMessage("json_comma_missing"),
    "JSON is malformed: object keys": ErrorMessage("json_name_missing"),
    "JSON is malformed: trailing comma": ErrorMessage("json_comma_trailing"),
    "JSON is malformed: invalid number": ErrorMessage("json_number_odd"),
    "JSON is malformed: invalid escape": ErrorMessage("json_escape_unknown"),
    "JSON is malformed: invalid utf-16": ErrorMessage("json_half_of_pair"),
    "JSON is malformed: unexpected end of escaped utf-16": ErrorMessage("json_half_of_pair"),
    "JSON is malformed: invalid character": ErrorMessage("json_character_misplaced"),
}
# So near the end, msgspec takes a half for a pair that is cut.
HALF_AT_END = re.compile(rb"\\u[Dd][89ABab][0-9A-Fa-f]{2}.{0,5}\Z", re.DOTALL)
PLACE = re.compile(r" \(byte ([0-9]+)\)$")


class NotStrict(ValueError):
    """The text is not strict JSON; `fault` is the reason, as the end of a sentence."""

    def __init__(self, fault: ErrorMessage) -> None:
        super().__init__(fault)
        self.fault = fault


def decode(data: bytes) -> Any:
    """The value, with decimals instead of floats. Raises NotStrict for invalid JSON or a repeated member."""
    try:
        value = _DECODER.decode(data)
    except (ValueError, InvalidOperation, RecursionError) as error:
        raise NotStrict(_explain(data, error)) from None
    if not _has_each_once(data, value):
        raise NotStrict(ErrorMessage("json_member_repeated"))
    return value


_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def _has_each_once(data: bytes, value: Any) -> bool:
    """Whether the parser returned as many members as the text has names: of two with the same name, it returns one.

    The number of colons is a quick upper bound of the names, as texts may contain colons as well. If it equals the
    number of members, no name is repeated; otherwise the names are counted.
    """
    colons = data.count(b":")
    if type(value) is dict and len(value) == colons:
        return True
    members = _count_members(value)
    return (
        colons == members
        or len(COLON_AFTER_QUOTE.findall(data)) == members
        or sum(1 for colon in STRING.findall(data) if colon) == members
    )


def _count_members(value: Any) -> int:
    count = 0
    found: list[Any] = [[value]]
    for each in found:  # which grows meanwhile
        if type(each) is dict:
            count += len(each)
        values = each.values() if type(each) is dict else each
        found += [inner for inner in values if type(inner) is dict or type(inner) is list]
    return count


def _explain(data: bytes, error: Exception) -> ErrorMessage:
    match error:
        case RecursionError():
            return ErrorMessage("json_too_deep")
        case InvalidOperation():
            return ErrorMessage("json_number_huge")
        case _ if not _is_utf8(data):
            return ErrorMessage("json_not_utf8")
        case _ if not data.strip():
            return ErrorMessage("json_empty")
        case _:
            return _describe(str(error), data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _describe(message: str, data: bytes) -> ErrorMessage:
    if message == TRUNCATED and HALF_AT_END.search(data):
        return ErrorMessage("json_half_of_pair")
    faults = (fault for start, fault in FAULTS.items() if message.startswith(start))
    fault = next(faults, ErrorMessage("json_unreadable"))
    place = PLACE.search(message)
    return ErrorMessage("json_at_byte", fault=fault, place=place[1]) if place else fault
