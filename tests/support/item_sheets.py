"""Files of items, opened as imports do."""

from typing import BinaryIO

from storekeeper.importer.row_reader import FIELDS
from storekeeper.tabular import sheet
from storekeeper.tabular.sheet import Options, Sheet


def open_sheet(file: BinaryIO, options: Options) -> Sheet:
    return sheet.open_sheet(file, options, FIELDS)
