"""The scripts of a text, and which of them one name may combine (UTS 39, section 5.2)."""

from bisect import bisect_right
from functools import cache
from importlib.resources import files
from typing import NamedTuple

# Scripts in common modern use (UAX 31, table 5) that go with Latin. Cyrillic and Greek have letters that look like its.
_BESIDE_LATIN = """
    Arabic Armenian Bengali Bopomofo Devanagari Ethiopic Georgian Gujarati Gurmukhi Han Hangul Hebrew Hiragana Kannada
    Katakana Khmer Lao Malayalam Myanmar Oriya Sinhala Tamil Telugu Thaana Thai Tibetan
"""
# What Japanese, Chinese and Korean are written in.
_TOGETHER = (
    frozenset(("Latin", "Han", "Hiragana", "Katakana")),
    frozenset(("Latin", "Han", "Bopomofo")),
    frozenset(("Latin", "Han", "Hangul")),
)


class _Range(NamedTuple):
    first: int
    last: int
    script: str


def find(text: str) -> frozenset[str]:
    """The scripts of the characters, by their Unicode names. Digits, marks and other common characters have none."""
    if text.isascii():
        return frozenset(("Latin",) if any(map(str.isalpha, text)) else ())
    return frozenset(script for char in set(text) if (script := _of(ord(char))))


def may_stand_together(scripts: frozenset[str]) -> bool:
    """Whether a name in these scripts is moderately restrictive (UTS 39).

    That is: one script; Latin and another script that does not look Latin; or the scripts of one language, such as
    Japanese.
    """
    others = scripts - {"Latin"}
    if len(scripts) <= 1 or any(scripts <= each for each in _TOGETHER):
        return True
    return len(others) == 1 and others <= set(_BESIDE_LATIN.split())


def _of(code: int) -> str:
    ranges = _ranges()
    place = bisect_right(ranges, code, key=lambda each: each.first) - 1
    return ranges[place].script if place >= 0 and code <= ranges[place].last else ""


@cache
def _ranges() -> list[_Range]:
    lines = (
        files("storekeeper.domain").joinpath("unicode_scripts.txt").read_text("ascii").replace("\n  ", " ").splitlines()
    )
    found = []
    for line in lines:
        script, _, ranges = line.partition(": ")
        for each in ranges.split() if not line.startswith("#") else ():
            first, _, last = each.partition("-")
            found.append(_Range(int(first, 16), int(last or first, 16), script))
    return sorted(found)
