"""Cells: what is written in one is understood in one way or refused, and an export says just what is stored."""

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storekeeper.domain import names
from storekeeper.errors import Invalid
from storekeeper.models import item_export
from storekeeper.models.item_export import Line
from storekeeper.tabular import cells
from storekeeper.tabular.cells import DecimalMark
from storekeeper.tabular.sheet import Options
from tests.support.item_sheets import open_sheet

PRICES: list[tuple[object, Any, int, str]] = [
    *((text, "auto", 2, "1.99") for text in ("1.99", "1,99", " 1.99 ", "1,99\u00a0", Decimal("1.99"))),
    *((text, "auto", 2, "1234.56") for text in ("1.234,56", "1,234.56", "1 234,56", "1\u00a0234,56", "1\u202f234.56")),
    *(
        (text, "auto", 2, "1234567")
        for text in ("1.234.567", "1,234,567", "1 234 567", "1'234'567", "1234567", 1234567)
    ),
    *((text, "auto", 2, "0.123") for text in ("0,123", "0.123")),
    *(("1,234", mark, 2, value) for mark, value in (("point", "1234"), ("comma", "1.234"))),
    *(("1.234", mark, 2, value) for mark, value in (("point", "1.234"), ("comma", "1234"))),
    *(("1.234", mark, 3, value) for mark, value in (("auto", "1.234"), ("point", "1.234"), ("comma", "1234"))),
    *((text, "auto", 2, "1234.567") for text in ("1234.567", "1234,567")),
    *((text, "auto", 2, "15.99000000000000000000000000001") for text in [Decimal("15.99000000000000000000000000001")]),
    *((text, "auto", 0, "1600") for text in ("1600", "1 600", Decimal("1600"))),
    ("016.00", "auto", 2, "16.00"),
    ("1'234.50", "auto", 2, "1234.50"),
]
NO_PRICES: list[tuple[Any, ...]] = [
    *(
        (text, "auto", 2)
        for text in ("1e3", "NaN", "inf", "-1", "+1", "1.", ".5", ",5", "1_0", "0x1", "free", "١", "１")
    ),
    *(
        (text, "auto", 2)
        for text in ("€ 1,99", "1.99 EUR", "$5", "1,99-", "(1)", "1 99", "1,2345,678", "1.2.3", "12,34,567")
    ),
    *(
        (text, "auto", 2)
        for text in ("1.234.56", "1,234,56", "1.234'567", "1,,99", "1 2345", "1" * 14, "1 234 567 890 123 456")
    ),
    *((value, "auto", 2) for value in (True, False, Decimal("-0.01"), -1, 1.5)),
    ([], "auto", 2),
    ({}, "auto", 2),
    *((text, "comma", 2) for text in ("1.99", "1,234.56")),
    *((text, "point", 2) for text in ("1,99", "1.234,56")),
]


@pytest.mark.parametrize(("value", "mark", "digits", "amount"), PRICES)
def test_a_price(value: object, mark: DecimalMark, digits: int, amount: str) -> None:
    assert str(cells.price(value, mark, digits)) == amount


@pytest.mark.parametrize(("value", "mark", "digits"), NO_PRICES)
def test_no_price(value: object, mark: DecimalMark, digits: int) -> None:
    with pytest.raises(Invalid, match="A price is a number such as"):
        cells.price(value, mark, digits)


@pytest.mark.parametrize(("text", "digits"), [("1,234", 2), ("1.234", 2), ("1,234", 3), ("1.234", 0), ("999.000", 4)])
def test_a_price_that_could_be_two_is_refused(text: str, digits: int) -> None:
    with pytest.raises(Invalid, match=r"could be .* or .*\. Say which decimal mark the file has"):
        cells.price(text, "auto", digits)


@given(st.integers(0, 10**12), st.sampled_from([0, 2, 3, 4]))
def test_a_price_of_an_export_needs_no_decimal_mark(minor: int, digits: int) -> None:
    amount = Decimal(minor).scaleb(-digits)
    marks: tuple[DecimalMark, ...] = ("auto", "point")
    for mark in marks:
        assert str(cells.price(str(amount), mark, digits)) == str(amount)


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ("12", 12),
        ("3.0", 3),
        ("3.00", 3),
        ("3,0", 3),
        ("-5", -5),
        (" 7 ", 7),
        ("007", 7),
        (4, 4),
        (-4, -4),
        (Decimal("3.0"), 3),
    ],
)
def test_a_stock(value: object, count: int) -> None:
    assert cells.whole(value, "stock") == count


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        *((text, "not clear") for text in ("1.000", "1,000", "-1.000", "12.345.678")),
        *((text, "whole number") for text in ("1.5", "3.01", "1e3", "many", "NaN", "1 000", "+1", "²", "1" * 16)),
        *((value, "whole number") for value in (True, 1.0, Decimal("1.5"), Decimal("1e999999"), 10**15)),
        ([], "whole number"),
    ],
)
def test_no_stock(value: object, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        cells.whole(value, "stock")


def test_a_flag() -> None:
    for value in (True, "true", "TRUE", "Yes", " yes ", "1"):
        assert cells.flag(value) is True
    for value in (False, "false", "False", "NO", "0"):
        assert cells.flag(value) is False
    others: tuple[object, ...] = ("maybe", "2", " ", 1, 0, 1.0, Decimal(1), [])
    for other in others:
        with pytest.raises(Invalid, match="true or false"):
            cells.flag(other)


def test_tags() -> None:
    assert cells.tags("garden; sale ;;") == cells.tags(["garden", "sale"]) == ["garden", "sale"]
    assert cells.tags("") == cells.tags(" ; ") == cells.tags(None) == cells.tags([]) == []
    for value in (1, True, {"garden": 1}, ["garden", 1], [["garden"]]):
        with pytest.raises(Invalid, match="list of texts"):
            cells.tags(value)


def test_text() -> None:
    assert cells.text("  00123 ", "sku") == "  00123 "
    assert cells.text("", "sku") == cells.text(None, "sku") == ""
    for value in (123, Decimal("1.5")):
        with pytest.raises(Invalid, match="a number has lost its leading zeros"):
            cells.text(value, "sku")
    others: tuple[object, ...] = (True, [], {})
    for wrong in others:
        with pytest.raises(Invalid, match="'sku' is text"):
            cells.text(wrong, "sku")


@pytest.mark.parametrize(
    "read",
    [cells.name, lambda cell: cells.price(cell, "auto", 2), lambda cell: cells.whole(cell, "stock"), cells.flag],
)
def test_what_an_item_cannot_be_without(read: Callable[[object], object]) -> None:
    for cell in ("", None):
        with pytest.raises(Invalid, match="is missing"):
            read(cell)


ODD_ONES = ":,\"'| =+-@\u00a0"


def legal(rule: Callable[[str], str], most: int) -> st.SearchStrategy[str]:
    """Texts in the form that `rule` stores."""
    seen = st.characters(categories=("L", "N", "P", "S"), exclude_characters=";") | st.sampled_from(ODD_ONES)
    texts = st.text(seen, min_size=1, max_size=most // 4).filter(lambda text: text.strip() not in ("", ".", ".."))
    return texts.map(rule).filter(lambda text: ";" not in text)  # as a Greek question mark becomes one


LINES = st.builds(
    Line,
    id=st.integers(1, 2**53),
    store=legal(names.of_thing, 80),
    name=legal(names.of_thing, 80),
    price=st.builds(lambda minor, digits: Decimal(minor).scaleb(-digits), st.integers(0, 10**12), st.just(2)),
    currency=st.sampled_from(["EUR", "USD"]),
    sku=st.none() | legal(names.of_sku, 64),
    barcode=st.none() | st.sampled_from(["00123457", "4006381333931"]),
    description=st.text('",;\t\r\n =+-@a1é🪑', max_size=20),
    tags=st.lists(legal(names.of_tag, 40), max_size=3, unique=True),
    stock=st.integers(-(10**12), 10**12),
    archived=st.booleans(),
    image=st.none() | st.just("https://shop.example/1.webp"),
    updated_at=st.just("2026-11-23T12:00:00Z"),
)
ODD = Line(
    id=1,
    store=" \"i\", 'k' ",
    name="=1+1",
    price=Decimal("0.00"),
    currency="EUR",
    sku="00123",
    barcode=None,
    description=": \r",
    tags=["a b", "-c"],
    stock=-1,
    archived=False,
    image=None,
    updated_at="",
)


def read_back(data: bytes) -> list[dict[str, object]]:
    """The values of a file as an import would understand them."""
    sheet = open_sheet(io.BytesIO(data), Options())
    rows = list(sheet)
    assert [row.error for row in rows] == [None] * len(rows)
    return [understood(row.values, sheet.decimal) for row in rows]


def understood(values: dict[str, Any], mark: DecimalMark) -> dict[str, object]:
    texts = {
        field: cells.text(values[field], field) for field in ("sku", "barcode", "description", "currency", "store")
    }
    return texts | {
        "name": cells.name(values["name"]),
        "price": cells.price(values["price"], mark, 2),
        "stock": cells.whole(values["stock"], "stock"),
        "archived": cells.flag(values["archived"]),
        "tags": cells.tags(values["tags"]),
    }


def meant(line: Line) -> dict[str, object]:
    return {
        **{
            field: getattr(line, field) for field in ("name", "price", "stock", "archived", "tags", "currency", "store")
        },
        **{field: getattr(line, field) or "" for field in ("sku", "barcode", "description")},
    }


@given(st.lists(LINES, min_size=1, max_size=4))
@example([ODD, ODD])
def test_what_is_exported_is_read_back_as_it_was(lines: list[Line]) -> None:
    assert read_back(item_export.CSV_HEAD + b"".join(map(cells.csv_line, lines))) == list(map(meant, lines))
    assert read_back(b"".join(map(cells.json_line, lines))) == list(map(meant, lines))


@given(st.lists(LINES, min_size=1, max_size=4))
@example([ODD])
def test_others_read_the_same_in_an_exported_sheet(lines: list[Line]) -> None:
    data = (item_export.CSV_HEAD + b"".join(map(cells.csv_line, lines))).decode()
    head, *records = csv.reader(io.StringIO(data, newline=""))
    assert head == list(Line.__struct_fields__)
    assert [record[2] for record in records] == [line.name for line in lines]
    assert [record[7] for record in records] == [line.description for line in lines]


def test_the_bytes_of_an_export() -> None:
    line = Line(
        7,
        "ikea",
        '=1+"1"',
        Decimal("15.90"),
        "EUR",
        "007",
        None,
        "",
        ["a", "b"],
        -1,
        True,
        None,
        "2026-11-23T12:00:00Z",
    )
    assert item_export.CSV_HEAD == (
        b"id,store,name,price,currency,sku,barcode,description,tags,stock,archived,image,updated_at\r\n"
    )
    assert cells.csv_line(line) == b'7,ikea,"=1+""1""",15.90,EUR,007,,,a;b,"-1",true,,2026-11-23T12:00:00Z\r\n'
    assert cells.json_line(line).startswith(b'{"id":7,"store":"ikea","name":"=1+\\"1\\"","price":15.90,')
    assert cells.json_line(line).endswith(b'"image":null,"updated_at":"2026-11-23T12:00:00Z"}\n')


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", " "])
def test_a_cell_that_begins_like_a_formula_is_quoted_and_not_changed(begin: str) -> None:
    line = msgspec.structs.replace(ODD, store=f"{begin}1")
    assert cells.csv_line(line).startswith(f'1,"{begin}1",'.encode())
