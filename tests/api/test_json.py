"""Bodies are strict JSON on every operation that takes one; else a clear 4xx, and nothing done."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from storekeeper.openapi import document as openapi
from tests.conftest import Person
from tests.support.request_bodies import BODY_IS_OPTIONAL, REQUESTS, Callers, each_with_text, everything

# Here the database makes no difference: `test_fuzz` compares the two.
pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def with_member(text: str, member: str) -> str:
    """With one more, in the first object."""
    return text.replace("{", "{" + member + ", ", 1)


def first_member(text: str) -> str:
    return text.lstrip("[{").rstrip("]}").partition(",")[0]


Spoiler = Callable[[str], bytes | str]
NO_JSON: dict[str, Spoiler] = {
    "60,000 [": lambda _: "[" * 60_000,
    "10,000 objects in each other": lambda _: '{"a":' * 10_000,
    "500 [ and ]": lambda text: with_member(text, '"a": ' + "[" * 10_000 + "]" * 10_000),
    "a member twice": lambda text: with_member(text, first_member(text)),
    "a member twice, deep inside": lambda text: with_member(text, '"a": [{"b": {"c": 1, "d": 2, "c": 1}}]'),
    "a member twice, escaped once": lambda text: with_member(text, r'"a": 1, "\u0061": 1'),
    "NaN": lambda text: with_member(text, '"a": NaN'),
    "Infinity": lambda text: with_member(text, '"a": Infinity'),
    "-Infinity": lambda text: with_member(text, '"a": [-Infinity]'),
    "a giant exponent": lambda text: with_member(text, '"a": 1e99999999999999999999'),
    "a giant negative exponent": lambda text: with_member(text, '"a": 1e-99999999999999999999'),
    "5,000 digits": lambda text: with_member(text, '"a": ' + "1" * 5000),
    "half of a surrogate pair": lambda text: with_member(text, r'"a": "\ud800"'),
    "the other half": lambda text: with_member(text, r'"a": [{"b": "x\udfffx"}]'),
    "half of a surrogate pair in a name": lambda text: with_member(text, r'"\ud83d": 1'),
    "a byte order mark": lambda text: "\ufeff" + text,
    "something after it": lambda text: text + " {}",
    "a bracket after it": lambda text: text + "}",
    "no end": lambda text: text[:-1],
    "a comma too many": lambda text: text[:-1] + ",}",
    "no quotes": lambda text: with_member(text, "a: 1"),
    "single quotes": lambda text: with_member(text, "'a': 1"),
    "a comment": lambda text: "/* hello */" + text,
    "a line break in a string": lambda text: with_member(text, '"a": "\n"'),
    "a number with a leading zero": lambda text: with_member(text, '"a": 01'),
    "a number with a plus": lambda text: with_member(text, '"a": +1'),
    "a number without its digits": lambda text: with_member(text, '"a": 1.'),
    "a hexadecimal number": lambda text: with_member(text, '"a": 0x10'),
    "NUL after it": lambda text: text + "\0",
    "Latin-1": lambda text: with_member(text, '"é": 1').encode("latin-1"),
    "a slash in two bytes": lambda text: with_member(text, '"a": "SLASH"').encode().replace(b"SLASH", b"\xc0\xaf"),
    "half of a surrogate pair in UTF-8": lambda text: with_member(text, '"a": "\ud800"').encode(
        "utf-8", "surrogatepass"
    ),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16 without a mark": lambda text: text.encode("utf-16-le"),
    "UTF-32": lambda text: text.encode("utf-32"),
    "only spaces": lambda _: "  ",
    "gibberish": lambda _: "hello",
}
NO_OBJECT = ("[]", "[{}]", '"text"', "1", "1.5", "1e999", "true", "null")
NO_LIST = ("{}", '{"0": {}}', *NO_OBJECT[2:])


@pytest.fixture
def callers(app: Any, alice: Person, root: Person, engine: sa.Engine) -> Callers:
    return Callers(app, alice, root, engine)


def test_every_operation_that_takes_a_body_is_tried_here(client: Any) -> None:
    document = client.simulate_get("/openapi.json").json
    declared = {
        (method.upper(), template, described["requestBody"]["required"])
        for template, operations in document["paths"].items()
        for method, described in operations.items()
        if method in openapi.METHODS and "application/json" in described.get("requestBody", {}).get("content", {})
    }
    tried = {(key[0], template_of(key[1], document), key not in BODY_IS_OPTIONAL) for key in REQUESTS}
    assert tried == declared


def template_of(path: str, document: Any) -> str:
    """The template in the document that fits best: that with the fewest parameters."""
    fitting = [template for template in document["paths"] if fits(path.split("/"), template.split("/"))]
    return min(fitting, key=lambda template: template.count("{"))


def fits(path: list[str], template: list[str]) -> bool:
    pairs = zip(path, template, strict=False)
    return len(path) == len(template) and all(is_in == given or is_in.startswith("{") for given, is_in in pairs)


def test_the_good_requests_are_good(callers: Callers) -> None:
    """Otherwise the rest would prove nothing."""
    for method, path, text in each_with_text():
        assert callers.send(method, path, text).status in (200, 201, 202), (method, path)


def test_what_is_no_strict_json_is_refused_and_nothing_done(callers: Callers, engine: sa.Engine) -> None:
    before = everything(engine)
    for method, path, text in each_with_text():
        for name, spoil in NO_JSON.items():
            answer = callers.send(method, path, spoil(text))
            assert answer.status == 400, (method, path, name)
            assert answer.json["error"] == "invalid", (method, path, name)
            assert answer.json["message"].startswith("The body is not strict JSON: "), (method, path, name)
    assert everything(engine) == before


def test_the_refusal_says_what_is_wrong(callers: Callers) -> None:
    def reason(name: str) -> str:
        text = json.dumps(REQUESTS["PUT", "/item/chair"])
        message: str = callers.send("PUT", "/item/chair", NO_JSON[name](text)).json["message"]
        return message.removeprefix("The body is not strict JSON: ")

    assert reason("60,000 [") == "it is nested too deeply."
    assert reason("a member twice") == "a member stands twice."
    assert reason("NaN") == "a character is out of place (byte 6)."
    assert reason("a giant exponent") == "it holds a number beyond all bounds."
    assert reason("5,000 digits") == "it holds a number beyond all bounds."
    assert reason("half of a surrogate pair in a name") == "it holds half of a surrogate pair (byte 8)."
    assert reason("UTF-16") == "it is not UTF-8."
    assert reason("something after it") == "there is more after the end of the value (byte 31)."


def test_an_object_is_wanted_or_a_list(callers: Callers, engine: sa.Engine) -> None:
    before = everything(engine)
    for method, path, good in each_with_text():
        for text in NO_LIST if good.startswith("[") else NO_OBJECT:
            if text == "null" and (method, path) in BODY_IS_OPTIONAL:  # there it is none: see test_null
                continue
            answer = callers.send(method, path, text)
            assert (answer.status, answer.json["error"]) == (400, "invalid"), (method, path, text)
    assert everything(engine) == before


def test_a_number_beyond_a_float_is_wrong_where_it_stands(callers: Callers) -> None:
    for literal in ("1e999", "-1e999", "1" * 400, "0." + "0" * 400 + "1"):
        answer = callers.send("PUT", "/item/chair", '{"store_id": 1, "price": ' + literal + "}")
        assert (answer.status, answer.wrong) == (400, {"price"}), literal
