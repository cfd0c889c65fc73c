"""The words of a text, as it is searched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storekeeper.domain import search_words

FOLDED = {
    "": [],
    "?!_ \n-": [],
    "Garden Chair": ["garden", "chair"],
    "don't_stop, it's 7.5": ["don", "t", "stop", "it", "s", "7", "5"],
    "0012-A/b": ["0012", "a", "b"],
    "Smørrebrød Łódź Đà Ísland Þór": ["smorrebrod", "lodz", "da", "island", "thor"],
    "Œuvre Æsir İstanbul ısı ħ": ["oeuvre", "aesir", "istanbul", "isi", "h"],
    "Straße STRASSE ẞ": ["strasse", "strasse", "ss"],
    "café cafe\u0301": ["cafe", "cafe"],
    "Σίσυφος ΣΊΣΥΦΟΣ": ["σισυφοσ", "σισυφοσ"],
    "Ёлка": ["елка"],
    "木製の椅子": list("木製の椅子"),
    "テーブルA4 ｶﾞﾗｽ": [*"テーフル", "a4", *"カラス"],
    "\U00020bb7野家": ["\U00020bb7", "野", "家"],
    "ﬁne ① ½ Ⅻ m²": ["fine", "1", "1", "2", "xii", "m2"],
    "हिन्दी": ["हनद"],
    "🪑 chair❤️": ["chair"],
}


@pytest.mark.parametrize("text", FOLDED)
def test_the_words_of_a_text(text: str) -> None:
    assert search_words.split_words(text) == FOLDED[text]


def test_korean_is_found_while_it_is_typed() -> None:
    (word,) = search_words.split_words("한국어")
    for typed in ("ㅎ", "하", "한", "한구", "한국", "한국어"):
        (beginning,) = search_words.split_words(typed)
        assert word.startswith(beginning), typed


def test_a_long_word_is_found_by_itself() -> None:
    """PostgreSQL takes none of more than 2,046 bytes."""
    for char in "xß\U00010400":
        (word,) = search_words.split_words(char * 4000)
        assert len(word.encode()) < 2046
        assert word.startswith(search_words.split_words(char * 50)[0])
        assert search_words.split_words(char * 300) == [word]


@given(st.text())
def test_words_hold_nothing_that_an_index_would_take_for_its_language(text: str) -> None:
    found = search_words.split_words(text)
    assert all(char.isalnum() or (char > "\x7f" and not char.isspace()) for word in found for char in word)
    assert search_words.split_words(" ".join(found)) == found, "and stay the same"


@given(st.text(st.characters(max_codepoint=127)))
def test_a_text_of_ascii_has_the_words_that_it_has_beside_others(text: str) -> None:
    """It is folded by a shorter way."""
    assert [*search_words.split_words(text), "ж"] == search_words.split_words(f"{text} ж")


@given(st.integers(1, 2**53), st.text(min_size=1))
def test_no_text_holds_a_mark(store_id: int, tag: str) -> None:
    for mark in (search_words.of_store(store_id), search_words.of_tag(tag), search_words.in_title("x")):
        assert mark not in search_words.split_words(mark)
        assert mark.lstrip("\xa7\xb6").isalnum()


@given(st.text(min_size=1), st.text())
def test_a_word_of_a_title_is_no_other_word(word: str, text: str) -> None:
    assert not any(search_words.in_title(word).startswith(other) for other in search_words.split_words(text))
