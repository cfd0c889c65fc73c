"""Names of stores and items: which are allowed, and which are the same."""

import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storekeeper import names
from storekeeper.errors import Invalid
from tests.conftest import Person

E_ACUTE, E_AND_ACUTE = "\u00e9", "e\u0301"
ALLOWED = (
    "a",
    "x" * 80,
    "\U0001fa91" * 80,
    E_AND_ACUTE * 80,
    " ",
    "two words",
    "Stuhl, grün",
    "стул",
    "椅子",
    "כיסא",
    "كرسي",
    "कुर्सी",
    "🪑",
    "❤️",
    "👍🏽",
    "🇫🇷",
    "🫨",  # of 2022, which the Unicode tables of Python 3.11 do not know
    "🪾",  # of 2024
    "a/b",
    "/",
    "//",
    "50% off",
    "%2F",
    "%",
    "a+b",
    "a?b#c&d=e",
    'a"b',
    "a'b",
    "a\\b",
    "<b>",
    ".",
    "..",
    "null",
    "\u00a0",
    "\ue000",
    "\ufffc",
)
NOT_SEEN = (
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e",
    *"\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e",
    *"\u2060\u2061\u2062\u2063\u2064\u2065\u2066\u2067\u2068\u2069\u206a\u206f",
    *"\u3164\ufeff\uffa0\ufff0\ufff9\ufffb\ufdd0\ufdef\ufffe\uffff",
    *"\U000e0001\U000e0020\U000e007f\U0001d173\U0001fffe\U0010ffff",
)


@pytest.mark.parametrize("name", ALLOWED)
def test_a_good_name(name: str) -> None:
    assert names.of_thing(name) == unicodedata.normalize("NFC", name)


def test_what_cannot_be_seen_is_in_no_name() -> None:
    for char in NOT_SEEN:
        for name in (char, f"a{char}", f"{char}a", f"a{char}b"):
            with pytest.raises(Invalid, match=f"U\\+{ord(char):04X}"):
                names.of_thing(name)


def test_half_of_a_surrogate_pair_is_in_no_name() -> None:
    for name in ("\ud800", "a\udfff"):
        with pytest.raises(Invalid):
            names.of_thing(name)


@pytest.mark.parametrize("name", ["", "x" * 81, "\U0001fa91" * 81, E_AND_ACUTE * 81, "\u0958" * 41])
def test_a_name_has_1_to_80_characters_after_normalisation(name: str) -> None:
    with pytest.raises(Invalid, match="1 to 80 characters"):
        names.of_thing(name)


@given(st.text(max_size=100))
@settings(max_examples=300)
def test_a_name_is_in_one_spelling_or_refused(text: str) -> None:
    try:
        name = names.of_thing(text)
    except Invalid:
        return
    assert name == unicodedata.normalize("NFC", text)
    assert names.of_thing(unicodedata.normalize("NFD", text)) == name
    assert names.of_thing(name) == name
    assert name.encode().decode() == name


def test_names_come_back_as_they_were_given(alice: Person) -> None:
    """Through the path, the database and JSON."""
    for name in ALLOWED:
        stored = unicodedata.normalize("NFC", name)
        path = quote(name, safe="")
        assert alice.post(f"/store/{path}").json["name"] == stored
        assert alice.put(f"/store/{path}/item/{path}", {"price": 1}).json["name"] == stored
        shown = alice.get(f"/store/{path}").json
        assert (shown["name"], [item["name"] for item in shown["items"]]) == (stored, [stored])
        assert alice.get(f"/item/{path}?store_id={shown['id']}").json["name"] == stored


def test_two_spellings_are_one_store(alice: Person) -> None:
    composed, decomposed = (quote(f"caf{spelling}") for spelling in (E_ACUTE, E_AND_ACUTE))
    assert alice.post(f"/store/{decomposed}").json["name"] == f"caf{E_ACUTE}"
    answer = alice.post(f"/store/{composed}")
    assert answer.status_code == 400
    assert answer.json["message"] == f"A store with name 'caf{E_ACUTE}' already exists."
    assert alice.get(f"/store/{composed}").json == alice.get(f"/store/{decomposed}").json


def test_two_spellings_are_one_item(alice: Person) -> None:
    composed, decomposed = (quote(f"caf{spelling}") for spelling in (E_ACUTE, E_AND_ACUTE))
    assert alice.put(f"/item/{composed}", {"price": 1, "store_id": 1}).status_code == 201
    assert alice.put(f"/item/{decomposed}", {"price": 2, "store_id": 1}).status_code == 200
    assert alice.post(f"/item/{decomposed}", {"price": 2, "store_id": 1}).status_code == 400
    assert alice.get(f"/item/{composed}").json["price"] == 2


def test_names_that_only_look_alike_are_two(alice: Person) -> None:
    """Items may be called as their makers like: no folding of case or compatibility forms."""
    for name in ("Chair", "CHAIR", "ｃhair", "chair ", "сhair"):
        assert alice.post(f"/item/{quote(name)}", {"price": 1, "store_id": 1}).status_code == 201, name
