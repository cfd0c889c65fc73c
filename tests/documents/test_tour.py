"""The tour in the README, run as it stands there against a real server."""

from pathlib import Path

from tests.support import doc_shell, markdown
from tests.support.server_process import Server

TOUR = markdown.section((markdown.ROOT / "README.md").read_text(), "## A five-minute tour")
STEPS = doc_shell.steps(TOUR)

pytestmark = doc_shell.needs_a_shell


def test_the_tour_is_true(server: Server, tmp_path: Path) -> None:
    assert len(STEPS) > 10
    doc_shell.check(STEPS, server, tmp_path)
