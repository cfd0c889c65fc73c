"""Barcodes: the numbers of GS1 (GTIN-8, -12, -13 and -14), whose last digit proves the others."""

import re

from storekeeper.errors import Invalid

LENGTHS = (8, 12, 13, 14)
FEWEST = 5  # digits of which a barcode may be left when its leading zeros are dropped
DIGITS = re.compile(r"[0-9]+", re.ASCII)
ROUNDED = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+", re.ASCII)


def check(text: str) -> str:
    """The barcode as it is. Invalid if it is none, with the last digit that it would have to have."""
    if not DIGITS.fullmatch(text):
        raise Invalid("barcode_characters", field="barcode")
    if len(text) not in LENGTHS:
        raise Invalid("barcode_length", field="barcode")
    if text[-1] != (last := _check_digit(text[:-1])):
        raise Invalid("barcode_check_digit", field="barcode", digits=text[:-1], last=last)
    return text


def restore(text: str) -> str:
    """The barcode with the leading zeros that a spreadsheet took for those of a number.

    Zeros on the left do not change what the last digit has to be, so the shortest length that holds the text is the
    one: 5 to 7 digits become 8, and 9 to 11 become 12. Anything else is left as it is, for `check` to judge.
    """
    if ROUNDED.fullmatch(text):
        raise Invalid("barcode_rounded", field="barcode")
    digits = text.removesuffix(".0")  # a number all the same
    if not DIGITS.fullmatch(digits) or not FEWEST <= len(digits) <= LENGTHS[-1]:
        return text
    is_right = digits[-1] == _check_digit(digits[:-1])
    return digits.zfill(min(length for length in LENGTHS if length >= len(digits))) if is_right else digits


def _check_digit(digits: str) -> str:
    """GS1 General Specifications, section 7.9: from the right, every other digit counts three times."""
    total = 3 * sum(map(int, digits[::-2])) + sum(map(int, digits[-2::-2]))
    return str(-total % 10)
