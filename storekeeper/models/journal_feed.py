"""What the journal tells: the changes of the catalogue one after the other, and whose they were."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import get_args

import msgspec
import sqlalchemy as sa
from msgspec import Raw
from sqlalchemy import Connection

from storekeeper.database import dialects, records
from storekeeper.database.compiled_query import CompiledQuery, limited
from storekeeper.database.records import converted
from storekeeper.errors import ResyncRequired
from storekeeper.models import item, journal, paging, store_member
from storekeeper.models.journal import Action, AuthorKind, Kind, changes
from storekeeper.models.paging import Paginator
from storekeeper.models.user import users

CATALOGUE: tuple[Kind, ...] = ("item", "store")
CURSOR = re.compile("[0-9]{1,16}")  # as text

_shown_columns = (
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
_author_kind = sa.func.coalesce(
    changes.c.author_kind, sa.case((changes.c.user_id.is_(None), "operator"), else_="user")
).label("author_kind")
_signed = sa.select(
    *_shown_columns, _author_kind, changes.c.user_id, users.c.username, changes.c.request, changes.c.client_request
).outerjoin(users, users.c.id == changes.c.user_id)

_CONDITIONS = {
    # Not the column itself: SQLite would go by its index, and sort all that is of the kind.
    "kind": changes.c.kind + "" == sa.bindparam("kind"),
    "user_id": changes.c.user_id == sa.bindparam("user_id"),
    "since": changes.c.at >= sa.bindparam("since"),
    "until": changes.c.at <= sa.bindparam("until"),
}


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
    """A change, with who made it by which request. Without a name, the user is no more.

    `request` is the server's id for the request, `client_request` the one that its sender chose.
    """

    author_kind: AuthorKind
    user_id: int | None
    username: str | None
    request: str
    client_request: str | None


def _raw(text: str | None) -> Raw | None:
    return None if text is None else Raw(text)


_change = converted(Change, before=_raw, after=_raw)
_entry = converted(Entry, before=_raw, after=_raw)


class Feed(msgspec.Struct, frozen=True):
    """Changes in their order, and the cursor after which others will come."""

    changes: list[Change]
    cursor: int


class ChangeFilter(msgspec.Struct, frozen=True):
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
    end = journal.last_visible_id(conn)  # before anything is read
    values = {"after": after, "end": end} | ({} if store_id is None else {"store_id": store_id})
    found = _following(conn.dialect.name, limit, of_store=store_id is not None).fetch_all(conn, **values)
    _require_known(conn, after, end)  # after that: some may have been forgotten just before
    is_all = len(found) < limit
    return Feed(found, max(after, end) if is_all else found[-1].id)


@lru_cache(paging.CACHE_SIZE)
def _following(dialect: str, limit: int, *, of_store: bool) -> CompiledQuery[Change]:
    # By what is left out, for the same reason.
    is_shown = sa.and_(*(changes.c.kind != kind for kind in get_args(Kind) if kind not in CATALOGUE))
    behind = changes.c.id > sa.bindparam("after"), changes.c.id <= sa.bindparam("end"), is_shown
    select = sa.select(*_shown_columns).where(*behind)
    if of_store:
        select = select.where(dialects.is_within(dialect, changes.c.store_id, "store_id")).order_by(changes.c.store_id)
    return CompiledQuery(limited(select.order_by(changes.c.id), limit), _change)


def get_many(conn: Connection, ids: Sequence[int]) -> dict[int, Change]:
    """The changes of these ids that are not forgotten."""
    found = records.fetch_all(conn, sa.select(*_shown_columns).where(changes.c.id.in_(ids)), _change)
    return {each.id: each for each in found}


def newest(conn: Connection) -> Feed:
    """Nothing, and the cursor after which all will come that is not there yet."""
    return Feed([], journal.last_visible_id(conn))


def _require_known(conn: Connection, after: int, end: int) -> None:
    if after < journal.horizon(conn).id or after > journal.last(conn):
        raise ResyncRequired(end)


def item_history(
    conn: Connection, user_id: int, name: str, store_ref: int | str | None, page_request: paging.PageRequest
) -> paging.Page[Entry]:
    """What became of an item, newest first, for whoever works in its store."""
    found = item.get(conn, name, store_ref)
    store_member.require_clerk(conn, user_id, found.store_id)
    return subject(conn, "item", found.id, page_request)


def subject(conn: Connection, kind: Kind, subject_id: int, page_request: paging.PageRequest) -> paging.Page[Entry]:
    """What became of one thing, newest first."""
    return _of_subject.fetch(conn, page_request, {"kind": kind, "subject_id": subject_id})


def store_history(
    conn: Connection, user_id: int, store_ref: int | str, change_filter: ChangeFilter, page_request: paging.PageRequest
) -> paging.Page[Entry]:
    """What became of a store, its items and its members, newest first, for whoever works there."""
    of = store_member.require_clerk(conn, user_id, store_ref)
    return audit(conn, msgspec.structs.replace(change_filter, store_id=of.id), page_request)


def audit(conn: Connection, change_filter: ChangeFilter, page_request: paging.PageRequest) -> paging.Page[Entry]:
    """All that was changed, newest first."""
    values = msgspec.structs.asdict(change_filter)
    given = {name: value for name, value in values.items() if value is not None}
    return _pages(conn.dialect.name, tuple(given)).fetch(conn, page_request, given)


@lru_cache(paging.CACHE_SIZE)
def _pages(dialect: str, names: tuple[str, ...]) -> Paginator[Entry]:
    conditions = [_CONDITIONS[name] for name in names if name != "store_id"]
    within = changes.c.store_id if "store_id" in names else None
    if within is not None:
        conditions.append(dialects.is_within(dialect, within, "store_id"))
    return Paginator(_signed.where(*conditions), {"id": changes.c.id}, _entry, within=within)


_of_subject = Paginator(
    _signed.where(changes.c.kind == sa.bindparam("kind"), changes.c.subject_id == sa.bindparam("subject_id")),
    {"id": changes.c.id},
    _entry,
)
