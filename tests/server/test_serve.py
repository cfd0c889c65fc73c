"""`storekeeper serve`: what it prints, and that what it prints is true."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storekeeper import __version__
from storekeeper.cli import terminal
from tests.support.server_process import ROOT, Server, request

Start = Callable[[], Server]
SECRET = "s3cret-of-the-database"
JSON = b"Content-Type: application/json\r\n"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Servers on one data directory, one after the other."""
    started: list[Server] = []

    def start() -> Server:
        started.append(Server("storekeeper", tmp_path))
        return started[-1].wait()

    yield start
    for each in started:
        each.put_away()


def printed(server: Server) -> list[str]:
    """What is for people; the log's lines are JSON."""
    return [line for line in server.log.splitlines() if not line.startswith("{")]


def paste(lines: list[str]) -> Any:
    """The answer to a command that is pasted into a shell."""
    shell = subprocess.run(["bash"], input="\n".join(lines), text=True, capture_output=True, timeout=15, check=True)
    return json.loads(shell.stdout)


def test_the_line_that_it_prints_makes_the_first_administrator_and_is_then_printed_no_more(start: Start) -> None:
    server = start()
    where, told, *command, advice, other_way = printed(server)
    url = f"http://127.0.0.1:{server.port}"
    assert where == f"Storekeeper {__version__} serves {url} (documentation: {url}/docs)"
    assert told == "There is no administrator yet. Register the first one with this one-time set-up token:"
    assert advice == "The password there is a random one: note it, or put in your own."
    assert other_way == f"Or do so in a browser, at {url}/console"

    assert paste(command) == {"message": "User created successfully.", "id": 1}
    given = json.loads(re.findall(r"{.*}", command[1])[0])
    del given["setup_token"]
    token = server.ask(request("POST", "/login", JSON, json.dumps(given).encode())).json["access_token"]
    assert server.get("/users", f"Authorization: Bearer {token}\r\n".encode()).status == 200
    assert paste([line.replace('"admin"', '"second"') for line in command])["error"] == "wrong_setup_token"

    server.end()
    again = start()
    url = f"http://127.0.0.1:{again.port}"
    assert printed(again) == [f"Storekeeper {__version__} serves {url} (documentation: {url}/docs)"]


def test_no_two_invitations_have_the_same_password() -> None:
    assert terminal.invitation("http://shop", "token") != terminal.invitation("http://shop", "token")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("fd00::1", "http://[fd00::1]:80"),
        ("shop.example", "http://shop.example:80"),
    ],
)
def test_the_url_is_one_that_this_machine_can_call(host: str, url: str) -> None:
    assert terminal.url(host, 80) == url


def test_without_its_database_it_ends_with_one_line(tmp_path: Path) -> None:
    server = Server("storekeeper", tmp_path, database_url=f"postgresql://keeper:{SECRET}@127.0.0.1:1/shop")
    assert server.process.wait(15) == 1
    assert server.log.startswith("Error: The database cannot be used: connection failed")
    assert len(server.log.splitlines()) == 1
    assert SECRET not in server.log


def test_it_tells_its_version() -> None:
    command = [sys.executable, "-m", "storekeeper", "--version"]
    told = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=15, check=True)
    assert told.stdout == f"storekeeper, version {__version__}\n"
