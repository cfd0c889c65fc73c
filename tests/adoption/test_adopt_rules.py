"""The rules of adoption, by properties: prices, names, whole databases and old hashes."""

import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storekeeper.adoption import prices, renaming, report
from storekeeper.adoption.plan import AdoptionOptions, ExistingNames, create_plan
from storekeeper.adoption.source import Rows, Source
from storekeeper.domain import money, names
from storekeeper.errors import Invalid
from storekeeper.security import legacy_hashes
from tests.support import course_databases
from tests.support.cast import PASSWORD

amounts = st.integers(0, money.MAX_MINOR_UNITS)


def single(value: float) -> float:
    image: float = struct.unpack("f", struct.pack("f", value))[0]
    return image


@given(amounts, st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
def test_a_price_that_was_stored_as_float64_is_exact(minor: int, currency: str) -> None:
    assert prices.read(float(money.from_minor(minor, currency)), currency) == (minor, True)


@given(st.integers(0, 13_107_199))
def test_a_price_that_was_stored_as_float32_is_exact(minor: int) -> None:
    assert prices.read(single(minor / 100), "EUR") == (minor, True)


@given(amounts)
def test_a_float32_that_stands_for_several_prices_is_never_certain_and_wrong(minor: int) -> None:
    found = prices.read(single(minor / 100), "EUR") if single(minor / 100) <= 1e10 else None
    assert found is None or found.minor == minor or not found.is_certain or single(minor / 100) == found.minor / 100


@given(st.lists(amounts.map(lambda minor: minor // 10**6), min_size=2, max_size=20))
def test_a_sum_of_prices_is_exact(minors: list[int]) -> None:
    assert prices.read(sum(minor / 100 for minor in minors), "EUR") == (sum(minors), True)


@given(st.integers(0, 10**6), st.integers(1, 9))
def test_a_third_digit_is_in_doubt_and_rounded_half_even(minor: int, digit: int) -> None:
    found = prices.read(float(f"{minor}{digit}e-3"), "EUR")
    is_up = digit > 5 or (digit == 5 and minor % 2 == 1)
    assert found == (minor + is_up, False)


@given(st.floats() | st.integers() | st.text() | st.binary() | st.none(), st.sampled_from(["EUR", "JPY", "CLF"]))
def test_anything_is_a_price_or_refused(value: Any, currency: str) -> None:
    with suppress(Invalid):
        assert 0 <= prices.read(value, currency).minor <= money.MAX_MINOR_UNITS


values = st.none() | st.integers() | st.floats(allow_nan=False) | st.binary(max_size=9) | st.text(max_size=100)
similar = st.text("aAbÅ ﬁ-2(;\u200b\ufdfa\u0301", max_size=90)


@pytest.mark.parametrize("rules", [renaming.USERS, renaming.STORES])
@given(olds=st.lists(values | similar, max_size=30), taken=st.lists(st.sampled_from(["a", "b", "a-2", "a (2)"])))
def test_every_row_gets_a_good_name_of_its_own(rules: renaming.Rules, olds: list[Any], taken: list[str]) -> None:
    found = renaming.assign_names([*enumerate(olds)], rules, taken)
    assert all(rules.check(each.name) == each.name for each in found)
    keys = [rules.fold(each.name) for each in found]
    assert len({*keys, *map(rules.fold, taken)}) == len(keys) + len(set(map(rules.fold, taken)))
    for old, (name, reason) in zip(olds, found, strict=True):
        assert reason or name == rules.check(renaming.to_text(old))


def test_a_good_name_is_not_lost_to_one_that_is_made_up() -> None:
    rows = [(1, "bob "), (2, "bob"), (3, "Bob"), (4, "bob-2")]
    assert [each.name for each in renaming.assign_names(rows, renaming.USERS)] == ["bob-3", "bob", "Bob-4", "bob-2"]


@given(values | similar)
def test_a_tag_is_made_good(value: Any) -> None:
    name = renaming.correct_name(5, value, renaming.TAGS).name
    assert names.of_tag(name) == name


marked = st.text("a\u0301\u0316\0\r\n\ufdfa\u0958", max_size=90)


@given(values | similar | marked.map(lambda text: text * 200))
def test_a_description_is_made_good(value: Any) -> None:
    text, reason = renaming.correct_description(value)
    assert names.of_description(text) == text
    assert reason or text == names.of_description(renaming.to_text(value))


ids = st.integers(0, 3) | values | st.just("\x1b[2J")
anything = st.integers(0, 3) | values | similar


@given(
    users=st.lists(st.tuples(ids, anything, anything, anything), max_size=5),
    stores=st.lists(st.tuples(ids, anything), max_size=5),
    items=st.lists(st.tuples(ids, anything, anything | st.floats(0, 9, allow_nan=False), ids, anything), max_size=9),
    tags=st.lists(st.tuples(ids, anything), max_size=5),
    links=st.lists(st.tuples(ids, ids), max_size=9),
    lost_store=st.sampled_from([None, "lost"]),
)
def test_any_rows_are_adopted_or_told(
    users: Rows, stores: Rows, items: Rows, tags: Rows, links: Rows, lost_store: str | None
) -> None:
    found = Source(users, stores, items, tags, links, None, [])
    plan = create_plan(found, ExistingNames(["a"], ["a"]), AdoptionOptions(currency="EUR", lost_store=lost_store))
    assert len(plan.users) == len(users)
    kept = [item for store in plan.stores for item in store.items]
    gone = [each for each in plan.decisions if each.kind in ("item_not_taken", "item_merged")]
    assert len(kept) + len(gone) == len(items)
    assert all(names.of_tag(tag) == tag for item in kept for tag in item.tags.split(";") if tag)
    for line in report.describe(found, plan, 8):
        assert line.removeprefix("\n").isprintable()  # nothing that a terminal obeys


HASHES = {
    course_databases.PASSLIB: PASSWORD,
    course_databases.PASSLIB_DEFAULT: PASSWORD,
    course_databases.PASSLIB_UNSALTED: PASSWORD,
    course_databases.PASSLIB_SHA512: "pässwörd",
    course_databases.WERKZEUG_SHA256: PASSWORD,
    course_databases.WERKZEUG_SHA1: PASSWORD,
    course_databases.WERKZEUG_SCRYPT: PASSWORD,
    course_databases.WERKZEUG_SCRYPT_DEFAULT: PASSWORD,
}


@pytest.mark.parametrize("hashed", HASHES, ids=lambda hashed: hashed[:25])
def test_an_old_hash_fits_its_password_only(hashed: str) -> None:
    assert legacy_hashes.is_hash(hashed)
    assert legacy_hashes.is_checkable(hashed)
    assert legacy_hashes.fits(hashed, HASHES[hashed])
    assert not legacy_hashes.fits(hashed, HASHES[hashed] + " ")
    assert not legacy_hashes.fits(hashed[:-2] + ("00" if hashed[-2:] != "00" else "01"), HASHES[hashed])


@pytest.mark.parametrize("text", [*HASHES, course_databases.BCRYPT])
@pytest.mark.parametrize("spoil", [lambda text: text + "\n", lambda text: " " + text, lambda text: text[1:]])
def test_what_only_looks_like_a_hash_is_a_password(text: str, spoil: Any) -> None:
    assert not legacy_hashes.is_hash(spoil(text))
