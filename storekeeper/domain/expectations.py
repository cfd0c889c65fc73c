"""What a value has to be, in plain words and made from its type: the sentences of no library reach a user."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

UNKNOWN = "This is not what is expected here."


@cache
def sentences(struct: type[Any]) -> dict[str, str]:
    """For each field of a msgspec Struct, by the name that callers use: what it has to be, as a sentence."""
    return {field.encode_name: sentence(field.type) for field in msgspec.structs.fields(struct)}


def sentence(kind: Any) -> str:
    """`This has to be a whole number from 1 to 200.`"""
    words = describe(kind)
    return f"This has to be {words}." if words else UNKNOWN


def describe(kind: Any) -> str:
    """A type as it goes on after "it has to be": `a whole number from 1 to 200`. Empty where there is no saying."""
    return _describe(inspect.type_info(kind), "")


def whole_number(minimum: int | None, maximum: int | None) -> str:
    """Both bounds are good values themselves."""
    match minimum, maximum:
        case None, None:
            bounds = ""
        case int(), None:
            bounds = f" of at least {minimum:,}"
        case None, _:
            bounds = f" of at most {maximum:,}"
        case _:
            bounds = f" from {minimum:,} to {maximum:,}"
    return f"a whole number{bounds}"


def one_of(values: Iterable[Any]) -> str:
    known = list(values)
    return f"one of {', '.join(map(str, known))}" if len(known) > 1 else str(known[0])


def _describe(kind: inspect.Type, form: str) -> str:
    """`form` says of a text what its pattern does, as it goes on after a comma: `Meta(extra={"form": ...})`.

    Where that is all there is to say, it is `Meta(extra={"words": ...})`.
    """
    match kind:
        case inspect.Metadata(extra={"words": words}):
            return str(words)
        case inspect.Metadata():
            return _describe(kind.type, (kind.extra or {}).get("form", form))
        case inspect.UnionType():
            known = (_describe(each, form) for each in kind.types)
            return " or ".join(words for words in known if words)
        case inspect.StrType():
            return _describe_text(kind, form)
        case inspect.ListType() | inspect.VarTupleType():
            return _describe_list(kind)
        case _:
            return _describe_plain(kind)


def _describe_plain(kind: inspect.Type) -> str:
    match kind:
        case inspect.IntType():
            return _describe_number(kind)
        case inspect.LiteralType():
            return one_of(kind.values)
        case _:
            return PLAIN.get(type(kind), "")


PLAIN: dict[type[inspect.Type], str] = {
    inspect.BoolType: "true or false",
    inspect.NoneType: "null",
    inspect.StructType: "an object",
}


def _describe_number(kind: inspect.IntType) -> str:
    least = kind.gt + 1 if kind.gt is not None else kind.ge
    most = kind.lt - 1 if kind.lt is not None else kind.le
    return whole_number(least, most)


def _describe_text(kind: inspect.StrType, form: str) -> str:
    return "text" + _describe_length(kind, "character") + (form and f", {form}")


def _describe_list(kind: inspect.ListType | inspect.VarTupleType) -> str:
    items = _describe(kind.item_type, "")
    return "a list" + _describe_length(kind, "entry") + (f", each {items}" if items else "")


def _describe_length(kind: inspect.StrType | inspect.ListType | inspect.VarTupleType, unit: str) -> str:
    least, most = kind.min_length or 0, kind.max_length
    if most is not None:
        return f" of {f'{least:,} to' if least else 'at most'} {_count(most, unit)}"
    return f" of at least {_count(least, unit)}" if least else ""


def _count(number: int, unit: str) -> str:
    plurals = {"character": "characters", "entry": "entries"}
    return f"{number:,} {unit if number == 1 else plurals[unit]}"
