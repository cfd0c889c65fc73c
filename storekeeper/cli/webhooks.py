"""The command line of webhooks: the operator's own, all deliveries, and the process that sends."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from secrets import token_hex

import click

from storekeeper import log
from storekeeper.cli import terminal
from storekeeper.cli.database_access import all_pages, run_as_operator
from storekeeper.concurrency.heartbeat import HeartbeatWriter
from storekeeper.concurrency.rate_limiter import DeliveryLimits
from storekeeper.database import schema_version
from storekeeper.database.executor import Database
from storekeeper.domain import webhook_url
from storekeeper.domain.webhook_url import AllowedNetworks
from storekeeper.models import paging, webhook, webhook_delivery
from storekeeper.settings import Settings, read_settings
from storekeeper.webhooks.http_client import WebhookClient
from storekeeper.webhooks.sender import WebhookSender


@click.group("webhooks")
def webhooks_group() -> None:
    """Add, list and remove webhooks, list their deliveries, and send."""


@webhooks_group.command("list")
def list_webhooks() -> None:
    """List all webhooks, one line each: id, state, store and URL, separated by tabs; for a stopped one also the reason.

    A pending webhook waits for its receiver to answer a challenge. An orphaned one waits to be taken over, as its owner
    has lost the right to it.
    """
    engine = schema_version.open_engine(read_settings().database)
    for each in all_pages(
        engine, lambda conn, cursor: webhook.page(conn, None, paging.PageRequest(paging.MAX_PAGE_SIZE, cursor))
    ):
        line = terminal.printable(f"{each.id}|{each.state}|{each.store or ''}|{each.url}").replace("|", "\t", 3)
        click.echo(f"{line}\t{each.reason}" if each.reason and each.state == "paused" else line)


@webhooks_group.command("add")
@click.argument("url")
@click.option("--store", type=terminal.NameParamType(), help="Only the changes of this store.")
def add_webhook(url: str, store: str | None) -> None:
    """Send all changes from now on to URL. Prints the webhook's id and its secret, which is shown only once.

    The webhook is pending until its receiver answers a challenge, or until `webhooks verify` gets that challenge.
    """
    settings = read_settings()
    AllowedNetworks(settings.webhook_networks).check(webhook_url.read(url))
    added = run_as_operator(settings, webhook.add, None, url, store)
    _show_secret(added)


@webhooks_group.command("remove")
@click.argument("webhook_id", type=terminal.ID)
def remove_webhook(webhook_id: int) -> None:
    """Delete the webhook WEBHOOK_ID, with its unsent messages."""
    run_as_operator(read_settings(), webhook.delete, None, webhook_id)
    click.echo(f"Webhook {webhook_id} is deleted.")


@webhooks_group.command("verify")
@click.argument("webhook_id", type=terminal.ID)
@click.argument("challenge", required=False)
def verify_webhook(webhook_id: int, challenge: str | None) -> None:
    """Verify the webhook WEBHOOK_ID by the CHALLENGE that its receiver got; without it, send the challenge again."""
    verified = run_as_operator(read_settings(), webhook.verify, None, webhook_id, challenge)
    click.echo(f"Webhook {webhook_id} is {verified.state}.")


@webhooks_group.command("take-over")
@click.argument("webhook_id", type=terminal.ID)
def take_over_webhook(webhook_id: int) -> None:
    """Make the operator the owner of the webhook WEBHOOK_ID, and activate it.

    Prints its id and its new secret, which is shown only once. The former secrets become invalid.
    """
    _show_secret(run_as_operator(read_settings(), webhook.take_over, None, webhook_id))


@webhooks_group.command("deliveries")
@click.argument("webhook_id", type=terminal.ID)
def list_deliveries(webhook_id: int) -> None:
    """List the sent and waiting messages of the webhook WEBHOOK_ID, newest first.

    One line each: id, message, type, state, attempts, the last status and the last error, separated by tabs.
    """
    engine = schema_version.open_engine(read_settings().database)
    for each in all_pages(
        engine,
        lambda conn, cursor: webhook_delivery.page(
            conn, None, webhook_id, None, paging.PageRequest(paging.MAX_PAGE_SIZE, cursor, "-id")
        ),
    ):
        columns = each.id, each.message_id, each.type, each.state, each.attempts, each.status or "", each.error or ""
        click.echo("\t".join(map(str, columns)))


@webhooks_group.command("replay")
@click.argument("webhook_id", type=terminal.ID)
@click.option("--after", type=click.IntRange(0, terminal.MAX_INTEGER), help="Send all changes after this cursor.")
@click.option("--delivery", "delivery_id", type=terminal.ID, help="Send the message of this delivery.")
def replay(webhook_id: int, after: int | None, delivery_id: int | None) -> None:
    """Send messages of the webhook WEBHOOK_ID again, with their original ids."""
    if (after is None) == (delivery_id is None):
        raise click.UsageError("Say what to send: --after or --delivery.")
    settings = read_settings()
    if after is not None:
        run_as_operator(settings, webhook.go_back, None, webhook_id, after)
    if delivery_id is not None:
        run_as_operator(settings, webhook_delivery.replay, None, webhook_id, delivery_id)
    click.echo("It will be sent.")


@webhooks_group.command("run")
@click.option("--beside", type=int, help="The id of the parent process: end when it has ended.")
@click.option(
    "--supervised", is_flag=True, help="Write heartbeats to standard output, for the server that started the command."
)
def run_webhooks(beside: int | None, supervised: bool) -> None:
    """Send the messages of webhooks, as long as there are webhooks that no other process serves.

    A server starts this command by itself.
    """
    settings = read_settings()
    schema_version.open_engine(settings.database)
    writer = log.configure(settings.log_level)
    heartbeat = HeartbeatWriter(token_hex(8), 1 if supervised else None)
    try:
        was_told = asyncio.run(_send(settings, lambda: beside in (None, os.getppid()), heartbeat))
    finally:
        writer.close()
    if supervised and was_told:  # not in want of work: the server starts another, unless it ends itself
        sys.exit(128 + signal.SIGTERM)


async def _send(settings: Settings, is_needed: Callable[[], bool], heartbeat: HeartbeatWriter) -> bool:
    """Whether it was told to end."""
    limits = DeliveryLimits(settings.webhook_rate, settings.webhook_connections)
    db, client = Database(settings.database), WebhookClient(AllowedNetworks(settings.webhook_networks), limits=limits)
    sender = WebhookSender(db, client, is_needed=is_needed, heartbeat=heartbeat, limits=limits)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, sender.end)
    try:
        await sender.run()
    finally:
        client.close()
        db.close()
    return sender.is_ending


def _show_secret(hook: webhook.NewSecret) -> None:
    assert hook.secret
    click.echo(f"{hook.id}\t{hook.secret.value}")
