"""Prices that were floats: which exact amount was meant, and whether that is certain.

A stored price is certain if it is the float64 or the float32 image of an amount with the currency's digits: 15.99 is
stored as 15.99, by way of a float32 as 15.989999771118164, and after some sums as 15.990000000000002. An image need
agree in 14 digits only, for these sums and for tools that print no more. From 131,072 on, a float32 stands for more
than one amount with two digits; then nothing is certain. Everything else, such as 15.994, is rounded half-even, and
told.
"""

import math
import struct
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

from storekeeper.domain import money
from storekeeper.errors import Invalid

AGREEMENT = 1e-14


class Exact(NamedTuple):
    minor: int
    is_certain: bool


def read(value: Any, currency: str) -> Exact:
    """The price in minor units. Invalid, with the reason, for what is no price."""
    amount = _number(value)
    maximum = money.from_minor(money.MAX_MINOR_UNITS, currency)
    if not 0 <= amount <= maximum:
        raise Invalid("price_out_of_range", maximum=maximum, currency=currency)
    unit = money.from_minor(1, currency)
    rounded = amount.quantize(unit, ROUND_HALF_EVEN)
    is_certain = rounded == amount or _is_image(float(value), rounded, unit)
    return Exact(money.to_minor(rounded, currency), is_certain)


def _number(value: Any) -> Decimal:
    if value is None:
        raise Invalid("adoption_price_missing")
    if not isinstance(value, int | float):
        raise Invalid("adoption_price_no_number")
    if not math.isfinite(value):
        raise Invalid("adoption_price_infinite")
    return Decimal(repr(value))  # the digits that people see: half of a cent is in the middle there


def _is_image(value: float, amount: Decimal, unit: Decimal) -> bool:
    if _agree(value, float(amount)):
        return True
    neighbours = (amount - unit, amount + unit)
    return _agree(value, _single(amount)) and not any(_agree(value, _single(each)) for each in neighbours)


def _agree(value: float, image: float) -> bool:
    return math.isclose(value, image, rel_tol=AGREEMENT, abs_tol=0.0)


def _single(amount: Decimal) -> float:
    """As a float32 has it."""
    image: float = struct.unpack("f", struct.pack("f", amount))[0]
    return image
