"""The command line of members: who works in a store, and stores that nobody owns."""

from typing import get_args

import click

from storekeeper.cli import terminal
from storekeeper.cli.database_access import run_as_operator
from storekeeper.models import store_member
from storekeeper.models.noted_rights import Role
from storekeeper.settings import read_settings


@click.group("members")
def members_group() -> None:
    """List who works in a store, give somebody a role there, and find stores that nobody owns."""


@members_group.command("list")
@click.argument("store", type=terminal.NameParamType())
def list_members(store: str) -> None:
    """List who works in the store STORE, one a line: user and role, with a tab in between."""
    for each in run_as_operator(read_settings(), store_member.every, store):
        click.echo(f"{each.username}\t{each.role}")


@members_group.command("set")
@click.argument("store", type=terminal.NameParamType())
@click.argument("name")
@click.option("--role", type=click.Choice(get_args(Role)), required=True, help="What the user is in the store.")
def set_member(store: str, name: str, role: Role) -> None:
    """Let the user NAME work in the store STORE, or give NAME another role there. A store keeps at least one owner."""
    put, _ = run_as_operator(read_settings(), store_member.put, None, store, name, role)
    click.echo(f"{put.username} is {'an owner' if put.role == 'owner' else 'a clerk'} of '{store}'.")


@members_group.command("without-owner")
def list_without_owner() -> None:
    """List the stores that nobody owns, one a line: id and name, with a tab in between."""
    for each in run_as_operator(read_settings(), store_member.without_owner):
        click.echo(terminal.printable(f"{each.id}|{each.name}").replace("|", "\t", 1))
