"""The command line: what an operator does that is not a request."""

import getpass
import os
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar, TypeVarTuple

import click
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from storekeeper import __version__, keys, log, names, passwords, schema, setup
from storekeeper.db import create_engine, transaction
from storekeeper.errors import StorekeeperError
from storekeeper.keys import KeyFileError, KeyRing
from storekeeper.models import paging, session, user
from storekeeper.schema import SchemaError
from storekeeper.settings import PREFIX, Settings, SettingsError, read_settings

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

DAY = 86_400


class Failing(click.Group):
    """Says in one line what went wrong, without a trace, and exits with 1; wrong usage exits with 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (StorekeeperError, SettingsError, KeyFileError, SchemaError) as error:
            raise click.ClickException(str(error)) from None
        except DBAPIError as error:
            raise click.ClickException(f"The database does not answer: {_first_line(error.orig)}") from None
        except OSError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Failing, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="storekeeper")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Stores, their items and the people who may change them.

    Settings are read from STOREKEEPER_* variables and from storekeeper.toml in the data directory
    (STOREKEEPER_DATA, ./data by default). docs/operating.md lists them all.
    """


@main.command()
@click.option("--host", help="The address to listen on (STOREKEEPER_HOST).")
@click.option("--port", type=int, help="The port to listen on; 0 takes a free one (STOREKEEPER_PORT).")
@click.option("--workers", type=int, help="How many processes serve (STOREKEEPER_WORKERS).")
def serve(**given: Any) -> None:
    """Serve the API and its documentation.

    Creates the database, or brings it up to date, and makes the signing key where there is none.
    """
    from storekeeper import server  # noqa: PLC0415  not needed, and slow to load, elsewhere

    # Into the environment, so that each worker reads the same.
    os.environ.update({PREFIX + name.upper(): str(value) for name, value in given.items() if value is not None})
    settings = read_settings()
    _prepare(settings)
    _greet(settings)
    scribe = log.configure(settings.log_level)
    try:
        server.run(settings)
    finally:
        scribe.close()


@main.command()
def migrate() -> None:
    """Create the database, or bring it up to date."""
    settings = read_settings()
    _make_data_directory(settings)
    is_changed = schema.migrate(create_engine(settings.database))
    click.echo(f"The database is {'now' if is_changed else 'already'} at version {schema.HEAD}.")


@main.command()
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
def create_admin(name: str, password_stdin: bool) -> None:
    """Add an administrator with the name NAME. Asks for the password."""
    settings = read_settings()
    hashed = _new_password(settings, name, password_stdin)
    _prepare(settings)
    added = _write(settings, user.register, name, hashed, True)
    click.echo(f"{added.username} is an administrator, with the id {added.id}.")


@main.group()
def users() -> None:
    """List users and change what they may do."""


@users.command("list")
def list_users() -> None:
    """List all users: id, name, role and state."""
    settings = read_settings()
    asked: paging.Asked | None = paging.Asked(paging.MOST)
    while asked:
        page = _write(settings, user.page, asked)
        for each in page.rows:
            role = "administrator" if each.is_admin else "user"
            click.echo(f"{each.id}\t{each.username}\t{role}\t{'active' if each.is_active else 'inactive'}")
        asked = paging.Asked(paging.MOST, page.cursor) if page.cursor else None


@users.command("set")
@click.argument("name")
@click.option("--admin/--no-admin", "is_admin", default=None, help="Make the user an administrator, or no longer.")
@click.option("--active/--inactive", "is_active", default=None, help="Let the user log in, or no longer.")
def set_user(name: str, is_admin: bool | None, is_active: bool | None) -> None:
    """Change the role or the state of the user NAME. It holds from the next request on."""
    changed = _write(read_settings(), _set_roles, name, is_admin, is_active)
    click.echo(
        f"{changed.username} is {'an' if changed.is_admin else 'no'} administrator"
        f" and {'active' if changed.is_active else 'inactive'}."
    )


@users.command("reset-password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
def reset_password(name: str, password_stdin: bool) -> None:
    """Give the user NAME a new password. All sessions of the user end."""
    settings = read_settings()
    _write(settings, user.get_by_name, name)
    hashed = _new_password(settings, name, password_stdin)
    count = _write(settings, _reset_password, name, hashed)
    click.echo(f"The password is changed. {count} sessions ended.")


@users.command("end-sessions")
@click.argument("name")
def end_sessions(name: str) -> None:
    """End all sessions of the user NAME."""
    count = _write(read_settings(), _end_sessions, name)
    click.echo(f"{count} sessions ended.")


@main.group("keys")
def keys_group() -> None:
    """List, rotate and remove the keys that sign tokens."""


@keys_group.command("list")
def list_keys() -> None:
    """List the keys, oldest first. The last one signs; secrets are not shown."""
    for key in keys.load(read_settings().keys_path):
        click.echo(f"{key.kid}\t{time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime(key.created_at))}")


@keys_group.command()
def rotate() -> None:
    """Make a new key, which signs from now on. Nobody is signed out.

    The older keys go on verifying as long as a token of theirs can be live, and are then dropped. Running servers
    take the new key up within a second.
    """
    settings = read_settings()
    key = keys.rotate(settings.keys_path, settings.session_days * DAY)
    click.echo(f"{key.kid} signs from now on.")


@keys_group.command()
@click.argument("kid")
def remove(kid: str) -> None:
    """Drop the key KID at once, when its secret may be known to others. Whoever holds a token of it must log in."""
    keys.remove(read_settings().keys_path, kid)
    click.echo(f"{kid} is gone.")


@main.command()
def check() -> None:
    """Check the settings, the keys and the database. Changes nothing; exits with 1 if something is wrong."""
    settings = read_settings()
    click.echo("settings: ok")
    if settings.keys_path.exists():
        click.echo(f"keys: {len(keys.load(settings.keys_path))}, ok")
    else:
        click.echo("keys: none yet; `serve` makes the first")
    _check_database(settings)


def _check_database(settings: Settings) -> None:
    engine = create_engine(settings.database)
    if engine.dialect.name == "sqlite" and not os.path.exists(engine.url.database or ""):
        raise SchemaError("database: there is none yet; `storekeeper migrate` creates it")
    with engine.connect() as conn:
        version = schema.version(conn)
        if version != schema.HEAD:
            raise SchemaError(f"database: at version {version}, not {schema.HEAD}; run `storekeeper migrate`")
        click.echo(f"database: {engine.dialect.name}, version {version}, ok")
        if not user.has_admin(conn):
            click.echo("There is no administrator yet: `storekeeper create-admin NAME` makes one.")


def _set_roles(conn: Connection, name: str, is_admin: bool | None, is_active: bool | None) -> user.User:
    return session.set_roles(conn, user.get_by_name(conn, name).id, is_admin, is_active)


def _reset_password(conn: Connection, name: str, hashed: str) -> int:
    user_id = user.get_by_name(conn, name).id
    user.set_password(conn, user_id, hashed)
    return session.end_others(conn, user_id)


def _end_sessions(conn: Connection, name: str) -> int:
    return session.end_others(conn, user.get_by_name(conn, name).id)


def _write(settings: Settings, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
    with transaction(create_engine(settings.database)) as conn:
        return function(conn, *args)


def _new_password(settings: Settings, name: str, from_stdin: bool) -> str:
    """The hash of a password that is good for this user."""
    names.of_user(name)
    password = sys.stdin.readline().rstrip("\r\n") if from_stdin else _ask()
    passwords.check(password, name, settings.password_length)
    return passwords.create_hasher(settings).hash(password)


def _ask() -> str:
    password = getpass.getpass()
    if getpass.getpass("Again: ") != password:
        raise click.ClickException("The two passwords differ.")
    return password


def _prepare(settings: Settings) -> None:
    _make_data_directory(settings)
    keys.ensure(settings.keys_path)
    schema.migrate(create_engine(settings.database))


def _make_data_directory(settings: Settings) -> None:
    settings.data_path.mkdir(mode=0o700, parents=True, exist_ok=True)


def _greet(settings: Settings) -> None:
    """Say where the server is; and how to make the first administrator, while there is none."""
    url = f"http://{f'[{settings.host}]' if ':' in settings.host else settings.host}:{settings.port}"
    click.echo(f"Storekeeper {__version__} serves {url} (documentation: {url}/docs)")
    if not _write(settings, user.has_admin):
        token = setup.token(KeyRing(settings.keys_path))
        click.echo("There is no administrator yet. Register the first one with this one-time set-up token:")
        click.echo(
            f"  curl {url}/register -H 'Content-Type: application/json' \\\n"
            f"""    -d '{{"username": "admin", "password": "choose one", "setup_token": "{token}"}}'"""
        )
    sys.stdout.flush()


def _first_line(error: BaseException | None) -> str:
    return (str(error).splitlines() or ["no reason given"])[0]
