"""The site of the documents, for Sphinx: `make docs`.

The source folder is the repository, so that links between documents are the same here and on a code host. The order of
the pages is declared once, in `CONTENTS`.
"""

import re
from pathlib import Path
from typing import Any

from sphinx.errors import ExtensionError

CONTENTS = {
    "Start": ["docs/guide", "docs/catalogue", "docs/console"],
    "Programs": ["docs/api-by-example", "docs/clients", "docs/webhooks", "examples/README"],
    "From the course": ["docs/coming-from-the-course", "docs/adopting"],
    "Operating": [
        "docs/operating",
        *(
            f"docs/operating/{name}"
            for name in ("install", "settings", "commands", "proxy-and-tls", "workers", "nodes")
        ),
        *(f"docs/operating/{name}" for name in ("backup-and-restore", "upgrades", "signing-keys", "quotas-and-limits")),
        *(f"docs/operating/{name}" for name in ("monitoring", "troubleshooting", "damaged-database")),
    ],
    "Background": ["docs/architecture", "docs/security", "docs/threats", "docs/performance", "docs/decisions/README"],
    "Project": ["CHANGELOG", "CONTRIBUTING"],
}
# Pages beneath a page.
BENEATH = {
    "docs/performance": ["benchmarks/README", "benchmarks/*", "benchmarks/peers/*"],
    "docs/decisions/README": ["docs/decisions/0*"],
    "CONTRIBUTING": ["tests/older/README"],
}
OTHER_HOST = re.compile(r"""(?:\bsrc=|<link[^>]*\bhref=|url\(|@import\s)["']?(?:https?:)?//""")

project = "Storekeeper"
author = "the contributors of Storekeeper"
extensions = ["myst_parser"]
root_doc = "README"
exclude_patterns = ["docs/damaged-database.md"]  # it says where the page is now, for a code host
include_patterns = [
    *("*.md", "docs/**.md", "benchmarks/*.md", "benchmarks/peers/*.md"),
    *("examples/README.md", "tests/older/README.md"),
]
myst_heading_anchors = 6
# Examples abbreviate with "…", and not every language of theirs is known.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = "Storekeeper"
html_favicon = "../../storekeeper/resources/docs_page/icon.svg"
html_extra_path = ["index.html"]
html_copy_source = False
html_show_copyright = False
html_use_index = False


def add_contents(_app: Any, name: str, source: list[str]) -> None:
    """A code host shows the pages as they are, so their lists of pages are not written there."""
    if name == root_doc:
        source[0] += "".join(_list_pages(pages, caption) for caption, pages in CONTENTS.items())
    elif name in BENEATH:
        source[0] += _list_pages(BENEATH[name], "")


def _list_pages(pages: list[str], caption: str) -> str:
    listed = "".join(f"/{page}\n" for page in pages)
    options = f":caption: {caption}\n" if caption else ""
    return f"\n\n```{{toctree}}\n:hidden:\n:glob:\n{options}\n{listed}```\n"


def check_hosts(app: Any, exception: Exception | None) -> None:
    """The site is complete: a browser fetches nothing from elsewhere for it."""
    files = [] if exception else [path for end in ("html", "css") for path in Path(app.outdir).rglob(f"*.{end}")]
    if found := [str(path) for path in files if OTHER_HOST.search(path.read_text())]:
        raise ExtensionError(f"These ask another host for something: {', '.join(found)}")


def setup(app: Any) -> None:
    app.connect("source-read", add_contents)
    app.connect("build-finished", check_hosts)
