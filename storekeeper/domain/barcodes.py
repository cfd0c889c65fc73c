"""Barcodes: GS1's GTIN-8, -12, -13 and -14, whose last digit is a check digit."""

import re

from storekeeper.errors import Invalid

LENGTHS = (8, 12, 13, 14)
FEWEST = 5  # digits of which a barcode may be left when its leading zeros are dropped
DIGITS = re.compile(r"[0-9]+", re.ASCII)
ROUNDED = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+", re.ASCII)


def check(text: str) -> str:
    """The barcode unchanged. Raises Invalid for a wrong length or check digit; the message has the right digit."""
    if not DIGITS.fullmatch(text):
        raise Invalid("barcode_characters", field="barcode")
    if len(text) not in LENGTHS:
        raise Invalid("barcode_length", field="barcode")
    if text[-1] != (last := _check_digit(text[:-1])):
        raise Invalid("barcode_check_digit", field="barcode", digits=text[:-1], last=last)
    return text


def restore(text: str) -> str:
    """Return the barcode with the leading zeros that a spreadsheet has dropped: `36000291452` becomes `036000291452`.

    Leading zeros do not change the check digit, so the shortest valid length is the right one: 5 to 7 digits become 8,
    and 9 to 11 become 12. Any other text is returned unchanged, for `check` to refuse.
    """
    if ROUNDED.fullmatch(text):
        raise Invalid("barcode_rounded", field="barcode")
    digits = text.removesuffix(".0")  # a number all the same
    if not DIGITS.fullmatch(digits) or not FEWEST <= len(digits) <= LENGTHS[-1]:
        return text
    is_right = digits[-1] == _check_digit(digits[:-1])
    return digits.zfill(min(length for length in LENGTHS if length >= len(digits))) if is_right else digits


def _check_digit(digits: str) -> str:
    """GS1 General Specifications, section 7.9: from the right, every other digit is multiplied by three."""
    total = 3 * sum(map(int, digits[::-2])) + sum(map(int, digits[-2::-2]))
    return str(-total % 10)
