"""The tour in the README, run as it stands there against a real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import doc_shell, markdown
from tests.support.server_process import Server

TOUR = markdown.section((markdown.ROOT / "README.md").read_text(), "## A five-minute tour")
STEPS = doc_shell.steps(TOUR)

pytestmark = doc_shell.needs_a_shell


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server("storekeeper", tmp_path)
    yield server.wait()
    server.put_away()


def test_the_tour_is_true(server: Server, tmp_path: Path) -> None:
    assert len(STEPS) > 10
    answers = doc_shell.walk([command for command, _ in STEPS], server, tmp_path)
    for (command, told), given in zip(STEPS, answers, strict=True):
        assert told is not None, f"{command} has no answer"
        assert doc_shell.is_told(told, given), f"{command}\nanswers {given}"
