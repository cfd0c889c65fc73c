"""Names in the code: a class has one of its own, which says where it belongs; and docstrings name what there is."""

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.markdown import ROOT

PACKAGE = ROOT / "storekeeper"
NAMED = re.compile(r"`(?:([A-Za-z_]\w*)\.)?([A-Za-z_]\w*)`")  # what it is of, and the name
NO_NAMES = {"Expect", "tag_0", "tag_1"}  # a header, and parameters that are made by number
SOURCES = [path for path in sorted(PACKAGE.rglob("*.py")) if "migrations" not in path.parts]


@cache
def nodes(source: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(source.read_text())))


def classes(source: Path) -> Iterator[ast.ClassDef]:
    return (node for node in nodes(source) if isinstance(node, ast.ClassDef))


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


@cache
def names_in(source: Path) -> set[str]:
    """All that a module defines or uses, also by a word in a string, such as a column's name."""
    found = {source.stem}
    for node in nodes(source):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                found.add(name)
            case ast.Constant(value=str(text)) if "\n" not in text and "`" not in text:
                found |= set(re.findall(r"\w+", text))
    return found


@cache
def sources_of(owner: str) -> list[Path]:
    """The modules that a name may be in: those of its module's name, or its class's, or all for want of either."""
    return [
        path
        for path in SOURCES
        if owner in (path.stem, path.parent.name) or owner in {each.name for each in classes(path)}
    ] or SOURCES


def test_what_comments_and_docstrings_name_exists() -> None:
    named = [(path, *pair) for path in SOURCES for text in prose(path) for pair in NAMED.findall(text)]
    assert len(named) > 400
    assert [
        f"{path}: {owner}.{name}"
        for path, owner, name in named
        if name not in NO_NAMES and not any(name in names_in(each) for each in sources_of(owner))
    ] == []


def prose(source: Path) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(source.read_text()).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.string.startswith('"""')):
            yield token.string
