"""JSON Lines: as strict as the body of a request, line by line."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storekeeper.errors import Invalid
from storekeeper.http import parsing
from storekeeper.importer.row_reader import FIELDS
from storekeeper.tabular.sheet import MAX_IGNORED
from tests.tabular.test_sheet import read, rows, wrong_lines

NO_JSON = {
    "a member twice": '{"name": 1, "name": 2}',
    "a member twice, with a space": '{"name":1,"name" :2}',
    "a member twice, with a tab": '{"name":1,"name"\t:2}',
    "a member twice, escaped once": r'{"name": 1, "n\u0061me": 2}',
    "a member twice, beside a text like one": '{"name": ":", "name": 2}',
    "a member twice, deep inside": '{"name": [{"b": {"c": 1, "d": 2, "c": 1}}]}',
    "NaN": '{"name": NaN}',
    "Infinity": '{"name": -Infinity}',
    "a giant exponent": '{"name": 1e99999999999999999999}',
    "5,000 digits": '{"name": ' + "1" * 5000 + "}",
    "half of a surrogate pair": r'{"name": "\ud800"}',
    "the other half": r'{"name": "x\udfffx"}',
    "two first halves": r'{"name": "\ud800\ud800"}',
    "half a pair and a letter": r'{"name": "\ud800\u0041"}',
    "half of a surrogate pair in a name": r'{"\ud83d": 1}',
    "something after it": '{"name": 1} {}',
    "no end": '{"name": 1',
    "a comma too many": '{"name": 1,}',
    "a leading zero": '{"name": 01}',
    "60,000 [": '{"name": ' + "[" * 60_000,
    "a list": "[1]",
    "a text": '"name"',
    "null": "null",
    "gibberish": "hello",
}


@pytest.mark.parametrize("name", NO_JSON)
def test_a_line_that_is_no_strict_json(name: str) -> None:
    found = rows('{"name": "chair"}\n\n' + NO_JSON[name] + '\n{"name": "table"}\n')
    assert [(row.line, row.values) for row in found] == [(1, {"name": "chair"}), (3, {}), (4, {"name": "table"})]
    assert str(found[1].error).startswith("This is not strict JSON: ")


def test_lines_that_are_no_text() -> None:
    for line in (
        b'{"name": "\xff"}',
        b'{"\xed\xa0\x80": 1}',
        '{"name": 1}'.encode("utf-16"),
        b'{"name": "\0"}',
        b'{"name": "\\u0000"}',
    ):
        assert wrong_lines(b'{"name": "chair"}\n' + line.replace(b"\n", b"") + b"\n") == [2]


def test_values_keep_their_types_and_their_digits() -> None:
    line = '{"name": "a\\":", "price": 15.90, "stock": 3, "tags": ["a"], "archived": true, "sku": null, "id": {"a": 1}}'
    sheet = read(
        line + '\n{"price": 1.5e1, "colour": 1}\n{"stock": 123456789012345678901234567890, "id": 2, "colour": 2}'
    )
    first, second, third = (row.values for row in sheet)
    assert first == {"name": 'a":', "price": Decimal("15.90"), "stock": 3, "tags": ["a"], "archived": True, "sku": None}
    assert str(first["price"]) == "15.90"
    assert (second, third) == ({"price": Decimal("15")}, {"stock": 123456789012345678901234567890})
    assert (sheet.columns, sheet.ignored) == ([*first], ["id", "colour"])
    assert sheet.decimal == "point"


def test_members_of_later_lines_are_told_as_they_are_read_and_no_more_than_anybody_reads() -> None:
    lines = ['{"name": "chair"}', '{"name": "a", "price": 5, "shelf": 1}', '{"name": "b", "stock": 1}']
    sheet = read("\n".join(lines))
    assert (sheet.columns, sheet.ignored) == (["name"], [])
    for _ in range(2):
        assert len(list(sheet)) == 3
    assert (sheet.columns, sheet.ignored) == (["name", "price", "stock"], ["shelf"])
    sheet = read("\n".join(f'{{"name": "a", "x{number}": 1}}' for number in range(300)))
    assert len(list(sheet)) == 300
    assert len(sheet.ignored) == MAX_IGNORED


ODD_KEYS = st.sampled_from(["name", "price", ":", '":', "a\\", '"', " :", "é"])
ODD_TEXTS = st.text(st.sampled_from('":\\ ,{}a'), max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | ODD_TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD_KEYS, inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.tuples(ODD_KEYS, VALUES), min_size=1, max_size=5), st.sampled_from([":", " :", "\t: "]))
def test_json_is_as_strict_as_in_a_body(members: list[tuple[str, Any]], colon: str) -> None:
    """A member that stands twice is refused, and nothing that only looks like one."""
    encode = msgspec.json.encode
    line = b"{" + b",".join(encode(key) + colon.encode() + encode(value) for key, value in members) + b"}"
    (row,) = list(read(b'{"name": 1}\n' + line))[1:]
    try:
        body = parsing.decode_json(line)
    except Invalid:
        assert str(row.error) == "This is not strict JSON: a member stands twice."
    else:
        assert (row.error, row.values) == (None, {key: body[key] for key in body if key in FIELDS})
