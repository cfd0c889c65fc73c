"""`storekeeper adopt`"""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from storekeeper.adoption import report, source, target
from storekeeper.adoption.plan import AdoptionOptions, AdoptionPlan, ExistingNames, create_plan
from storekeeper.adoption.users import LegacyPassword
from storekeeper.database import schema_version
from storekeeper.database.engine import transaction
from storekeeper.domain import money
from storekeeper.errors import Conflict
from storekeeper.models import journal
from storekeeper.security import passwords
from storekeeper.settings import Settings, read_settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Print what would happen, and write nothing.")
@click.option(
    "--report",
    "report_file",
    type=click.Path(path_type=Path),
    help="A new file that gets every decision, a line of JSON each.",
)
@click.option("--currency", help="The currency of the stores. Default: STOREKEEPER_CURRENCY.")
@click.option("--owner", help="The user who becomes the owner of all stores.")
@click.option("--admin", help="The user who becomes an administrator. By default, nobody does.")
@click.option("--lost-store", help="The store for items without one. By default, they are not taken over.")
@click.option(
    "--into-existing", is_flag=True, help="Adopt even if Storekeeper has stores already, which stay as they are."
)
def adopt(
    file: Path, dry_run: bool, report_file: Path | None, currency: str | None, into_existing: bool, **named: str | None
) -> None:
    """Adopt FILE, the SQLite database of the course's app: its users, stores, items and tags.

    The command writes everything or nothing, and does not change FILE. Stop the course's app first.
    docs/adopting.md explains how data is converted.
    """
    settings = read_settings()
    options = AdoptionOptions(currency=money.check_currency(currency or settings.currency), **named)
    engine = schema_version.open_engine(settings.database)
    taken = _look(engine, into_existing)
    found = _read(file)
    plan = create_plan(found, taken, options)
    with report.kept(report_file, plan):
        if not dry_run:
            _write(engine, settings, plan)
    for line in report.describe(found, plan, settings.password_length):
        click.echo(line)
    click.echo("\nThis was a dry run: nothing is written." if dry_run else "\nDone.")


def _look(engine: sa.Engine, into_existing: bool) -> ExistingNames:
    with engine.connect() as conn:
        return target.read_existing_names(conn, into_existing)


def _read(file: Path) -> source.Source:
    try:
        return source.read(file)
    except source.SourceError as error:
        raise click.ClickException(str(error)) from None


def _write(engine: sa.Engine, settings: Settings, plan: AdoptionPlan) -> None:
    hashes = _hash(settings, [each.secret for each in plan.users])  # before the transaction: it may take minutes
    try:
        with transaction(engine) as conn, journal.signed(conn, journal.OPERATOR):
            target.write(conn, plan, hashes)
    except IntegrityError:
        raise Conflict("adoption_overtaken") from None


def _hash(settings: Settings, secrets: Sequence[LegacyPassword]) -> list[str]:
    hashed = target.hash_all(secrets, passwords.create_hasher(settings), passwords.count_at_once(settings))
    # No progress bar unless stderr is a terminal.
    is_hidden = not sys.stderr.isatty()
    with click.progressbar(hashed, len(secrets), label="Passwords", file=sys.stderr, hidden=is_hidden) as bar:
        return list(bar)
