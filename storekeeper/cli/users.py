"""The command line of users: add, list, change and delete them."""

from contextlib import suppress

import click
from sqlalchemy import Connection

from storekeeper.cli import terminal
from storekeeper.cli.database_access import all_pages, migrate, run_as_operator
from storekeeper.database import schema_version
from storekeeper.domain import names
from storekeeper.errors import AlreadyExists, LastOwner, NotFound
from storekeeper.models import paging, session, store_member, user
from storekeeper.models.store import Store
from storekeeper.security import passwords
from storekeeper.settings import Settings, read_settings

PASSWORD_STDIN = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking."
)


@click.command("create-admin")
@click.argument("name")
@PASSWORD_STDIN
def create_admin(name: str, password_stdin: bool) -> None:
    """Add an administrator with the name NAME. Asks for the password.

    Creates the database if there is none.
    """
    settings = read_settings()
    names.of_new_user(name)
    migrate(settings)
    added = _add_user(settings, name, password_stdin, True)
    click.echo(f"{added.username} is an administrator, with the id {added.id}.")


@click.group("users")
def users_group() -> None:
    """Add, list, change and delete users."""


@users_group.command("add")
@click.argument("name")
@PASSWORD_STDIN
def add_user(name: str, password_stdin: bool) -> None:
    """Add a user with the name NAME, also while registration is closed. Asks for the password."""
    added = _add_user(read_settings(), name, password_stdin, False)
    click.echo(f"{added.username} is a user, with the id {added.id}.")


@users_group.command("list")
def list_users() -> None:
    """List all users, one line each: id, name, role and state, separated by tabs."""
    engine = schema_version.open_engine(read_settings().database)
    for each in all_pages(
        engine, lambda conn, cursor: user.page(conn, paging.PageRequest(paging.MAX_PAGE_SIZE, cursor))
    ):
        role = "administrator" if each.is_admin else "user"
        state = "active" if each.is_active else "inactive"
        due = ", has to choose a new password" if each.must_change_password else ""
        click.echo(f"{each.id}\t{each.username}\t{role}\t{state}{due}")


@users_group.command("set")
@click.argument("name")
@terminal.pair("--admin/--no-admin", "is_admin", "Make the user an administrator, or no longer.")
@terminal.pair("--active/--inactive", "is_active", "Let the user log in, or no longer.")
def set_user(name: str, is_admin: bool | None, is_active: bool | None) -> None:
    """Change the role or the state of the user NAME. This takes effect at the next request."""
    if is_admin is None and is_active is None:
        raise click.UsageError("Say what to change: --admin, --no-admin, --active or --inactive.")
    changed = run_as_operator(read_settings(), _set_roles, name, is_admin, is_active)
    click.echo(
        f"{changed.username} is {'an' if changed.is_admin else 'no'} administrator"
        f" and {'active' if changed.is_active else 'inactive'}."
    )


@users_group.command("reset-password")
@click.argument("name")
@PASSWORD_STDIN
def reset_password(name: str, password_stdin: bool) -> None:
    """Give the user NAME a new password, and end their sessions."""
    settings = read_settings()
    run_as_operator(settings, user.get_by_name, name)
    hashed = _new_password(settings, name, password_stdin)
    count = run_as_operator(settings, _reset_password, name, hashed)
    click.echo(f"The password is changed. Sessions ended: {count}.")


@users_group.command("require-new-password")
@click.argument("names", metavar="NAME...", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="All users.")
def require_new_password(names: tuple[str, ...], is_all: bool) -> None:
    """End the sessions of the users NAME..., and require each to choose a new password at the next login.

    Use it if others may know their passwords, or the hashes of these. Anybody who knows such a password can still use
    it to choose the new one: if that is a risk, set a new one yourself with `users reset-password`.
    """
    if is_all == bool(names):
        raise click.UsageError("Name the users, or say --all.")
    count, ended = run_as_operator(read_settings(), _require_new_passwords, None if is_all else names)
    click.echo(f"Users who have to choose a new password: {count}. Sessions ended: {ended}.")


@users_group.command("delete")
@click.argument("name")
@click.option("--stores-to", "heir", help="The new owner of the stores that nobody else owns.")
def delete_user(name: str, heir: str | None) -> None:
    """Delete the user NAME.

    Refused while the user is the only owner of a store, unless --stores-to names the new owner.
    """
    try:
        handed = run_as_operator(read_settings(), _delete_user, name, heir)
    except LastOwner as error:
        raise click.ClickException(f"{error} --stores-to names a user.") from None
    click.echo(f"The account of {name} is deleted.")
    for each in handed:
        click.echo(f"{heir} owns the store '{each.name}' now.")


@users_group.command("end-sessions")
@click.argument("name")
def end_sessions(name: str) -> None:
    """End all sessions of the user NAME."""
    count = run_as_operator(read_settings(), _end_sessions, name)
    click.echo(f"Sessions ended: {count}.")


def _set_roles(conn: Connection, name: str, is_admin: bool | None, is_active: bool | None) -> user.User:
    return session.change_user(conn, user.get_by_name(conn, name).id, is_admin, is_active)


def _delete_user(conn: Connection, name: str, heir: str | None) -> list[Store]:
    return store_member.delete_user(conn, None, user.get_by_name(conn, name).id, heir)


def _reset_password(conn: Connection, name: str, hashed: str) -> int:
    user_id = user.get_by_name(conn, name).id
    return session.reset_password(conn, user_id, hashed)


def _require_new_passwords(conn: Connection, names: tuple[str, ...] | None) -> tuple[int, int]:
    """Return the number of users, and of their ended sessions."""
    ids = user.all_ids(conn) if names is None else [user.get_by_name(conn, name).id for name in names]
    ended = sum(session.end_others(conn, id) for id in ids)
    for id in ids:
        user.change(conn, id, must_change_password=True)
    return len(ids), ended


def _end_sessions(conn: Connection, name: str) -> int:
    return session.end_others(conn, user.get_by_name(conn, name).id)


def _add_user(settings: Settings, name: str, password_stdin: bool, is_admin: bool) -> user.User:
    names.of_new_user(name)
    run_as_operator(settings, _refuse_taken, name)  # before anybody is asked for a password
    hashed = _new_password(settings, name, password_stdin)
    return run_as_operator(settings, user.add, name, hashed, is_admin)


def _refuse_taken(conn: Connection, name: str) -> None:
    with suppress(NotFound):
        known = user.get_by_name(conn, name).username
        raise AlreadyExists("username_taken_by", username=known)


def _new_password(settings: Settings, name: str, from_stdin: bool) -> str:
    """Ask for a password that is valid for this user, and return its hash."""
    password = terminal.read_password() if from_stdin else terminal.ask_password()
    passwords.check(password, name, settings.password_length)
    return passwords.create_hasher(settings).hash(password)
