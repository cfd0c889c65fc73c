"""Commands of the operator's, run in this process."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
import sqlalchemy as sa
from click.testing import CliRunner, Result

from storekeeper.cli.main import main
from storekeeper.database import schema_version
from storekeeper.settings import Settings


def run_with(settings: Settings, *args: str, stdin: str | bytes | None = None, **given: str) -> Result:
    """Run a command. No error may end it but a foreseen one."""
    environ = {"STOREKEEPER_DATA": settings.data, "STOREKEEPER_DATABASE_URL": settings.database_url} | given
    result = CliRunner().invoke(main, args, env=environ, input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def says(result: Result, exit_code: int, message: str) -> None:
    """One line on stderr, and nothing else."""
    assert (result.exit_code, result.stderr) == (exit_code, f"Error: {message}\n")


def named(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    """The commands of a group by their names, those that are imported late as well."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command, name
        yield name, command


@contextmanager
def version(engine: sa.Engine, number: str) -> Iterator[None]:
    """Make the database look as if it had another version's tables."""
    _set_version(engine, number)
    try:
        yield
    finally:
        _set_version(engine, schema_version.HEAD)


def _set_version(engine: sa.Engine, number: str) -> None:
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = :number"), {"number": number})
