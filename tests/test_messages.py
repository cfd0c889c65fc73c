"""Each sentence of an error stands once, in `storekeeper/messages.py`: errors are raised by code and parameters."""

import ast
import inspect
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from string import Formatter
from typing import NamedTuple

import pytest

import storekeeper
from storekeeper.domain import expectations
from storekeeper.errors import Invalid, InvalidField, NotFound, StorekeeperError, TooManyStores
from storekeeper.messages import ENGLISH, ErrorMessage

PACKAGE = Path(storekeeper.__file__).parent
LEFT_OUT = ("storekeeper.__main__", "storekeeper.migrations")
CODE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")


class Use(NamedTuple):
    """Where an error or a message is made, of which code (None where that is not written there), with what."""

    place: str
    code: str | None
    parameters: frozenset[str]


def errors(base: type[StorekeeperError] = StorekeeperError) -> Iterator[type[StorekeeperError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from errors(kind)


@pytest.fixture(scope="module")
def kinds() -> dict[str, type]:
    """What takes the code of a message, by name: those errors whose constructor does, and messages."""
    for module in pkgutil.walk_packages([str(PACKAGE)], "storekeeper."):
        if not module.name.startswith(LEFT_OUT):
            import_module(module.name)
    found: dict[str, type] = {
        kind.__name__: kind for kind in errors() if "reason" in inspect.signature(kind).parameters
    }
    return found | {"ErrorMessage": ErrorMessage}


@pytest.fixture(scope="module")
def uses(kinds: dict[str, type]) -> list[Use]:
    return [
        use
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and (kind := kinds.get(called(node)))
        for use in read(f"{path.relative_to(PACKAGE)}:{node.lineno}", node, kind)
    ]


def called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def read(place: str, node: ast.Call, kind: type) -> Iterator[Use]:
    """A use for each code that the call may have; none where it has a message that was made before."""
    given = {each.arg or "**" for each in node.keywords}
    if (not node.args and "message" in given) or (place.startswith("errors.py") and "**" in given):
        return  # the latter are the constructors themselves
    own = {name for name, each in inspect.signature(kind).parameters.items() if each.kind is not each.VAR_KEYWORD}
    for code in codes(node.args[0]) if node.args else [usual_code(kind)]:
        named = own - {"field"} if "field" in fields(code) else own
        yield Use(place, code, frozenset(given - named or usual_parameters(kind, node)))


def codes(node: ast.expr) -> list[str | None]:
    match node:
        case ast.Constant(value=str() as code):
            return [code]
        case ast.IfExp():
            return codes(node.body) + codes(node.orelse)
        case _:
            return [None]


def usual_code(kind: type) -> str | None:
    return getattr(kind, "message_code", None) or getattr(kind, "code", None)


def usual_parameters(kind: type, node: ast.Call) -> set[str]:
    return set(getattr(kind, "usual", ())) if not node.args else set()


def fields(code: str | None) -> set[str]:
    """What the template of a message names."""
    names = (name for _, name, _, _ in Formatter().parse(ENGLISH.get(code or "", "")))
    return {name for name in names if name is not None}


def test_each_error_is_raised_by_a_code_of_the_catalogue(uses: list[Use]) -> None:
    assert len(uses) > 200
    assert [use for use in uses if use.code not in ENGLISH] == []


def test_the_parameters_are_those_of_the_template(uses: list[Use]) -> None:
    assert [(use, fields(use.code)) for use in uses if use.parameters != fields(use.code)] == []


def test_each_message_is_used(uses: list[Use]) -> None:
    of_errors = {usual_code(kind) for kind in errors() if vars(kind).keys() & {"code", "message_code"}}
    assert of_errors <= ENGLISH.keys()
    assert ENGLISH.keys() - of_errors - {use.code for use in uses} == set()


def test_each_sentence_stands_once() -> None:
    assert sorted(ENGLISH.values()) == sorted(set(ENGLISH.values()))
    assert [code for code in ENGLISH if not CODE.fullmatch(code)] == []


def test_another_catalogue_is_a_translation() -> None:
    german = {
        "too_many_rows": "Höchstens {maximum} Zeilen.",
        "value_expected": "Erwartet wird {expected}.",
        "expected_whole_number_between": "eine ganze Zahl von {minimum} bis {maximum}",
        "rows_refused": "Nichts ist geändert. {first}",
        "too_many_stores": "Zu viele Läden.",
        "quota_used": "{problem} {used} von {limit}.",
    }
    field = InvalidField("0.stock", ErrorMessage("value_expected", expected=expectations.whole_number(1, 2000)))
    refused = Invalid("rows_refused", first=field.message, fields=[field])
    assert refused.message.render(german) == "Nichts ist geändert. Erwartet wird eine ganze Zahl von 1 bis 2000."
    assert str(refused) == (
        "Nothing is changed, as there are rows that cannot be taken. This has to be a whole number from 1 to 2,000."
    )
    assert Invalid("too_many_rows", maximum=5000).message.render(german) == "Höchstens 5000 Zeilen."
    assert TooManyStores(limit=1000, used=1000).message.render(german) == "Zu viele Läden. 1000 von 1000."


def test_braces_that_somebody_sends_are_text() -> None:
    sent = "{code.__class__} {0} {"
    assert str(Invalid("user_unknown", field="who", username=sent)) == f"There is no user '{sent}'."
    nested = ErrorMessage("json_at_byte", fault=ErrorMessage("token_of_wrong_type", type=sent), place=sent)
    assert str(nested) == f"A token of type '{sent}' is not good here. (byte {sent})"
    assert str(NotFound("store_not_found")) == "Store not found."
