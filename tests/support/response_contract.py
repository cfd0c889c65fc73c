"""Answers held against the description, strictly: no other members, no other types, and which members were seen."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema

Json = dict[str, Any]

INTEGERS = jsonschema.FormatChecker(formats=())
INTEGERS.checks("int32")(lambda value: not isinstance(value, int) or -(2**31) <= value < 2**31)
INTEGERS.checks("int64")(lambda value: not isinstance(value, int) or -(2**63) <= value < 2**63)


class Contract:
    """The document. `seen` are the members, with their schemas, that had a value in an answer so far."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.seen: set[str] = set()
        self._closed = closed(document)

    def operation(self, method: str, path: str) -> Json | None:
        """Of a request, by its path without the query."""
        for template, methods in self.document["paths"].items():
            if method.lower() in methods and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
                found: Json = methods[method.lower()]
                return found
        return None

    def check(self, operation: Json, status: int, media_type: str, body: Any) -> None:
        """AssertionError unless the operation may answer so. Numbers that are not whole are Decimals or floats."""
        told = resolve(self.document, operation["responses"][str(status)])
        where = told["content"][media_type]["schema"]
        try:
            validator = jsonschema.Draft202012Validator(where | self._closed, format_checker=INTEGERS)
            validator.validate(body)
        except jsonschema.ValidationError as error:
            raise AssertionError(
                f"{operation['operationId']}, {status}: {error.message} at {error.json_path}"
            ) from None
        self._see(where, body)

    def _see(self, schema: Json, value: Any) -> None:
        name = schema.get("$ref", "").rpartition("/")[2]
        schema = resolve(self.document, schema)
        for each in (*schema.get("anyOf", []), *schema.get("oneOf", [])):
            if "$ref" in each and isinstance(value, dict):
                self._see(each, value)
        if isinstance(value, list):
            for each in value:
                self._see(schema["items"], each)
        if isinstance(value, dict):
            for member, declared in schema.get("properties", {}).items():
                if value.get(member) is not None:
                    self.seen.add(f"{name}.{member}")
                    self._see(declared, value[member])

    def members(self) -> Iterator[str]:
        """Of all schemas of answers."""
        reached: set[str] = set()
        for methods in self.document["paths"].values():
            for operation in (methods[name] for name in methods.keys() - {"parameters"}):
                self._reach(operation["responses"], reached)
        for name in reached:
            yield from (
                f"{name}.{member}" for member in self.document["components"]["schemas"][name].get("properties", {})
            )

    def _reach(self, part: Any, reached: set[str]) -> None:
        """Add the schemas that this names, and those that they name."""
        if isinstance(part, dict):
            for value in part.values():
                self._reach(value, reached)
            reference = part.get("$ref")
            name = reference.rpartition("/")[2] if isinstance(reference, str) else ""
            if name and name not in reached:
                reached |= {name} if "/schemas/" in part["$ref"] else set()
                self._reach(resolve(self.document, part), reached)
        if isinstance(part, list):
            for each in part:
                self._reach(each, reached)


def closed(document: Json) -> Json:
    """The schemas, to stand beside one that refers to them; objects have no members but those that are declared."""
    schemas = document["components"]["schemas"]
    return {
        "components": {
            "schemas": {
                name: {**each, "additionalProperties": False} if "properties" in each else each
                for name, each in schemas.items()
            }
        }
    }


def resolve(document: Json, part: Json) -> Json:
    while "$ref" in part:
        found = document
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part
