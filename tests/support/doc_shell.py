"""A document's shell commands, run in one shell as they stand there, against a real server."""

import json
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support import markdown
from tests.support.markdown import Block
from tests.support.server_process import Server

ADDRESS = "http://127.0.0.1:5000"
PYTHON = ".venv/bin/python"

needs_a_shell = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="it needs curl and bash")


def steps(text: str) -> list[tuple[str, Block | None]]:
    """The commands, each with the answer that the document shows."""
    return list(markdown.pairs(markdown.blocks(text), "sh", "json", "jsonl", "text", "csv"))


def check(steps: list[tuple[str, Block | None]], server: Server, folder: Path) -> None:
    """Each command answers what the document shows."""
    answers = _run([command for command, _ in steps], server, folder)
    for (command, shown), answer in zip(steps, answers, strict=True):
        assert shown is not None, f"{command} has no answer"
        assert _is_shown(shown, answer), f"{command}\nanswers {answer}"


def _run(commands: list[str], server: Server, folder: Path) -> list[str]:
    """What each of them answers, on both of its outputs. The server's data is in `data` in the folder."""
    script = [f"{{\n{command}\n}} > {folder}/{number} 2>&1" for number, command in enumerate(commands)]
    text = "\n".join(["set -eu", *script]).replace(ADDRESS, f"http://127.0.0.1:{server.port}")
    environ = server.environ | {"PYTHONPATH": str(markdown.ROOT)}
    shell = ["bash", "-c", text.replace(PYTHON, sys.executable)]
    ended = subprocess.run(shell, cwd=folder, env=environ, text=True, capture_output=True, timeout=300, check=False)
    done = [path.read_text() for number in range(len(commands)) if (path := folder / str(number)).exists()]
    assert (ended.returncode, ended.stderr) == (0, ""), f"{commands[len(done) - 1]}\n{done[-1]}"
    return done


def _is_shown(shown: Block, answer: str) -> bool:
    """Whether an answer is what the document shows."""
    match shown.language:
        case "json":
            return markdown.fits(read(shown.text), read(answer))
        case "jsonl":
            return markdown.fits([*map(read, shown.text.splitlines())], [*map(read, answer.splitlines())])
        case _:
            return markdown.fits(shown.text.splitlines(), answer.splitlines())


def read(text: str) -> Any:
    """JSON whose numbers stay as they are written: 15.90 is not 15.9."""
    return json.loads(text, parse_float=lambda digits: Decimal(digits).as_tuple())
