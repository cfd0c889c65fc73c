"""Requests for Hypothesis to make: to every operation, plausible but for what is odd about each."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, quote_from_bytes

from hypothesis import strategies as st

from tests.conftest import PASSWORD

TOKENS = 6  # how many there are to choose from; the first ones are good for most
PARTS = ("method", "path", "query", "headers", "token", "type", "member", "members", "body")


class Asked(NamedTuple):
    method: str
    target: str
    token: int | None
    headers: list[tuple[str, str]]
    body: bytes


FITTING = {  # by the segment before
    "store": ("ikea", "ikea", "lidl", "new"),
    "item": ("chair", "chair", "table", "new", "a%2Fb"),
    "members": ("alice", "bob", "carol", "nobody"),
    "user": ("1", "3", "4", "9"),
    "sessions": ("1", "2", "4", "9"),
    "docs": ("start.js", "nothing.js"),
}
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
    "setup_token": st.none(),
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
    "setup_token": None,
}
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
PARAMETER = st.tuples(
    st.sampled_from(("limit", "cursor", "sort", "store_id", "with_items", "page")),
    st.one_of(
        st.sampled_from(("1", "200", "id", "name", "true", "false", "\0", "9" * 20)), st.integers().map(str), ANY_TEXT
    ),
)
ANY_QUERY = st.one_of(
    st.lists(PARAMETER, max_size=2).map(lambda pairs: "&".join(f"{name}={quote(text)}" for name, text in pairs)),
    ANY_LATIN,
)
ANY_HEADER = st.one_of(
    st.tuples(st.sampled_from(("User-Agent", "X-Request-ID", "Accept", "Authorization", "Origin")), ANY_LATIN),
    st.tuples(st.just("Content-Length"), st.sampled_from(("0", "1", "70000", "x", "-1"))),
    st.tuples(st.just("Transfer-Encoding"), st.just("chunked")),
    st.just(("Accept", "application/problem+json")),
)
ANY_TYPE = st.one_of(st.sampled_from(("text/plain", "", "application/json; charset=utf-16")), ANY_LATIN)
ANY_METHOD = st.sampled_from(("GET", "HEAD", "OPTIONS", "PATCH", "PUT", "POST", "DELETE", "TRACE", "BREW"))


def edges(document: Any) -> Iterator[Asked]:
    """For every operation, everything odd that can be put anywhere; the rest of the request is as it should be."""
    for method, template, names in operations(document):
        segments, free = fill(template, lambda fitting: fitting[0])
        headers = [("Content-Type", "application/json")] if names else []
        body = {name: PLAIN[name] for name in names}
        plain = Asked(
            method, "/".join(segments), 4 if template == "/refresh" else 3, headers, as_json(body) if body else b""
        )
        yield plain
        for number in free:
            for odd in ODD_SEGMENTS:
                yield plain._replace(target="/".join([*segments[:number], odd, *segments[number + 1 :]]))
        for name in names:
            yield from (plain._replace(body=as_json(body | {name: value})) for value in EDGES)
        for name in parameters(document["paths"][template][method.lower()]):
            yield from (plain._replace(target=f"{plain.target}?{name}={odd}") for odd in ODD_TEXTS)


def fill(template: str, choose: Callable[[Sequence[str]], str]) -> tuple[list[str], list[int]]:
    """The segments of a path, and the places of those that are free."""
    segments = template.split("/")
    free = [number for number, part in enumerate(segments) if part.startswith("{")]
    for number in free:
        segments[number] = choose(FITTING[segments[number - 1]])
    return segments, free


def parameters(described: Any) -> list[str]:
    return [each["name"] for each in described.get("parameters", [])]


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


@st.composite
def requests(draw: st.DrawFn, document: Any) -> Asked:
    method, template, members = draw(st.sampled_from(operations(document)))
    odd = draw(st.sets(st.sampled_from(PARTS), max_size=2))
    body = draw(bodies(members, odd)) if members else b""
    headers = draw(st.lists(ANY_HEADER, max_size=3)) if "headers" in odd else []
    if body:
        headers.append(("Content-Type", draw(ANY_TYPE) if "type" in odd else "application/json"))
    usual = 4 if template == "/refresh" else draw(st.sampled_from((0, 3)))
    return Asked(
        draw(ANY_METHOD) if "method" in odd else method,
        draw(targets(template, odd)),
        draw(st.sampled_from((None, *range(TOKENS)))) if "token" in odd else usual,
        headers,
        body,
    )


def operations(document: Any) -> list[tuple[str, str, list[str]]]:
    """Each with the members of its body."""
    return [
        (method.upper(), template, members(described, document))
        for template, methods in document["paths"].items()
        for method, described in methods.items()
        if method != "parameters"
    ]


def members(described: Any, document: Any) -> list[str]:
    if "requestBody" not in described:
        return []
    schema = described["requestBody"]["content"]["application/json"]["schema"]
    return sorted(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"])


@st.composite
def targets(draw: st.DrawFn, template: str, odd: set[str]) -> str:
    segments, free = fill(template, lambda fitting: draw(st.sampled_from(fitting)))
    if "path" in odd:
        segments[draw(st.sampled_from(free or [1]))] = draw(ANY_SEGMENT)
    return "/".join(segments) + ("?" + draw(ANY_QUERY) if "query" in odd else "")


@st.composite
def bodies(draw: st.DrawFn, names: list[str], odd: set[str]) -> bytes:
    if "body" in odd:
        return draw(st.one_of(st.binary(max_size=50), ANY_VALUE.map(as_json)))
    made = {name: draw(PLAUSIBLE[name]) for name in names}
    if "member" in odd:
        made[draw(st.sampled_from(names))] = draw(ANY_VALUE)
    if "members" in odd:
        made[draw(BROKEN_TEXT)] = draw(ANY_VALUE)
        made.pop(draw(st.sampled_from(names)), None)
    return as_json(made)
