"""The documents: their code blocks and their headings."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY = "…"


class Block(NamedTuple):
    language: str
    text: str


def documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def blocks(text: str) -> list[Block]:
    return [Block(*found) for found in BLOCK.findall(text)]


def without_blocks(text: str) -> str:
    return BLOCK.sub("", text)


def section(text: str, heading: str) -> str:
    """What stands beneath a heading, down to the next of its level."""
    level = heading.partition(" ")[0]
    return text.split(f"\n{heading}\n", 1)[1].split(f"\n{level} ", 1)[0]


def pairs(found: list[Block], question: str, *answers: str) -> Iterator[tuple[str, Block | None]]:
    """Each block of the one language, with the block of one of the others that follows it; None where none does."""
    for number, block in enumerate(found):
        if block.language == question:
            following = found[number + 1] if number + 1 < len(found) else Block("", "")
            yield block.text, following if following.language in answers else None


def fits(told: Any, given: Any) -> bool:
    """Whether an answer is what the document shows. There `…` stands for what differs each time."""
    if isinstance(told, str) and ANY in told:
        return isinstance(given, str) and bool(re.fullmatch(re.escape(told).replace(ANY, ".+"), given))
    if isinstance(told, dict) and isinstance(given, dict):
        of_change = {"id"} if "action" in told else set()
        names = told.keys() - of_change
        return told.keys() == given.keys() and all(_fits_member(name, told[name], given[name]) for name in names)
    if isinstance(told, list) and isinstance(given, list):
        return len(told) == len(given) and all(map(fits, told, given))
    return type(told) is type(given) and told == given


def _fits_member(name: str, told: Any, given: Any) -> bool:
    """A time is a time, whichever, and so is the place in the journal: on PostgreSQL it has gaps."""
    is_any = name in ("at", "as_of", "since", "cursor") or name.endswith("_at")
    return (is_any and type(told) is type(given)) or fits(told, given)
