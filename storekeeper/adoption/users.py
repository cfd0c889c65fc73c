"""The course's users: which names they get, whether they may log in, and what becomes of their passwords."""

from collections.abc import Iterable
from typing import Any

import msgspec

from storekeeper.adoption import renaming
from storekeeper.adoption.decision import Decision, shown
from storekeeper.adoption.source import Rows, Source
from storekeeper.errors import Invalid
from storekeeper.security import legacy_hashes, passwords


class LegacyPassword(msgspec.Struct, frozen=True):
    """What a user logged in with: a password or an old hash of one. None where there is nothing that can be checked."""

    text: str | None
    is_hashed: bool = False


class NewUser(msgspec.Struct, frozen=True):
    username: str
    secret: LegacyPassword
    is_active: bool


def plan_users(source: Source, taken: Iterable[str], decisions: list[Decision]) -> list[NewUser]:
    given = renaming.assign_names([(id, name) for id, name, *_ in source.users], renaming.USERS, taken)
    confirmed = _confirmed(source.confirmations)
    users = []
    for (id, old, password, activated), (name, reason) in zip(source.users, given, strict=True):
        if reason:
            decisions.append(Decision("user_renamed", id, shown(old), name, reason))
        secret, problem = _secret(password)
        if problem:
            decisions.append(Decision("password_reset", id, name, name, problem))
        # Users who signed up through GitHub have no password, and was never asked to confirm.
        is_active = _is_true(activated) and (confirmed is None or id in confirmed or password is None)
        if not is_active:
            decisions.append(Decision("user_inactive", id, name, name, "`storekeeper users set NAME --active`"))
        users.append(NewUser(name, secret, is_active))
    return users


def count_weak(users: list[NewUser], minimum: int) -> int:
    """How many passwords would be refused today. They go on working."""
    clear = [(each.secret.text, each.username) for each in users if each.secret.text and not each.secret.is_hashed]
    return sum(_is_weak(password, username, minimum) for password, username in clear)


def _is_weak(password: str, username: str, minimum: int) -> bool:
    try:
        passwords.check(password, username, minimum)
    except Invalid:
        return True
    return False


def _confirmed(confirmations: Rows | None) -> set[Any] | None:
    if confirmations is None:
        return None
    return {user_id for user_id, is_confirmed in confirmations if _is_true(is_confirmed)}


def _is_true(value: Any) -> bool:
    return str(value).lower() in ("1", "1.0", "true", "t", "yes")


def _secret(value: Any) -> tuple[LegacyPassword, str]:
    """What to keep of a password, and why it cannot be used."""
    text = renaming.to_text(value)
    if legacy_hashes.is_checkable(text):
        return LegacyPassword(text, is_hashed=True), ""
    problem = _problem(text)
    return LegacyPassword(None if problem else text), problem


def _problem(text: str) -> str:
    if not text:
        return "There is no password."
    if legacy_hashes.is_hash(text):
        return "The password is hashed in a way that is not checked here."
    if len(text) > passwords.MAX_LENGTH:
        return f"The password has more than {passwords.MAX_LENGTH} characters."
    if "\0" in text or "\ufffd" in text:
        return "The password is not text."
    return ""
