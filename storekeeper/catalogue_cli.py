"""The command line of the catalogue: import and export files of items, and what imports and images leave behind."""

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryFile
from typing import Any, BinaryIO

import click
from sqlalchemy import Engine

from storekeeper import cells, images, schema, terminal
from storekeeper.db import transaction
from storekeeper.errors import ImportIsOver, NotFound, Unavailable
from storekeeper.importing import Importer
from storekeeper.models import batch, export, import_jobs, imports, item, paging
from storekeeper.models.import_jobs import Job
from storekeeper.models.imports import Import, Order
from storekeeper.models.listing import Filter
from storekeeper.settings import read_settings
from storekeeper.sheets import Options
from storekeeper.storage import Storage, create_storage

DAY = 86_400
SHOWN = 20
DELIMITERS = {"auto": "auto", "comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
STEPS = {"checking": "Checking", "importing": "Importing"}


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--store", required=True, help="The name of the store that gets the items.")
@click.option("--match", type=click.Choice(batch.UNIQUE), default="name", help="By what known items are known: name.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--skip-refused", is_flag=True, help="Import the other lines, when some are refused.")
@click.option("--format", type=click.Choice(["auto", "csv", "jsonl", "xlsx"]), default="auto", help="What the file is.")
@click.option(
    "--encoding", type=click.Choice(["auto", "utf-8", "utf-16", "windows-1252"]), default="auto", help="Of a CSV file."
)
@click.option(
    "--delimiter", type=click.Choice(list(DELIMITERS)), default="auto", help="Between the cells of a CSV file."
)
@click.option("--decimal", type=click.Choice(["auto", "point", "comma"]), default="auto", help="The mark in prices.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="HEADING=FIELD",
    help="Which column is which field; no field leaves it out.",
)
@click.option("--sheet", help="The worksheet, if not the first.")
@click.pass_context
def import_(ctx: click.Context, /, file: BinaryIO, store: str, **given: Any) -> None:
    """Bring the items of FILE (CSV, JSON Lines or Excel) into a store.

    First the whole file is checked; when a line is refused, nothing is imported. Exits with 1 then. Ctrl-C cancels the
    import. One that is interrupted otherwise goes on with `storekeeper imports run`, or by itself while a server runs.
    """
    settings = read_settings()
    engine, storage = schema.open_engine(settings.database), create_storage(settings)
    options = Options(
        format=given["format"],
        encoding=given["encoding"],
        delimiter=DELIMITERS[given["delimiter"]],  # type: ignore[arg-type]
        decimal=given["decimal"],
        columns=dict(_pair(each) for each in given["columns"]),
        sheet=given["sheet"],
    )
    file_name = click.format_filename(file.name, shorten=True)
    file = _seekable(file)
    order = Order(
        store=store,
        file=f"imports/{token_hex(16)}",
        file_name=file_name,
        size=file.seek(0, os.SEEK_END),
        options=options,
        match=given["match"],
        is_dry_run=given["dry_run"],
        skips_refused=given["skip_refused"],
    )
    with transaction(engine) as conn:
        job = import_jobs.take(conn, token_hex(8), imports.add(conn, None, order).id)
    assert job
    with _cancelling(engine, job):
        storage.copy_from(job.file, file)  # for whoever goes on, should this process end early
        _watch(engine, job, file)
    _free(engine, storage, job)
    if not _report(engine, job.id):
        ctx.exit(1)


def _seekable(file: BinaryIO) -> BinaryIO:
    """What comes from a pipe is read twice, too."""
    if file.seekable():
        return file
    copy: Any = TemporaryFile()  # noqa: SIM115  the process ends with it
    shutil.copyfileobj(file, copy)
    return copy  # type: ignore[no-any-return]


@contextmanager
def _cancelling(engine: Engine, job: Job) -> Iterator[None]:
    """Cancel the import where its file cannot be kept, or on Ctrl-C."""
    try:
        yield
    except (KeyboardInterrupt, Unavailable) as error:
        with suppress(ImportIsOver), transaction(engine) as conn:
            imports.cancel(conn, None, job.id)
        if isinstance(error, Unavailable):
            raise


def _watch(engine: Engine, job: Job, file: BinaryIO) -> None:
    progress = terminal.Progress(STEPS)
    try:
        Importer(engine, job, file, progress.show).run()
    finally:
        progress.close()


def _pair(text: str) -> tuple[str, str]:
    heading, is_pair, field = text.rpartition("=")
    if not is_pair:
        raise click.UsageError("--column is written like --column Artikel=name.")
    return heading, field


def _report(engine: Engine, import_id: int) -> bool:
    """Say what became of an import; and whether it is as it was wished."""
    with engine.connect() as conn:
        ended = imports.get(conn, None, import_id)
        shown = imports.page_refusals(conn, None, import_id, paging.Asked(SHOWN, sort="line"))
    for each in shown.rows:
        click.echo(terminal.printable(f"line {each.line}: {each.message}"), err=True)
    if shown.cursor:
        click.echo(f"... and more: `storekeeper imports refused {import_id}` lists them all.", err=True)
    if ended.found and ended.found.ignored:
        click.echo(terminal.printable(f"Columns that are ignored: {', '.join(ended.found.ignored)}."))
    click.echo(terminal.printable(_sentence(ended)))
    return ended.state in ("planned", "done") and (not ended.refused or ended.skip_refused)


def _sentence(ended: Import) -> str:
    would = "would be " if ended.state in ("planned", "refused") else ""
    counts = (
        f"{ended.rows:,} lines: {ended.added:,} {would}added, {ended.changed:,} {would}changed, "
        f"{ended.unchanged:,} unchanged, {ended.refused:,} refused."
    )
    verdicts = {
        "done": "",
        "planned": " Nothing is changed yet.",
        "refused": f" Nothing is imported. {ended.reason or ''}".rstrip(),
        "cancelled": " The import is cancelled.",
    }
    return counts + verdicts.get(ended.state, f" The import has failed: {ended.reason or ended.state}")


@click.command("export")
@click.option("--store", help="Only the items of this store.")
@click.option("--format", type=click.Choice(["csv", "jsonl"]), default="csv", help="CSV or JSON Lines: csv.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="The file; else standard output.")
def export_(store: str | None, format: str, output: Path | None) -> None:
    """Write all items, the archived ones too, in a form that `storekeeper import` reads."""
    pieces = _pieces(schema.open_engine(read_settings().database), Filter(store=store, archived="any"), format)
    first = next(pieces)  # an unknown store leaves the file as it was
    if output:
        with output.open("wb") as file:
            file.writelines(chain([first], pieces))
        return
    try:
        sys.stdout.buffer.writelines(chain([first], pieces))
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would complain as it ends


def _pieces(engine: Engine, wanted: Filter, format: str) -> Iterator[bytes]:
    write = cells.csv_line if format == "csv" else cells.json_line
    head = cells.csv_head() if format == "csv" else b""
    cursor: str | None = ""
    while cursor is not None:
        with engine.connect() as conn:
            page = export.page(conn, wanted, cursor)
        yield head + b"".join(map(write, page.rows))
        head, cursor = b"", page.cursor


@click.group("imports")
def imports_group() -> None:
    """List imports, carry out those that wait, and cancel them."""


@imports_group.command("list")
@click.option("--store", required=True, help="The store's name.")
def list_imports(store: str) -> None:
    """List the imports of a store, newest first: id, state, rows, refused and file, with tabs in between."""
    engine = schema.open_engine(read_settings().database)
    cursor: str | None = ""
    while cursor is not None:
        with engine.connect() as conn:
            page = imports.page(conn, None, store, paging.Asked(paging.MOST, cursor, "-id"))
        for each in page.rows:
            click.echo(f"{each.id}\t{each.state}\t{each.rows}\t{each.refused}\t{terminal.printable(each.file_name)}")
        cursor = page.cursor


@imports_group.command("refused")
@click.argument("import_id", type=int)
def list_refused(import_id: int) -> None:
    """List the lines that the import IMPORT_ID refused: line, field and reason, with tabs in between."""
    engine = schema.open_engine(read_settings().database)
    cursor: str | None = ""
    while cursor is not None:
        with engine.connect() as conn:
            page = imports.page_refusals(conn, None, import_id, paging.Asked(paging.MOST, cursor, "line"))
        for each in page.rows:
            click.echo(f"{each.line}\t{each.field or ''}\t{terminal.printable(each.message)}")
        cursor = page.cursor


@imports_group.command("cancel")
@click.argument("import_id", type=int)
def cancel_import(import_id: int) -> None:
    """End the import IMPORT_ID. What it has imported stays."""
    settings = read_settings()
    with transaction(schema.open_engine(settings.database)) as conn:
        _, file = imports.cancel(conn, None, import_id)
    asyncio.run(create_storage(settings).delete(file))
    click.echo(f"Import {import_id} is cancelled.")


@imports_group.command("run")
def run_imports() -> None:
    """Carry out the imports that wait, and end. A server does so by itself, in a process of its own.

    Forgets the imports that ended a week ago, and deletes files that no import needs.
    """
    settings = read_settings()
    engine, storage = schema.open_engine(settings.database), create_storage(settings)
    runner = token_hex(8)
    while job := _take(engine, runner):
        with TemporaryFile() as file:
            _run(engine, storage, job, file)
        _free(engine, storage, job)
    _sweep(engine, storage)


def _run(engine: Engine, storage: Storage, job: Job, file: Any) -> None:
    importer = Importer(engine, job, file, _ignore)
    try:
        storage.copy_to(job.file, file)
    except NotFound:
        importer.fail("Its file is not there. Servers on several machines need one storage: STOREKEEPER_STORAGE_URL.")
    else:
        importer.run()


def _ignore(*_: object) -> None:
    """Nobody watches."""


def _take(engine: Engine, runner: str) -> Job | None:
    with transaction(engine) as conn:
        return import_jobs.take(conn, runner)


def _free(engine: Engine, storage: Storage, job: Job) -> None:
    """Delete the file of an import that is over."""
    with engine.connect() as conn:
        is_needed = job.file in import_jobs.files(conn)
    if not is_needed:
        asyncio.run(storage.delete(job.file))


def _sweep(engine: Engine, storage: Storage) -> None:
    with transaction(engine) as conn:
        import_jobs.sweep(conn)
        needed = import_jobs.files(conn)
    asyncio.run(storage.prune("imports", needed, DAY))


@click.group("images")
def images_group() -> None:
    """Look after the stored images."""


@images_group.command("prune")
def prune_images() -> None:
    """Delete the images that no item has, a day after they were stored."""
    settings = read_settings()
    with schema.open_engine(settings.database).connect() as conn:
        used = item.images(conn)
    count = asyncio.run(images.prune(create_storage(settings), used, DAY))
    click.echo(f"Images deleted: {count}.")
