"""The OpenAPI 3.1 document, made from the same declarations that check what is sent: `storekeeper.operation`."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from storekeeper import __version__, errors, operation
from storekeeper.errors import FieldError, StorekeeperError
from storekeeper.http import MAX_ID, PROBLEM
from storekeeper.money import Price
from storekeeper.names import LENGTH
from storekeeper.operation import Access, Operation

Json = dict[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
PARAMETER = re.compile(r"\{(\w+):(\w+)\}")
ID: Json = {"type": "integer", "minimum": 1, "maximum": MAX_ID}
# As strict as the path can be told to be here; `storekeeper.names` has the rest.
NAME: Json = {"type": "string", "minLength": 1, "maxLength": LENGTH, "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$"}
USERNAME: Json = {"type": "string", "minLength": 1, "maxLength": LENGTH}
BY_CONVERTER = {"id": ID, "name": NAME, "username": USERNAME}
PRICE: Json = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^[0-9]{1,13}(\.[0-9]{1,13})?$"}]
}
AMOUNT: Json = {"type": "number", "minimum": 0, "description": "Exact, with the digits of its currency: 15.90."}

ALWAYS = (errors.Invalid, errors.InternalError, errors.Unavailable)
WITH_TOKEN = (errors.TokenExpired, errors.TokenInvalid, errors.TokenMissing, errors.TokenRevoked)
WITH_BODY = (errors.RequestTimeout, errors.TooLarge, errors.WrongMediaType)

DESCRIPTION = """Stores, their items and the people who may change them.

Log in for an access token, and send it as `Authorization: Bearer <token>`. Every error has one shape: `error` is a
stable code, `message` a sentence for people. Ask for `application/problem+json` for RFC 9457 with the
same members."""


class ErrorBody(msgspec.Struct):
    """The one shape of every error."""

    error: str
    message: str
    description: str | msgspec.UnsetType = msgspec.UNSET
    errors: list[FieldError] | msgspec.UnsetType = msgspec.UNSET
    candidates: list[Any] | msgspec.UnsetType = msgspec.UNSET


def describe(routes: Mapping[str, object]) -> Json:
    """The document for a table of URL templates and their resources."""
    operations = list(_operations(routes))
    schemas = _schemas(declared for _, _, _, declared in operations)
    paths: Json = {}
    for template, method, resource, declared in operations:
        entry = paths.setdefault(PARAMETER.sub(r"{\1}", template), _path_parameters(template))
        entry[method] = _operation(method, resource, declared, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Storekeeper",
            "version": __version__,
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _security_schemes()},
    }


def _operations(routes: Mapping[str, object]) -> Iterable[tuple[str, str, object, Operation]]:
    """All that answer something; pages for people do not."""
    for template, resource in routes.items():
        for method in METHODS:
            if responder := getattr(resource, f"on_{method}", None):
                declared = operation.of(responder)
                if declared.answers:
                    yield template, method, resource, declared


def _schemas(operations: Iterable[Operation]) -> Json:
    kinds: list[Any] = [ErrorBody]
    for declared in operations:
        kinds += [declared.body] if declared.body else []
        kinds += [declared.query] if declared.query else []
        kinds += declared.answers.values()
    _, schemas = msgspec.json.schema_components(
        dict.fromkeys(kinds), schema_hook=_hook, ref_template="#/components/schemas/{name}"
    )
    codes = sorted({error.code for error in _all_errors()})
    schemas["ErrorBody"]["properties"]["error"] = {"type": "string", "enum": codes}
    return {name: _as_on_the_wire(schema) for name, schema in schemas.items()}


def _all_errors(base: type[StorekeeperError] = StorekeeperError) -> Iterable[type[StorekeeperError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _all_errors(kind)


def _hook(kind: type) -> Json:
    if kind is Price:
        return PRICE
    raise NotImplementedError(kind)


def _as_on_the_wire(schema: Any) -> Any:
    """msgspec takes decimals for strings; ours are numbers."""
    if isinstance(schema, list):
        return [_as_on_the_wire(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "decimal":
        return AMOUNT
    return {name: _as_on_the_wire(value) for name, value in schema.items()}


def _path_parameters(template: str) -> Json:
    found = PARAMETER.findall(template)
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": BY_CONVERTER[converter]} for name, converter in found
    ]
    return {"parameters": parameters} if parameters else {}


def _operation(method: str, resource: object, declared: Operation, schemas: Json) -> Json:
    kind = type(resource)
    described: Json = {
        "operationId": f"{method}_{re.sub(r'(?<!^)(?=[A-Z])', '_', kind.__name__).lower()}",
        "tags": [kind.__module__.rpartition(".")[2]],
        "summary": declared.summary.rstrip("."),
        "security": _security(declared.access),
        "responses": _successes(declared) | _failures(declared),
    }
    if declared.description:
        described["description"] = declared.description
    if declared.query:
        described["parameters"] = _query_parameters(schemas[declared.query.__name__])
    if declared.body:
        content = {"application/json": {"schema": _ref(declared.body)}}
        described["requestBody"] = {"required": not declared.body_is_optional, "content": content}
    return described


def _ref(kind: type) -> Json:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def _query_parameters(schema: Json) -> list[Json]:
    return [_query_parameter(name, dict(each)) for name, each in schema["properties"].items()]


def _query_parameter(name: str, schema: Json) -> Json:
    if "anyOf" in schema:  # or null, which a URL cannot say
        schema = dict(schema["anyOf"][0])
    if schema.get("default", 0) is None:
        del schema["default"]
    description = schema.pop("description", None)
    return {"name": name, "in": "query", "schema": schema} | ({"description": description} if description else {})


def _successes(declared: Operation) -> Json:
    headers = {"X-Request-ID": _header("The request's id, as in the log.")}
    if any("next" in getattr(kind, "__struct_fields__", ()) for kind in declared.answers.values()):
        headers["Link"] = _header("Where the next page is (RFC 8288).")
    return {
        str(status.value): {
            "description": status.phrase,
            "headers": headers,
            "content": {"application/json": {"schema": _ref(kind)}},
        }
        for status, kind in declared.answers.items()
    }


def _failures(declared: Operation) -> Json:
    by_status: dict[HTTPStatus, list[type[StorekeeperError]]] = {}
    for error in _possible(declared):
        by_status.setdefault(error.status, []).append(error)
    return {str(status.value): _failure(kinds) for status, kinds in sorted(by_status.items())}


def _possible(declared: Operation) -> dict[type[StorekeeperError], None]:
    possible = [*ALWAYS, *declared.errors]
    if declared.access is not Access.PUBLIC:
        possible += WITH_TOKEN
    if declared.access is Access.FRESH:
        possible.append(errors.TokenNotFresh)
    if declared.access is Access.ADMIN:
        possible.append(errors.Forbidden)
    if declared.body:
        possible += WITH_BODY
    return dict.fromkeys(possible)


def _failure(kinds: list[type[StorekeeperError]]) -> Json:
    headers = {"X-Request-ID": _header("The request's id, as in the log.")}
    for kind in kinds:
        headers |= {name: _header("") for name in _headers_of(kind)}
    content = {"schema": _ref(ErrorBody)}
    return {
        "description": "\n".join(f"- `{kind.code}`: {kind.message}" for kind in kinds),
        "headers": headers,
        "content": {"application/json": content, PROBLEM: content},
    }


def _headers_of(kind: type[StorekeeperError]) -> Iterable[str]:
    if issubclass(kind, errors.Unauthorized):
        return ["WWW-Authenticate"]
    if issubclass(kind, errors.TooManyAttempts):
        return ["Retry-After", "RateLimit", "RateLimit-Policy"]
    return ["Retry-After"] if issubclass(kind, errors.Unavailable) else []


def _header(description: str) -> Json:
    return {"schema": {"type": "string"}} | ({"description": description} if description else {})


def _security(access: Access) -> list[Json]:
    by_access: dict[Access, list[Json]] = {
        Access.PUBLIC: [],
        Access.OPTIONAL: [{}, {"accessToken": []}],
        Access.REFRESH: [{"refreshToken": []}],
        Access.ANY_TOKEN: [{"accessToken": []}, {"refreshToken": []}],
    }
    return by_access.get(access, [{"accessToken": []}])


def _security_schemes() -> Json:
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return {
        "accessToken": bearer | {"description": "`access_token` from /login, /login/fresh or /refresh."},
        "refreshToken": bearer | {"description": "`refresh_token` from /login or /refresh."},
    }
