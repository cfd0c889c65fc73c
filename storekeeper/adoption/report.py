"""What the operator is told: counts and the first of each kind on the terminal, everything in a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import msgspec

from storekeeper.adoption import users
from storekeeper.adoption.decision import KINDS, Decision
from storekeeper.adoption.plan import AdoptionPlan
from storekeeper.adoption.source import Source

MAX_LINES = 20  # lines of each kind on the terminal
WIDTH = 100  # characters of a value


@contextmanager
def kept(path: Path | None, plan: AdoptionPlan) -> Iterator[None]:
    """Every decision in a new file, a line of JSON each; and no file if what follows fails."""
    if path is None:
        yield
        return
    with path.open("xb") as file:  # never over another file: it might be the course's database
        file.writelines(msgspec.json.encode(each) + b"\n" for each in _sorted(plan))
    try:
        yield
    except BaseException:
        path.unlink()
        raise


def describe(source: Source, plan: AdoptionPlan, password_length: int) -> Iterator[str]:
    owner = f"owned by {plan.owner}" if plan.owner else "without an owner, so that only administrators may change them"
    yield f"Users taken over: {len(plan.users):,}"
    yield from _passwords(plan, password_length)
    yield f"Stores taken over: {len(source.stores):,}, in {plan.currency}, {owner}"
    yield f"Items taken over: {sum(len(each.items) for each in plan.stores):,} of {len(source.items):,}"
    for kind, alike in groupby(_sorted(plan), lambda each: each.kind):
        yield from _told(kind, list(alike))


def _passwords(plan: AdoptionPlan, minimum: int) -> Iterator[str]:
    secrets = [each.secret for each in plan.users]
    hashed = sum(each.is_hashed for each in secrets)
    none = sum(each.text is None for each in secrets)
    yield f"Passwords in clear text, hashed at once: {len(secrets) - hashed - none:,}"
    yield f"Passwords hashed in another way, hashed anew at the next login: {hashed:,}"
    yield f"Passwords that would be refused today, but are kept: {users.count_weak(plan.users, minimum):,}"


def _sorted(plan: AdoptionPlan) -> list[Decision]:
    order = {kind: place for place, kind in enumerate(KINDS)}
    return sorted(plan.decisions, key=lambda each: order[each.kind])


def _told(kind: str, alike: list[Decision]) -> Iterator[str]:
    yield f"\n{KINDS[kind]}: {len(alike):,}"
    yield from map(_line, alike[:MAX_LINES])
    if len(alike) > MAX_LINES:
        yield f"  and {len(alike) - MAX_LINES:,} more: --report FILE writes them all to a file"


def _line(decision: Decision) -> str:
    """Values as literals: a name from elsewhere may hold what a terminal obeys."""
    id = "" if decision.id is None else f"{_literal(decision.id)}: "
    change = "" if decision.new in (None, decision.old) else f" -> {_literal(decision.new)}"
    return f"  {id}{_literal(decision.old)}{change}  {decision.reason}"


def _literal(value: object) -> str:
    text = repr(value)
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}…"
