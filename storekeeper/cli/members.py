"""The command line of members: the people of a store, their roles, and stores that nobody owns."""

from typing import get_args

import click

from storekeeper.cli import terminal
from storekeeper.cli.database_access import run_as_operator
from storekeeper.models import store_member
from storekeeper.models.noted_rights import Role
from storekeeper.settings import read_settings


@click.group("members")
def members_group() -> None:
    """List the members of a store, give a user a role there, and list stores that nobody owns."""


@members_group.command("list")
@click.argument("store", type=terminal.NameParamType())
def list_members(store: str) -> None:
    """List the members of the store STORE, one line each: user and role, separated by a tab."""
    for each in run_as_operator(read_settings(), store_member.list_all, store):
        click.echo(f"{each.username}\t{each.role}")


@members_group.command("set")
@click.argument("store", type=terminal.NameParamType())
@click.argument("name")
@click.option("--role", type=click.Choice(get_args(Role)), required=True, help="The role of the user in the store.")
def set_member(store: str, name: str, role: Role) -> None:
    """Make the user NAME a member of the store STORE, or change their role there. A store keeps at least one owner."""
    put, _ = run_as_operator(read_settings(), store_member.put, None, store, name, role)
    click.echo(f"{put.username} is {'an owner' if put.role == 'owner' else 'a clerk'} of '{store}'.")


@members_group.command("without-owner")
def list_without_owner() -> None:
    """List the stores that nobody owns, one line each: id and name, separated by a tab."""
    for each in run_as_operator(read_settings(), store_member.without_owner):
        click.echo(terminal.printable(f"{each.id}|{each.name}").replace("|", "\t", 1))
