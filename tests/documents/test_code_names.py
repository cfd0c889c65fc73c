"""Names in the code: a class has one of its own, which says where it belongs."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.markdown import ROOT

PACKAGE = ROOT / "storekeeper"
SOURCES = [path for path in sorted(PACKAGE.rglob("*.py")) if "migrations" not in path.parts]


def classes(source: Path) -> Iterator[ast.ClassDef]:
    return (node for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.ClassDef))


def test_no_two_classes_have_one_name() -> None:
    counts = Counter(each.name for source in SOURCES for each in classes(source))
    assert len(counts) > 100
    assert [name for name, count in counts.items() if count > 1] == []


@pytest.mark.parametrize(("folder", "suffix"), [("resources", "Resource"), ("console", "View")])
def test_what_answers_a_url_says_so(folder: str, suffix: str) -> None:
    responders = [each.name for path in (PACKAGE / folder).glob("*.py") for each in classes(path) if answers(each)]
    assert len(responders) > 40
    assert [name for name in responders if not name.endswith(suffix)] == []


def answers(each: ast.ClassDef) -> bool:
    return any(isinstance(part, ast.AsyncFunctionDef) and part.name.startswith("on_") for part in each.body)
