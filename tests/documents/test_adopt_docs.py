"""docs/adopting.md: its example is what happens."""

import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storekeeper.settings import Settings
from tests.support import databases, markdown
from tests.support.cli_runner import run_with

TEXT = (markdown.ROOT / "docs" / "adopting.md").read_text()
EXAMPLE = markdown.blocks(markdown.section(TEXT, "## An example"))


def test_the_example_is_true(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    databases.copy_file(template, tmp_path)
    (script,) = [block.text for block in EXAMPLE if block.language == "sql"]
    with closing(sqlite3.connect("data.db")) as db:
        db.executescript(script)
    steps = [*markdown.pairs(EXAMPLE, "sh", "text")]
    assert len(steps) == 2
    for command, told in steps:
        result = run_with(Settings(data=str(tmp_path)), *shlex.split(command)[1:])
        assert result.exit_code == 0, result.output
        if told is not None:
            assert result.stdout == told.text
    (lines,) = [block.text for block in EXAMPLE if block.language == "json"]
    assert lines in Path("adopted.jsonl").read_text()
