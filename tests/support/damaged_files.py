"""SQLite files that are damaged on purpose, as a failing disk or a careless copy would damage them."""

import os
from contextlib import closing
from pathlib import Path
from typing import Any

from storekeeper.database.engine import create_engine

PAGE = 4096
NOISE = bytes(range(1, 256)) * 17  # more than a page; the same each time


def connect(path: Path) -> Any:
    """Somebody else's connection."""
    module: Any = create_engine("sqlite://").dialect.loaded_dbapi
    return module.connect(path, timeout=0, isolation_level=None)


def checkpoint(path: Path) -> None:
    """Everything is in the file itself afterwards."""
    with closing(connect(path)) as other:
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


def damage_table(path: Path, text: bytes) -> None:
    """Overwrite every page that holds this text."""
    content = path.read_bytes()
    offsets = [offset for offset in range(0, len(content), PAGE) if text in content[offset : offset + PAGE]]
    assert offsets
    for offset in offsets:
        overwrite(path, offset, NOISE[:PAGE])


def damage_root(path: Path, name: str) -> None:
    """Overwrite the first page of a table or an index: all ways to its rows lead through it."""
    with closing(connect(path)) as other:
        (number,) = other.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    overwrite(path, (number - 1) * PAGE, NOISE[:PAGE])


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def truncate(path: Path) -> None:
    """To half of its pages."""
    os.truncate(path, path.stat().st_size // PAGE // 2 * PAGE)


def damage_header(path: Path) -> None:
    overwrite(path, 0, NOISE[:PAGE])
