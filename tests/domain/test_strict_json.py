"""Strict JSON: one reader for the bodies of requests and for the lines of files, which refuse the same."""

import codecs
import io
from decimal import Decimal
from typing import Any

import pytest

from storekeeper.errors import Invalid
from storekeeper.http import parsing
from storekeeper.messages import ErrorMessage
from storekeeper.tabular import jsonl_reader

TAKEN: dict[bytes, dict[str, Any]] = {
    b'{"a": 1.0}': {"a": Decimal("1.0")},
    b'{"a": 15.90, "b": 1.5e1}': {"a": Decimal("15.90"), "b": Decimal("15")},
    b'{"a": 1e400}': {"a": Decimal("1e400")},
    b'{"a": -0}': {"a": 0},
    b'{"a": 123456789012345678901234567890}': {"a": 123456789012345678901234567890},
    b'{"a": {"a": [{"a": 1}, {"a": 1}]}}': {"a": {"a": [{"a": 1}, {"a": 1}]}},
    b'{"a": "\\"a\\":", ":": ": \\\\", "b": "a:"}': {"a": '"a":', ":": ": \\", "b": "a:"},
    b'{"a"\t:\r1, "b" :[]}': {"a": 1, "b": []},
    b'{"a": "\\ud83e\\ude91"}': {"a": "\N{CHAIR}"},
}
REFUSED: dict[bytes, str] = {
    b'{"a": 1, "a": 2}': "a member stands twice",
    b'{"a": 1, "a": 1}': "a member stands twice",
    b'{"a" :1,"a"\t:2}': "a member stands twice",
    b'{"\\u0061": 1, "a": 2}': "a member stands twice",
    b'{"a": ":", "a": 2}': "a member stands twice",
    b'{"a": {"b": 1, "b": 2}}': "a member stands twice",
    b'{"a": [[{"b": {"c": 1, "c": 1}}]]}': "a member stands twice",
    b'{"a": NaN}': "a character is out of place (byte 6)",
    b'{"a": Infinity}': "a character is out of place (byte 6)",
    b'{"a": }': "a character is out of place (byte 6)",
    b'{"a": "x\ty"}': "a character is out of place (byte 8)",
    b"hello": "a character is out of place (byte 0)",
    b'{"a": "\\ud800\\u0041"}': "it holds half of a surrogate pair (byte 19)",
    b'{"\\udbff": "and more"}': "it holds half of a surrogate pair (byte 8)",
    b'{"a": "\\ud800 and more"}': "it holds half of a surrogate pair (byte 13)",
    b'{"a": "x\\udfffx, and more"}': "it holds half of a surrogate pair (byte 14)",
    b'{"a": "\xff"}': "it is not UTF-8",
    b'{"a": "\xc0\xaf"}': "it is not UTF-8",
    b'{"\xed\xa0\x80": 1}': "it is not UTF-8",
    '{"a": 1}'.encode("utf-16"): "it is not UTF-8",
    b'{"a": 1e999999999999999999999}': "it holds a number beyond all bounds",
    b'{"a": ' + b"1" * 5000 + b"}": "it holds a number beyond all bounds",
    b'{"a": ' + b"[" * 100_000 + b"}": "it is nested too deeply",
    b'{"a":' * 10_000: "it is nested too deeply",
    b'{"a": 01}': "a number is not written as JSON has it (byte 7)",
    b'{"a": 1.}': "a number is not written as JSON has it (byte 8)",
    b'{"a": 1,}': "nothing comes after a comma (byte 8)",
    b"{a: 1}": "the name of a member is missing, in double quotes (byte 1)",
    b'{"a" 1}': "a colon is missing (byte 5)",
    b'{"a": 1 "b": 2}': "a comma or the end of a list or an object is missing (byte 8)",
    b'{"a": [1 2]}': "a comma or the end of a list or an object is missing (byte 9)",
    b'{"a": "\\x"}': "a text holds an escape that JSON does not have (byte 9)",
    b'{"a": 1} {}': "there is more after the end of the value (byte 10)",
    b'{"a": 1': "it has no end",
}


def of_body(data: bytes) -> Any:
    """What a request's body is read as; where it is refused, why."""
    try:
        return parsing.decode_json(data)
    except Invalid as error:
        return str(error)


def of_line(data: bytes) -> Any:
    """The same of the second line of a file. The first may have a mark."""
    _, *found = jsonl_reader.read(io.BytesIO(b'{"first": 1}\n' + data + b"\n"))
    read = found[0][1] if found else None
    return str(read) if isinstance(read, ErrorMessage) else read


@pytest.mark.parametrize("data", TAKEN)
def test_a_body_and_a_line_are_read_as_the_same(data: bytes) -> None:
    for found in (of_body(data), of_line(data)):
        assert found == TAKEN[data]
        assert repr(found) == repr(TAKEN[data]), "decimals keep their digits, and whole numbers are none"


@pytest.mark.parametrize("data", REFUSED, ids=lambda data: repr(data[:40]))
def test_a_body_and_a_line_are_refused_for_the_same_reason(data: bytes) -> None:
    assert of_body(data) == f"The body is not strict JSON: {REFUSED[data]}."
    assert of_line(data.replace(b"\n", b"")) == f"This is not strict JSON: {REFUSED[data]}."


@pytest.mark.parametrize("data", [b'{"a": "\\ud800"}', b'{"\\udbff":1}', b'["\\uDAbf"]'])
def test_half_of_a_pair_near_the_end_is_not_taken_for_a_cut(data: bytes) -> None:
    assert of_body(data) == "The body is not strict JSON: it holds half of a surrogate pair."


def test_a_body_may_have_several_lines() -> None:
    assert of_body(b'{\n"a"\n:\n1\n}\n') == {"a": 1}
    assert of_body(b'{"a"\n:1, "a"\n:2}') == "The body is not strict JSON: a member stands twice."


def test_a_body_is_a_value_and_a_line_an_object() -> None:
    for data, value in ((b"[1, null]", [1, None]), (b"null", None), (b'"a"', "a"), (b" 1 ", 1)):
        assert (of_body(data), of_line(data)) == (value, "This is not strict JSON: it is no object.")


def test_nothing_is_no_body_and_a_line_that_is_left_out() -> None:
    for data in (b"", b" \r\t"):
        assert of_body(data) == "The body is not strict JSON: a value is missing."
        assert of_line(data) is None


def test_a_line_has_no_nul_and_a_body_is_for_its_fields_to_judge() -> None:
    data = b'{"a": ["\\u0000"]}'
    assert (of_body(data), of_line(data)) == ({"a": ["\0"]}, "This is not strict JSON: it holds NUL.")


def test_a_file_may_have_a_byte_order_mark_and_a_body_not() -> None:
    data = codecs.BOM_UTF8 + b'{"a": 1}'
    assert of_body(data) == "The body is not strict JSON: a character is out of place (byte 0)."
    assert list(jsonl_reader.read(io.BytesIO(data))) == [(1, {"a": 1})]
