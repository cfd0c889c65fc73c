"""The command line of the journal: the change feed, histories and the audit trail."""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import click
import msgspec
from sqlalchemy import Connection, Engine

from storekeeper.cli import terminal
from storekeeper.database import schema_version
from storekeeper.models import item, journal_feed, paging, store, user
from storekeeper.models.journal import Kind
from storekeeper.models.journal_feed import Change, ChangeFilter, Entry, Feed
from storekeeper.settings import read_settings

POLL_SECONDS = 1  # between looks for new changes
BATCH_SIZE = 200
KINDS: tuple[Kind, ...] = ("item", "store", "member", "user")


@click.command("changes")
@click.option(
    "--after", default="0", help="Only changes after this cursor; `now` prints only new ones. Default: all changes."
)
@click.option("--store", "store_name", type=terminal.NameParamType(), help="Only changes of this store and its items.")
@click.option("--follow", is_flag=True, help="Wait for new changes until Ctrl-C.")
def print_changes(after: str, store_name: str | None, follow: bool) -> None:
    """Print the changes of stores and items in their order, one line of JSON each; the `id` is the cursor.

    Ends with an error if the changes after the cursor are no longer kept: then read all data again.
    """
    if after != "now" and not journal_feed.CURSOR.fullmatch(after):
        raise click.BadParameter("It is a cursor, which has at most 16 digits, or `now`.", param_hint="--after")
    engine = _open()
    with _reader(engine) as conn:
        store_id = store.get(conn, store_name).id if store_name is not None else None
        cursor = journal_feed.newest(conn).cursor if after == "now" else int(after)
    for change in _changes(engine, store_id, cursor, follow):
        sys.stdout.buffer.write(_ENCODER.encode(change) + b"\n")
        sys.stdout.buffer.flush()


def _changes(engine: Engine, store_id: int | None, cursor: int, is_endless: bool) -> Iterator[Change]:
    while True:
        found = _page(engine, store_id, cursor)
        yield from found.changes
        cursor = found.cursor
        if len(found.changes) < BATCH_SIZE:
            if not is_endless:
                return
            time.sleep(POLL_SECONDS)


def _page(engine: Engine, store_id: int | None, cursor: int) -> Feed:
    with _reader(engine) as conn:
        return journal_feed.page(conn, store_id, cursor, BATCH_SIZE)


@click.command("history")
@click.argument("name", type=terminal.NameParamType())
@click.option(
    "--store",
    "store_name",
    type=terminal.NameParamType(),
    help="The item's store, if several stores have an item of that name.",
)
@click.option(
    "--limit", type=click.IntRange(1, paging.MAX_PAGE_SIZE), default=20, help="The number of changes. Default: 20."
)
def print_history(name: str, store_name: str | None, limit: int) -> None:
    """Print the changes of the item NAME, newest first, with time, author and values."""
    with _reader(_open()) as conn:
        found = item.get(conn, name, store_name)
        page = journal_feed.subject(conn, "item", found.id, paging.PageRequest(limit, sort="-id"))
    _tell(page.rows)


@click.command("audit")
@click.option("--kind", type=click.Choice(KINDS), help="Only changes of this kind of record.")
@click.option(
    "--store",
    "store_name",
    type=terminal.NameParamType(),
    help="Only changes of this store, its items and its members.",
)
@click.option("--user", "username", help="Only changes by this user.")
@click.option(
    "--limit", type=click.IntRange(1, paging.MAX_PAGE_SIZE), default=20, help="The number of changes. Default: 20."
)
def print_audit(kind: Kind | None, store_name: str | None, username: str | None, limit: int) -> None:
    """Print all changes, newest first, with time, author and values."""
    with _reader(_open()) as conn:
        wanted = ChangeFilter(
            kind=kind,
            store_id=store.get(conn, store_name).id if store_name is not None else None,
            user_id=user.get_by_name(conn, username).id if username is not None else None,
        )
        page = journal_feed.audit(conn, wanted, paging.PageRequest(limit, sort="-id"))
    _tell(page.rows)


def _open() -> Engine:
    return schema_version.open_engine(read_settings().database)


def _reader(engine: Engine) -> Connection:
    """A connection whose statements each see the latest commits, which the change feed requires."""
    return engine.connect().execution_options(isolation_level="AUTOCOMMIT")


def _tell(entries: list[Entry]) -> None:
    for entry in entries:
        when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(entry.at))
        click.echo(terminal.printable(f"{when}  {_who(entry)}  {_what(entry)}"))


def _who(entry: Entry) -> str:
    if entry.author_kind in ("operator", "server"):
        return f"the {entry.author_kind}"
    return entry.username or f"user {entry.user_id}"


def _what(entry: Entry) -> str:
    """`item 'chair' price: 15.99 -> 17.50`"""
    before, after = (_members(raw) for raw in (entry.before, entry.after))
    shown = after or before
    label = f"{entry.kind} '{shown.get('name', shown.get('username'))}'"
    if entry.action != "update":
        return f"{label} {entry.action}"
    return f"{label} " + ", ".join(f"{name}: {_text(before[name])} -> {_text(after[name])}" for name in before)


def _members(raw: msgspec.Raw | None) -> dict[str, Any]:
    """Parse JSON, and keep numbers as text, so that prices keep all their digits."""
    return json.loads(bytes(raw), parse_float=str) if raw is not None else {}


def _text(value: Any) -> str:
    return ";".join(value) if isinstance(value, list) else str(value)


_ENCODER = msgspec.json.Encoder(decimal_format="number")
