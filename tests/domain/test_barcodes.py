"""Barcodes: the last digit proves the others, and what a spreadsheet did to one is undone or told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storekeeper.domain import barcodes
from storekeeper.errors import Invalid

# Of the GS1 General Specifications and of things on a desk.
GOOD = ("4006381333931", "9780306406157", "036000291452", "00123457", "73513537", "00012345678905", "18901234567897")
LENGTHS = {8: 8, 5: 8, 6: 8, 7: 8, 9: 12, 10: 12, 11: 12, 12: 12, 13: 13, 14: 14}


def last_digit(digits: str) -> str:
    """The one that makes the weighted sum a multiple of ten, by trying."""
    weights = [3 if place % 2 else 1 for place in range(len(digits), -1, -1)]
    return next(last for last in "0123456789" if sum(map(int.__mul__, map(int, digits + last), weights)) % 10 == 0)


@pytest.mark.parametrize("text", GOOD)
def test_a_barcode(text: str) -> None:
    assert barcodes.check(text) == barcodes.restore(text) == text


@given(st.sampled_from(barcodes.LENGTHS), st.data())
def test_one_last_digit_is_right_and_the_others_are_told_of_it(length: int, data: st.DataObject) -> None:
    digits = data.draw(st.text("0123456789", min_size=length - 1, max_size=length - 1))
    right = last_digit(digits)
    for last in "0123456789":
        if last == right:
            assert barcodes.check(digits + last) == digits + last
        else:
            with pytest.raises(Invalid, match=f"would have to be {right}\\."):
                barcodes.check(digits + last)


@pytest.mark.parametrize(
    "text", ["", "1", "1234567", "40063813339310000", "4006381 333931", "４００６３８１３", "٤٠٠٦٣٨١٣", "A", "-12"]
)
def test_what_is_no_barcode(text: str) -> None:
    with pytest.raises(Invalid, match="digits"):
        barcodes.check(text)


@given(st.sampled_from(sorted(LENGTHS)), st.data())
def test_leading_zeros_come_back_where_the_last_digit_is_right(length: int, data: st.DataObject) -> None:
    digits = data.draw(st.from_regex(f"[1-9][0-9]{{{length - 2}}}", fullmatch=True))
    right = last_digit(digits)
    whole = digits + right
    assert barcodes.restore(whole) == barcodes.restore(whole + ".0") == whole.zfill(LENGTHS[length])
    assert barcodes.check(barcodes.restore(whole)) == whole.zfill(LENGTHS[length])
    wrong = digits + str((int(right) + 1) % 10)
    assert barcodes.restore(wrong) == wrong


@pytest.mark.parametrize("text", ["", "1234", "1236", "A-17", "400 638", "000000000000123", "1.5"])
def test_what_is_left_to_be_judged(text: str) -> None:
    assert barcodes.restore(text) == text


@pytest.mark.parametrize("text", ["4.00638E+12", "4,00638E+12", "4e12", "4.00638e12"])
def test_a_rounded_barcode_is_lost(text: str) -> None:
    with pytest.raises(Invalid, match="rounded"):
        barcodes.restore(text)
