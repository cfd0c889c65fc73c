"""The report of an import on the terminal: how its file was read, its result, and what to do next."""

import click
from sqlalchemy import Engine

from storekeeper.cli import terminal
from storekeeper.models import import_job, paging
from storekeeper.models.import_job import Found, Import
from storekeeper.tabular.sheet import DELIMITERS

SHOWN = 20


def print_report(engine: Engine, import_id: int) -> bool:
    """Print how the file was read, and the result. Return whether the import has done all that the user wanted."""
    with engine.connect() as conn:
        ended = import_job.get(conn, None, import_id)
        shown = import_job.page_refusals(conn, None, import_id, paging.PageRequest(SHOWN, sort="line"))
    for each in shown.rows:
        where = f"line {each.line}, {each.field}" if each.field else f"line {each.line}"
        click.echo(terminal.printable(f"{where}: {each.message}"), err=True)
    if shown.cursor:
        click.echo(f"... and more: `storekeeper imports refused {import_id}` lists them all.", err=True)
    if ended.found:
        click.echo(terminal.printable(_reading(ended.found)))
    is_good = ended.state in ("planned", "done") and (not ended.refused or ended.skip_refused)
    click.echo(terminal.printable(f"{_counts(ended)} {_verdict(ended)}".strip()), err=ended.state == "failed")
    return is_good


def _reading(found: Found) -> str:
    """How the import read the file, so that wrong guesses are visible."""
    delimiters = [name for name, delimiter in DELIMITERS.items() if delimiter == found.delimiter]
    form = ", ".join([found.format, found.encoding, *delimiters])
    ignored = f" Ignored: {', '.join(found.ignored)}." if found.ignored else ""
    return f"Read as {form}. Columns: {', '.join(found.columns)}.{ignored}"


def _counts(ended: Import) -> str:
    if not ended.rows:
        return ""
    would = "would be " if ended.state in ("planned", "refused") else ""
    lines = "1 line" if ended.rows == 1 else f"{ended.rows:,} lines"
    return (
        f"{lines}: {ended.added:,} {would}added, {ended.changed:,} {would}changed, "
        f"{ended.unchanged:,} unchanged, {ended.refused:,} refused."
    )


def _verdict(ended: Import) -> str:
    confirm = f"storekeeper imports confirm {ended.id}"
    match ended.state:
        case "done":
            return "" if ended.rows else "The file has no items."
        case "planned":
            return f"Nothing is changed yet: `{confirm}{' --skip-refused' if ended.refused else ''}` does it."
        case "refused":
            return f"Nothing is imported. {ended.reason or f'`{confirm} --skip-refused` imports the others.'}"
        case "cancelled":
            return f"The import is cancelled. {'What it has imported stays.' if ended.rows else ''}"
        case _:
            return f"The import has failed: {ended.reason or ended.state}"
