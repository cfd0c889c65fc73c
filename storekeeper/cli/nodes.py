"""The command line of nodes: record which node is right if they differ."""

from io import BytesIO

import click
from sqlalchemy import Connection

from storekeeper.cli.database_access import run_as_operator
from storekeeper.files.storage import MARK, Storage, create_storage, new_mark
from storekeeper.models import installation
from storekeeper.security import signing_keys
from storekeeper.settings import read_settings


@click.command("accept-node")
def accept_node() -> None:
    """Record that the signing keys and the storage of this node are the right ones.

    Use it if the database has recorded others: after a key file was replaced by hand or lost, or files have moved.
    Nodes with other keys, or with another storage, then no longer match.
    """
    settings = read_settings()
    scheduled = signing_keys.schedule(signing_keys.load(settings.keys_path))
    mark = (storage := create_storage(settings)).find_mark() or _make_mark(storage)
    run_as_operator(settings, _accept, scheduled, mark)
    click.echo(f"The key {scheduled[0].kid} and the storage of this node are the right ones.")


def _accept(conn: Connection, scheduled: list[signing_keys.Scheduled], mark: str) -> None:
    installation.record_keys(conn, scheduled)
    installation.record_storage_mark(conn, mark)


def _make_mark(storage: Storage) -> str:
    mark = new_mark()
    storage.copy_from(MARK, BytesIO(mark.encode()))
    return mark
