"""The words of a text for the search index, without accents and case: a search for "smorre" finds "Smørrebrød".

Both databases index the same words from here, so that they find the same items.
"""

import re
import unicodedata

# Letters that Unicode does not take apart into a letter and a mark.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})
# Chinese and Japanese are written without spaces: there each character is a word.
_CJK = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
_ASCII = bytes.maketrans(
    bytes(range(128)), "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128)).encode()
)
_ACCENTS = frozenset(("Mn", "Mc", "Me"))
_LONGEST = 100  # characters: PostgreSQL takes no word of more than 2,046 bytes
_MARK = "\xa7"  # stands before what is no word of the text: no word begins with it
_TITLE = "\xb6"  # nor with this


def split_words(text: str) -> list[str]:
    """The words of a text, in order. Empty if it has neither letters nor digits."""
    if text.isascii():  # as most are: the same, in a sixth of the time
        text = text.encode().translate(_ASCII).decode()
        found = text.split()
    else:
        plain = "".join(filter(_is_no_accent, unicodedata.normalize("NFKD", text)))
        text = plain.casefold().translate(_LETTERS)
        found = _WORD.findall(text)
    return found if len(text) <= _LONGEST else [word[:_LONGEST] for word in found]


def _is_no_accent(char: str) -> bool:
    return unicodedata.category(char) not in _ACCENTS


def of_store(store_id: int) -> str:
    """The index term that all items of a store have beside their words."""
    return f"{_MARK}s{store_id}"


def of_tag(tag: str) -> str:
    """The index term that all items with a tag have beside their words."""
    return f"{_MARK}t{tag.encode().hex()}"


def in_title(word: str) -> str:
    """The index term of a word in a title, for an index that does not store the column of a word (PostgreSQL)."""
    return f"{_TITLE}{word}"
