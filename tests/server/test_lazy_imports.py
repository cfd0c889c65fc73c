"""What a server has loaded once it is up: nothing that only some servers ever need. Else each worker pays for it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from storekeeper.settings import Settings

# As `storekeeper serve` does, but for the socket. Each chore has run once at the end.
START = """
import asyncio, json, sys
import storekeeper.cli.main
from storekeeper.server.run import create_worker_app
from storekeeper.settings import read_settings

settings = read_settings()
storekeeper.cli.main._prepare(settings)
create_worker_app()

from storekeeper.app import create_app
from storekeeper.components import create_parts

async def live():
    parts, asked, answered = create_parts(settings), asyncio.Queue(), asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
    life = asyncio.create_task(create_app(settings, parts)(scope, asked.get, answered.put))
    await asked.put({"type": "lifespan.startup"})
    assert (await answered.get())["type"] == "lifespan.startup.complete"
    while not all(task.last_success for task in parts.periodic_tasks.states):
        await asyncio.sleep(0.05)
    await asked.put({"type": "lifespan.shutdown"})
    await life

asyncio.run(live())
print(json.dumps(list(sys.modules)))
"""
# Each with who asks for it: to say so is easier than to find out.
SELDOM = {
    "PIL": "the first image",
    "obstore": "the first file, of an image or an import",
    "python_calamine": "the import of a workbook, which has a process of its own",
    "sqlite3": "imports and `adopt`; the server has pysqlite3",
    "h11": "the sending of webhooks, which has a process of its own",
    "alembic": "a database that is not of this version",
    "jinja2": "the first page of the console",
    "storekeeper.console": "the first page of the console",
    "storekeeper.adoption": "`adopt`",
    "sqlalchemy.orm": "nobody",
    "sqlalchemy.ext.asyncio": "nobody",
}
OF_THE_OTHER = {
    "sqlite": ("psycopg", "sqlalchemy.dialects.postgresql"),
    "postgresql": ("pysqlite3",),
}


@pytest.fixture
def loaded(settings: Settings) -> set[str]:
    return load(settings.data, settings.database_url)


def load(data: str, database_url: str) -> set[str]:
    """The modules of a server that has started with these."""
    given = {"STOREKEEPER_DATA": data, "STOREKEEPER_DATABASE_URL": database_url}
    environment = {**os.environ, **given, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", START], env=environment, capture_output=True, text=True, check=True)
    # Before it may stand what a chore has logged.
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_a_server_starts_without_what_only_some_need(loaded: set[str], settings: Settings) -> None:
    kind = settings.database_url.partition(":")[0]
    assert loaded.isdisjoint([*SELDOM, *OF_THE_OTHER[kind]])
    assert "storekeeper.app" in loaded


def test_so_does_one_that_makes_its_database(tmp_path: Path) -> None:
    assert load(str(tmp_path), f"sqlite:///{tmp_path}/new.db").isdisjoint(("alembic", "mako"))


def test_a_supervisor_has_nothing_that_only_its_workers_need() -> None:
    code = "import json, sys, storekeeper.cli.main, storekeeper.server.run; print(json.dumps(list(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    found = set(json.loads(done.stdout))
    assert found.isdisjoint([*SELDOM, "falcon", "storekeeper.app", "storekeeper.resources"])
    assert "uvicorn" in found
