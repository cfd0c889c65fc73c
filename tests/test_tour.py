"""The tour in the README, run as it stands there against a real server."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests import prose
from tests.serving import Server

TOUR = prose.section((prose.ROOT / "README.md").read_text(), "## A five-minute tour")
STEPS = list(prose.pairs(prose.blocks(TOUR), "sh", "json"))
ADDRESS = "http://127.0.0.1:5000"

pytestmark = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="the tour needs curl")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server("storekeeper", tmp_path)
    yield server.wait()
    server.put_away()


def read(text: str) -> Any:
    """JSON whose numbers stay as they are written: 15.90 is not 15.9."""
    return json.loads(text, parse_float=lambda digits: Decimal(digits).as_tuple())


def test_the_tour_is_true(server: Server, tmp_path: Path) -> None:
    assert len(STEPS) > 10
    script = [f"{{\n{command}\n}} > {tmp_path}/{number}" for number, (command, _) in enumerate(STEPS)]
    text = "\n".join(["set -eu", *script]).replace(ADDRESS, f"http://127.0.0.1:{server.port}")
    shell = subprocess.run(["bash"], input=text, text=True, capture_output=True, timeout=30, check=False)
    assert (shell.returncode, shell.stderr) == (0, "")
    for number, (command, told) in enumerate(STEPS):
        given = (tmp_path / str(number)).read_text()
        assert told is not None, f"{command} has no answer"
        assert prose.fits(read(told), read(given)), f"{command}\nanswers {given}"
