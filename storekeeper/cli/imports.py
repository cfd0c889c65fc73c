"""The command line of imports: import a file, and list, confirm, cancel and run imports."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from secrets import token_hex
from socket import gethostname
from tempfile import TemporaryFile
from typing import Any, BinaryIO, get_args

import click
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from storekeeper import log
from storekeeper.cli import import_report, terminal
from storekeeper.cli.database_access import all_pages
from storekeeper.concurrency.heartbeat import HeartbeatWriter
from storekeeper.database import schema_version
from storekeeper.database.engine import transaction
from storekeeper.errors import ImportIsOver, NotFound, Unavailable
from storekeeper.files.storage import Storage, create_storage
from storekeeper.importer.importer import Importer, Paused, Pauses, ReportProgress
from storekeeper.importer.lease import Turn, keep
from storekeeper.models import import_job, import_queue, installation, item_batch, paging
from storekeeper.models.import_job import ImportRequest
from storekeeper.models.import_queue import ImportJob
from storekeeper.security import node_match
from storekeeper.settings import Settings, read_settings
from storekeeper.tabular.cells import DecimalMark
from storekeeper.tabular.csv_reader import Encoding
from storekeeper.tabular.sheet import DELIMITERS, Format, Options

DAY = 86_400
GIVE_BACK_PAUSES = (0.0, 1.0, 4.0, 15.0)  # seconds
SKIP_REFUSED = click.option("--skip-refused", is_flag=True, help="Skip refused lines and import the others.")
STEPS = {"checking": "Checking", "importing": "Importing"}


def _or_auto(known: Any) -> click.Choice[str]:
    return click.Choice(["auto", *get_args(known)])


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--store", type=terminal.NameParamType(), required=True, help="The name of the store to import into.")
@click.option(
    "--match",
    type=click.Choice(item_batch.KEYS),
    default="name",
    help="The field that matches rows to existing items. Default: name.",
)
@click.option("--dry-run", is_flag=True, help="Only print the plan. `imports confirm` then carries it out.")
@SKIP_REFUSED
@click.option("--format", type=_or_auto(Format), default="auto", help="The format of the file. Default: detected.")
@click.option(
    "--encoding", type=_or_auto(Encoding), default="auto", help="The encoding of a CSV file. Default: detected."
)
@click.option(
    "--delimiter",
    type=click.Choice(list(DELIMITERS)),
    default="auto",
    help="The delimiter between the cells of a CSV file. Default: detected.",
)
@click.option(
    "--decimal",
    type=click.Choice(get_args(DecimalMark)),
    default="auto",
    help="The decimal mark in prices. Default: detected.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="HEADING=FIELD",
    help=(
        "Map a column to a field, such as Artikel=name; an empty field ignores the column. May be given several times."
    ),
)
@click.option("--sheet", help="The worksheet. Default: the first one.")
@click.pass_context
def import_(ctx: click.Context, /, file: BinaryIO, store: str, **given: Any) -> None:
    """Import the items of FILE (CSV, JSON Lines or Excel) into a store.

    The command checks the whole file first. If it refuses a line, it imports nothing and exits with 1. Ctrl-C cancels
    the import. If the command is killed, a running server continues the import, or `storekeeper imports run` does.
    """
    settings = read_settings()
    engine, storage = schema_version.open_engine(settings.database), create_storage(settings)
    options = Options(
        format=given["format"],
        encoding=given["encoding"],
        delimiter=DELIMITERS[given["delimiter"]],
        decimal=given["decimal"],
        columns=dict(_pair(each) for each in given["columns"]),
        sheet=given["sheet"],
    )
    file_name = click.format_filename(file.name, shorten=True)
    file = _seekable(file)
    order = ImportRequest(
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
        job = import_queue.claim(conn, token_hex(8), import_job.add(conn, None, order).id)
    assert job
    with _cancelling(engine, job), _watching() as report_progress, keep(engine, job) as lease:
        storage.copy_from(job.file, file)  # for whoever goes on, should this process end early
        Importer(engine, job, file, lease.noting(report_progress)).run()
    _end(ctx, engine, storage, job)


def _seekable(file: BinaryIO) -> BinaryIO:
    """A file that can be read twice, also if it comes from a pipe."""
    if file.seekable():
        return file
    copy: Any = TemporaryFile()  # noqa: SIM115  the process ends with it
    shutil.copyfileobj(file, copy)
    return copy  # type: ignore[no-any-return]


@contextmanager
def _cancelling(engine: Engine, job: ImportJob) -> Iterator[None]:
    """Cancel the import if its file cannot be stored, or on Ctrl-C."""
    try:
        yield
    except (KeyboardInterrupt, Unavailable) as error:
        with suppress(ImportIsOver), transaction(engine) as conn:
            import_job.cancel(conn, None, job.id)
        if isinstance(error, Unavailable):
            raise


@contextmanager
def _watching() -> Iterator[ReportProgress]:
    progress = terminal.Progress(STEPS)
    try:
        yield progress.show
    finally:
        progress.close()


def _end(ctx: click.Context, engine: Engine, storage: Storage, job: ImportJob) -> None:
    """Print the result of an import. Exits with 1 unless it has done all that the user wanted."""
    _free(engine, storage, job)
    if not import_report.print_report(engine, job.id):
        ctx.exit(1)


def _pair(text: str) -> tuple[str, str]:
    heading, is_pair, field = text.rpartition("=")
    if not is_pair:
        raise click.UsageError("--column is written like --column Artikel=name.")
    return heading, field


@click.group("imports")
def imports_group() -> None:
    """List, confirm, cancel and run imports."""


@imports_group.command("list")
@click.option("--store", type=terminal.NameParamType(), required=True, help="The name of the store.")
def list_imports(store: str) -> None:
    """List the imports of a store, newest first.

    One line each: id, state, rows, refused and file, separated by tabs; for a failed import also the reason.
    """
    engine = schema_version.open_engine(read_settings().database)
    for each in all_pages(
        engine,
        lambda conn, cursor: import_job.page(
            conn, None, store, paging.PageRequest(paging.MAX_PAGE_SIZE, cursor, "-id")
        ),
    ):
        line = f"{each.id}\t{each.state}\t{each.rows}\t{each.refused}\t{terminal.printable(each.file_name)}"
        click.echo(f"{line}\t{terminal.printable(each.reason)}" if each.reason else line)


@imports_group.command("refused")
@click.argument("import_id", type=terminal.ID)
def list_refused(import_id: int) -> None:
    """List the lines that the import IMPORT_ID refused: line, field and reason, separated by tabs."""
    engine = schema_version.open_engine(read_settings().database)
    for each in all_pages(
        engine,
        lambda conn, cursor: import_job.page_refusals(
            conn, None, import_id, paging.PageRequest(paging.MAX_PAGE_SIZE, cursor, "line")
        ),
    ):
        click.echo(f"{each.line}\t{each.field or ''}\t{terminal.printable(each.message)}")


@imports_group.command("confirm")
@click.argument("import_id", type=terminal.ID)
@SKIP_REFUSED
@click.pass_context
def confirm_import(ctx: click.Context, import_id: int, skip_refused: bool) -> None:
    """Carry out the import IMPORT_ID, after a dry run or if it has refused lines.

    The command checks the file again, as others may have changed the store. Exits with 1 if it refuses a line.
    """
    settings = read_settings()
    engine, storage = schema_version.open_engine(settings.database), create_storage(settings)
    with transaction(engine) as conn:
        import_job.confirm(conn, None, import_id, skip_refused)
        job = import_queue.claim(conn, token_hex(8), import_id)
    assert job
    with _cancelling(engine, job), _watching() as report_progress, keep(engine, job) as lease:
        _run(engine, storage, job, lease.noting(report_progress))
    _end(ctx, engine, storage, job)


@imports_group.command("cancel")
@click.argument("import_id", type=terminal.ID)
def cancel_import(import_id: int) -> None:
    """Cancel the import IMPORT_ID. The items that it has imported stay."""
    settings = read_settings()
    with transaction(schema_version.open_engine(settings.database)) as conn:
        _, file = import_job.cancel(conn, None, import_id)
    create_storage(settings).remove(file)
    click.echo(f"Import {import_id} is cancelled.")


@imports_group.command("run")
@click.option(
    "--supervised", is_flag=True, help="Write heartbeats to standard output, for the server that started the command."
)
def run_imports(supervised: bool) -> None:
    """Run the waiting imports, and end. A server starts this command by itself.

    Several such processes may run at once; each takes the job of a user who has no other job running. The command
    forgets imports that ended a week ago, and deletes files that no import needs. On SIGTERM, it leaves unfinished
    imports to the next process.
    """
    settings = read_settings()
    engine, storage = schema_version.open_engine(settings.database), create_storage(settings)
    turn = Turn(engine, HeartbeatWriter(f"{gethostname()}/{token_hex(8)}", 1 if supervised else None))
    before = signal.signal(signal.SIGTERM, turn.end)
    try:
        with _logging(settings) if supervised else nullcontext():
            _run_all(engine, storage, turn)
    finally:
        signal.signal(signal.SIGTERM, before)
    if turn.is_told:
        sys.exit(128 + signal.SIGTERM)


@contextmanager
def _logging(settings: Settings) -> Iterator[None]:
    """Log as the server does, whose log this process shares."""
    writer = log.configure(settings.log_level)
    try:
        yield
    finally:
        writer.close()


def _run_all(engine: Engine, storage: Storage, turn: Turn) -> None:
    while not turn.is_over and (job := _take(engine, turn.name)):
        try:
            with turn.begin(job):
                _run(engine, storage, job, turn.note, turn.pauses)
        except Paused:
            _give_back(engine, turn.name)
        except (DBAPIError, Unavailable):  # it is tried again, by whoever comes next
            _give_back(engine, turn.name)
            raise
        except Exception as error:  # the import has failed by it; the others need not
            structlog.get_logger().error("bug", import_id=job.id, exc_info=error)
        else:
            _free(engine, storage, job)
    if not turn.is_over:
        _sweep(engine, storage)


def _give_back(engine: Engine, runner: str) -> None:
    """Return the job; retry if the database is unavailable, as the end of this process would count against the job."""
    for pause in GIVE_BACK_PAUSES:
        time.sleep(pause)
        with suppress(DBAPIError), transaction(engine) as conn:
            import_queue.give_back(conn, runner)
            return


def _run(
    engine: Engine, storage: Storage, job: ImportJob, report_progress: ReportProgress, pauses: Pauses = lambda _: False
) -> None:
    with TemporaryFile() as file:
        importer = Importer(engine, job, file, report_progress, pauses)
        try:
            storage.copy_to(job.file, file)
        except NotFound:
            importer.fail(
                "Its file is not there. Servers on several machines need one storage: STOREKEEPER_STORAGE_URL."
            )
        else:
            importer.run()


def _take(engine: Engine, runner: str) -> ImportJob | None:
    with transaction(engine) as conn:
        return import_queue.claim(conn, runner)


def _free(engine: Engine, storage: Storage, job: ImportJob) -> None:
    """Delete the file of an import that has ended."""
    with engine.connect() as conn:
        is_needed = job.file in import_queue.files(conn)
    if not is_needed:
        storage.remove(job.file)


def _sweep(engine: Engine, storage: Storage) -> None:
    with transaction(engine) as conn:
        import_queue.delete_old(conn)
        needed = import_queue.files(conn)
        known = installation.storage_mark(conn)
    if (
        node_match.find_storage_mismatch(known, storage.find_mark()) is None
    ):  # else they are files of another database's
        storage.prune("imports", needed, DAY)
