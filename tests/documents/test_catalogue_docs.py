"""docs/catalogue.md: the walk is what happens, from its first command to its last; and its files are all of use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import doc_shell, markdown
from tests.support.server_process import Server

TEXT = (markdown.ROOT / "docs" / "catalogue.md").read_text()
EXAMPLES = markdown.ROOT / "examples"
STEPS = doc_shell.steps(TEXT)

pytestmark = doc_shell.needs_a_shell


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server("storekeeper", tmp_path)
    yield server.wait()
    server.put_away()


def test_the_walk_is_true(server: Server, tmp_path: Path) -> None:
    assert len(STEPS) > 30
    (tmp_path / "examples").symlink_to(EXAMPLES)
    answers = doc_shell.walk([command for command, _ in STEPS], server, tmp_path)
    for (command, told), given in zip(STEPS, answers, strict=True):
        assert told is not None, f"{command} has no answer"
        assert doc_shell.is_told(told, given), f"{command}\nanswers {given}"


def test_every_block_is_a_command_or_its_answer() -> None:
    assert len(markdown.blocks(TEXT)) == 2 * len(STEPS)


def test_every_file_is_on_the_walk() -> None:
    commands = "".join(command for command, _ in STEPS)
    files = [
        path.name for path in EXAMPLES.iterdir() if path.suffix not in (".py", ".md")
    ]  # programs have tests of their own
    assert len(files) > 5
    assert [name for name in files if f"examples/{name}" not in commands] == []
