"""Database access for commands: changes by the operator, and lists that are read page by page."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import click
from sqlalchemy import Connection, Engine

from storekeeper.database import engine as database
from storekeeper.database import schema_version
from storekeeper.models import journal
from storekeeper.models.paging import Page
from storekeeper.settings import Settings

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def run_as_operator(settings: Settings, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
    """Run a model's function in a transaction. Requires an existing database of this version."""
    with (
        database.transaction(schema_version.open_engine(settings.database)) as conn,
        journal.signed(conn, journal.OPERATOR),
    ):
        return function(conn, *args)


def all_pages(engine: Engine, read: Callable[[Connection, str], Page[T]]) -> Iterator[T]:
    """Yield the rows of all pages of a list; `read` returns the page at a cursor. Holds no connection in between."""
    cursor: str | None = ""
    while cursor is not None:
        with engine.connect() as conn:
            page = read(conn, cursor)
        yield from page.rows
        cursor = page.cursor


def migrate(settings: Settings) -> bool:
    return schema_version.migrate(create_engine(settings), partial(click.echo, err=True))


def create_engine(settings: Settings) -> Engine:
    """An engine for a database that may not exist yet."""
    settings.data_path.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = database.create_engine(settings.database)
    if engine.dialect.name == "sqlite":  # it holds the passwords' hashes: for its owner only
        Path(str(engine.url.database)).touch(mode=0o600)
    return engine
