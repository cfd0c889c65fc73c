"""Records of rows: each field from the column of its name, whatever the columns are and in whatever order."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import sqlalchemy as sa

import storekeeper
from storekeeper.database.records import converted, nested, optional, reader, scalar
from tests.support.markdown import ROOT

COLUMNS = ("hash", "admin", "id", "name")
ROW = ("$argon2id", True, 7, "oak")


class Thing(NamedTuple):
    id: int
    name: str
    admin: bool


class Owner(msgspec.Struct):
    admin: bool
    id: int


class Owned(msgspec.Struct):
    name: str
    owner: Owner | None
    hash: str


def told(name: str, id: int) -> str:
    return f"{name} {id}"


@pytest.mark.parametrize(
    ("record", "made"),
    [
        (Thing, Thing(7, "oak", True)),
        (Owner, Owner(True, 7)),
        (told, "oak 7"),
        (converted(Thing, name=str.upper), Thing(7, "OAK", True)),
        (nested(Owned, owner=Owner), Owned("oak", Owner(True, 7), "$argon2id")),
        (nested(lambda name, owner: (name, owner), owner=told), ("oak", "oak 7")),
        (nested(Owned, owner=optional(Owner, "id")), Owned("oak", Owner(True, 7), "$argon2id")),
    ],
)
def test_a_record_is_made_by_the_names_of_columns(record: Any, made: Any) -> None:
    table = sa.Table("t", sa.MetaData(), *(sa.Column(name) for name in COLUMNS))
    assert reader(record, table.c)(ROW) == reader(record, COLUMNS)(list(ROW)) == made


def test_what_an_outer_join_does_not_find_is_none() -> None:
    owned = nested(Owned, owner=optional(Owner, "id"))
    assert reader(owned, COLUMNS)(("h", None, None, "oak")) == Owned("oak", None, "h")


def test_a_scalar_is_the_only_column() -> None:
    assert reader(scalar, ["anything"])((7,)) == 7
    with pytest.raises(LookupError, match="several columns: hash, admin, id, name"):
        reader(scalar, COLUMNS)


@pytest.mark.parametrize(
    ("record", "columns", "wrong"),
    [
        (Thing, ["admin"], "just one column is named id, name"),
        (Thing, [*COLUMNS, "id"], "just one column is named id"),
        (nested(Owned, owner=Owner), ["admin", "id", "name"], "just one column is named hash"),
        (nested(Owned, owner=Owner), ["hash", "name", "id"], "just one column is named admin"),
        (optional(Owner, "key"), COLUMNS, "just one column is named key"),
        (nested(Owned, thing=Thing), COLUMNS, "has no field thing"),
    ],
)
def test_a_field_without_its_own_column_is_refused(record: Any, columns: list[str], wrong: str) -> None:
    with pytest.raises(LookupError, match=f"{wrong}$|{wrong}\\."):
        reader(record, columns)


def test_no_record_is_made_by_the_places_of_columns() -> None:
    by_place = re.compile(r"\b[A-Z]\w*\(\*\w*row|(?<!self)\._make\b")
    sources = Path(storekeeper.__file__).parent.rglob("*.py")
    assert [str(path) for path in sources if by_place.search(path.read_text())] == []


# The form of the code that has to do with rows

NAMES = ("row", "rows", "current", "before", "after")


def untyped_rows(source: str) -> Iterator[str]:
    """What reads a row by number, or takes one as anything."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Subscript) and is_row(node.value) and is_number(node.slice):
            yield ast.unparse(node)
        elif isinstance(node, ast.arg) and node.arg in NAMES and node.annotation:
            kind = ast.unparse(node.annotation)
            if re.fullmatch(r"(Any|(Sequence|list|tuple|sa\.Row)\[(?!dict).*\bAny\b.*\])( \| None)?", kind):
                yield ast.unparse(node)
        elif isinstance(node, ast.Assign) and is_long(node.targets[0]) and "fetch_" in ast.unparse(node.value):
            yield ast.unparse(node)


def is_row(node: ast.expr) -> bool:
    """A row, or one of several."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Name) and node.value.id == "rows"
    return isinstance(node, ast.Name) and node.id == "row"


def is_number(node: ast.expr) -> bool:
    ends = [node.lower, node.upper] if isinstance(node, ast.Slice) else [node]
    return any(isinstance(end, ast.Constant) and isinstance(end.value, int) for end in ends)


def is_long(target: ast.expr) -> bool:
    """Whether it takes a row apart that has more than two columns."""
    while isinstance(target, ast.Tuple) and len(target.elts) == 1:
        (target,) = target.elts
    return isinstance(target, ast.Tuple) and len(target.elts) > 2


@pytest.mark.parametrize("folder", ["models", "services", "importer", "webhooks"])
def test_rows_are_typed(folder: str) -> None:
    found = {str(path): [*untyped_rows(path.read_text())] for path in (ROOT / "storekeeper" / folder).glob("*.py")}
    assert found
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "source",
    [
        "def tag(row: Any) -> str: ...",
        "def tag(before: Any | None) -> str: ...",
        "def tag(rows: Sequence[Any]) -> str: ...",
        "def tag(rows: list[tuple[int, Any]]) -> str: ...",
        "def tag(row: sa.Row[Any]) -> str: ...",
        "row[0]",
        "row[:3]",
        "rows[0][2]",
        "((id, name, price),) = query.fetch_all(conn)",
        "(id, name, price) = query.fetch_first(conn)",
    ],
)
def test_a_row_that_is_not_typed_is_found(source: str) -> None:
    assert len([*untyped_rows(source)]) == 1


@pytest.mark.parametrize(
    "source", ["rows[0]", "row[name]", "before: Any = 1", "found[0]", "def tag(row: ItemRow): ..."]
)
def test_a_row_that_is_typed_is_not(source: str) -> None:
    assert [*untyped_rows(source)] == []
