"""The journal at the command line."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storekeeper.domain.money import PriceInput
from storekeeper.models import item, journal, store_member
from storekeeper.models.item_fields import Fields
from storekeeper.models.journal import Author
from storekeeper.settings import Settings
from tests.support.cli_runner import run_with
from tests.support.databases import transaction
from tests.support.server_process import ROOT

# Whoever runs the tests in the background may have let them ignore Ctrl-C.
HEEDFUL = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from storekeeper.cli.main import main
main()
"""


def set_price(engine: sa.Engine, price: str, user_id: int = 2) -> None:
    with transaction(engine) as conn, journal.signed(conn, Author("user", user_id, "r")):
        item.change(conn, user_id, item.ItemRef("chair"), Fields(price=PriceInput(price)))


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_changes_are_printed_from_a_cursor_on(engine: sa.Engine, settings: Settings) -> None:
    set_price(engine, "17.50")
    told = lines(run_with(settings, "changes").stdout)
    assert [(each["kind"], each["action"]) for each in told] == [
        ("store", "create"),
        ("item", "create"),
        ("item", "update"),
    ]
    assert lines(run_with(settings, "changes", "--after", str(told[1]["id"])).stdout) == told[2:]
    assert run_with(settings, "changes", "--after", "now").stdout == ""


def test_changes_of_one_store(engine: sa.Engine, settings: Settings) -> None:
    with transaction(engine) as conn:
        store_member.create_store(conn, 1, "shed", "EUR")
    assert [each["store_id"] for each in lines(run_with(settings, "changes", "--store", "shed").stdout)] == [2]


@pytest.mark.parametrize(
    ("more", "code", "told"),
    [
        (("--after", "x"), 2, "It is a cursor, which has at most 16 digits, or `now`."),
        (("--after", "999"), 1, "no longer kept"),
        (("--store", "aldi"), 1, "Store not found."),
    ],
)
def test_what_cannot_be_printed(
    more: tuple[str, ...], code: int, told: str, engine: sa.Engine, settings: Settings
) -> None:
    result = run_with(settings, "changes", *more)
    assert result.exit_code == code
    assert told in result.stderr


@pytest.fixture
def following(engine: sa.Engine, settings: Settings) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "STOREKEEPER_DATA": settings.data}
    environment["STOREKEEPER_DATABASE_URL"] = settings.database
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", HEEDFUL, "changes", "--follow"]
    with subprocess.Popen(command, env=environment, **pipes) as process:
        yield process
        process.kill()


def test_changes_are_followed_until_it_is_told_to_end(following: subprocess.Popen[str], engine: sa.Engine) -> None:
    assert following.stdout
    assert following.stderr
    assert [json.loads(following.stdout.readline())["action"] for _ in range(2)] == ["create", "create"]
    for price in ("1.00", "2.00"):
        set_price(engine, price)
        assert f'"price":{price}' in following.stdout.readline()
    following.send_signal(signal.SIGINT)
    assert following.wait(30) == 1
    assert "Traceback" not in following.stderr.read()


def test_a_history_tells_who_did_what(engine: sa.Engine, settings: Settings) -> None:
    set_price(engine, "17.50")
    set_price(engine, "17.00", 1)
    told = [line.split("  ")[1:] for line in run_with(settings, "history", "chair").stdout.splitlines()]
    assert told == [
        ["alice", "item 'chair' price: 17.50 -> 17.00"],
        ["bob", "item 'chair' price: 15.99 -> 17.50"],
        ["the operator", "item 'chair' create"],
    ]
    assert len(run_with(settings, "history", "chair", "--store", "ikea", "--limit", "1").stdout.splitlines()) == 1
    assert run_with(settings, "history", "lamp").exit_code == 1


def test_the_audit_trail_is_filtered(engine: sa.Engine, settings: Settings, tmp_path: Path) -> None:
    set_price(engine, "17.50")
    assert [line.split("  ")[2] for line in run_with(settings, "audit", "--kind", "member").stdout.splitlines()] == [
        "member 'bob' create",
        "member 'alice' create",
    ]
    assert len(run_with(settings, "audit", "--user", "bob").stdout.splitlines()) == 1
    assert len(run_with(settings, "audit", "--store", "ikea").stdout.splitlines()) == 5
    assert run_with(settings, "audit", "--user", "zoe").exit_code == 1
