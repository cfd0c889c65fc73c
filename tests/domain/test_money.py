"""Prices are exact: what is sent comes back to the digit, in every currency, and what is no price is refused."""

import random
from decimal import Decimal
from typing import Any

import iso4217
import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from storekeeper.domain import money
from storekeeper.domain.money import DIGITS, MAX_MINOR_UNITS, PriceInput
from storekeeper.errors import Invalid
from storekeeper.http import parsing, responses
from storekeeper.models.item import items
from tests.conftest import Person, bearer
from tests.support import raw_requests
from tests.support.raw_requests import JSON, Answer

BY_DIGITS = {0: "JPY", 2: "EUR", 3: "KWD", 4: "CLF"}
NO_PRICES = (
    *("true", "false", "null", "[]", "{}", "[1]", '{"amount": 1}', '""', '" "', '"free"', '"true"', '"null"'),
    *("-1", "-0.01", "-1e2", "-1e-999", '"-1"', '"-0"', '"+1"', '"--1"'),
    *('"1_0"', '"1,5"', '"1.5.0"', '"1."', '".5"', '"."', '" 1"', '"1 "', '"1\\n"', '"1\\u0000"', '"\\u00a01"'),
    *('"٣"', '"１"', '"१२"', '"½"', '"²"', '"€5"', '"5 EUR"', '"$5"', '"0x10"', '"1/2"'),
    *(
        '"1e"',
        '"e1"',
        '"1e+"',
        '"1e1.0"',
        '"1e1e1"',
        '"1e٣"',
        '"1e 1"',
        '"1E400"',
        '"1e-3"',
        '"1e999999999"',
        '"0e9999"',
    ),
    *('"NaN"', '"Infinity"', '"-Infinity"', '"inf"', '"sNaN"', '"1d"', '"1.0f"', '"(1)"', "'1'", "NaN", "Infinity"),
    *("10000000000.01", '"10000000000.01"', "10000000001", "1e11", "1e999", "1e-999", "1e-9999999", "9007199254740993"),
    *("15.999", '"15.999"', "0.001", "1e-3", '"0.001"', "15.99000000000000000000000000000000000000000001"),
    *("0." + "9" * 5000, '"' + "1" * 14 + '"', "1" * 4000, '"' + "1" * 4000 + '"', '"0.' + "0" * 14 + '"'),
)


def through(literal: str, currency: str) -> str:
    """What becomes of a literal on its way from the wire to the column and back."""
    value = parsing.decode_json(f'{{"price": {literal}}}'.encode())
    minor = money.to_minor(parsing.convert(value, Body, strict=True).price, currency)
    assert type(minor) is int
    return responses.encode(money.from_minor(minor, currency)).decode()


class Body(msgspec.Struct):
    price: PriceInput


def written(minor: int, currency: str) -> str:
    """The amount by integers alone."""
    digits = DIGITS[currency]
    whole, part = divmod(minor, 10**digits)
    return f"{whole}.{part:0{digits}}" if digits else str(whole)


def test_the_currencies_are_those_of_iso_4217() -> None:
    assert {each.code: each.exponent for each in iso4217.Currency if each.exponent is not None} == DIGITS


def test_every_currency_has_its_bounds_and_its_digits() -> None:
    for currency, digits in DIGITS.items():
        for minor in (0, 1, MAX_MINOR_UNITS):
            literal = written(minor, currency)
            assert through(literal, currency) == through(f'"{literal}"', currency) == literal
        for literal in (written(MAX_MINOR_UNITS + 1, currency), f"0.{'0' * digits}1", "-" + written(1, currency)):
            with pytest.raises(Invalid):
                through(literal, currency)


@given(st.integers(0, MAX_MINOR_UNITS), st.sampled_from(sorted(DIGITS)), st.booleans())
@example(MAX_MINOR_UNITS, "EUR", False)
@example(1599, "EUR", True)
@settings(max_examples=250)
def test_what_is_sent_comes_back_to_the_digit(minor: int, currency: str, is_text: bool) -> None:
    literal = written(minor, currency)
    assert through(f'"{literal}"' if is_text else literal, currency) == literal


@given(st.integers(0, 10**8), st.integers(0, 9), st.sampled_from(sorted(BY_DIGITS.values())))
@settings(max_examples=250)
def test_a_number_is_taken_exactly_or_not_at_all(units: int, places: int, currency: str) -> None:
    value = Decimal(units).scaleb(-places)
    is_exact = value * 10 ** DIGITS[currency] % 1 == 0
    for literal in (f"{value:f}", f"{units}e-{places}"):
        if is_exact:
            assert Decimal(through(literal, currency)) == value
        else:
            with pytest.raises(Invalid, match="digits after the point"):
                through(literal, currency)


def test_every_cent_up_to_a_hundred() -> None:
    """573 of them come out a cent short where prices are floats."""
    for cents in range(10_000):
        literal = f"{cents // 100}.{cents % 100:02}"
        assert through(literal, "EUR") == literal


JSON_NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)


@given(JSON_NUMBERS)
@settings(max_examples=150)
def test_no_number_is_ever_a_float(literal: str) -> None:
    value = parsing.decode_json(f'[{literal}, {{"a": [{literal}]}}]'.encode())
    for each in (value[0], value[1]["a"][0]):
        assert type(each) in (int, Decimal)
        assert each == Decimal(literal)


def test_the_column_holds_whole_numbers(engine: sa.Engine) -> None:
    assert isinstance(items.c.price_minor.type, sa.BigInteger)
    with engine.connect() as conn:
        row = conn.execute(sa.select(items.c.price_minor)).one()
    assert (type(row.price_minor), row.price_minor) == (int, 1599)


def put(person: Person, literal: str, path: str = "/item/chair") -> Answer:
    headers = [*bearer(person.pair["access_token"]).items(), JSON]
    more = ', "store_id": 1' if path == "/item/chair" else ""
    return raw_requests.send(person.client.app, "PUT", path, headers, f'{{"price": {literal}{more}}}'.encode())


def price_in(answer: Answer) -> str:
    """The literal, as it stands in the answer's bytes."""
    return answer.body.decode().partition('"price":')[2].partition(",")[0]


def test_prices_at_the_door(alice: Person) -> None:
    chance = random.Random(4217)
    for digits, currency in BY_DIGITS.items():
        assert alice.post(f"/store/{currency}", {"currency": currency}).json["currency"] == currency
        path = f"/store/{currency}/item/thing"
        amounts = [
            0,
            1,
            10**digits,
            10**digits + 1,
            MAX_MINOR_UNITS - 1,
            MAX_MINOR_UNITS,
            *(chance.randrange(MAX_MINOR_UNITS) for _ in range(5)),
        ]
        for literal in (written(amount, currency) for amount in amounts):
            assert price_in(put(alice, literal, path)) == literal
            assert price_in(put(alice, f'"{literal}"', path)) == literal
            read = raw_requests.send(alice.client.app, "GET", path, list(bearer(alice.pair["access_token"]).items()))
            assert price_in(read) == literal


def test_sampled_cents_at_the_door(alice: Person) -> None:
    for cents in (*range(0, 10_000, 397), 29, 57, 58, 115, 1599, 9999):
        literal = f"{cents // 100}.{cents % 100:02}"
        assert price_in(put(alice, literal)) == literal


def test_other_ways_to_write_a_price(alice: Person) -> None:
    sixteen = ("16", "16.0", "1.6e1", "160E-1", '"016"', "16.0000000", '"1.6e1"', '"1.6E+1"', '"160e-01"')
    nothing = ("-0", "-0.0", "0e5", "0e-999", "0e999999999", '"0.0e-999"')
    ways = dict.fromkeys(sixteen, "16.00") | dict.fromkeys(nothing, "0.00") | {"1e10": "10000000000.00"}
    for literal, shown in ways.items():
        assert price_in(put(alice, literal)) == shown, literal


def test_what_is_no_price(alice: Person, engine: sa.Engine) -> None:
    for literal in NO_PRICES:
        for path in ("/item/chair", "/store/ikea/item/chair", "/store/ikea/item/new"):
            answer = put(alice, literal, path)
            assert (answer.status, answer.json["error"]) == (400, "invalid"), (literal[:80], path)
            assert answer.wrong == {"price"} or "strict JSON" in answer.json["message"], (literal[:80], path)
    with engine.connect() as conn:
        assert conn.execute(sa.select(items.c.name, items.c.price_minor)).all() == [("chair", 1599)]


def test_the_refusal_says_what_is_wanted(alice: Person) -> None:
    def message(literal: str) -> Any:
        return put(alice, literal).json["message"]

    assert message("15.999") == "A price in EUR has at most 2 digits after the point."
    assert message("-1") == message("1e999") == "A price is from 0 to 10000000000.00 EUR."
    assert message('"1_0"') == message("true") == "A price is a number such as 15.99, or the same in quotes."
