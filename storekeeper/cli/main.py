"""The command line: what an operator does that is not a request."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

import click
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from storekeeper import __version__, log
from storekeeper.cli import terminal
from storekeeper.database import schema_version
from storekeeper.database.engine import create_engine, transaction
from storekeeper.domain import names
from storekeeper.errors import AlreadyExists, LastOwner, NotFound
from storekeeper.models import installation, journal, paging, session, store_member, user
from storekeeper.models.store import Store
from storekeeper.security import passwords, setup_token, signing_keys
from storekeeper.security.signing_keys import KeyRing
from storekeeper.server import malloc
from storekeeper.settings import PREFIX, Settings, read_settings

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

DAY = 86_400
ELSEWHERE = {
    "accept-node": "storekeeper.cli.nodes:accept_node",
    "adopt": "storekeeper.adoption.command:adopt",
    "audit": "storekeeper.cli.changes:print_audit",
    "backup": "storekeeper.cli.backup:back_up",
    "changes": "storekeeper.cli.changes:print_changes",
    "check": "storekeeper.cli.check:check",
    "export": "storekeeper.cli.items:export_",
    "find": "storekeeper.cli.items:find",
    "history": "storekeeper.cli.changes:print_history",
    "members": "storekeeper.cli.members:members_group",
    "images": "storekeeper.cli.items:images_group",
    "import": "storekeeper.cli.imports:import_",
    "imports": "storekeeper.cli.imports:imports_group",
    "webhooks": "storekeeper.cli.webhooks:webhooks_group",
}
PASSWORD_STDIN = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking."
)


@click.group(cls=terminal.Failing, elsewhere=ELSEWHERE, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="storekeeper")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Stores, their items and the people who may change them.

    Settings are read from STOREKEEPER_* variables and from storekeeper.toml in the data directory
    (STOREKEEPER_DATA, ./data by default). docs/operating/settings.md lists them all.
    """


@main.command()
@click.option("--host", help="The address to listen on (STOREKEEPER_HOST).")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port to listen on; 0 takes a free one (STOREKEEPER_PORT)."
)
@click.option("--workers", type=click.IntRange(1, 256), help="How many processes serve (STOREKEEPER_WORKERS).")
def serve(**given: Any) -> None:
    """Serve the API and its documentation.

    Creates the database, or brings it up to date, and makes the signing key where there is none. Ends within 10
    seconds of SIGTERM or SIGINT.
    """
    from storekeeper.server import run  # noqa: PLC0415  not needed, and slow to load, elsewhere

    # Into the environment, so that each worker reads the same.
    os.environ.update({PREFIX + name.upper(): str(value) for name, value in given.items() if value is not None})
    settings = read_settings()
    _prepare(settings)
    malloc.share_heap()
    scribe = log.configure(settings.log_level)
    try:
        run.run(settings, greet=partial(_greet, settings))
    finally:
        scribe.close()


@main.command()
def migrate() -> None:
    """Create the database, or bring it up to date."""
    settings = read_settings()
    is_changed = _migrate(settings)
    click.echo(f"The database is {'now' if is_changed else 'already'} at version {schema_version.HEAD}.")


@main.command()
@click.argument("name")
@PASSWORD_STDIN
def create_admin(name: str, password_stdin: bool) -> None:
    """Add an administrator with the name NAME. Asks for the password.

    Creates the database, too, where there is none.
    """
    settings = read_settings()
    names.of_new_user(name)
    _migrate(settings)
    added = _add_user(settings, name, password_stdin, True)
    click.echo(f"{added.username} is an administrator, with the id {added.id}.")


@main.group()
def users() -> None:
    """Add and list users, and change what they may do."""


@users.command("add")
@click.argument("name")
@PASSWORD_STDIN
def add_user(name: str, password_stdin: bool) -> None:
    """Add a user with the name NAME, also while registration is closed. Asks for the password."""
    added = _add_user(read_settings(), name, password_stdin, False)
    click.echo(f"{added.username} is a user, with the id {added.id}.")


@users.command("list")
def list_users() -> None:
    """List all users, one a line: id, name, role and state, with tabs in between."""
    settings = read_settings()
    asked: paging.Asked | None = paging.Asked(paging.MOST)
    while asked:
        page = _do(settings, user.page, asked)
        for each in page.rows:
            role = "administrator" if each.is_admin else "user"
            state = "active" if each.is_active else "inactive"
            due = ", has to choose a new password" if each.must_change_password else ""
            click.echo(f"{each.id}\t{each.username}\t{role}\t{state}{due}")
        asked = paging.Asked(paging.MOST, page.cursor) if page.cursor else None


@users.command("set")
@click.argument("name")
@terminal.pair("--admin/--no-admin", "is_admin", "Make the user an administrator, or no longer.")
@terminal.pair("--active/--inactive", "is_active", "Let the user log in, or no longer.")
def set_user(name: str, is_admin: bool | None, is_active: bool | None) -> None:
    """Change the role or the state of the user NAME. It holds from the next request on."""
    if is_admin is None and is_active is None:
        raise click.UsageError("Say what to change: --admin, --no-admin, --active or --inactive.")
    changed = _do(read_settings(), _set_roles, name, is_admin, is_active)
    click.echo(
        f"{changed.username} is {'an' if changed.is_admin else 'no'} administrator"
        f" and {'active' if changed.is_active else 'inactive'}."
    )


@users.command("reset-password")
@click.argument("name")
@PASSWORD_STDIN
def reset_password(name: str, password_stdin: bool) -> None:
    """Give the user NAME a new password. All sessions of the user end."""
    settings = read_settings()
    _do(settings, user.get_by_name, name)
    hashed = _new_password(settings, name, password_stdin)
    count = _do(settings, _reset_password, name, hashed)
    click.echo(f"The password is changed. Sessions ended: {count}.")


@users.command("require-new-password")
@click.argument("names", metavar="NAME...", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="All users.")
def require_new_password(names: tuple[str, ...], is_all: bool) -> None:
    """End the sessions of the users NAME..., and make each choose a new password at the next login.

    For when their passwords, or the hashes of these, may be known to others. Whoever knows such a password can still
    use it to choose the new one: where you fear that, set one yourself with `users reset-password`.
    """
    if is_all == bool(names):
        raise click.UsageError("Name the users, or say --all.")
    count, ended = _do(read_settings(), _require_new_passwords, None if is_all else names)
    click.echo(f"Users who have to choose a new password: {count}. Sessions ended: {ended}.")


@users.command("delete")
@click.argument("name")
@click.option("--stores-to", "heir", help="The user who becomes the owner of the stores that nobody else owns.")
def delete_user(name: str, heir: str | None) -> None:
    """Delete the user NAME.

    Refused while there are stores that nobody else owns, unless --stores-to says who gets them.
    """
    try:
        handed = _do(read_settings(), _delete_user, name, heir)
    except LastOwner as error:
        raise click.ClickException(f"{error} --stores-to names a user.") from None
    click.echo(f"The account of {name} is deleted.")
    for each in handed:
        click.echo(f"{heir} owns the store '{each.name}' now.")


@users.command("end-sessions")
@click.argument("name")
def end_sessions(name: str) -> None:
    """End all sessions of the user NAME."""
    count = _do(read_settings(), _end_sessions, name)
    click.echo(f"Sessions ended: {count}.")


@main.group("keys")
def keys_group() -> None:
    """List, rotate and remove the keys that sign tokens."""


@keys_group.command("list")
def list_keys() -> None:
    """List the keys, oldest first, with the time of each, and which one signs or will. Secrets are not shown."""
    found = signing_keys.load(read_settings().keys_path)
    signing, *waiting = signing_keys.schedule(found)
    states = {signing.kid: "signs"} | {each.kid: f"signs from {_utc(each.signs_at)}" for each in waiting}
    for key in found:
        click.echo(f"{key.kid}\t{_utc(key.created_at)}\t{states.get(key.kid, 'verifies')}")


@keys_group.command()
@click.option(
    "--now", is_flag=True, help="Let it sign at once, after a leak: nodes that have not got it yet refuse it."
)
def rotate(now: bool) -> None:
    """Make a new key, which verifies at once and signs in 10 minutes. Nobody is signed out.

    Until then copy the key file to nodes that do not share it. The older keys go on verifying as long as a token of
    theirs can be live, and are then dropped. Running servers take the new key up within a second.
    """
    settings = read_settings()
    key = signing_keys.rotate(settings.keys_path, settings.session_days * DAY, at_once=now)
    click.echo(
        f"{key.kid} signs {'from now on' if now else f'from {_utc(int(time.time()) + signing_keys.SIGNS_AFTER)} on'}."
    )
    _record_keys(settings)


@keys_group.command()
@click.argument("kid")
def remove(kid: str) -> None:
    """Drop the key KID at once, when its secret may be known to others. Whoever holds a token of it must log in."""
    settings = read_settings()
    signing_keys.remove(settings.keys_path, kid)
    click.echo(f"{kid} is gone.")
    _record_keys(settings)


def _record_keys(settings: Settings) -> None:
    """Tell the database which keys are the right ones now. One without tables yet hears so from the first server."""
    try:
        with suppress(schema_version.SchemaError):
            _do(settings, installation.record_keys, signing_keys.schedule(signing_keys.load(settings.keys_path)))
    except DBAPIError as error:
        raise click.ClickException(
            f"{terminal.explain(error)}. It does not know of the change: `storekeeper accept-node` tells it later."
        ) from None


def _utc(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def _set_roles(conn: Connection, name: str, is_admin: bool | None, is_active: bool | None) -> user.User:
    return session.change_user(conn, user.get_by_name(conn, name).id, is_admin, is_active)


def _delete_user(conn: Connection, name: str, heir: str | None) -> list[Store]:
    return store_member.delete_user(conn, None, user.get_by_name(conn, name).id, heir)


def _reset_password(conn: Connection, name: str, hashed: str) -> int:
    user_id = user.get_by_name(conn, name).id
    return session.reset_password(conn, user_id, hashed)


def _require_new_passwords(conn: Connection, names: tuple[str, ...] | None) -> tuple[int, int]:
    """How many users they are, and how many of their sessions end."""
    ids = user.all_ids(conn) if names is None else [user.get_by_name(conn, name).id for name in names]
    ended = sum(session.end_others(conn, id) for id in ids)
    for id in ids:
        user.change(conn, id, must_change_password=True)
    return len(ids), ended


def _end_sessions(conn: Connection, name: str) -> int:
    return session.end_others(conn, user.get_by_name(conn, name).id)


def _add_user(settings: Settings, name: str, password_stdin: bool, is_admin: bool) -> user.User:
    names.of_new_user(name)
    _do(settings, _refuse_taken, name)  # before anybody is asked for a password
    hashed = _new_password(settings, name, password_stdin)
    return _do(settings, user.add, name, hashed, is_admin)


def _refuse_taken(conn: Connection, name: str) -> None:
    with suppress(NotFound):
        known = user.get_by_name(conn, name).username
        raise AlreadyExists(f"A user '{known}' exists. `storekeeper users set {known}` changes what they may do.")


def _do(settings: Settings, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
    """Run a model's function in a transaction, if the database is there and has this version's tables."""
    with transaction(schema_version.open_engine(settings.database)) as conn, journal.signed(conn, journal.OPERATOR):
        return function(conn, *args)


def _new_password(settings: Settings, name: str, from_stdin: bool) -> str:
    """The hash of a password that is good for this user."""
    password = terminal.read_password() if from_stdin else terminal.ask_password()
    passwords.check(password, name, settings.password_length)
    return passwords.create_hasher(settings).hash(password)


def _prepare(settings: Settings) -> None:
    """For a server. A migration has a process of its own: what that loads, the server would keep for good."""
    if not _is_current(settings):
        done = subprocess.run([sys.executable, "-m", "storekeeper", "migrate"], stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            sys.exit(done.returncode)  # it has said why
    _migrate(settings)
    signing_keys.ensure(settings.keys_path)


def _is_current(settings: Settings) -> bool:
    with _create_engine(settings).connect() as conn:
        return schema_version.is_current(conn)


def _migrate(settings: Settings) -> bool:
    return schema_version.migrate(_create_engine(settings), partial(click.echo, err=True))


def _create_engine(settings: Settings) -> Engine:
    """Of a database that may not be there yet."""
    settings.data_path.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_engine(settings.database)
    if engine.dialect.name == "sqlite":  # it holds the passwords' hashes: for its owner only
        Path(str(engine.url.database)).touch(mode=0o600)
    return engine


def _greet(settings: Settings, port: int) -> None:
    """Say where the server is; and how to make the first administrator, while there is none."""
    url = terminal.url(settings.host, port)
    click.echo(f"Storekeeper {__version__} serves {url} (documentation: {url}/docs)")
    if not _do(settings, user.has_admin):
        click.echo(terminal.invitation(url, setup_token.token(KeyRing(settings.keys_path))))
    sys.stdout.flush()
