"""Each of examples/*.py that is called without what it needs says so, without a trace."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server_process import ROOT

SHOP = {"SHOP": "http://127.0.0.1:1", "SHOP_USER": "alice", "SHOP_PASSWORD": "secret"}
NEEDED = {"mirror.py": SHOP, "till.py": SHOP, "receiver.py": {"WEBHOOK_SECRET": "whsec_"}}
GOOD = {"mirror.py": "copy.db", "till.py": "sell ikea chair 2", "receiver.py": "0"}
WRONG = (
    ("mirror.py", "", "the following arguments are required: file"),
    ("mirror.py", "copy.db copy.db", "unrecognized arguments: copy.db"),
    ("till.py", "", "the following arguments are required: command"),
    ("till.py", "sell ikea chair", "the following arguments are required: count"),
    ("till.py", "sell ikea chair two", "argument count: invalid int value: 'two'"),
    ("till.py", "reprice ikea chair 15.99 cheap", "argument new: invalid price value: 'cheap'"),
    ("receiver.py", "", "the following arguments are required: port"),
)


def run(folder: Path, name: str, args: str, given: dict[str, str]) -> str:
    """What it complains of."""
    environ = {name: value for name, value in os.environ.items() if name not in (*SHOP, "WEBHOOK_SECRET")}
    command = [sys.executable, str(ROOT / "examples" / name), *args.split()]
    told = subprocess.run(command, cwd=folder, env=environ | given, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith("usage: ")
    return told.stderr.splitlines()[-1].partition(": error: ")[2]


def test_these_are_all_examples() -> None:
    assert {path.name for path in (ROOT / "examples").glob("*.py")} == NEEDED.keys()


@pytest.mark.parametrize("name", NEEDED)
def test_what_is_missing_in_the_environment_is_named(name: str, tmp_path: Path) -> None:
    needed = NEEDED[name]
    assert run(tmp_path, name, GOOD[name], {}) == f"the environment has no {', '.join(needed)}"
    for each in needed:
        assert run(tmp_path, name, GOOD[name], needed | {each: ""}) == f"the environment has no {each}"


@pytest.mark.parametrize(("name", "args", "told"), WRONG)
def test_what_is_wrong_with_the_arguments_is_told(name: str, args: str, told: str, tmp_path: Path) -> None:
    assert run(tmp_path, name, args, NEEDED[name]) == told
