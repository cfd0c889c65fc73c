"""docs/adopting.md: its example is what happens, and its program copies what is in PostgreSQL."""

import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from storekeeper.settings import Settings
from tests.support import databases, markdown
from tests.support.cli_runner import run_with

TEXT = (markdown.ROOT / "docs" / "adopting.md").read_text()
EXAMPLE = markdown.blocks(markdown.section(TEXT, "## An example"))
# As the migrations of the course's current edition make them.
IN_POSTGRESQL = """
    CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
    CREATE TABLE stores (id SERIAL NOT NULL PRIMARY KEY, name VARCHAR(80) NOT NULL UNIQUE);
    CREATE TABLE users (id SERIAL NOT NULL PRIMARY KEY, username VARCHAR(80) NOT NULL UNIQUE,
        password VARCHAR(256) NOT NULL, email VARCHAR NOT NULL UNIQUE);
    CREATE TABLE items (id SERIAL NOT NULL PRIMARY KEY, name VARCHAR(80) NOT NULL, price FLOAT(2) NOT NULL,
        store_id INTEGER NOT NULL REFERENCES stores (id), description VARCHAR);
    CREATE TABLE tags (id SERIAL NOT NULL PRIMARY KEY, name VARCHAR(80) NOT NULL UNIQUE,
        store_id INTEGER NOT NULL REFERENCES stores (id));
    CREATE TABLE items_tags (id SERIAL NOT NULL PRIMARY KEY, item_id INTEGER REFERENCES items (id),
        tag_id INTEGER REFERENCES tags (id));
    INSERT INTO alembic_version VALUES ('d8e0f80631fb');
    INSERT INTO stores (name) VALUES ('ikea');
    INSERT INTO users (username, password, email) VALUES ('jose', 'tiger 42', 'jose@shop.example');
    INSERT INTO items (name, price, store_id, description) VALUES ('chair', 15.99, 1, 'Of oak.'), ('desk', 8, 1, NULL);
    INSERT INTO tags (name, store_id) VALUES ('garden', 1);
    INSERT INTO items_tags (item_id, tag_id) VALUES (1, 1);
"""


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


def test_the_program_copies_a_database_in_postgresql(testrun_uid: str, template: Path, tmp_path: Path) -> None:
    (program,) = markdown.blocks(markdown.section(TEXT, "## A database in PostgreSQL"))
    (address,) = [word for word in program.text.split('"') if word.startswith("postgresql+psycopg:")]
    with databases.postgresql(testrun_uid) as url:
        course = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
        with course.begin() as conn:
            conn.exec_driver_sql(IN_POSTGRESQL)
        text = program.text.replace(address, course.url.render_as_string(hide_password=False))
        subprocess.run([sys.executable, "-c", text], cwd=tmp_path, check=True)
    data = tmp_path / "data"
    data.mkdir()
    databases.copy_file(template, data)
    result = run_with(Settings(data=str(data)), "adopt", str(tmp_path / "data.db"))
    assert result.exit_code == 0, result.output
    assert "Users taken over: 1\n" in result.stdout
    assert "Items taken over: 2 of 2\n" in result.stdout
    assert "Prices in doubt" not in result.stdout
    assert "Tags that are not taken over" not in result.stdout
    assert "  'users.email'  1 values. Storekeeper has no mail addresses.\n" in result.stdout
