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


def walk(commands: list[str], server: Server, folder: Path) -> list[str]:
    """What each of them answers, on both of its outputs. The server's data is in `data` in the folder."""
    script = [f"{{\n{command}\n}} > {folder}/{number} 2>&1" for number, command in enumerate(commands)]
    text = "\n".join(["set -eu", *script]).replace(ADDRESS, f"http://127.0.0.1:{server.port}")
    environ = server.environ | {"PYTHONPATH": str(markdown.ROOT)}
    shell = ["bash", "-c", text.replace(PYTHON, sys.executable)]
    ended = subprocess.run(shell, cwd=folder, env=environ, text=True, capture_output=True, timeout=300, check=False)
    done = [path.read_text() for number in range(len(commands)) if (path := folder / str(number)).exists()]
    assert (ended.returncode, ended.stderr) == (0, ""), f"{commands[len(done) - 1]}\n{done[-1]}"
    return done


def is_told(told: Block, given: str) -> bool:
    """Whether an answer is what the document shows."""
    match told.language:
        case "json":
            return markdown.fits(read(told.text), read(given))
        case "jsonl":
            return markdown.fits([*map(read, told.text.splitlines())], [*map(read, given.splitlines())])
        case _:
            return markdown.fits(told.text.splitlines(), given.splitlines())


def read(text: str) -> Any:
    """JSON whose numbers stay as they are written: 15.90 is not 15.9."""
    return json.loads(text, parse_float=lambda digits: Decimal(digits).as_tuple())
