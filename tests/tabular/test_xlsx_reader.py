"""Excel's workbooks: cells as they are shown there, and what would do harm or be read in two ways is refused.

The least that is a workbook is made by hand here, so that each cell is as another program would write it.
"""

import io
import zipfile
from decimal import Decimal
from html import escape
from pathlib import Path

import pytest

from storekeeper.errors import Invalid
from storekeeper.tabular import xlsx_reader
from storekeeper.tabular.sheet import Options, Row
from tests.support.item_sheets import open_sheet

NAMESPACE = "http://schemas.openxmlformats.org"
RELATION = f"{NAMESPACE}/officeDocument/2006/relationships"
PARTS = {
    "_rels/.rels": (
        f'<Relationships xmlns="{NAMESPACE}/package/2006/relationships"><Relationship Id="rId1" '
        f'Type="{RELATION}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{NAMESPACE}/spreadsheetml/2006/main" xmlns:r="{RELATION}"><sheets>'
        '<sheet name="Other" sheetId="1" r:id="rId2"/><sheet name="Items" sheetId="2" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{NAMESPACE}/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{RELATION}/worksheet" Target="/xl/worksheets/one.xml"/>'
        f'<Relationship Id="rId2" Type="{RELATION}/worksheet" Target="worksheets/two.xml"/>'
        f'<Relationship Id="rId3" Type="{RELATION}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'<styleSheet xmlns="{NAMESPACE}/spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14"/></cellXfs></styleSheet>'
    ),
}


def workbook(items: str, other: str = "", **more: str) -> io.BytesIO:
    """A workbook with a sheet "Items", the second, of these rows of XML."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, xml in {
            **PARTS,
            "xl/worksheets/one.xml": rows_xml(items),
            "xl/worksheets/two.xml": rows_xml(other),
        }.items():
            archive.writestr(name, more.get(Path(name).stem, xml))
    return file


def rows_xml(xml: str) -> str:
    main = f"{NAMESPACE}/spreadsheetml/2006/main"
    after = "<extLst><ext><f>1+1</f></ext></extLst>"  # such as the rules for colours, which are no cells
    return f'<worksheet xmlns="{main}"><sheetData>{xml}</sheetData>{after}</worksheet>'


def text_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def number_cell(place: str, number: str) -> str:
    return f'<c r="{place}"><v>{number}</v></c>'


HEADINGS = (
    f'<row r="2">{text_cell("B2", "Name")}{text_cell("C2", "price")}'
    f"{text_cell('D2', 'barcode')}{text_cell('E2', 'Margin')}</row>"
)


def items(*cells: str) -> list[Row]:
    """The rows of a worksheet with these cells below the headings."""
    return list(open_sheet(workbook(HEADINGS + f'<row r="4">{"".join(cells)}</row>'), Options(sheet="Items")))


def test_a_workbook() -> None:
    file = workbook(HEADINGS, HEADINGS)
    for options in (Options(), Options(format="xlsx", sheet="Items")):
        sheet = open_sheet(file, options)
        assert (sheet.format, sheet.columns, sheet.ignored) == ("xlsx", ["name", "price", "barcode"], ["Margin"])
        assert list(sheet) == []
    with pytest.raises(Invalid, match="no worksheet 'Nope'"):
        open_sheet(file, Options(sheet="Nope"))


def test_the_numbers_of_a_workbook_are_as_they_are_shown() -> None:
    (row,) = items(
        text_cell("B4", " a\nb "), number_cell("C4", "8.8000000000000007"), number_cell("D4", "4006381333931")
    )
    assert row == Row(4, {"name": " a\nb ", "price": Decimal("8.8"), "barcode": "4006381333931"})
    (row,) = items(text_cell("B4", "0012"), number_cell("C4", "16"), '<c r="D4" t="b"><v>1</v></c>')
    assert row.values == {"name": "0012", "price": Decimal(16), "barcode": "true"}
    (row,) = items(number_cell("B4", "1.50"), text_cell("C4", "1,99"), number_cell("D4", "12345678901234567"))
    assert row.values == {"name": "1.5", "price": "1,99", "barcode": "1.23456789012346E+16"}


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ('<c r="C4" t="e"><v>#REF!</v></c>', "an error"),
        ('<c r="C4" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "a formula"),
        ('<c r="C4"><f>1+1</f><v>2</v></c>', "a formula"),
        ('<c r="C4"><f>1+1</f></c>', "a formula"),
        ('<c r="C4" s="1"><v>45000</v></c>', "a date"),
    ],
)
def test_a_cell_without_a_value_of_its_own(cell: str, what: str) -> None:
    (row,) = items(text_cell("B4", "chair"), cell)
    assert (row.line, row.values) == (4, {})
    assert str(row.error).startswith(f"The cell of 'price' holds {what}")
    assert [(row.line, row.values) for row in items(cell)] == [(4, {})], "where nothing else is in the row"
    moved = cell.replace("C4", "E4")
    (row,) = items(text_cell("B4", "chair"), number_cell("C4", "1"), moved)
    assert (row.error, row.values["name"]) == (None, "chair"), "nobody asks for the margin"


def test_a_row_with_too_many_cells_and_one_with_too_few() -> None:
    assert items(text_cell("B4", "chair"))[0].values == {"name": "chair", "price": "", "barcode": ""}
    assert (
        str(items(text_cell("B4", "chair"), text_cell("G4", "?"))[0].error)
        == "The number of cells is 6, and that of columns 4."
    )


def test_cells_may_come_without_their_places() -> None:
    cells = "".join(text_cell("", text).replace(' r=""', "") for text in ("name", "sku"))
    bad = '<row><c t="str"><v>chair</v></c><c t="e"><v>#REF!</v></c></row>'
    (row,) = open_sheet(workbook("", f"<row>{cells}</row>{bad}"), Options())
    assert (row.line, str(row.error)) == (2, "The cell of 'sku' holds an error, such as #REF!.")


def test_a_workbook_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cells that are far apart would end the process: calamine makes a grid of all between them."""
    far = f'<row r="1">{text_cell("A1", "name")}</row><row r="1048576">{text_cell("XFD1048576", "chair")}</row>'
    for place in (far, far.replace('"', "'"), far.replace("XFD", "xfd")):
        with pytest.raises(Invalid, match="too large"):
            open_sheet(workbook("", place), Options())
    monkeypatch.setattr(xlsx_reader, "MAX_BYTES", 10_000)
    with pytest.raises(Invalid, match="too large"):
        open_sheet(workbook("", HEADINGS + " " * 10_000), Options())


def shared(numbers: str, texts: str) -> io.BytesIO:
    """A workbook whose first sheet has a name and these cells below it; their texts stand in a list of their own."""
    file = workbook("", f"<row>{text_cell('A1', 'name')}</row>{numbers}")
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("xl/SharedStrings.xml", f'<sst xmlns="{NAMESPACE}/spreadsheetml/2006/main">{texts}</sst>')
    return file


THIRD = '<row><c t="s"><v>2</v></c></row>'


def test_cells_that_share_a_text() -> None:
    texts = "<si><t>a</t></si><si/><si><r><t>ch</t></r><r><t><![CDATA[air]]></t></r></si>"
    (row,) = open_sheet(shared(THIRD, texts), Options())
    assert row.values == {"name": "chair"}


@pytest.mark.parametrize("number", ["2", "2<!-- -->", "2<v>0</v>", "2&#48;", "2<![CDATA[0]]>"])
def test_many_cells_that_share_a_long_text_are_refused(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    """Each would get a copy of its own: a file of 740 KB has taken 2.9 GB."""
    monkeypatch.setattr(xlsx_reader, "MAX_TEXT", 10_000)
    texts = f"<si/><si/><si><t>{'a' * 1000}</t></si>{'<si/>' * 20}"
    cell = THIRD.replace("2", number)
    assert [len(str(row.values["name"])) for row in open_sheet(shared(cell * 10, texts), Options())] == [1000] * 10
    with pytest.raises(Invalid, match="too much text"):
        open_sheet(shared(cell * 11, texts), Options())


def test_more_texts_rows_or_formulas_than_can_be_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_reader, "MAX_CELLS", 10)
    with pytest.raises(Invalid, match="over 10 texts"):
        open_sheet(shared(THIRD, "<si/>" * 11), Options())
    with pytest.raises(Invalid, match="too large"):
        open_sheet(workbook("", "<c><f/></c>" * 11), Options())  # outside of any row
    monkeypatch.setattr(xlsx_reader, "MAX_ROWS", 10)
    with pytest.raises(Invalid, match="too large"):
        open_sheet(workbook("", "<row/>" * 11), Options())


def test_a_workbook_with_a_long_list_of_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_reader, "MAX_LISTED", 2_000)
    for part in ("workbook", "workbook.xml"):  # the second is the name of the relations, without its ending
        long = PARTS["xl/workbook.xml" if part == "workbook" else "xl/_rels/workbook.xml.rels"] + " " * 2_000
        with pytest.raises(Invalid, match="too large"):
            open_sheet(workbook("", HEADINGS, **{part: long}), Options())


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        (THIRD, "<si><si/></si><si/>"),
        (THIRD, "<si/>"),
        (THIRD.replace("2<", "two<"), "<si/><si/><si/>"),
    ],
)
def test_texts_that_two_programs_could_number_in_two_ways(cells: str, texts: str) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        open_sheet(shared(cells, texts), Options())


@pytest.mark.parametrize(
    "more",
    [
        {"two": '<!DOCTYPE a [<!ENTITY b "c">]>' + rows_xml(HEADINGS)},
        {"two": rows_xml(HEADINGS)[:-5]},
        {"two": rows_xml(HEADINGS.replace("B2", "B-2"))},
        {"two": rows_xml(HEADINGS.replace("<is>", '<is><row r="1"/>', 1))},  # it would hide how many rows there are
        {"workbook": "<workbook/>"},
        {"workbook.xml": "<Relationships/>"},
    ],
)
def test_a_broken_workbook(more: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="workbook"):
        list(open_sheet(workbook("", HEADINGS, **more), Options()))


@pytest.mark.parametrize("place", ["twice", "comment", "content.xml"])
def test_a_workbook_that_two_programs_could_read_in_two_ways(place: str) -> None:
    file = workbook("", HEADINGS)
    with zipfile.ZipFile(file, "a") as archive:
        if place == "comment":
            archive.comment = b"hello"
        else:
            archive.writestr("content.xml" if place == "content.xml" else "XL\\worksheets/TWO.xml", rows_xml(HEADINGS))
    with pytest.raises(Invalid, match="cannot be read"):
        open_sheet(file, Options())
