"""Imports: jobs that bring a file's items into a store. A row for each, and one for each line that was refused."""

import time
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import dialects, records
from storekeeper.database.engine import Id, metadata
from storekeeper.database.records import converted, nested
from storekeeper.errors import Forbidden, ImportIsOver, ImportSpaceFull, NotFound, TooManyImports
from storekeeper.models import paging, quota, store_member
from storekeeper.models.item_batch import Key
from storekeeper.models.paging import Paginator
from storekeeper.models.store import Store, stores
from storekeeper.tabular.sheet import Options

State = Literal["queued", "checking", "importing", "planned", "done", "refused", "failed", "cancelled"]
ALIVE = ("queued", "checking", "importing")
KEPT = (*ALIVE, "planned", "refused")  # their files are still needed
MAX_ALIVE = 10  # of one user's

jobs = sa.Table(
    "imports",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("store_id", sa.ForeignKey("stores.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), index=True),  # none: the operator
    sa.Column("state", sa.String(9), nullable=False, index=True),
    sa.Column("is_dry_run", sa.Boolean, nullable=False),
    sa.Column("skips_refused", sa.Boolean, nullable=False),
    sa.Column("match", sa.String(7), nullable=False),
    sa.Column("options", sa.JSON, nullable=False),
    sa.Column("file", sa.String, nullable=False),
    sa.Column("file_name", sa.String, nullable=False),
    sa.Column("found", sa.JSON),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("percent", sa.Integer, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("added", sa.BigInteger, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.Column("unchanged", sa.BigInteger, nullable=False),
    sa.Column("refused", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.String),
    sa.Column("runner", sa.String),
    sa.Column("beat_at", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger, index=True),
    sa.Column("taken_at", sa.BigInteger, nullable=False, server_default="0"),  # by a runner, the last time
    sa.Column("deaths", sa.Integer, nullable=False, server_default="0"),  # of runners, since the last progress
    sqlite_autoincrement=True,
)

refusals = sa.Table(
    "import_refusals",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("import_id", sa.ForeignKey("imports.id", ondelete="CASCADE"), nullable=False),
    sa.Column("line", sa.BigInteger, nullable=False),
    sa.Column("field", sa.String),
    sa.Column("message", sa.String, nullable=False),
    sa.Index("ix_import_refusals_import_id_line", "import_id", "line"),
    sqlite_autoincrement=True,
)

_listed = sa.select(
    *jobs.c,
    jobs.c.is_dry_run.label("dry_run"),
    jobs.c.skips_refused.label("skip_refused"),
    stores.c.name.label("store"),
).join(stores, stores.c.id == jobs.c.store_id)


class Counts(msgspec.Struct, frozen=True):
    """How many rows of the file were read, and what became of them."""

    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0


class Found(msgspec.Struct, frozen=True):
    """How the file was read. `ignored` are its columns that are no fields of an item."""

    format: str
    encoding: str
    delimiter: str | None
    columns: list[str]
    ignored: list[str]


class Import(msgspec.Struct, frozen=True):
    """A job, as its owner sees it. Times are seconds since 1970, `percent` is of the present step."""

    id: int
    store: str
    state: State
    dry_run: bool
    skip_refused: bool
    match: Key
    file_name: str
    size: int
    percent: int
    rows: int
    added: int
    changed: int
    unchanged: int
    refused: int
    reason: str | None
    found: Found | None
    created_at: int
    ended_at: int | None


class Refusal(msgspec.Struct, frozen=True):
    """Why a row cannot be taken."""

    line: int
    field: str | None
    message: str


def _found(told: dict[str, Any] | None) -> Found | None:
    return msgspec.convert(told, Found) if told else None


_import = converted(Import, found=_found)


class _ListedImport(msgspec.Struct, frozen=True):
    job: Import
    store_id: int


_listed_import = nested(_ListedImport, job=_import)


class Room(msgspec.Struct, frozen=True):
    """Where a file may be imported. Its sender's imports have `used` bytes of `max_bytes`; 0 is no limit."""

    store: Store
    max_bytes: int = 0
    used: int = 0


class ImportRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be imported, and how. `file` is its name among the stored files, `file_name` that of its sender."""

    store: int | str
    file: str = ""
    file_name: str = ""
    size: int = 0
    options: Options = Options()
    match: Key = "name"
    is_dry_run: bool = False
    skips_refused: bool = False


def require_room(conn: Connection, user_id: int | None, store: int | str, max_bytes: int = 0, size: int = 0) -> Room:
    """Where such a file may be imported, for whoever works there. The operator always has room.

    TooManyImports or ImportSpaceFull where there is none. `max_bytes` may the files of one user's imports have; 0 is
    no limit.
    """
    of = store_member.require_worker(conn, user_id, store)
    if user_id is None:
        return Room(of)
    _require_turn(conn, user_id)
    if not quota.binds(conn, user_id, max_bytes):
        return Room(of)
    kept = sa.select(sa.func.coalesce(sa.func.sum(jobs.c.size), 0))
    used = int(conn.scalars(kept.where(jobs.c.user_id == user_id, jobs.c.state.in_(KEPT))).one())
    quota.check(ImportSpaceFull, max_bytes, used, size)
    return Room(of, max_bytes, used)


def _require_turn(conn: Connection, user_id: int) -> None:
    alive = sa.select(sa.func.count()).where(jobs.c.user_id == user_id, jobs.c.state.in_(ALIVE))
    if conn.scalars(alive).one() >= MAX_ALIVE:
        raise TooManyImports


def add(conn: Connection, user_id: int | None, order: ImportRequest, max_bytes: int = 0) -> Import:
    """A new job for a store where the user works; without a user, the operator's. See `require_room`."""
    _take_turns(conn, user_id)
    values = msgspec.structs.asdict(order) | msgspec.structs.asdict(Counts())
    values |= {
        "store_id": require_room(conn, user_id, values.pop("store"), max_bytes, order.size).store.id,
        "user_id": user_id,
        "state": "queued",
        "options": msgspec.to_builtins(order.options),
        "percent": 0,
        "beat_at": 0,
        "created_at": int(time.time()),
    }
    id = conn.scalars(sa.insert(jobs).values(values).returning(jobs.c.id)).one()
    return records.fetch_only(conn, _listed.where(jobs.c.id == id), _import)


def _take_turns(conn: Connection, user_id: int | None) -> None:
    """Nobody else adds to the imports of this user before the transaction ends."""
    dialects.serialize(conn, f"imports of user {user_id}")


def get(conn: Connection, user_id: int | None, import_id: int) -> Import:
    """A job, for whoever works in its store. For all others there is none."""
    found = records.fetch_first(conn, _listed.where(jobs.c.id == import_id), _listed_import)
    if found is None:
        raise NotFound("import_not_found")
    try:
        store_member.require_worker(conn, user_id, found.store_id)
    except Forbidden:
        raise NotFound("import_not_found") from None
    return found.job


def page(
    conn: Connection, user_id: int | None, store: int | str, page_request: paging.PageRequest
) -> paging.Page[Import]:
    """The jobs of a store, newest first."""
    of = store_member.require_worker(conn, user_id, store)
    return _of_store.fetch(conn, page_request, {"store_id": of.id})


def page_refusals(
    conn: Connection, user_id: int | None, import_id: int, page_request: paging.PageRequest
) -> paging.Page[Refusal]:
    """What was refused, in the order of the lines."""
    get(conn, user_id, import_id)
    return _refused.fetch(conn, page_request, {"import_id": import_id})


def confirm(conn: Connection, user_id: int | None, import_id: int, skips_refused: bool) -> Import:
    """Let a job whose plan was made, or refused for some lines, be carried out now: in the name of this user.

    TooManyImports where too many of theirs wait or are under way.
    """
    get(conn, user_id, import_id)
    if user_id is not None:
        _take_turns(conn, user_id)
        _require_turn(conn, user_id)
    waits = sa.and_(jobs.c.id == import_id, jobs.c.state.in_(("planned", "refused")))
    values = {"state": "queued", "is_dry_run": False, "skips_refused": skips_refused, "ended_at": None, "reason": None}
    values |= {"user_id": user_id, "percent": 0, "beat_at": 0, "runner": None, "taken_at": 0, "deaths": 0}
    values |= msgspec.structs.asdict(Counts())
    if not conn.execute(sa.update(jobs).where(waits).values(values)).rowcount:
        raise ImportIsOver("import_not_planned")
    conn.execute(sa.delete(refusals).where(refusals.c.import_id == import_id))
    return get(conn, user_id, import_id)


def cancel(conn: Connection, user_id: int | None, import_id: int) -> tuple[Import, str]:
    """End a job that is not over, and tell the name of its file, which nobody needs now. What it has imported stays."""
    get(conn, user_id, import_id)
    is_kept = sa.and_(jobs.c.id == import_id, jobs.c.state.in_(KEPT))
    done = sa.case((jobs.c.state == "importing", 1), else_=0)  # what was only planned is not done
    counts = {name: jobs.c[name] * done for name in Counts.__struct_fields__}
    ended = sa.update(jobs).where(is_kept).values(state="cancelled", ended_at=int(time.time()), **counts)
    file = conn.scalar(ended.returning(jobs.c.file))
    if file is None:
        raise ImportIsOver
    return get(conn, user_id, import_id), file


_of_store = Paginator(_listed.where(jobs.c.store_id == sa.bindparam("store_id")), {"id": jobs.c.id}, _import)
_refusals = sa.select(refusals).where(refusals.c.import_id == sa.bindparam("import_id"))
_refused = Paginator(
    _refusals,
    {"id": refusals.c.id, "line": refusals.c.line},
    Refusal,
)
