"""Excel workbooks (.xlsx): the rows of a worksheet, read by calamine after a check of its XML.

calamine holds a worksheet as a full grid, from its first cell to its last, each with its text. Two cells that are far
apart, or many cells that share a long text, would need more memory than there is, and end the process. calamine also
shows errors as empty cells, and formulas as their last result. So this module parses the worksheet's XML first.
"""

import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import BinaryIO
from xml.parsers import expat

import msgspec
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum

from storekeeper.errors import Invalid
from storekeeper.messages import ErrorMessage

MAX_BYTES = 512 * 2**20  # unpacked
MAX_LISTED = 16 * 2**20  # bytes of a part that lists the others: calamine takes six times that
MAX_PARTS = 10_000
MAX_ROWS = 2**20  # of Excel's own
MAX_CELLS = 5_000_000  # calamine takes some 100 bytes for each, and for each text that cells share
MAX_TEXT = 256 * 2**20  # bytes in cells that share texts: calamine copies them into each
REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})", re.ASCII)
RELATIONSHIPS = "xl/_rels/workbook.xml.rels"
WORKBOOK = "xl/workbook.xml"
TEXTS = "xl/sharedstrings.xml"
UNREADABLE = (
    *(CalamineError, zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError),
    *(ValueError, KeyError, IndexError, RuntimeError),  # odd references, parts that are missing, or encrypted
)


class Flaw(msgspec.Struct, frozen=True):
    """A cell without a value of its own: an error, a formula or a date."""

    content: ErrorMessage


ERROR = Flaw(ErrorMessage("cell_error"))
FORMULA = Flaw(ErrorMessage("cell_formula"))
DATE = Flaw(ErrorMessage("cell_date"))

Cell = str | Decimal | Flaw
Parts = dict[str, zipfile.ZipInfo]
Flaws = dict[int, dict[int, Flaw]]  # by row and column, from 0


class Worksheet(msgspec.Struct, frozen=True):
    grid: CalamineSheet
    flaws: Flaws

    def read_headings(self) -> tuple[int, list[str]]:
        """The first row that is not empty, and its number."""
        for number, cells in self._rows():
            if any(cells):
                headings = ["" if isinstance(cell, Flaw) else str(cell) for cell in cells]
                return number, headings[: _width(headings)]
        raise Invalid("worksheet_empty")

    def read(self, begin: int, width: int) -> Iterator[tuple[int, list[Cell] | ErrorMessage]]:
        """Yield each row from number `begin` on: its cells, or why they cannot be used. Skips empty rows."""
        for number, cells in self._rows():
            if number < begin or not any(cells):
                continue
            if _width(cells) > width:
                yield number, ErrorMessage("record_width", cells=_width(cells), columns=width)
            else:
                yield number, [*cells, *[""] * width][:width]

    def _rows(self) -> Iterator[tuple[int, list[Cell]]]:
        left = self.grid.start[1] if self.grid.start else 0  # the grid's own first column
        rows = self.grid.iter_rows()
        for index in range(max(self.grid.total_height, *self.flaws, 0) + 1):
            cells = [_cell(value) for value in next(rows, [])]
            for column, flaw in self.flaws.get(index, {}).items():
                cells += [""] * (column - left + 1 - len(cells))
                cells[max(column - left, 0)] = flaw
            yield index + 1, cells


def _width(cells: list[Cell] | list[str]) -> int:
    return max((index for index, cell in enumerate(cells, 1) if cell), default=0)


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return Decimal(format(value, ".15g"))  # the digits that Excel itself keeps and shows
    return DATE


def open_worksheet(file: BinaryIO, name: str | None) -> Worksheet:
    """The worksheet of that name, or the first one. Raises Invalid if the file is no workbook, or too large."""
    try:
        with zipfile.ZipFile(file) as archive:
            parts = _list_parts(archive)
            texts = _Texts()
            if TEXTS in parts:
                _parse(archive, parts[TEXTS], **texts.handlers())
            survey = _Survey(texts.sizes)
            file.seek(0)
            with CalamineWorkbook.from_filelike(file) as workbook:
                name = _choose(workbook, name)
                _parse(archive, parts[_find_part(archive, parts, name)], **survey.handlers())
                return Worksheet(workbook.get_sheet_by_name(name), survey.flaws)
    except UNREADABLE:
        raise Invalid("workbook_unreadable") from None


def _list_parts(archive: zipfile.ZipFile) -> Parts:
    """The parts of the archive by name, as calamine finds them: regardless of case and direction of slashes."""
    listed = archive.infolist()
    if len(listed) > MAX_PARTS or sum(part.file_size for part in listed) > MAX_BYTES:
        raise Invalid("workbook_too_large", maximum=MAX_BYTES)
    parts = {part.filename.replace("\\", "/").lower(): part for part in listed}
    is_other_kind = WORKBOOK not in parts or "content.xml" in parts  # calamine would try those of LibreOffice too
    if is_other_kind or archive.comment or len(parts) < len(listed):  # two readers might see two workbooks
        raise zipfile.BadZipFile
    if any(parts[each].file_size > MAX_LISTED for each in (WORKBOOK, RELATIONSHIPS) if each in parts):
        raise Invalid("workbook_lists_too_large", maximum=MAX_LISTED)
    return parts


def _choose(workbook: CalamineWorkbook, asked: str | None) -> str:
    names = [sheet.name for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    if asked is not None and asked not in names:
        raise Invalid("worksheet_unknown", field="sheet", name=asked)
    if not names:
        raise Invalid("worksheet_missing")
    return names[0] if asked is None else asked


def _find_part(archive: zipfile.ZipFile, parts: Parts, name: str) -> str:
    """The part of a worksheet: the workbook has its id, and the relationships map that to a part."""
    sheets = [each for each in _elements(archive, parts[WORKBOOK], "sheet") if each["name"] == name]
    (id,) = [value for key, value in sheets[0].items() if key.endswith(":id")]
    relations = _elements(archive, parts[RELATIONSHIPS], "Relationship")
    target = {each["Id"]: each["Target"] for each in relations}[id].removeprefix("/")
    return (target if target.startswith("xl/") else f"xl/{target}").lower()


def _elements(archive: zipfile.ZipFile, part: zipfile.ZipInfo, wanted: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []

    def see(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == wanted:
            found.append(attributes)

    _parse(archive, part, StartElementHandler=see)
    return found


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _parse(archive: zipfile.ZipFile, part: zipfile.ZipInfo, **handlers: Callable[..., None]) -> None:
    """Parse a part with expat; `handlers` are named as expat's attributes."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    for name, handle in handlers.items():
        setattr(parser, name, handle)
    with archive.open(part) as stream:
        parser.ParseFile(stream)


def _refuse_doctype(*_: object) -> None:
    raise ValueError("no workbook has one")


class _Texts:
    """Measures the shared texts of cells: `sizes` are their bytes, by index."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self._is_within = False

    def handlers(self) -> dict[str, Callable[..., None]]:
        return {"StartElementHandler": self._see, "CharacterDataHandler": self._read, "EndElementHandler": self._leave}

    def _see(self, name: str, _: dict[str, str]) -> None:
        if _local(name) != "si":
            return
        if self._is_within:
            raise ValueError("calamine would number them in another way")
        if len(self.sizes) == MAX_CELLS:
            raise Invalid("workbook_texts_too_many", maximum=MAX_CELLS)
        self.sizes.append(0)
        self._is_within = True

    def _read(self, text: str) -> None:
        if self._is_within:
            self.sizes[-1] += len(text.encode())

    def _leave(self, name: str) -> None:
        self._is_within = self._is_within and _local(name) != "si"


class _Survey:
    """Parses a worksheet, and records the cells that calamine would show with another value.

    Raises Invalid if the grid, or its text, would be too large.
    """

    def __init__(self, text_sizes: list[int]) -> None:
        self.flaws: Flaws = defaultdict(dict)
        self._text_sizes = text_sizes
        self._longest = max(text_sizes, default=0)
        self._text = 0  # bytes
        self._number: list[str] = []  # of a shared text, in the pieces in which it is read
        self._rows = self._columns = 0
        self._row = self._column = -1
        self._is_error = False
        self._is_shared = False
        self._is_in_cell = False
        self._is_in_number = False

    def handlers(self) -> dict[str, Callable[..., None]]:
        return {
            "StartElementHandler": self._see,
            "CharacterDataHandler": self._read,
            "EndElementHandler": self._leave,
        }

    def _see(self, name: str, attributes: dict[str, str]) -> None:
        match _local(name):
            case "c" | "row" if self._is_in_cell:
                raise ValueError("calamine would not see it")
            case "c":
                self._begin_cell(attributes)
            case "v" | "is" if self._is_in_cell:
                self._fill(ERROR if self._is_error else None)
                self._is_in_number = self._is_shared and _local(name) == "v"
            case "f" if self._is_in_cell:
                self._fill(FORMULA)
            case "row":
                self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
                self._column = -1
                self._require(self._row < MAX_ROWS)

    def _read(self, text: str) -> None:
        if self._is_in_number:
            self._number.append(text)

    def _leave(self, name: str) -> None:
        match _local(name):
            case "c":
                self._is_in_cell = False
            case "v" if self._is_in_number:
                self._end_number()

    def _end_number(self) -> None:
        """Count the text that the cell will hold; the longest, if it has several, as calamine skips some."""
        is_plain = len(self._number) == 1
        self._text += self._text_sizes[int(self._number[0])] if is_plain else self._longest
        self._number, self._is_in_number = [], False
        self._require(self._text <= MAX_TEXT)

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._is_in_cell = True
        self._is_error = attributes.get("t") == "e"
        self._is_shared = attributes.get("t") == "s"
        if reference := attributes.get("r"):
            self._row, self._column = _position(reference)
        else:
            self._column += 1

    def _fill(self, flaw: Flaw | None) -> None:
        self._rows = max(self._rows, self._row + 1, 1)  # there may be cells outside of the rows
        self._columns = max(self._columns, self._column + 1)
        self._require(self._row < MAX_ROWS and self._rows * self._columns <= MAX_CELLS)
        if flaw:
            self.flaws[self._row].setdefault(self._column, flaw)

    def _require(self, is_bearable: bool) -> None:
        if not is_bearable:
            raise Invalid("worksheet_too_large", maximum=MAX_CELLS)


def _position(reference: str) -> tuple[int, int]:
    """Row and column, counted from 0: B3 is (2, 1)."""
    match = REFERENCE.fullmatch(reference.upper())
    if not match:
        raise ValueError(reference)
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(match[2]) - 1, column - 1
