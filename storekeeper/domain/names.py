"""The rules for names of stores, items and users and for other short texts, and when two names are the same."""

import unicodedata
from collections.abc import Iterable

from storekeeper.domain import unicode_scripts
from storekeeper.errors import Invalid

LENGTH = 80
SKU_LENGTH = 64
TAG_LENGTH = 40
DESCRIPTION_LENGTH = 4000
# Control, format (bidi and zero-width characters), surrogate and unassigned characters; line and paragraph separators.
UNSEEN = frozenset(("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"))
# Zero-width, whatever their category: the grapheme joiner and the Hangul and Khmer fillers.
FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
# Marks that only choose among the forms of a character: good for an emoji, but two user names would look the same.
VARIATIONS = frozenset(map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
EMOJI = range(0x1F000, 0x1FB00)  # here Unicode adds some every year: those that this Python does not know are seen too
# What has Unicode's property White_Space: no part of a name, a SKU or a tag where it stands at an end.
WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
DOTS = (".", "..")  # a path with such a segment means another one (RFC 3986, section 5.2.4): clients never send it
USERNAME_MARKS = frozenset("._@+-")
# What composes to one character has at most this many (the longest decomposition of one that Unicode has, in NFD).
MAX_DECOMPOSITION = 4
MAX_MARKS = 30  # in a row: Unicode's Stream-Safe Text Format (UAX #15, section 13)
_TOO_MANY_MARKS = b"\1" * (MAX_MARKS + 1)
_ARE_MARKS = b"\0" + b"\1" * 255  # from combining classes, of which 0 is that of all that is no mark


def of_thing(value: str, field: str = "name") -> str:
    """The name of a store or an item in NFC, without white space at its ends: equal names have one spelling.

    Raises Invalid for an invalid name.
    """
    name = _line("name", value, LENGTH, field)
    if name in DOTS:
        raise Invalid("name_dots", field=field, name=name)
    return name


def of_sku(value: str) -> str:
    """A stock keeping unit: the shop's own number of an item, as typed. Leading zeros count."""
    return _line("SKU", value, SKU_LENGTH, "sku")


def of_tag(value: str, field: str = "tags") -> str:
    """A tag, in small letters: Garden and garden are the same. Semicolons separate tags, so a tag has none."""
    text = value.strip(WHITE_SPACE)
    if not _is_too_long(text, TAG_LENGTH):
        text = " ".join(text.split()).casefold()
    tag = _line("tag", text, TAG_LENGTH, field)
    if ";" in tag:
        raise Invalid("tag_semicolon", field=field)
    return tag


def of_description(value: str) -> str:
    """A text of several lines, whose line ends become LF."""
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    if not _is_too_long(text, DESCRIPTION_LENGTH):
        _refuse_marks(text)
        text = unicodedata.normalize("NFC", text)
    if len(text) > DESCRIPTION_LENGTH:
        raise Invalid("description_length", field="description", maximum=DESCRIPTION_LENGTH)
    if "\0" in text or not _is_utf8(text):
        raise Invalid("description_characters", field="description")
    return text


def _is_too_long(text: str, maximum: int) -> bool:
    """Whether the text has more than `maximum` characters even in composed form (NFC).

    Check this first for any text from outside, so that only short texts are normalised, folded or split. Normalising
    takes time by the square of a run of combining marks (python/cpython#149079), and holds the interpreter: a megabyte
    would stop the whole process for two minutes.
    """
    return len(text) > MAX_DECOMPOSITION * maximum


def _refuse_marks(text: str) -> None:
    """For texts that may be long: no language needs so many marks in a row, and without them normalising is linear."""
    if not text.isascii() and _TOO_MANY_MARKS in bytes(map(unicodedata.combining, text)).translate(_ARE_MARKS):
        raise Invalid("description_marks", field="description", maximum=MAX_MARKS)


def _is_utf8(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def _line(kind: str, value: str, maximum: int, field: str) -> str:
    text = value.strip(WHITE_SPACE)
    if text.isascii() and text.isprintable() and 1 <= len(text) <= maximum:
        return text
    if not _is_too_long(text, maximum):
        text = unicodedata.normalize("NFC", text)
    if not 1 <= len(text) <= maximum:
        raise Invalid("text_length", field=field, kind=kind, maximum=maximum)
    _refuse_unseen(kind, text, field)
    return text


def _refuse_unseen(kind: str, text: str, field: str) -> None:
    for char in text:
        if (unicodedata.category(char) in UNSEEN and ord(char) not in EMOJI) or char in FILLERS:
            raise Invalid("text_unseen_character", field=field, kind=kind, code_point=ord(char))


def of_new_user(value: str) -> str:
    """The name of a new user. Raises Invalid for letters of scripts that are easily confused (UTS 39).

    Existing users keep their names: `of_user`.
    """
    name = of_user(value)
    if name in DOTS:
        raise Invalid("username_dots", field="username", name=name)
    found = unicode_scripts.find(name + fold(name))
    if not unicode_scripts.may_stand_together(found):
        raise Invalid("username_scripts", field="username", scripts=_listed(found))
    return name


def _listed(found: Iterable[str]) -> str:
    *others, last = sorted(found)
    return f"{', '.join(others)} and {last}" if others else last


def of_user(value: str) -> str:
    """A user's name as typed. Raises Invalid unless it has only letters, digits and `. _ @ + -`."""
    if not 1 <= len(value) <= LENGTH or len(fold(value)) > LENGTH:
        raise Invalid("username_length", field="username", maximum=LENGTH)
    if not all(map(_is_for_users, value + fold(value))):
        raise Invalid("username_characters", field="username")
    return value


def _is_for_users(char: str) -> bool:
    is_written = char.isalnum() or unicodedata.category(char) in ("Mn", "Mc")  # vowel signs and accents are marks
    return (is_written and char not in FILLERS and char not in VARIATIONS) or char in USERNAME_MARKS


def fold(username: str) -> str:
    """The form that is equal for equal user names: NFKC and casefold (Unicode 3.13, toNFKC_Casefold).

    A text that is too long for a name is returned unchanged, and equals no user's name.
    """
    if _is_too_long(username, LENGTH):
        return username
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())
