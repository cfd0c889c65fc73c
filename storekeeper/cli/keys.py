"""The command line of the signing keys."""

import time
from contextlib import suppress

import click
from sqlalchemy.exc import DBAPIError

from storekeeper.cli import terminal
from storekeeper.cli.database_access import run_as_operator
from storekeeper.database import schema_version
from storekeeper.models import installation
from storekeeper.security import signing_keys
from storekeeper.settings import Settings, read_settings

DAY = 86_400


@click.group("keys")
def keys_group() -> None:
    """List, rotate and remove the keys that sign tokens."""


@keys_group.command("list")
def list_keys() -> None:
    """List the keys, oldest first, with their times, and which one signs or will sign. Secrets are not shown."""
    found = signing_keys.load(read_settings().keys_path)
    signing, *waiting = signing_keys.schedule(found)
    states = {signing.kid: "signs"} | {each.kid: f"signs from {_utc(each.signs_at)}" for each in waiting}
    for key in found:
        click.echo(f"{key.kid}\t{_utc(key.created_at)}\t{states.get(key.kid, 'verifies')}")


@keys_group.command()
@click.option(
    "--now",
    is_flag=True,
    help=("Sign with it at once, after a leak. Nodes that do not have the key yet refuse its tokens."),
)
def rotate(now: bool) -> None:
    """Create a new key, which verifies at once and signs in 10 minutes. Nobody is signed out.

    Until then copy the key file to nodes that do not share it. Older keys verify as long as one of their tokens can be
    live, and are then dropped. Running servers read the new key within a second.
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
    """Drop the key KID at once, if others may know its secret. Users with a token of that key must log in again."""
    settings = read_settings()
    signing_keys.remove(settings.keys_path, kid)
    click.echo(f"{kid} is gone.")
    _record_keys(settings)


def _record_keys(settings: Settings) -> None:
    """Record in the database which keys are right. If it has no tables yet, the first server does so."""
    try:
        with suppress(schema_version.SchemaError):
            run_as_operator(
                settings, installation.record_keys, signing_keys.schedule(signing_keys.load(settings.keys_path))
            )
    except DBAPIError as error:
        raise click.ClickException(
            f"{terminal.explain(error)}. It does not know of the change: `storekeeper accept-node` tells it later."
        ) from None


def _utc(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
