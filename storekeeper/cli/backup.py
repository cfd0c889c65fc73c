"""The command line of backups: copy an SQLite database while servers run, and record when."""

import os
import time
from pathlib import Path

import click
from sqlalchemy import Connection, Engine

from storekeeper.database import schema_version
from storekeeper.database.engine import transaction
from storekeeper.models import system
from storekeeper.settings import read_settings


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--noted", is_flag=True, help="Only record that a backup was made just now, by pg_dump for example.")
def back_up(file: Path | None, noted: bool) -> None:
    """Copy an SQLite database into FILE while servers run, and record the time.

    FILE must not exist yet. Only its owner can read it. The command checks the copy, which does not contain the key
    file and the folder of files. PostgreSQL is backed up by pg_dump: record that with --noted. The console shows the
    time.
    """
    if (file is None) != noted:
        raise click.UsageError("Say what to do: FILE or --noted.")
    database, now = read_settings().database, int(time.time())
    engine = schema_version.engine_of_existing(database) if file else schema_version.open_engine(database)
    if file:
        _copy(engine, file)
        click.echo(f"{file} has the database as it was, {file.stat().st_size:,} bytes.")
    with transaction(engine) as conn:
        if schema_version.is_current(conn):  # that of another version is copied, too: before an upgrade
            system.note_backup(conn, now)
    if noted:
        click.echo("It is noted.")


def _copy(engine: Engine, file: Path) -> None:
    """Copy one state of the database, complete and on the disk; delete the file if that fails."""
    if engine.dialect.name != "sqlite":
        raise click.ClickException(
            "PostgreSQL is backed up by pg_dump. `storekeeper backup --noted` notes that it was."
        )
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # SQLite takes one that is empty
    try:
        with engine.connect() as conn:
            _fill(conn, file.resolve())
        with file.open("rb") as copy:
            os.fsync(copy.fileno())
    except BaseException:
        file.unlink()
        raise


def _fill(conn: Connection, file: Path) -> None:
    conn.exec_driver_sql("VACUUM INTO :file", {"file": str(file)})
    conn.exec_driver_sql("ATTACH :file AS copy", {"file": str(file)})
    found = conn.exec_driver_sql("PRAGMA copy.integrity_check").scalars().all()
    if found != ["ok"]:
        raise click.ClickException(f"The database is damaged, and so is its copy, which is not kept: {found[0]}")
