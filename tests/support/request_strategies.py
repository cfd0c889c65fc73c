"""Requests for Hypothesis to make: to every operation, plausible but for what is odd about each."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, quote_from_bytes

from hypothesis import strategies as st

from tests.support import images
from tests.support.cast import PASSWORD

TOKENS = 6  # how many there are to choose from; the first ones are good for most
PARTS = ("method", "path", "query", "headers", "token", "type", "member", "members", "body")

# Of libraries' messages: an answer has sentences of its own.
FOREIGN = (
    *("Expected `", "Object contains", "Object missing", "Invalid value", "Invalid enum", "matching regex", " - at `$"),
    *("Expecting ", "Extra data", "Unterminated", "Invalid control", r"Invalid \\", "JSON is malformed"),
)


class Asked(NamedTuple):
    method: str
    target: str
    token: int | None
    headers: list[tuple[str, str]]
    body: bytes


class Operation(NamedTuple):
    """What the document says of one: the members of its body, or what files it takes."""

    method: str
    template: str
    members: list[str]
    is_list: bool
    uploads: list[str]
    query: str

    def body(self, made: dict[str, Any]) -> bytes:
        return as_json([made] if self.is_list else made)


FITTING = {  # by the segment before
    "store": ("ikea", "ikea", "lidl", "new"),
    "item": ("chair", "chair", "table", "new", "a%2Fb"),
    "members": ("alice", "bob", "carol", "nobody"),
    "user": ("1", "3", "4", "9"),
    "sessions": ("1", "2", "4", "9"),
    "docs": ("start.js", "nothing.js"),
    "images": ("0" * 64, "f" * 64),
    "{key}": ("small", "full", "huge"),
    "imports": ("1", "2", "9"),
    "webhooks": ("1", "1", "9"),
    "deliveries": ("1", "9"),
}
NEEDED = {"store": "ikea"}  # parameters
PLAUSIBLE: dict[str, st.SearchStrategy[Any]] = {
    "username": st.sampled_from(("alice", "bob", "newcomer", "Álice", "a b")),
    "password": st.sampled_from((PASSWORD, PASSWORD, "password", "another horse")),
    "current_password": st.just(PASSWORD),
    "new_password": st.sampled_from((PASSWORD, "another horse", "short")),
    "price": st.one_of(
        st.integers(0, 10**9), st.decimals(0, 10**6, places=2).map(str), st.sampled_from((1.25, "1.999"))
    ),
    "store_id": st.sampled_from((1, 1, 2, 3)),
    "currency": st.sampled_from(("EUR", "JPY", "XXX")),
    "role": st.sampled_from(("owner", "clerk")),
    "is_admin": st.booleans(),
    "is_active": st.booleans(),
    "must_change_password": st.booleans(),
    "setup_token": st.none(),
    "name": st.sampled_from(("chair", "table", "new", "a/b", "")),
    "sku": st.sampled_from((None, "", "CH-1", " CH-1 ", "x" * 65)),
    "barcode": st.sampled_from((None, "", "4006381333931", "96385074", "4006381333932")),
    "description": st.sampled_from(("", "Oak, oiled.", "two\r\nlines", "x" * 4000)),
    "tags": st.lists(st.sampled_from(("garden", "Garden", "a;b", "", "x" * 41)), max_size=21),
    "stock": st.sampled_from((0, 12, -1, 10**12, 10**12 + 1)),
    "archived": st.booleans(),
    "negative_stock": st.booleans(),
    "delta": st.sampled_from((0, 1, -1, 10**12, -(10**12))),
    "url": st.sampled_from(("https://shop.example/hook", "http://10.0.0.1/", "http://a@shop.example", "x", "")),
    "store": st.sampled_from(("ikea", "ikea", "lidl", "nowhere", None)),
    "after": st.sampled_from((0, 1, 10**9, -1)),
    "ticket": st.sampled_from(("", "x", "x" * 101)),
    "challenge": st.sampled_from(("", "x", "x" * 101)),
}
PLAIN = {
    "username": "carol",
    "password": PASSWORD,
    "current_password": PASSWORD,
    "new_password": "another horse",
    "price": "9.99",
    "store_id": 1,
    "currency": "JPY",
    "role": "owner",
    "is_admin": True,
    "is_active": True,
    "must_change_password": True,
    "setup_token": None,
    "name": "chair",
    "sku": "CH-1",
    "barcode": "4006381333931",
    "description": "Oak, oiled.",
    "tags": ["garden"],
    "stock": 12,
    "archived": False,
    "negative_stock": True,
    "delta": 1,
    "url": "https://shop.example/hook",
    "store": "ikea",
    "after": 1,
    "ticket": "x",
    "challenge": "x",
}
SMALL = images.two_colours(2, 2)
FILES = {
    "image/png": images.encoded(SMALL, "PNG"),
    "image/jpeg": images.encoded(SMALL, "JPEG"),
    "image/webp": images.encoded(SMALL, "WEBP"),
    "image/gif": images.encoded(SMALL, "GIF"),
    "text/csv": b"name,price\r\nlamp,5\r\n",
    "application/jsonl": b'{"name": "lamp", "price": 5}\n',
}
ODD_FILES = (b"", b"\0", b"name", FILES["image/png"][:60], b"GIF89a", b"PK\x03\x04", b"\xff\xfe", b"x" * 70_000)
ODD_SEGMENTS = (
    *("%00", "a%00b", "%FF", "%ED%A0%80", "%EF%B7%90", "%F4%8F%BF%BF", "%2F", "", "..", "%F0%9F%AA%91"),
    *("0", "-1", "9" * 16, "9223372036854775807", "9223372036854775808", "9" * 20, "9" * 5000, "x" * 80, "x" * 81),
)
ODD_TEXTS = (
    "",
    "%00",
    "%FF",
    "0",
    "-1",
    "1.5",
    "9" * 16,
    "9223372036854775807",
    "9223372036854775808",
    "9" * 5000,
    "null",
)
EDGES = (
    2**31,
    2**53,
    2**63,
    2**64,
    10**400,
    -1,
    0,
    1e308,
    0.1,
    1e-7,
    True,
    None,
    "",
    "\0",
    "\ud800",
    "9" * 99,
    "1e5",
    [],
    {},
    [""],
    [None],
    ["\0"],
)

ANY_TEXT = st.text(max_size=90)
ANY_LATIN = st.text(st.characters(max_codepoint=0xFF, exclude_characters="\0\r\n"), max_size=300)
BROKEN_TEXT = st.text(st.characters(codec=None, exclude_categories=[]), max_size=20)  # half surrogate pairs too
PRINTABLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="?#"), max_size=10)

ANY_VALUE = st.one_of(
    BROKEN_TEXT, st.integers(), st.sampled_from(EDGES), st.floats(), st.lists(st.integers(), max_size=2)
)
ANY_SEGMENT = st.one_of(
    st.sampled_from(ODD_SEGMENTS),
    st.sampled_from(ODD_SEGMENTS),
    ANY_TEXT.map(lambda text: quote(text, safe="")),
    st.binary(max_size=10).map(lambda value: quote_from_bytes(value, safe="")),
    PRINTABLE,
    st.integers().map(str),
)
PARAMETERS = ("limit", "cursor", "sort", "store_id", "with_items", "page", "q", "tag", "sku", "barcode", "price_min")
PARAMETERS += (
    "state",
    "in_stock",
    "updated_since",
    "archived",
    "store",
    "match",
    "dry_run",
    "columns",
    "sheet",
    "file_name",
)
TEXTS = ("1", "200", "id", "name", "true", "false", "\0", "9" * 20, "-price", "rank", "chair", "garden", "ikea", "1.50")
PARAMETER = st.tuples(st.sampled_from(PARAMETERS), st.one_of(st.sampled_from(TEXTS), st.integers().map(str), ANY_TEXT))
ANY_QUERY = st.one_of(
    st.lists(PARAMETER, max_size=2).map(lambda pairs: "&".join(f"{name}={quote(text)}" for name, text in pairs)),
    ANY_LATIN,
)
ANY_HEADER = st.one_of(
    st.tuples(st.sampled_from(("User-Agent", "X-Request-ID", "Accept", "Authorization", "Origin")), ANY_LATIN),
    st.tuples(st.just("Content-Length"), st.sampled_from(("0", "1", "70000", "x", "-1"))),
    st.tuples(st.just("Transfer-Encoding"), st.just("chunked")),
    st.just(("Accept", "application/problem+json")),
    st.tuples(st.just("Accept"), st.sampled_from(("text/csv", "application/jsonl", "text/csv;q=x, */*", "text/*"))),
    st.tuples(st.just("Prefer"), st.sampled_from(("count=exact", "handling=lenient", "count=exact, x;y", ","))),
    st.tuples(st.just("If-None-Match"), st.sampled_from(("*", '"x"', "W/", '"'))),
)
ANY_TYPE = st.one_of(st.sampled_from(("text/plain", "", "application/json; charset=utf-16")), ANY_LATIN)
ANY_METHOD = st.sampled_from(("GET", "HEAD", "OPTIONS", "PATCH", "PUT", "POST", "DELETE", "TRACE", "BREW"))


def edges(document: Any) -> Iterator[Asked]:
    """For every operation, everything odd that can be put anywhere; the rest of the request is as it should be."""
    for each in operations(document):
        segments, free = fill(each.template, lambda fitting: fitting[0])
        plain = _plain(each, "/".join(segments))
        yield plain
        for number in free:
            for odd in ODD_SEGMENTS:
                yield plain._replace(target="/".join([*segments[:number], odd, *segments[number + 1 :]]) + each.query)
        for name in each.members:
            body = {name: PLAIN[name] for name in each.members}
            yield from (plain._replace(body=each.body(body | {name: value})) for value in EDGES)
        for media_type in each.uploads:
            for file in (*FILES.values(), *ODD_FILES):
                yield plain._replace(headers=[("Content-Type", media_type)], body=file)
        for name in parameters(document["paths"][each.template][each.method.lower()]):
            others = "" if name in NEEDED else each.query.removeprefix("?") + "&" * bool(each.query)
            path = plain.target.partition("?")[0]
            yield from (plain._replace(target=f"{path}?{others}{name}={odd}") for odd in ODD_TEXTS)


def _plain(each: Operation, path: str) -> Asked:
    """As it should be."""
    headers, body = [], b""
    if each.uploads:
        media_type = next(known for known in FILES if known in each.uploads)
        headers, body = [("Content-Type", media_type)], FILES[media_type]
    elif each.members:
        headers, body = [("Content-Type", "application/json")], each.body({name: PLAIN[name] for name in each.members})
    return Asked(each.method, path + each.query, 4 if path == "/refresh" else 3, headers, body)


def fill(template: str, choose: Callable[[Sequence[str]], str]) -> tuple[list[str], list[int]]:
    """The segments of a path, and the places of those that are free."""
    known, segments = template.split("/"), template.split("/")
    free = [number for number, part in enumerate(known) if part.startswith("{")]
    for number in free:
        segments[number] = choose(FITTING[known[number - 1]])
    return segments, free


def parameters(described: Any) -> list[str]:
    return [each["name"] for each in described.get("parameters", [])]


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


@st.composite
def requests(draw: st.DrawFn, document: Any) -> Asked:
    each = draw(st.sampled_from(operations(document)))
    odd = draw(st.sets(st.sampled_from(PARTS), max_size=2))
    body = draw(bodies(each, odd)) if each.members or each.uploads else b""
    headers = draw(st.lists(ANY_HEADER, max_size=3)) if "headers" in odd else []
    if body:
        fitting = st.sampled_from(each.uploads or ["application/json"])
        headers.append(("Content-Type", draw(ANY_TYPE if "type" in odd else fitting)))
    usual = 4 if each.template == "/refresh" else draw(st.sampled_from((0, 3)))
    return Asked(
        draw(ANY_METHOD) if "method" in odd else each.method,
        draw(targets(each, odd)),
        draw(st.sampled_from((None, *range(TOKENS)))) if "token" in odd else usual,
        headers,
        body,
    )


def operations(document: Any) -> list[Operation]:
    return [
        _operation(method.upper(), template, described, document)
        for template, methods in document["paths"].items()
        for method, described in methods.items()
        if method != "parameters"
    ]


def _operation(method: str, template: str, described: Any, document: Any) -> Operation:
    content = described.get("requestBody", {}).get("content", {})
    needed = [f"{name}={NEEDED[name]}" for name in required(described)]
    query = "?" + "&".join(needed) if needed else ""
    if "application/json" not in content:
        return Operation(method, template, [], False, list(content), query)
    schema = content["application/json"]["schema"]
    name = schema.get("items", schema)["$ref"].rpartition("/")[2]
    members = sorted(document["components"]["schemas"][name]["properties"])
    return Operation(method, template, members, "items" in schema, [], query)


def required(described: Any) -> list[str]:
    return [each["name"] for each in described.get("parameters", []) if each.get("required")]


@st.composite
def targets(draw: st.DrawFn, each: Operation, odd: set[str]) -> str:
    segments, free = fill(each.template, lambda fitting: draw(st.sampled_from(fitting)))
    if "path" in odd:
        segments[draw(st.sampled_from(free or [1]))] = draw(ANY_SEGMENT)
    return "/".join(segments) + ("?" + draw(ANY_QUERY) if "query" in odd else each.query)


@st.composite
def bodies(draw: st.DrawFn, each: Operation, odd: set[str]) -> bytes:
    if "body" in odd:
        return draw(st.one_of(st.binary(max_size=50), ANY_VALUE.map(as_json)))
    if each.uploads:
        return draw(st.sampled_from((*FILES.values(), *ODD_FILES)))
    made = {name: draw(PLAUSIBLE[name]) for name in each.members}
    if "member" in odd:
        made[draw(st.sampled_from(each.members))] = draw(ANY_VALUE)
    if "members" in odd:
        made[draw(BROKEN_TEXT)] = draw(ANY_VALUE)
        made.pop(draw(st.sampled_from(each.members)), None)
    return each.body(made)
