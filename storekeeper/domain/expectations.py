"""Messages that say what a value must be, made from its type, so that users see no library's messages."""

from collections.abc import Callable, Iterable
from functools import cache, reduce
from typing import Any

import msgspec
from msgspec import inspect

from storekeeper.messages import ErrorMessage

Expected = ErrorMessage | str  # what goes on after "it has to be"; empty where there is no saying
SizedType = inspect.StrType | inspect.ListType | inspect.VarTupleType


@cache
def sentences(struct: type[Any]) -> dict[str, ErrorMessage]:
    """For each field of a msgspec Struct, by its external name, the message that says what it must be."""
    return {field.encode_name: sentence(field.type) for field in msgspec.structs.fields(struct)}


def sentence(kind: Any) -> ErrorMessage:
    """For example: `This has to be a whole number from 1 to 200.`"""
    expected = describe(kind)
    return ErrorMessage("value_expected", expected=expected) if expected else ErrorMessage("value_unexpected")


def describe(kind: Any) -> Expected:
    """The type as the end of that sentence: `a whole number from 1 to 200`. Empty if the type has no description."""
    return _describe(inspect.type_info(kind), "")


def whole_number(minimum: int | None, maximum: int | None) -> ErrorMessage:
    """The description of an integer; both bounds are valid values."""
    match minimum, maximum:
        case int(), int():
            return ErrorMessage("expected_whole_number_between", minimum=minimum, maximum=maximum)
        case int(), None:
            return ErrorMessage("expected_whole_number_from", minimum=minimum)
        case None, int():
            return ErrorMessage("expected_whole_number_to", maximum=maximum)
        case _:
            return ErrorMessage("expected_whole_number")


def one_of(values: Iterable[Any]) -> Expected:
    known = list(map(str, values))
    return ErrorMessage("expected_one_of", values=", ".join(known)) if len(known) > 1 else known[0]


def _describe(kind: inspect.Type, form: Expected) -> Expected:
    """`form` describes the pattern of a text, as the end of a clause: the message `Meta(extra={"form": ...})`.

    `Meta(extra={"words": ...})` replaces the whole description.
    """
    match kind:
        case inspect.Metadata(extra={"words": ErrorMessage() as words}):
            return words
        case inspect.Metadata():
            return _describe(kind.type, (kind.extra or {}).get("form", form))
        case inspect.UnionType():
            return reduce(_either, (_describe(each, form) for each in kind.types))
        case inspect.StrType():
            return _describe_text(kind, form)
        case inspect.ListType() | inspect.VarTupleType():
            return _describe_list(kind)
        case _:
            return _describe_plain(kind)


def _either(first: Expected, second: Expected) -> Expected:
    return ErrorMessage("expected_either", first=first, second=second) if first and second else first or second


def _describe_plain(kind: inspect.Type) -> Expected:
    match kind:
        case inspect.IntType():
            return _describe_number(kind)
        case inspect.LiteralType():
            return one_of(kind.values)
        case _:
            return PLAIN.get(type(kind), "")


PLAIN = {
    inspect.BoolType: ErrorMessage("expected_true_or_false"),
    inspect.NoneType: ErrorMessage("expected_null"),
    inspect.StructType: ErrorMessage("expected_object"),
}


def _describe_number(kind: inspect.IntType) -> ErrorMessage:
    least = kind.gt + 1 if kind.gt is not None else kind.ge
    most = kind.lt - 1 if kind.lt is not None else kind.le
    return whole_number(least, most)


def _describe_text(kind: inspect.StrType, form: Expected) -> ErrorMessage:
    text = _sized(ErrorMessage("expected_text"), kind, _characters)
    return ErrorMessage("expected_form", text=text, form=form) if form else text


def _describe_list(kind: inspect.ListType | inspect.VarTupleType) -> ErrorMessage:
    described = _sized(ErrorMessage("expected_list"), kind, _entries)
    entry = _describe(kind.item_type, "")
    return ErrorMessage("expected_entries", list=described, entry=entry) if entry else described


def _sized(thing: ErrorMessage, kind: SizedType, count: Callable[[int], ErrorMessage]) -> ErrorMessage:
    match kind.min_length or 0, kind.max_length:
        case 0, None:
            return thing
        case least, None:
            return ErrorMessage("expected_size_from", thing=thing, minimum=count(least))
        case 0, int() as most:
            return ErrorMessage("expected_size_to", thing=thing, maximum=count(most))
        case least, most:
            return ErrorMessage("expected_size_between", thing=thing, minimum=least, maximum=count(most or 0))


def _characters(count: int) -> ErrorMessage:
    return ErrorMessage("one_character") if count == 1 else ErrorMessage("characters", count=count)


def _entries(count: int) -> ErrorMessage:
    return ErrorMessage("one_entry") if count == 1 else ErrorMessage("entries", count=count)
