"""docs/catalogue.md: the walk is what happens, from its first command to its last; and its files are all of use."""

from pathlib import Path

from tests.support import doc_shell, markdown
from tests.support.server_process import Server

TEXT = (markdown.ROOT / "docs" / "catalogue.md").read_text()
EXAMPLES = markdown.ROOT / "examples"
STEPS = doc_shell.steps(TEXT)

pytestmark = doc_shell.needs_a_shell


def test_the_walk_is_true(server: Server, tmp_path: Path) -> None:
    assert len(STEPS) > 30
    (tmp_path / "examples").symlink_to(EXAMPLES)
    doc_shell.check(STEPS, server, tmp_path)


def test_every_block_is_a_command_or_its_answer() -> None:
    assert len(markdown.blocks(TEXT)) == 2 * len(STEPS)


def test_every_file_is_on_the_walk() -> None:
    commands = "".join(command for command, _ in STEPS)
    files = [
        path.name for path in EXAMPLES.iterdir() if path.suffix not in (".py", ".md")
    ]  # programs have tests of their own
    assert len(files) > 5
    assert [name for name in files if f"examples/{name}" not in commands] == []
