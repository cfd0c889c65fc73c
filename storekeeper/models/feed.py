"""What the journal tells: the changes of the catalogue one after the other, and whose they were."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Raw
from sqlalchemy import Connection

from storekeeper.errors import ResyncRequired
from storekeeper.models import item, journal, member, paging
from storekeeper.models.journal import Action, Kind, changes, forgotten
from storekeeper.models.user import users

CATALOGUE: tuple[Kind, ...] = ("item", "store")

_told = (
    changes.c.id,
    changes.c.at,
    changes.c.kind,
    changes.c.action,
    changes.c.store_id,
    changes.c.subject_id,
    changes.c.version,
    changes.c.before,
    changes.c.after,
)
_signed = sa.select(*_told, changes.c.user_id, users.c.username, changes.c.request).outerjoin(
    users, users.c.id == changes.c.user_id
)


class Change(msgspec.Struct, frozen=True):
    """What became of a thing, `subject_id`. `at` is in seconds since 1970.

    `before` and `after` are as the API shows the thing; None where it is not there. `before` has only what differs.
    """

    id: int
    at: int
    kind: Kind
    action: Action
    store_id: int | None
    subject_id: int
    version: int | None
    before: Raw | None
    after: Raw | None


class Entry(Change, frozen=True):
    """A change, with who made it by which request; no user is the operator, no name one who is no more."""

    user_id: int | None
    username: str | None
    request: str


class Feed(msgspec.Struct, frozen=True):
    """Changes in their order, and the cursor after which others will come."""

    changes: list[Change]
    cursor: int


class Wanted(msgspec.Struct, frozen=True):
    """Which entries are wanted: those that meet all that is given. Times are in seconds since 1970."""

    kind: Kind | None = None
    store_id: int | None = None
    user_id: int | None = None
    since: int | None = None
    until: int | None = None


def page(conn: Connection, store_id: int | None, after: int, limit: int) -> Feed:
    """The changes of the catalogue, or of one store, that come after the cursor `after`.

    ResyncRequired where some of those are forgotten, or the cursor is of another database.
    """
    end = journal.settled(conn)  # before anything is read
    conditions = [changes.c.id > after, changes.c.id <= end, changes.c.kind.in_(CATALOGUE)]
    if store_id is not None:
        conditions.append(changes.c.store_id == store_id)
    rows = conn.execute(sa.select(*_told).where(*conditions).order_by(changes.c.id).limit(limit)).all()
    _require_known(conn, after, end)  # after that: some may have been forgotten just before
    is_all = len(rows) < limit
    return Feed([Change(*_parts(row)) for row in rows], max(after, end) if is_all else rows[-1].id)


def some(conn: Connection, ids: Sequence[int]) -> dict[int, Change]:
    """The changes of these ids that are not forgotten."""
    rows = conn.execute(sa.select(*_told).where(changes.c.id.in_(ids)))
    return {row.id: Change(*_parts(row)) for row in rows}


def newest(conn: Connection) -> Feed:
    """Nothing, and the cursor after which all will come that is not there yet."""
    return Feed([], journal.settled(conn))


def _require_known(conn: Connection, after: int, end: int) -> None:
    first = conn.scalar(sa.select(forgotten.c.last_id)) or 0
    if after < first or after > journal.last(conn):
        raise ResyncRequired(end)


def item_history(
    conn: Connection, user_id: int, name: str, which: int | str | None, asked: paging.Asked
) -> paging.Page[Entry]:
    """What became of an item, newest first, for whoever works in its store."""
    found = item.get(conn, name, which)
    member.require_clerk(conn, user_id, found.store_id)
    return subject(conn, "item", found.id, asked)


def subject(conn: Connection, kind: Kind, subject_id: int, asked: paging.Asked) -> paging.Page[Entry]:
    """What became of one thing, newest first."""
    return _entries(conn, sa.and_(changes.c.kind == kind, changes.c.subject_id == subject_id), asked)


def store_history(
    conn: Connection, user_id: int, which: int | str, wanted: Wanted, asked: paging.Asked
) -> paging.Page[Entry]:
    """What became of a store, its items and its members, newest first, for whoever works there."""
    of = member.require_clerk(conn, user_id, which)
    return audit(conn, msgspec.structs.replace(wanted, store_id=of.id), asked)


def audit(conn: Connection, wanted: Wanted, asked: paging.Asked) -> paging.Page[Entry]:
    """All that was changed, newest first."""
    equal = [
        column == value
        for column, value in (
            (changes.c.kind, wanted.kind),
            (changes.c.store_id, wanted.store_id),
            (changes.c.user_id, wanted.user_id),
        )
        if value is not None
    ]
    since = [changes.c.at >= wanted.since] if wanted.since is not None else []
    until = [changes.c.at <= wanted.until] if wanted.until is not None else []
    return _entries(conn, sa.and_(sa.true(), *equal, *since, *until), asked)


def _entries(conn: Connection, condition: sa.ColumnElement[bool], asked: paging.Asked) -> paging.Page[Entry]:
    found = paging.fetch(conn, _signed.where(condition), {"id": changes.c.id}, asked)
    return paging.Page([Entry(*_parts(row)) for row in found.rows], found.cursor)


def _parts(row: Sequence[Any]) -> list[Any]:
    """A row, with its JSON as it is stored."""
    *known, before, after = row[: len(_told)]
    raw = [None if text is None else Raw(text.encode()) for text in (before, after)]
    return [*known, *raw, *row[len(_told) :]]
