"""The OpenAPI 3.1 document, made from the same declarations that check what is sent: `http.operation`."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, get_args

from storekeeper import __version__, errors
from storekeeper.errors import StorekeeperError
from storekeeper.http import operation
from storekeeper.http.operation import Access, Operation
from storekeeper.http.responses import PROBLEM
from storekeeper.openapi import schemas as shapes
from storekeeper.openapi.schemas import ErrorBody, Json, Problem, ref

METHODS = ("get", "post", "put", "patch", "delete")

ALWAYS = (errors.Invalid, errors.InternalError, errors.Unavailable, errors.DatabaseDamaged)
WITH_TOKEN = (errors.TokenExpired, errors.TokenInvalid, errors.TokenMissing, errors.TokenRevoked)
CONDITIONAL = (errors.PreconditionFailed, errors.PreconditionRequired)
REPEATABLE = (errors.Forbidden, errors.KeyInUse, errors.KeyReused, errors.AnswerSpaceFull)
WITH_BODY = (errors.RequestTimeout, errors.TooLarge, errors.WrongMediaType)

DESCRIPTION = """Stores, their items and the people who may change them.

Log in for an access token, and send it as `Authorization: Bearer <token>`. When it has expired, `POST /refresh` gives
the next one.

Every error has one shape: `error` is a stable code, `message` a sentence for people. Ask for
`application/problem+json` for RFC 9457 with the same members. At any address, a request that is no valid HTTP is
answered `400` (`bad_request`), a head that is too large `431`, and a method that is not listed here `405`, with the
others in `Allow`.

Every answer has an `X-Request-ID`, which the log and the journal have too. The `X-Request-ID` that you send comes back
as `X-Client-Request-ID`, and stands there beside it."""

TAGS = {
    "users": "Accounts: register, change the password; administrators list and change users.",
    "sessions": "Each login is a session. Logging out ends it and makes its tokens void at once.",
    "stores": "Stores hold items. You own the stores that you create.",
    "items": "Items have a price in the currency of their store. A name is unique within a store.",
    "imports": "Imports of files into a store: first a plan, then the work, in the background.",
    "changes": "The journal: changes, their times and, for members and administrators, their authors.",
    "webhooks": "URLs that receive each change as a signed message (Standard Webhooks), and the deliveries.",
    "members": "The members of a store: owners may do everything, clerks add and change items.",
    "health": "For a supervisor or a load balancer.",
}

HEADERS: dict[str, tuple[Json, str]] = {
    "X-Request-ID": ({"type": "string"}, "The server's id for the request, as in the log."),
    "X-Client-Request-ID": ({"type": "string"}, "The `X-Request-ID` that the request had, if it is a sound one."),
    "Link": ({"type": "string"}, 'Where the next page is, if there is one: `<...>; rel="next"` (RFC 8288).'),
    "Location": ({"type": "string"}, "Where the new thing is."),
    "WWW-Authenticate": ({"type": "string"}, "The scheme, and what was wrong with the token (RFC 6750)."),
    "Retry-After": ({"type": "integer", "format": "int64", "minimum": 1}, "How many seconds to wait."),
    "RateLimit": ({"type": "string"}, "What is left of the limit: `r`, until it is renewed in `t` seconds."),
    "RateLimit-Policy": ({"type": "string"}, "The limit: `q` in `w` seconds."),
    "RateLimit-Left": ({"type": "string"}, "What is left of each limit: `r` units, until it is whole in `t` seconds."),
    "RateLimit-Policies": ({"type": "string"}, "The limits: `q` units in `w` seconds, beyond which is 429."),
    "Preference-Applied": ({"type": "string"}, "What was done of what `Prefer` asks for (RFC 7240)."),
    "Vary": ({"type": "string"}, "Which headers of the request the answer depends on."),
    "Content-Encoding": ({"type": "string"}, "`gzip` for a long answer, if `Accept-Encoding` accepts that (RFC 9110)."),
    "ETag": ({"type": "string"}, "What `If-None-Match` may name to be answered 304 (RFC 9110)."),
    "Content-Disposition": ({"type": "string"}, "What a file would be called (RFC 6266)."),
    "Accept": ({"type": "string"}, "The media types that a body may have here (RFC 9110)."),
    "Accept-Patch": ({"type": "string"}, "The media types that a PATCH may have here (RFC 5789)."),
    "Accept-Encoding": ({"type": "string"}, "The content encodings that a body may have here (RFC 9110)."),
    "Allow": ({"type": "string"}, "The methods that this address answers."),
}
TAGS_PATTERN = r'^(\*|(W/)?"[!#-~]{0,100}"(, (W/)?"[!#-~]{0,100}"){0,20})$'
# Of requests: the pattern, an example, and what it means.
PARAMETERS: dict[str, tuple[str, str, str]] = {
    "Idempotency-Key": (
        r"^[!#-\[\]-~]{1,255}$",
        "8e03978e-40d5-43dd-bc93-6894a57f9324",
        "Of a user's requests with one key, the first is made.",
    ),
    "If-Match": (
        TAGS_PATTERN,
        '"17.3"',
        "The change is made only if the `ETag` is one of these, or there is anything at all for `*`.",
    ),
    "If-None-Match": (
        TAGS_PATTERN,
        '"17.3"',
        "What has one of these tags is not sent, or changed. `*`: only if there is nothing yet.",
    ),
}
SOMETIMES = {
    "X-Client-Request-ID",
    "Accept-Encoding",
    "Accept-Patch",
    "Content-Encoding",
    "Link",
    "Preference-Applied",
    "Content-Disposition",
    "RateLimit-Left",
    "RateLimit-Policies",
}
# Of answers that succeed, if they are costly or half of a limit is used.
LIMITS = {
    "RateLimit": {"$ref": "#/components/headers/RateLimit-Left"},
    "RateLimit-Policy": {"$ref": "#/components/headers/RateLimit-Policies"},
}
GZIP_BODY = " It may be compressed: `Content-Encoding: gzip`."


def describe(routes: Mapping[str, object]) -> Json:
    """The document for a table of URL templates and their resources."""
    operations = list(_operations(routes))
    schemas = shapes.components(kind for *_, declared in operations for kind in _kinds(declared))
    paths: Json = {}
    for template, method, resource, declared in operations:
        entry = paths.setdefault(re.sub(r":\w+\}", "}", template), _path(template))
        entry[method] = _operation(method, resource, declared)
    return {
        "openapi": "3.1.0",
        "info": _info(),
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {kind.code: _failure([kind]) for kind in shapes.all_errors()},
            "headers": {name: _header(name) for name in HEADERS},
            "securitySchemes": _security_schemes(),
        },
    }


def _info() -> Json:
    return {
        "title": "Storekeeper",
        "version": __version__,
        "description": DESCRIPTION,
        "license": {"name": "MIT", "identifier": "MIT"},
    }


def _operations(routes: Mapping[str, object]) -> Iterable[tuple[str, str, object, Operation]]:
    """All that answer something; pages for people do not."""
    for template, resource in routes.items():
        for method in METHODS:
            if responder := getattr(resource, f"on_{method}", None):
                declared = operation.of(responder)
                if declared.answers or declared.formats:
                    yield template, method, resource, declared


def _kinds(declared: Operation) -> Iterable[Any]:
    if declared.body:
        yield (get_args(declared.body) or (declared.body,))[0]
    yield from declared.answers.values()


def _path(template: str) -> Json:
    parameters = shapes.path_parameters(template)
    return {"parameters": parameters} if parameters else {}


def _operation(method: str, resource: object, declared: Operation) -> Json:
    described: Json = {
        "operationId": declared.operation_id,
        "tags": [getattr(resource, "tag", "")],
        "summary": declared.summary,
        "security": _security(declared.access),
        "responses": _successes(method, declared) | _failures(method, declared),
    }
    if declared.description:
        described["description"] = declared.description
    in_query = shapes.query_parameters(declared.query) if declared.query else []
    if parameters := [*in_query, *_conditions(method, declared)]:
        described["parameters"] = parameters
    if declared.uploads:
        described["requestBody"] = _upload(declared)
    elif declared.body:
        described["requestBody"] = _body(declared)
    return described


def _conditions(method: str, declared: Operation) -> Iterable[Json]:
    """The headers of requests that we mind."""
    wanted = {
        "Idempotency-Key": _is_repeatable(method, declared),
        "If-Match": declared.is_conditional,
        "If-None-Match": declared.is_conditional or _has_versions(method, declared),
    }
    return (_parameter(name) for name, is_wanted in wanted.items() if is_wanted)


def _is_repeatable(method: str, declared: Operation) -> bool:
    """Whether it is a change that is made once for each Idempotency-Key. Tokens have ways of their own."""
    return method != "get" and declared.access not in (Access.PUBLIC, Access.REFRESH, Access.ANY_TOKEN)


def _has_versions(method: str, declared: Operation) -> bool:
    return method == "get" and "ETag" in declared.headers


def _upload(declared: Operation) -> Json:
    # Not maxLength, which counts characters: Go's client asks the file for its strlen.
    return {
        "required": True,
        "description": f"At most {declared.max_bytes // 2**20} MiB.{GZIP_BODY if declared.accepts_gzip else ''}",
        "content": {media_type: {"schema": shapes.FILE} for media_type in declared.uploads},
    }


def _body(declared: Operation) -> Json:
    (row,) = get_args(declared.body) or (declared.body,)
    schema = ref(row)
    if row is not declared.body:
        schema = {"type": "array", "items": schema, "maxItems": declared.max_rows}
    description = {"description": GZIP_BODY.strip()} if declared.accepts_gzip else {}
    content = {"application/json": {"schema": schema}}
    return {"required": not declared.body_is_optional, "content": content} | description


def _successes(method: str, declared: Operation) -> Json:
    files: Json = {each: {"schema": shapes.FILE} for each in declared.formats}
    names = (*declared.headers, *(["Content-Encoding"] if declared.is_compressible else []))
    headers = _headers(names) | (LIMITS if declared.units else {})
    unchanged = {"304": {"description": "Not Modified", "headers": headers}} if _has_versions(method, declared) else {}
    if not declared.answers:
        return {"200": {"description": "OK", "headers": headers, "content": files}} | unchanged
    return unchanged | {
        str(status.value): {
            "description": status.phrase,
            "headers": headers | (_headers(["Link"]) if operation.is_list(kind) else {}),
            "content": {"application/json": {"schema": ref(kind)}} | files,
        }
        for status, kind in declared.answers.items()
    }


def _failures(method: str, declared: Operation) -> Json:
    by_status: dict[HTTPStatus, list[type[StorekeeperError]]] = {}
    for error in _possible(method, declared):
        by_status.setdefault(error.status, []).append(error)
    return {str(status.value): _shared(kinds) for status, kinds in sorted(by_status.items())}


def _shared(kinds: list[type[StorekeeperError]]) -> Json:
    """By reference, where it is the one of a single error."""
    return _failure(kinds) if len(kinds) > 1 else {"$ref": f"#/components/responses/{kinds[0].code}"}


def _possible(method: str, declared: Operation) -> dict[type[StorekeeperError], None]:
    kinds: list[tuple[object, tuple[type[StorekeeperError], ...]]] = [
        (True, ALWAYS),
        (True, declared.errors),
        (declared.units, (errors.TooManyRequests,)),
        (declared.is_conditional, CONDITIONAL),
        (_is_repeatable(method, declared), REPEATABLE),
        (declared.access is not Access.PUBLIC, WITH_TOKEN),
        (declared.needs_fresh, (errors.TokenNotFresh,)),
        (declared.access is Access.ADMIN, (errors.Forbidden,)),
        (declared.body or declared.uploads, WITH_BODY),
        (declared.uploads, (errors.InsufficientStorage,)),
    ]
    return dict.fromkeys(each for is_so, possible in kinds if is_so for each in possible)


def _failure(kinds: list[type[StorekeeperError]]) -> Json:
    examples = {kind.code: {"value": shapes.example_of_error(kind)} for kind in kinds}
    return {
        "description": "\n".join(f"- `{kind.code}`: {kind.usual_message()}" for kind in kinds),
        "headers": _headers(name for kind in kinds for name in _carried(kind)),
        "content": {
            "application/json": {"schema": ref(ErrorBody), "examples": examples},
            PROBLEM: {"schema": ref(Problem)},
        },
    }


def _carried(kind: type[StorekeeperError]) -> Iterable[str]:
    """The headers of an error, beside those of every answer."""
    by_kind = {
        errors.Unauthorized: ["WWW-Authenticate"],
        errors.LimitReached: ["Retry-After", "RateLimit", "RateLimit-Policy"],
        errors.TooManyExports: ["Retry-After"],
        errors.TooManyTests: ["Retry-After"],
        errors.AnswerSpaceFull: ["Retry-After"],
        errors.TooManyStreams: ["Retry-After"],
        errors.Unavailable: ["Retry-After"],
        errors.InsufficientStorage: ["Retry-After"],
        errors.MethodNotAllowed: ["Allow"],
        errors.WrongMediaType: ["Accept", "Accept-Patch", "Accept-Encoding"],
    }
    return (name for base, names in by_kind.items() if issubclass(kind, base) for name in names)


def _headers(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-ID", "X-Client-Request-ID", *names)}


def _header(name: str) -> Json:
    schema, description = HEADERS[name]
    return {"description": description, "required": name not in SOMETIMES, "schema": schema}


def _parameter(name: str) -> Json:
    pattern, example, description = PARAMETERS[name]
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "header", "description": description, "schema": schema, "example": example}


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
