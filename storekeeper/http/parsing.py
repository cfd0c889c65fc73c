"""Strict parsing of JSON bodies and queries: refuses input that parsers read in different ways."""

from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import UnsetType

from storekeeper.domain import expectations, strict_json
from storekeeper.domain.money import PriceInput
from storekeeper.errors import Invalid, InvalidField
from storekeeper.messages import ErrorMessage

MAX_PARAMETERS = 50
MAX_ERRORS = 20  # an answer is not to be many times as long as what was sent

T = TypeVar("T")


def read_query(query_string: str, kind: type[T]) -> T:
    """The parameters of a URL, decoded and checked. Refuses unknown, repeated and unusually written ones by name."""
    given: dict[str, str] = {}
    for name, text in _pairs(query_string):
        if name in given:
            raise Invalid("parameter_repeated", field=name)
        given[name] = text
    query = convert(given, kind, strict=False)
    struct: Any = kind
    attributes = dict(zip(struct.__struct_encode_fields__, struct.__struct_fields__, strict=True))
    for name, text in given.items():
        if not _is_written(text, getattr(query, attributes[name])):
            raise Invalid("parameter_unusual", field=name, text=text)
    return query


def _pairs(query_string: str) -> list[tuple[str, str]]:
    # Nothing between two &, or behind the last, is no parameter: so the URL standard reads it.
    query_string = "&".join(pair for pair in query_string.split("&") if pair)
    if not query_string:
        return []
    try:
        return parse_qsl(
            query_string,
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        raise Invalid("query_unreadable", maximum=MAX_PARAMETERS) from None


def _is_written(text: str, value: Any) -> bool:
    """Each value has one way to be written in a URL: 10 and not 1e1, true and not True; null cannot be written at all.
    Only a price has several, which are those of a body.
    """
    if isinstance(value, PriceInput):
        return True
    return text == (str(value).lower() if isinstance(value, bool | int) else str(value))


def or_none(value: T | UnsetType) -> T | None:
    """The value of a parameter or a member; None if it was left out."""
    return None if isinstance(value, UnsetType) else value


def decode_json(body: bytes) -> Any:
    try:
        return strict_json.decode(body)
    except strict_json.NotStrict as error:
        raise Invalid("body_not_strict_json", fault=error.fault) from None


def convert(value: Any, kind: type[T], *, strict: bool) -> T:
    """Convert `value` to `kind`. Raises Invalid, which names all wrong members and not only the first."""
    try:
        return msgspec.convert(value, kind, strict=strict, dec_hook=_read_price)
    except msgspec.ValidationError:
        fields = _invalid_fields(value, kind, strict=strict) if isinstance(value, dict) else []
        message = fields[0].message if fields else expectations.sentence(kind)
        raise Invalid(message=message, fields=fields[:MAX_ERRORS]) from None


def convert_rows(value: Any, kind: type[T], maximum: int) -> list[T | Invalid]:
    """A list of up to so many of `kind`; where one is none, why it is not."""
    if not isinstance(value, list):
        raise Invalid("body_not_a_list")
    if len(value) > maximum:
        raise Invalid("too_many_rows", maximum=maximum)
    return [_convert_row(each, kind) for each in value]


def _convert_row(value: Any, kind: type[T]) -> T | Invalid:
    try:
        return convert(value, kind, strict=True)
    except Invalid as error:
        return error


def _invalid_fields(values: dict[str, Any], kind: type[Any], *, strict: bool) -> list[InvalidField]:
    known = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    found = [InvalidField(name, ErrorMessage("field_unknown", field=name)) for name in values if name not in known]
    for name, field in known.items():
        if name not in values:
            found += [InvalidField(name, ErrorMessage("field_missing", field=name))] if field.required else []
            continue
        try:
            msgspec.convert(values[name], field.type, strict=strict, dec_hook=_read_price)
        except msgspec.ValidationError as error:
            found.append(InvalidField(name, _explain(error, kind, name)))
    return found


def _explain(error: msgspec.ValidationError, kind: type[Any], name: str) -> ErrorMessage:
    if error.__cause__:  # of `_read_price`
        return ErrorMessage("price_not_a_number")
    struct: Any = kind
    return expectations.sentences(struct)[name]


def _read_price(kind: type[Any], value: Any) -> Any:
    if kind is PriceInput:
        return PriceInput.read(value)
    raise NotImplementedError(kind)
