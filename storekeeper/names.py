"""The names of stores, items and users: what may be in one, and which are the same."""

import unicodedata

from storekeeper.errors import Invalid

LENGTH = 80
# Control, format (bidi and zero-width characters), surrogate and unassigned characters; line and paragraph separators.
UNSEEN = frozenset(("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"))
# Zero-width, whatever their category: the grapheme joiner and the Hangul and Khmer fillers.
FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
# Marks that only choose among the forms of a character: good for an emoji, but two user names would look the same.
VARIATIONS = frozenset(map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
EMOJI = range(0x1F000, 0x1FB00)  # here Unicode adds some every year: those that this Python does not know are seen too
USERNAME_MARKS = frozenset("._@+-")


def of_thing(value: str, field: str = "name") -> str:
    """The name of a store or an item, in NFC: one spelling for what looks the same. Invalid if it is none."""
    name = unicodedata.normalize("NFC", value)
    if not 1 <= len(name) <= LENGTH:
        raise Invalid(f"A name has 1 to {LENGTH} characters.", field)
    if not name.isascii() or not name.isprintable():
        _refuse_unseen(name, field)
    return name


def _refuse_unseen(name: str, field: str) -> None:
    for char in name:
        if (unicodedata.category(char) in UNSEEN and ord(char) not in EMOJI) or char in FILLERS:
            raise Invalid(f"A name may not hold U+{ord(char):04X}: it cannot be seen.", field)


def of_user(value: str) -> str:
    """A user's name as typed. Invalid unless it holds letters, digits and `. _ @ + -` only."""
    if not 1 <= len(value) <= LENGTH or len(fold(value)) > LENGTH:
        raise Invalid(f"A user name has 1 to {LENGTH} characters.", "username")
    if not all(map(_is_for_users, value + fold(value))):
        raise Invalid("A user name has letters, digits and . _ @ + - only.", "username")
    return value


def _is_for_users(char: str) -> bool:
    is_written = char.isalnum() or unicodedata.category(char) in ("Mn", "Mc")  # vowel signs and accents are marks
    return (is_written and char not in FILLERS and char not in VARIATIONS) or char in USERNAME_MARKS


def fold(username: str) -> str:
    """What two names share that are the same to us: NFKC and casefold (Unicode 3.13, toNFKC_Casefold)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())
