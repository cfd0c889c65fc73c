"""docs/operating: what is shown there to be copied works, and links to what was one page still lead there."""

import re
import subprocess
import sys
from pathlib import Path

from storekeeper.database.engine import create_engine
from storekeeper.models import user
from storekeeper.settings import Settings, read_settings
from tests.support import databases, markdown
from tests.support.databases import transaction

DOCS = markdown.ROOT / "docs"
BLOCKS = [block for page in sorted(DOCS.glob("operating/*.md")) for block in markdown.blocks(page.read_text())]
# The headings of docs/operating.md while it was one page.
FORMER = """
    install settings quotas commands the-first-administrator under-systemd several-workers several-nodes-over-postgresql
    behind-a-proxy-and-tls backups sqlite postgresql after-restoring upgrades keys logs health a-disk-that-fills-up
    how-many-requests chores when-something-is-wrong limits
"""


def block(language: str, about: str) -> str:
    (text,) = [block.text for block in BLOCKS if block.language == language and about in block.text]
    return text


def test_each_former_heading_is_an_anchor_beside_the_page_that_has_its_text() -> None:
    rows = re.findall(r"^\| (.*) \| \[.*\]\(operating/.*\) \|$", (DOCS / "operating.md").read_text(), re.MULTILINE)
    assert sorted(anchor for row in rows for anchor in re.findall(r'<a id="([\w-]+)">', row)) == sorted(FORMER.split())


def test_each_page_is_in_the_overview() -> None:
    pages = re.findall(r"\(operating/([\w-]+\.md)\) \|$", (DOCS / "operating.md").read_text(), re.MULTILINE)
    assert sorted(pages) == sorted(page.name for page in DOCS.glob("operating/*.md"))


def test_the_file_of_settings_is_read(tmp_path: Path) -> None:
    path = tmp_path / "storekeeper.toml"
    path.write_text(block("toml", "port"))
    assert read_settings({"STOREKEEPER_CONFIG": str(path)}) == Settings(
        port=8080,
        workers=2,
        database_url="postgresql://storekeeper:secret@db.example/storekeeper",
        trusted_proxies=("10.0.0.0/24",),
    )


def test_a_backup_of_sqlite_has_all_that_was_committed_and_is_for_its_owner_only(
    template: Path, tmp_path: Path
) -> None:
    url = databases.copy_file(template, tmp_path)
    backup = tmp_path / "backup.db"
    places = {
        "sudo -u storekeeper ": "",
        "/opt/storekeeper/bin/storekeeper": f"{sys.executable} -m storekeeper",
        "/var/lib/storekeeper": str(tmp_path),
        "/var/backups/storekeeper.db": str(backup),
    }
    command = block("sh", "storekeeper backup /")
    for place, here in places.items():
        command = command.replace(place, here)
    with create_engine(url).connect():  # the server runs on: the file alone has not all
        with transaction(create_engine(url)) as conn:
            user.add(conn, "alice", "hash")
        assert b"alice" not in (tmp_path / "storekeeper.db").read_bytes()
        subprocess.run(["sh", "-eu"], input=command, text=True, check=True, timeout=15)
    assert backup.stat().st_mode & 0o777 == 0o600
    with create_engine(f"sqlite:///{backup}").connect() as conn:
        assert user.get(conn, 1).username == "alice"
