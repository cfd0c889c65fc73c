"""Files of items: what a sheet says about itself, its rows, and which rows or files cannot be read."""

import csv
import io
import tracemalloc
from collections.abc import Iterator
from typing import Any, BinaryIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storekeeper.errors import Invalid
from storekeeper.tabular.sheet import Options, Row, Sheet
from tests.support.item_sheets import open_sheet

CHAIR = {"name": "chair", "price": "15.99"}


def read(data: str | bytes, **options: Any) -> Sheet:
    return open_sheet(io.BytesIO(data.encode() if isinstance(data, str) else data), Options(**options))


def rows(data: str | bytes, **options: Any) -> list[Row]:
    return list(read(data, **options))


def values(data: str | bytes, **options: Any) -> list[dict[str, object]]:
    found = rows(data, **options)
    assert [row.error for row in found] == [None] * len(found)
    return [row.values for row in found]


def wrong_lines(data: str | bytes, **options: Any) -> list[int]:
    return [row.line for row in rows(data, **options) if row.error and not row.values]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("name,price\nchair,15.99\n", ("csv", "utf-8", ",")),
        ("name;price\nchair;15.99", ("csv", "utf-8", ";")),
        ("name\tprice\rchair\t15.99\r", ("csv", "utf-8", "\t")),
        ("name|price\r\nchair|15.99\r\n", ("csv", "utf-8", "|")),
        ("sep=;\r\nname;price\r\nchair;15.99\r\n", ("csv", "utf-8", ";")),
        ("\ufeffsep=|\nname|price\nchair|15.99\n", ("csv", "utf-8", "|")),
        ("\n \n\nname,price\n\n\nchair,15.99\n,\n", ("csv", "utf-8", ",")),
        ('" Name ","PRICE"\n"chair","15.99"\n', ("csv", "utf-8", ",")),
        ("\ufeffname,price\nchair,15.99\n", ("csv", "utf-8", ",")),
        ("name,price\nchair,15.99\n".encode("utf-16"), ("csv", "utf-16", ",")),
        ("\ufeffname,price\nchair,15.99\n".encode("utf-16-be"), ("csv", "utf-16", ",")),
        ('{"name": "chair", "price": "15.99"}\n', ("jsonl", "utf-8", None)),
        ('\ufeff\r\n {"name": "chair", "price": "15.99"}', ("jsonl", "utf-8", None)),
    ],
)
def test_what_a_file_is_shows_in_it(data: str | bytes, found: tuple[str, str, str | None]) -> None:
    sheet = read(data)
    assert (sheet.format, sheet.encoding, sheet.delimiter) == found
    assert (sheet.columns, sheet.ignored) == (["name", "price"], [])
    assert [row.values for row in sheet] == [row.values for row in sheet] == [CHAIR]


def test_what_is_not_utf8_throughout_is_windows_1252() -> None:
    sheet = read("name,price\n" + "chair,1\n" * 50_000 + "Stuhl, grün,€ 1\n".replace(", ", " "))
    assert sheet.encoding == "utf-8"
    sheet = read(("name,price\n" + "chair,1\n" * 50_000 + "grün,€ 1\n").encode("cp1252"))
    assert sheet.encoding == "windows-1252"
    assert list(sheet)[-1].values == {"name": "grün", "price": "€ 1"}


def test_what_the_caller_says_comes_first() -> None:
    assert read("a;name\n1;2\n", delimiter=",", columns={"a;name": "name"}).columns == ["name"]
    assert read("sep=;\nname,price;sku\n").columns == ["sku"]
    assert values("name\nsep=;\n") == [{"name": "sep=;"}]
    assert values(b"name\n\xc3\xa9\n", encoding="windows-1252") == [{"name": "Ã©"}]
    assert values('{"name": "price"\nx', format="csv", columns={'{"name": "price"': "name"}) == [{"name": "x"}]
    assert (read("name\n", decimal="comma").decimal, read("name\n").decimal) == ("comma", "auto")


def test_columns() -> None:
    sheet = read("id,Title,price,Margin,store,currency\n1,chair,2,3,ikea,EUR\n", columns={"title": "name"})
    assert (sheet.columns, sheet.ignored) == (["name", "price", "store", "currency"], ["id", "Margin"])
    assert [row.values for row in sheet] == [{"name": "chair", "price": "2", "store": "ikea", "currency": "EUR"}]


def test_unknown_headings_are_told_apart_so_that_they_can_be_mapped() -> None:
    with pytest.raises(Invalid, match="which of them: Größe, in cm, Artikel, Preis"):
        read("Größe, in cm;Artikel;Preis\n")


def test_many_members_that_are_not_ours_are_not_all_told() -> None:
    assert len(read('{"name": "chair"' + "".join(f', "{number}": 1' for number in range(200)) + "}\n").ignored) == 100


@pytest.mark.parametrize(
    ("data", "options", "reason"),
    [
        ("", {}, "empty"),
        ("\n\n  \n", {}, "is empty"),
        ("sep=;\n", {}, "empty"),
        ("chair,15.99\n", {}, "No heading here is a field of an item"),
        ("name,\n", {}, "Column 2 has no heading"),
        ("name,Name \n", {}, "'name' is there twice"),
        ("name,x,X\n", {}, "'x' is there twice"),
        ("name,title\n", {"columns": {"title": "name"}}, "'name' is there twice"),
        ("name\n", {"columns": {"title": "sku"}}, "no column 'title'"),
        ("name\n", {"columns": {"name": "colour"}}, "no 'colour'"),
        ("a,b\n", {"columns": {"a": "name", "b": "name"}}, "Two columns"),
        ('"name\n', {}, "The headings cannot be read"),
        ("name," + ",".join(map(str, range(1000))), {}, "more than 1,000 columns"),
        ("name\n" + "x" * 2**20 + "\n", {}, "line 2 is too long"),
        ("x" * 2**22, {}, "line 1 is too long"),
        ('name\nx\n"' + "x" * 140_000 + '"\n', {}, "line 3 is too long"),
        ('name\n"' + "x\n" * 140_000, {}, "line 2 is too long"),
        ("name\n" + '"x\n",' * 500_000, {}, "line 2 is too long"),
        ("name\n", {"encoding": "utf-16"}, "not UTF-16"),
        ("n", {"encoding": "utf-16"}, "not UTF-16"),
        ("", {"encoding": "utf-16"}, "The file is empty"),
        ("{", {}, "not strict JSON"),
        ('{"colour": 1}', {}, "No heading here is a field of an item"),
        ('{"name": 1}\n{"name": "' + "x" * 2**20 + '"}\n', {}, "Line 2 is too long"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", {}, "old Excel"),
        (b"PK\x03\x04 and no more", {}, "workbook cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read(data: str | bytes, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        rows(data, **options)


def test_a_row_that_cannot_be_read_is_told_and_the_others_are_read() -> None:
    data = 'name,price\nchair\n"a\nb",1\ntable,1,2\n"x"y,1\n\nsofa,2\n'
    found = rows(data)
    assert [(row.line, bool(row.error)) for row in found] == [(2, True), (3, False), (5, True), (6, True), (8, False)]
    assert [row.values for row in found if not row.error] == [
        {"name": "a\nb", "price": "1"},
        {"name": "sofa", "price": "2"},
    ]
    assert str(found[0].error) == "The number of cells is 1, and that of columns 2."


def test_an_unclosed_quote_takes_the_rest() -> None:
    (first, second) = rows('name,price\nchair,1\nso"fa,"2\ntable,3\n')
    assert (first.error, second.line, second.values) == (None, 3, {})
    assert str(second.error) == "A quote is opened here and never closed. Nothing after it was read."


def test_characters_that_cannot_be_read() -> None:
    assert wrong_lines("name\na\0b\nc\n") == [2]
    assert wrong_lines(b"name\nd\n\xffa\n", encoding="utf-8") == [3]
    assert wrong_lines(b"\xef\xbb\xbfname\nd\na\xc3\n") == [3]
    assert wrong_lines(b"name\nd\na\x81\n") == [3]
    assert wrong_lines(b"name\nd\na\xc3", encoding="utf-8") == [3]
    assert wrong_lines(b"\xff\xfe" + "name\nd\na\n".encode("utf-16-le") + b"\x00\xd8\n\x00e\x00") == [4]
    assert values("name\n\ufffd\n") == [{"name": "\ufffd"}]


CELL = st.text(st.sampled_from('",;\t|\r\n a1é🪑'), max_size=6)


@given(
    st.lists(st.tuples(CELL.filter(bool), CELL), max_size=5),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
@example([("a\rb", "\r"), ("\n", "")], ",", "\r")
def test_what_others_write_is_read_as_it_was(cells: list[tuple[str, str]], delimiter: str, end: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(
        [("name", "sku"), *cells]
    )
    assert [tuple(each.values()) for each in values(text.getvalue())] == cells


def test_the_line_of_a_row_is_where_it_begins() -> None:
    data = 'name\r\n"a\r\nb\rc\nd"\r\n\r\ne\r\n"f\n"\rg\n'
    assert [row.line for row in rows(data)] == [2, 7, 8, 10]


class Endless(io.RawIOBase):
    """A file of so many lines like this one, none of which is kept."""

    def __init__(self, head: bytes, line: bytes, count: int) -> None:
        self.head = head
        self.line = line
        self.size = len(head) + len(line) * count
        self.at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = (0, self.at, self.size)[whence] + offset
        return self.at

    def readinto(self, buffer: Any) -> int:
        """As much as there is of the head, or of some lines."""
        if self.at < len(self.head):
            piece = self.head[self.at :]
        else:
            into = (self.at - len(self.head)) % len(self.line)
            piece = (self.line * (len(buffer) // len(self.line) + 2))[into : into + self.size - self.at]
        count = min(len(buffer), len(piece))
        buffer[:count] = piece[:count]
        self.at += count
        return count


def peak(head: bytes, line: bytes, count: int) -> int:
    """The most bytes that were held while reading so many lines."""
    file: BinaryIO = io.BufferedReader(Endless(head, line, count))
    tracemalloc.start()
    assert sum(1 for row in open_sheet(file, Options()) if not row.error) == count
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return held


@pytest.mark.parametrize(
    ("head", "line"),
    [
        (b"name,price\n", b"chair,15.99\n"),
        (b"name,price\n", b'"a\nb",15.99\n'),
        (b"", b'{"name":"chair","price":15.99}\n'),
    ],
)
def test_a_long_file_takes_no_more_memory_than_a_short_one(head: bytes, line: bytes) -> None:
    short = peak(head, line, 10_000)
    assert peak(head, line, 40_000) < short + 50_000


def test_the_file_stays_open() -> None:
    file = io.BytesIO(b"name\nchair\ntable\n")
    sheet = open_sheet(file, Options())
    begun: Iterator[Row] = iter(sheet)
    assert next(begun).values == {"name": "chair"}
    del begun
    assert not file.closed
    assert len(list(sheet)) == 2
