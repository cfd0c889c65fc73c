"""The JSON Schemas of the OpenAPI document, of bodies, answers, parameters and errors.

msgspec makes them of the types. What follows is for those that generate clients from them, and was tried with six:
a number without a format loses cents and 32-bit integers overflow, and a union without a name gets one from each place
where it stands.
"""

import inspect
import re
from collections.abc import Iterable
from math import inf
from typing import Annotated, Any

import msgspec

from storekeeper import errors
from storekeeper.domain.money import MAX_MINOR_UNITS, PriceInput
from storekeeper.domain.names import LENGTH
from storekeeper.errors import FieldError, StorekeeperError
from storekeeper.files.images import SIZES
from storekeeper.http.request import MAX_ID
from storekeeper.models.item import Candidate
from storekeeper.models.system import Condition
from storekeeper.openapi import examples
from storekeeper.security.secret import Secret

Json = dict[str, Any]

# What only `domain.names` can check to the end: not all that read the document know \p{...}, Swagger UI does not.
NAME: Json = {
    "type": "string",
    "minLength": 1,
    "maxLength": LENGTH,
    "pattern": r"^[^\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+$",
    "description": "Without characters that cannot be seen, and neither `.` nor `..`. White space at its ends is no "
    "part of it. A slash is sent as `%2F`.",
}
USERNAME: Json = {
    "type": "string",
    "minLength": 1,
    "maxLength": LENGTH,
    "pattern": r"^[^\u0000-*,/:-?\[-^`{-\u00a0]+$",
    "description": "Letters, digits and `. _ @ + -`.",
}
ID: Json = {"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_ID}
KEY: Json = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
SIZE: Json = {"type": "string", "enum": list(SIZES)}
# Of parameters in paths, by the converter, or the name of those that have none.
BY_KIND = {"id": ID, "name": NAME, "username": USERNAME, "key": KEY, "size": SIZE}
AMOUNT: Json = {
    "type": "number",
    "format": "double",  # reads all amounts exactly: they have 13 digits at the most
    "minimum": 0,
    "description": "Exact, with the digits of its currency: 15.90.",
}
# Strings are taken as well. But of such a union, clients in Kotlin and TypeScript make a class without members.
PRICE: Json = {
    "type": "number",
    "format": "double",
    "minimum": 0,
    "maximum": MAX_MINOR_UNITS,
    "description": "Exact, with no more digits than the store's currency has. The same in quotes is taken as well.",
}
ATTRIBUTES: Json = {
    "title": "Attributes",
    "type": "object",
    "additionalProperties": True,
    "description": "Members of an `Item`, a `Store`, a `Member` or a `User`, by their names.",
}
FILE: Json = {"type": "string", "format": "binary"}
HttpStatus = Annotated[int, msgspec.Meta(ge=100, le=599)]

PARAMETER = re.compile(r"(?:(\w+)/)?\{(\w+)(?::(\w+))?\}")


class ErrorBody(msgspec.Struct):
    """The one shape of every error: a stable code, and a sentence for people."""

    error: str
    message: str
    description: str | msgspec.UnsetType = msgspec.UNSET
    errors: list[FieldError] | msgspec.UnsetType = msgspec.UNSET
    candidates: list[Candidate] | msgspec.UnsetType = msgspec.UNSET
    ticket: str | msgspec.UnsetType = msgspec.UNSET
    cursor: int | msgspec.UnsetType = msgspec.UNSET
    limit: int | msgspec.UnsetType = msgspec.UNSET
    used: int | msgspec.UnsetType = msgspec.UNSET
    conditions: list[Condition] | msgspec.UnsetType = msgspec.UNSET


class Problem(ErrorBody, kw_only=True):
    """The same as RFC 9457 has it, for those who ask for `application/problem+json`."""

    type: str
    title: str
    status: HttpStatus
    detail: str


def components(kinds: Iterable[Any]) -> Json:
    """The schemas of these types, and of the errors, by name."""
    _, schemas = msgspec.json.schema_components(
        dict.fromkeys([*kinds, ErrorBody, Problem]), schema_hook=_hook, ref_template="#/components/schemas/{name}"
    )
    codes = {"type": "string", "enum": sorted({error.code for error in all_errors()})}
    for name in ("ErrorBody", "Problem"):
        schemas[name]["properties"]["error"] = codes
    named: Json = {}
    schemas = {name: _on_the_wire(schema, named) for name, schema in schemas.items()} | named
    return {name: _with_example(name, schema) for name, schema in schemas.items()}


def all_errors(base: type[StorekeeperError] = StorekeeperError) -> Iterable[type[StorekeeperError]]:
    """Every error that callers may meet; those without a code only group others, or share one."""
    for kind in base.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield from [kind] if "code" in vars(kind) else []
            yield from all_errors(kind)


def ref(kind: Any) -> Json:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def example_of_error(kind: type[StorekeeperError]) -> Json:
    message = str(kind.usual_message())
    described = {"description": message} if kind.described else {}
    return {"error": kind.code, "message": message} | described


def path_parameters(template: str) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "example": examples.PARAMETERS.get(f"/{segment}", examples.PARAMETERS.get(name)),
        }
        | _described(converter or name)
        for segment, name, converter in PARAMETER.findall(template)
    ]


def _described(kind: str) -> Json:
    """With the description where parameters have it."""
    schema = dict(BY_KIND[kind])
    description = schema.pop("description", None)
    return {"schema": schema} | ({"description": description} if description else {})


def query_parameters(kind: Any) -> list[Json]:
    _, schemas = msgspec.json.schema_components([kind], schema_hook=_hook)
    declared = schemas[kind.__name__]
    needed = declared["required"]
    return [_query_parameter(name, each, name in needed) for name, each in declared["properties"].items()]


def _query_parameter(name: str, schema: Json, is_needed: bool) -> Json:
    required = {"required": True} if is_needed else {}
    schema = _on_the_wire(schema, {})
    description = schema.pop("description")
    return {"name": name, "in": "query", "description": description, "schema": schema} | required


def _hook(kind: type) -> Json:
    if kind is PriceInput:
        return PRICE
    if kind is Secret:
        return {"type": "string"}
    raise NotImplementedError(kind)


def _with_example(name: str, schema: Json) -> Json:
    return schema | ({"examples": [examples.SCHEMAS[name]]} if name in examples.SCHEMAS else {})


def _on_the_wire(schema: Json, named: Json) -> Json:
    """A schema of msgspec's as clients can use it. Unions that have a title go to those `named`.

    Those are `oneOf`: TypeScript's clients take only the objects among `anyOf`.
    """
    done = dict(schema)
    if "description" in done:
        done["description"] = inspect.cleandoc(done["description"])
    if "properties" in done:
        done["properties"] = {name: _on_the_wire(each, named) for name, each in done["properties"].items()}
    if "items" in done:
        done["items"] = _on_the_wire(done["items"], named)
    if "anyOf" in done:
        choices = [_on_the_wire(each or ATTRIBUTES, named) for each in done.pop("anyOf")]
        return _named({**done, "oneOf" if "title" in done else "anyOf": choices}, named)
    return _named(_with_format(done), named)


def _named(schema: Json, named: Json) -> Json:
    """A reference to it, if it has a name, and is not what a struct is: those are named already."""
    name = schema.get("title")
    if name is None or "properties" in schema:
        return schema
    named[name] = schema
    return {"$ref": f"#/components/schemas/{name}"}


def _with_format(schema: Json) -> Json:
    if schema.get("format") == "decimal":
        return AMOUNT  # msgspec takes decimals for strings; ours are numbers
    if schema.get("type") == "integer":
        is_small = schema.get("minimum", -inf) >= -(2**31) and schema.get("maximum", inf) < 2**31
        return schema | {"format": "int32" if is_small else "int64"}
    if "enum" in schema:
        return {"type": "string"} | schema
    return schema
