"""The command line: the group of all commands, which are loaded when they are called."""

import os
import subprocess
import sys
from functools import partial
from typing import Any

import click

from storekeeper import __version__, log
from storekeeper.cli import database_access, terminal
from storekeeper.database import schema_version
from storekeeper.models import user
from storekeeper.security import setup_token, signing_keys
from storekeeper.security.signing_keys import KeyRing
from storekeeper.server import malloc
from storekeeper.settings import PREFIX, Settings, read_settings

LAZY_COMMANDS = {
    "accept-node": "storekeeper.cli.nodes:accept_node",
    "adopt": "storekeeper.adoption.command:adopt",
    "audit": "storekeeper.cli.changes:print_audit",
    "backup": "storekeeper.cli.backup:back_up",
    "changes": "storekeeper.cli.changes:print_changes",
    "check": "storekeeper.cli.check:check",
    "create-admin": "storekeeper.cli.users:create_admin",
    "export": "storekeeper.cli.items:export_",
    "find": "storekeeper.cli.items:find",
    "history": "storekeeper.cli.changes:print_history",
    "members": "storekeeper.cli.members:members_group",
    "images": "storekeeper.cli.items:images_group",
    "import": "storekeeper.cli.imports:import_",
    "imports": "storekeeper.cli.imports:imports_group",
    "keys": "storekeeper.cli.keys:keys_group",
    "users": "storekeeper.cli.users:users_group",
    "webhooks": "storekeeper.cli.webhooks:webhooks_group",
}


@click.group(
    cls=terminal.ErrorReportingGroup, elsewhere=LAZY_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="storekeeper")
@click.pass_context
def main(ctx: click.Context) -> None:
    """A server for stores, their items and the people who may change them.

    Settings are read from STOREKEEPER_* variables and from storekeeper.toml in the data directory
    (STOREKEEPER_DATA, ./data by default). docs/operating/settings.md lists them all.
    """


@main.command()
@click.option("--host", help="The address to listen on (STOREKEEPER_HOST).")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port to listen on; 0 chooses a free one (STOREKEEPER_PORT)."
)
@click.option("--workers", type=click.IntRange(1, 256), help="The number of worker processes (STOREKEEPER_WORKERS).")
def serve(**given: Any) -> None:
    """Serve the API, its documentation and the console.

    Creates or migrates the database, and creates the signing key if there is none. Ends within 10 seconds of SIGTERM or
    SIGINT.
    """
    from storekeeper.server import run  # noqa: PLC0415  not needed, and slow to load, elsewhere

    # Into the environment, so that each worker reads the same.
    os.environ.update({PREFIX + name.upper(): str(value) for name, value in given.items() if value is not None})
    settings = read_settings()
    _prepare(settings)
    malloc.share_heap()
    writer = log.configure(settings.log_level)
    try:
        run.run(settings, greet=partial(_greet, settings))
    finally:
        writer.close()


@main.command()
def migrate() -> None:
    """Create or migrate the database."""
    settings = read_settings()
    is_changed = database_access.migrate(settings)
    click.echo(f"The database is {'now' if is_changed else 'already'} at version {schema_version.HEAD}.")


def _prepare(settings: Settings) -> None:
    """Migrate for a server, in another process, as the server would keep the modules that a migration loads."""
    with database_access.create_engine(settings).connect() as conn:
        is_current = schema_version.is_current(conn)
    if not is_current:
        done = subprocess.run([sys.executable, "-m", "storekeeper", "migrate"], stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            sys.exit(done.returncode)  # it has said why
    database_access.migrate(settings)
    signing_keys.ensure(settings.keys_path)


def _greet(settings: Settings, port: int) -> None:
    """Print the server's URL and, while there is no administrator, how to create the first one."""
    url = terminal.url(settings.host, port)
    click.echo(f"Storekeeper {__version__} serves {url} (documentation: {url}/docs)")
    if not database_access.run_as_operator(settings, user.has_admin):
        click.echo(terminal.invitation(url, setup_token.create(KeyRing(settings.keys_path))))
    sys.stdout.flush()
