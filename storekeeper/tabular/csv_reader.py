"""CSV files: detects encoding and delimiter, and reads records, each with the line where it begins."""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Literal

from storekeeper.errors import Invalid
from storekeeper.messages import ErrorMessage

DELIMITERS = ",;\t|"
MAX_RECORD = 2**20  # characters
CHUNK = 2**16  # bytes
SEPARATOR_IS = "sep="  # begins Excel's own first line
NUL = "\0"
LOST = "\ufffd"  # stands where bytes could not be decoded
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
CODECS = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "windows-1252": "cp1252"}

Encoding = Literal["utf-8", "utf-16", "windows-1252"]
Record = tuple[int, list[str] | ErrorMessage]  # the line where it begins, and its cells or why there are none


def find_encoding(file: BinaryIO) -> Encoding:
    """The encoding that the byte order mark names; otherwise UTF-8 if the whole file is valid, else Windows-1252."""
    file.seek(0)
    mark = file.read(3)
    if mark.startswith(UTF16_MARKS):
        return "utf-16"
    is_utf8 = mark == codecs.BOM_UTF8 or LOST not in find_suspects(file, "utf-8")
    return "utf-8" if is_utf8 else "windows-1252"


def find_suspects(file: BinaryIO, encoding: Encoding) -> str:
    """Characters that occur only in unreadable cells. Empty for nearly all files, so cells need no check."""
    file.seek(0)
    # Python's decoder would refuse this, too: as what, and with `errors="replace"`, depends on its version.
    if encoding == "utf-16" and (begin := file.read(2)) and not begin.startswith(UTF16_MARKS):
        raise Invalid("encoding_not_utf16", field="encoding")
    suspects = ""
    decoder = codecs.getincrementaldecoder(CODECS[encoding])()
    file.seek(0)
    try:
        while chunk := file.read(CHUNK):
            if NUL in decoder.decode(chunk):
                suspects = NUL
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return NUL + LOST
    return suspects


@contextmanager
def _decoded(file: BinaryIO, encoding: Encoding) -> Iterator[io.TextIOWrapper]:
    file.seek(0)
    text = io.TextIOWrapper(file, CODECS[encoding], errors="replace", newline="")
    try:
        yield text
    finally:
        if not file.closed:
            text.detach()  # or it would close the file


def read(file: BinaryIO, encoding: Encoding, delimiter: str) -> Iterator[Record]:
    """Yield each record, or the reason why it cannot be read. A blank line is an empty record; `sep=;` of Excel is
    skipped.

    Raises Invalid for a record longer than a mebibyte, or a cell beyond the limit of the csv module.
    """
    with _decoded(file, encoding) as text:
        for line, cells in _records(text, delimiter):
            if line > 1 or not _names_delimiter(cells):
                yield line, cells


def _names_delimiter(cells: list[str] | ErrorMessage) -> bool:
    return isinstance(cells, list) and bool(cells) and cells[0].lower().startswith(SEPARATOR_IS)


def _records(text: io.TextIOWrapper, delimiter: str) -> Iterator[Record]:
    begin = length = 0

    def lines() -> Iterator[str]:
        nonlocal length
        while line := text.readline(MAX_RECORD):
            length += len(line)
            if length >= MAX_RECORD:
                raise _too_long(begin)
            yield line

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    while True:
        begin = reader.line_num + 1
        length = 0
        try:
            yield begin, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "limit" in str(error):  # its own bound of a cell, 131,072 characters
                raise _too_long(begin) from None
            yield begin, _reason(error)


def _reason(error: csv.Error) -> ErrorMessage:
    if "end of data" in str(error):
        return ErrorMessage("quote_not_closed")
    return ErrorMessage("quote_misplaced")


def _too_long(line: int) -> Invalid:
    return Invalid("record_too_long", line=line)


def find_error(cells: list[str], width: int, suspects: str) -> ErrorMessage | None:
    """The reason why a record cannot be used, or None."""
    if len(cells) != width and cells:
        return ErrorMessage("record_width", cells=len(cells), columns=width)
    if suspects and any(suspect in cell for cell in cells for suspect in suspects):
        return ErrorMessage("record_unreadable")
    return None


def find_delimiter(file: BinaryIO, encoding: Encoding, headings: Sequence[str]) -> str:
    """The delimiter that Excel's line `sep=;` names; otherwise the one that yields the most known headings."""
    with _decoded(file, encoding) as text:
        first = text.readline(MAX_RECORD).rstrip("\r\n")
    if first[:-1].lower() == SEPARATOR_IS and first[-1] in DELIMITERS:
        return first[-1]

    def known(delimiter: str) -> tuple[int, int]:
        _, cells = read_headings(file, encoding, delimiter)
        return len({cell.strip().casefold() for cell in cells}.intersection(headings)), len(cells)

    return max(DELIMITERS, key=known)


def read_headings(file: BinaryIO, encoding: Encoding, delimiter: str) -> tuple[int, list[str]]:
    """The first record that is not blank, and its line."""
    for line, cells in read(file, encoding, delimiter):
        if isinstance(cells, ErrorMessage):
            return line, []
        if any(map(str.strip, cells)):
            return line, cells
    raise Invalid("file_empty")
