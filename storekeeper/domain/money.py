"""Exact money: integers of the minor unit (cents) in the database, a Decimal with the currency's digits elsewhere."""

import re
from decimal import Context, Decimal, Inexact
from typing import Any

from storekeeper.errors import Invalid

MAX_MINOR_UNITS = 10**12  # minor units
LITERAL = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,13})?", re.ASCII)
WITH_EXPONENT = re.compile(LITERAL.pattern + "(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)  # as Java writes its BigDecimal

# Active ISO 4217 currencies by their digits after the point. All the others have two.
_OTHER_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_TWO_DIGITS = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY
    COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS
    INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR
    MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
    STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""
DIGITS: dict[str, int] = dict.fromkeys(_TWO_DIGITS.split(), 2) | {
    code: digits for digits, codes in _OTHER_DIGITS.items() for code in codes.split()
}
_UNITS = {code: Decimal(1).scaleb(-digits) for code, digits in DIGITS.items()}
_MOST = {digits: Decimal(MAX_MINOR_UNITS).scaleb(-digits) for digits in (2, *_OTHER_DIGITS)}
_EXACT = Context(prec=40, traps=[Inexact])  # the default context rounds in silence


class PriceInput(Decimal):
    """An amount as a caller wrote it: a JSON number, or the same number as a string. It keeps all its digits."""

    @classmethod
    def read(cls, value: Any) -> "PriceInput":
        """Raises ValueError unless it is a number, or a string of ASCII digits with at most a point and an exponent."""
        if isinstance(value, str) and WITH_EXPONENT.fullmatch(value):
            return cls(value) or cls(0)  # with its exponent, a nought might be written longer than it is read
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return cls(value)
        raise ValueError("no price")


def check_currency(code: str) -> str:
    if code not in DIGITS:
        raise Invalid("currency_unknown", field="currency")
    return code


def to_minor(price: Decimal, currency: str, field: str = "price") -> int:
    """15.99 EUR as 1599. Raises Invalid for a negative or too large price, or for more digits than the currency has."""
    digits = DIGITS[currency]
    if not price.is_finite() or not 0 <= price <= _MOST[digits]:
        raise Invalid("price_out_of_range", field=field, maximum=_MOST[digits], currency=currency)
    try:
        minor = price.scaleb(digits, _EXACT)
    except Inexact:
        minor = Decimal("NaN")
    if minor != minor.to_integral_value():
        raise Invalid("price_digits", field=field, currency=currency, digits=digits)
    return int(minor)


def from_minor(minor: int, currency: str) -> Decimal:
    """1599 as 15.99, and 1600 as 16.00 (EUR)."""
    return minor * _UNITS[currency]
