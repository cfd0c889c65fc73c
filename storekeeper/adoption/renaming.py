"""Names of another system: made valid here, and unique."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, islice
from typing import Any, NamedTuple

import msgspec

from storekeeper.domain import names
from storekeeper.errors import Invalid


class Rules(msgspec.Struct, frozen=True):
    """`fold` gives what two names share that are the same; `filler` stands for what may not be in one."""

    noun: str
    check: Callable[[str], str]
    fold: Callable[[str], str]
    filler: str
    number: str


USERS = Rules("user", names.of_user, names.fold, "-", "-{}")
STORES = Rules("store", names.of_thing, str, "", " ({})")
ITEMS = Rules("item", names.of_thing, str, "", " ({})")
TAGS = Rules("tag", names.of_tag, str, " ", "")


class NewName(NamedTuple):
    """`reason` is empty where the name is the old one."""

    name: str
    reason: str


def assign_names(rows: Sequence[tuple[Any, Any]], rules: Rules, taken: Iterable[str] = ()) -> list[NewName]:
    """A name for each row of an id and a name.

    Whoever's name is good and free keeps it, the first of several. Only then are the others given theirs, so that
    nobody loses a good name to one that was made up.
    """
    register = _Register(rules, taken)
    proposals = [correct_name(id, value, rules) for id, value in rows]
    kept = [
        not proposal.reason and register.take(proposal.name, id)
        for (id, _), proposal in zip(rows, proposals, strict=True)
    ]
    return [
        proposal if is_kept else register.settle(proposal, id)
        for (id, _), proposal, is_kept in zip(rows, proposals, kept, strict=True)
    ]


def correct_name(id: Any, value: Any, rules: Rules) -> NewName:
    """The nearest name that may be one, and what was wrong."""
    text = to_text(value)
    trimmed = text.strip()
    try:
        return NewName(rules.check(trimmed), "" if trimmed == text else "There are spaces at its ends.")
    except Invalid as error:
        made_up = f"{rules.noun}-{id}" if isinstance(id, int) else rules.noun
        return NewName(_nearest(trimmed, rules) or made_up, str(error))


def correct_description(value: Any) -> NewName:
    """The nearest text that may be a description, and what was wrong. Line ends become LF without a word."""
    text = to_text(value)
    try:
        return NewName(names.of_description(text), "")
    except Invalid as error:
        begin = text[: names.MAX_DECOMPOSITION * names.DESCRIPTION_LENGTH].replace("\0", "")
        normal = unicodedata.normalize("NFC", _without_long_runs_of_marks(begin)).replace("\r\n", "\n")
        return NewName(names.of_description(normal[: names.DESCRIPTION_LENGTH]), str(error))


def _without_long_runs_of_marks(text: str) -> str:
    runs = groupby(text, lambda char: unicodedata.combining(char) > 0)
    return "".join(char for is_mark, run in runs for char in islice(run, names.MAX_MARKS if is_mark else None))


def to_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return "" if value is None else str(value)


def _nearest(text: str, rules: Rules) -> str:
    """Without what may not be there, and not too long; empty where nothing is left."""
    begin = " ".join(text.split())[: names.MAX_DECOMPOSITION * names.LENGTH]
    normal = unicodedata.normalize("NFC", begin)
    seen = "".join(char if _is_good(f"x{char}x", rules) else rules.filler for char in normal)
    short = seen.strip()[: names.LENGTH]
    while short and not _is_good(short, rules):
        short = short[:-1].rstrip()
    return rules.check(short) if short.strip(rules.filler or None) else ""


def _is_good(text: str, rules: Rules) -> bool:
    try:
        rules.check(text)
    except Invalid:
        return False
    return True


class _Register:
    """Who has which name, and which number comes next: looked for once, however many have the same name."""

    def __init__(self, rules: Rules, taken: Iterable[str]) -> None:
        self._rules = rules
        self._holders = {rules.fold(name): f"{name!r} in Storekeeper" for name in taken}
        self._numbers: dict[str, int] = {}

    def take(self, name: str, id: Any) -> bool:
        """Whether the name was free."""
        key = self._rules.fold(name)
        if key in self._holders:
            return False
        self._holders[key] = f"{name!r} ({self._rules.noun} {id!r})"
        return True

    def settle(self, proposal: NewName, id: Any) -> NewName:
        if self.take(proposal.name, id):
            return proposal
        holder = self._holders[self._rules.fold(proposal.name)]
        name = self._next(proposal.name)
        self.take(name, id)
        return NewName(name, f"{proposal.reason} It is the same as {holder}.".lstrip())

    def _next(self, name: str) -> str:
        key = self._rules.fold(name)
        number = self._numbers.get(key, 2)
        while self._rules.fold(numbered := self._numbered(name, number)) in self._holders:
            number += 1
        self._numbers[key] = number + 1
        return numbered

    def _numbered(self, name: str, number: int) -> str:
        ending = self._rules.number.format(number)
        start = name[: names.LENGTH - len(ending)].rstrip()
        while not _is_good(start + ending, self._rules):
            start = start[:-1]
        return start + ending
