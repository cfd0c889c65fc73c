"""The JSON Schemas of the OpenAPI document, of bodies, answers, parameters and errors, and their examples."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from storekeeper import errors
from storekeeper.errors import FieldError, StorekeeperError
from storekeeper.http import MAX_ID
from storekeeper.images import SIZES
from storekeeper.models.item import Candidate
from storekeeper.money import MOST, Price
from storekeeper.names import LENGTH
from storekeeper.secret import Secret

Json = dict[str, Any]

# What only `storekeeper.names` can check to the end: not all that read the document know \p{...}, Swagger UI does not.
NAME: Json = {
    "type": "string",
    "minLength": 1,
    "maxLength": LENGTH,
    "pattern": r"^[^\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+$",
    "description": "Without characters that cannot be seen. A slash is sent as `%2F`.",
}
USERNAME: Json = {
    "type": "string",
    "minLength": 1,
    "maxLength": LENGTH,
    "pattern": r"^[^\u0000-*,/:-?\[-^`{-\u00a0]+$",
    "description": "Letters, digits and `. _ @ + -`.",
}
ID: Json = {"type": "integer", "minimum": 1, "maximum": MAX_ID}
KEY: Json = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
SIZE: Json = {"enum": list(SIZES)}
# Of parameters in paths, by the converter, or the name of those that have none.
BY_KIND = {"id": ID, "name": NAME, "username": USERNAME, "key": KEY, "size": SIZE}
PRICE: Json = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": MOST},
        {"type": "string", "pattern": r"^[0-9]{1,13}(\.[0-9]{1,13})?$"},
    ],
    "description": "Exact, with no more digits than the store's currency has.",
}
FILE: Json = {"type": "string", "format": "binary"}
AMOUNT: Json = {"type": "number", "minimum": 0, "description": "Exact, with the digits of its currency: 15.90."}

PARAMETER = re.compile(r"(?:(\w+)/)?\{(\w+)(?::(\w+))?\}")
# By struct, by member, by struct and member, or by the segment of a path that a parameter follows.
EXAMPLES: Json = {
    "username": "alice",
    "password": "correct horse battery",
    "current_password": "correct horse battery",
    "new_password": "a staple for the battery",
    "name": "chair",
    "StoreAnswer.name": "ikea",
    "price": 15.99,
    "currency": "EUR",
    "id": 1,
    "store_id": 1,
    "user_id": 1,
    "RoleBody.role": "clerk",
    "RolesBody.is_admin": True,
    "expires_in": 900,
    "began_at": 1767225600,
    "last_used_at": 1767225600,
    "address": "192.0.2.1",
    "/store": "ikea",
    "/item": "chair",
    "/user": 1,
    "/sessions": 1,
    "/members": "bob",
    "/imports": 1,
    "/webhooks": 1,
    "/deliveries": 1,
    "url": "https://shop.example/hook",
    "store": "ikea",
    "after": 17,
    "/images": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "size": "small",
    "Import.size": 48_213,
    "sku": "CH-15",
    "barcode": "4006381333931",
    "description": "Oak, oiled.",
    "tags": ["garden"],
    "stock": 12,
    "delta": -2,
    "negative_stock": True,
    "ItemChange": {"price": 14.99, "tags": ["garden"]},
    "BulkRow": {"store_id": 1, "name": "chair", "price": 15.99},
}


class ErrorBody(msgspec.Struct):
    """The one shape of every error: a stable code, and a sentence for people."""

    error: str
    message: str
    description: str | msgspec.UnsetType = msgspec.UNSET
    errors: list[FieldError] | msgspec.UnsetType = msgspec.UNSET
    candidates: list[Candidate] | msgspec.UnsetType = msgspec.UNSET
    cursor: int | msgspec.UnsetType = msgspec.UNSET


class Problem(ErrorBody, kw_only=True):
    """The same as RFC 9457 has it, for those who ask for `application/problem+json`."""

    type: str
    title: str
    status: int
    detail: str


def components(kinds: Iterable[Any]) -> Json:
    """The schemas of these types, and of the errors, by name."""
    _, schemas = msgspec.json.schema_components(
        dict.fromkeys([*kinds, ErrorBody, Problem]), schema_hook=_hook, ref_template="#/components/schemas/{name}"
    )
    codes = {"type": "string", "enum": sorted({error.code for error in all_errors()})}
    for name in ("ErrorBody", "Problem"):
        schemas[name]["properties"]["error"] = codes
    return {name: _completed(name, schema) for name, schema in schemas.items()}


def all_errors(base: type[StorekeeperError] = StorekeeperError) -> Iterable[type[StorekeeperError]]:
    """Every error that callers may meet; those without a message only group others."""
    for kind in base.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield from [kind] if "message" in vars(kind) else []
            yield from all_errors(kind)


def ref(kind: Any) -> Json:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def example(name: str, schema: Json) -> Json:
    """A body to begin with: what has to be sent, or some of what can be where nothing has."""
    if name in EXAMPLES:
        return dict(EXAMPLES[name])
    known = {member: _example_of(name, member) for member in schema["required"] or schema["properties"]}
    return {member: value for member, value in known.items() if value is not None}


def example_of_error(kind: type[StorekeeperError]) -> Json:
    described = {"description": kind.message} if kind.described else {}
    return {"error": kind.code, "message": kind.message} | described


def path_parameters(template: str) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "example": EXAMPLES.get(f"/{segment}", EXAMPLES.get(name))}
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
    return [_query_parameter(name, dict(each), name in needed) for name, each in declared["properties"].items()]


def _query_parameter(name: str, schema: Json, is_needed: bool) -> Json:
    required = {"required": True} if is_needed else {}
    return {"name": name, "in": "query", "description": schema.pop("description"), "schema": schema} | required


def _hook(kind: type) -> Json:
    if kind is Price:
        return PRICE
    if kind is Secret:
        return {"type": "string"}
    raise NotImplementedError(kind)


def _completed(name: str, schema: Json) -> Json:
    """As it is on the wire, with examples."""
    properties = {
        member: _as_on_the_wire(each) | _examples(_example_of(name, member))
        for member, each in schema.get("properties", {}).items()
    }
    return schema | {"properties": properties}


def _example_of(name: str, member: str) -> Any:
    return EXAMPLES.get(f"{name}.{member}", EXAMPLES.get(member))


def _examples(value: Any) -> Json:
    return {} if value is None else {"examples": [value]}


def _as_on_the_wire(schema: Mapping[str, Any]) -> Json:
    """msgspec takes decimals for strings; ours are numbers."""
    return AMOUNT if schema.get("format") == "decimal" else dict(schema)
