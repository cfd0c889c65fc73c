"""The documents keep to what there is: their links, and the settings, commands, errors and names that they tell of."""

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache, reduce
from pathlib import Path

import click
import pytest

from storekeeper.cli.main import main
from storekeeper.openapi import schemas
from storekeeper.server import protocol
from storekeeper.settings import PREFIX, Settings
from tests.support import markdown
from tests.support.cli_runner import named

DOCUMENTS = markdown.documents()
COURSE = markdown.ROOT / "docs" / "coming-from-the-course.md"
SECURITY = markdown.ROOT / "docs" / "security.md"
THREATS = markdown.ROOT / "docs" / "threats.md"
GUIDE = markdown.ROOT / "docs" / "guide.md"
COMMANDS = markdown.ROOT / "docs" / "operating" / "commands.md"
MONITORING = markdown.ROOT / "docs" / "operating" / "monitoring.md"

LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
SETTING = re.compile(PREFIX + r"([A-Z0-9_]*[A-Z0-9])")
COMMAND = re.compile(r"(?<!-u )\bstorekeeper ((?:[a-z][a-z-]+ ?)+)")
OPTION = re.compile(r"`(--[a-z-]+)`")
NAMED = re.compile(r"`(storekeeper/[\w/]+\.py)(?::([\w.]+))?`")
FILE = re.compile(r"`([\w./]+\.py)`")
NAMES_IN_FILE = re.compile(r"((?:`[\w.]+`(?:, | and |, and ))*`[\w.]+`)\s+in\s+`([\w./]+\.py)`")
THE_COURSES_FILES = {"app.py"}
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+(?:::\w+)?)`")
POINT = re.compile(r"^- (.*?)(?=\n\n|\n- |\Z)", re.MULTILINE | re.DOTALL)
NO_PROMISES = ("Not found out:", "Not stopped:")
GENDERED = re.compile(r"\b(?:he|him|his|himself|she|her|hers|herself)\b", re.IGNORECASE)
MACHINES_PATH = re.compile(r"/(work|home|root|Users|tmp)/")
EVENT = re.compile(
    r"\.log\(\s*\"(\w+)\"|\.(?:info|warning|error)\(\s*\"(\w+)\"|\"event\": \"(\w+)\"|event: str = \"(\w+)\""
)

CODE = ["storekeeper", "tests", "browser", "benchmarks", "examples"]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

each_with_code = pytest.mark.parametrize(
    "document",
    [*DOCUMENTS, *sorted(path for top in CODE[1:] for path in (markdown.ROOT / top).rglob("README.md"))],
    ids=lambda path: str(path.relative_to(markdown.ROOT)),
)
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def test_each_change_stands_once_beneath_one_heading_of_its_kind() -> None:
    unreleased = markdown.section((markdown.ROOT / "CHANGELOG.md").read_text(), "## [Unreleased]")
    headings = re.findall(r"^### (.*)", unreleased, re.MULTILINE)
    kinds = ["Breaking", "Security", "Added", "Changed", "Deprecated", "Removed", "Fixed"]
    assert headings == [kind for kind in kinds if kind in headings]
    changes = re.findall(r"^- (.{40})", unreleased, re.MULTILINE)
    assert len(changes) == len(set(changes))


def test_decisions_are_numbered_without_gaps() -> None:
    decisions = sorted((markdown.ROOT / "docs" / "decisions").glob("0*.md"))
    numbers = [path.name[:5] for path in decisions]
    assert numbers == [f"{number:04}-" for number in range(1, len(decisions) + 1)]


@each_document
def test_people_are_they(document: Path) -> None:
    assert not GENDERED.findall(document.read_text())


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(markdown.without_blocks(document.read_text())):
        if not target.startswith("https://"):
            path, _, anchor = target.partition("#")
            file = (document.parent / path).resolve() if path else document
            assert file.exists(), target
            assert not anchor or anchor in anchors(file), target


def test_former_headings_of_the_guide_are_anchors() -> None:
    kept = re.findall(r'^<a id="([\w-]+)"></a>$', GUIDE.read_text(), re.MULTILINE)
    assert kept == [
        "many-items-at-once",
        "versions",
        "asking-again",
        "following-the-changes",
        "pages",
        "how-many-requests",
    ]


def anchors(document: Path) -> set[str]:
    """As code hosts make them of headings."""
    headings = re.findall(r"^#+ (.*)$", markdown.without_blocks(document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_settings_exist(document: Path) -> None:
    known = {"CONFIG", *(name.upper() for name in Settings.__struct_fields__)}
    assert set(SETTING.findall(document.read_text())) <= known


@each_document
def test_commands_exist(document: Path) -> None:
    for words in COMMAND.findall(document.read_text()):
        command: click.Command = main
        for word in words.split():
            if not isinstance(command, click.Group):
                break
            known = dict(named(command))
            assert word in known, words
            command = known[word]


def commands(group: click.Group) -> Iterator[click.Command]:
    for _, command in named(group):
        yield command
        if isinstance(command, click.Group):
            yield from commands(command)


def test_every_command_and_option_is_documented() -> None:
    text = COMMANDS.read_text()
    options = {name for command in commands(main) for parameter in command.params for name in options_of(parameter)}
    assert options <= set(OPTION.findall(text))
    for name, command in named(main):
        for each in command.commands if isinstance(command, click.Group) else [""]:
            assert f"`storekeeper {name} {each}".rstrip() in text


def options_of(parameter: click.Parameter) -> list[str]:
    return [*parameter.opts, *parameter.secondary_opts] if isinstance(parameter, click.Option) else []


@each_document
def test_no_path_is_one_of_somebodys_machine(document: Path) -> None:
    assert MACHINES_PATH.search(document.read_text()) is None


@each_document
def test_named_files_and_names_exist(document: Path) -> None:
    for path, name in NAMED.findall(document.read_text()):
        assert (markdown.ROOT / path).is_file(), path
        module = importlib.import_module(path.removesuffix(".py").replace("/", ".")) if name else None
        assert not name or reduce(getattr, name.split("."), module) is not None, name


@each_with_code
def test_files_that_are_named_exist(document: Path) -> None:
    named_files = set(FILE.findall(markdown.without_blocks(document.read_text()))) - THE_COURSES_FILES
    assert {name for name in named_files if not sources(name)} == set()


@each_with_code
def test_names_are_in_the_file_that_is_said_to_have_them(document: Path) -> None:
    for phrase, file in NAMES_IN_FILE.findall(markdown.without_blocks(document.read_text())):
        known = set[str]().union(*(names_in(path) for path in sources(file)))
        assert {name for name in re.findall(r"`([\w.]+)`", phrase) if name not in known} == set(), file


def test_a_name_that_is_not_in_its_file_is_found() -> None:
    (found,) = NAMES_IN_FILE.findall("Ask `RootApp`, `Wings` and `sys.exit`\nin `root_app.py`.")
    assert found == ("`RootApp`, `Wings` and `sys.exit`", "root_app.py")
    known = names_in(markdown.ROOT / "storekeeper" / "http" / "root_app.py")
    assert {"RootApp", "RootApp.__call__"} <= known
    assert not {"Wings", "sys.exit"} & known


def sources(name: str) -> list[Path]:
    """The files of the project that may be meant: `root_app.py` is one in any folder."""
    return [path for top in CODE for path in (markdown.ROOT / top).rglob(name)] + [*markdown.ROOT.glob(name)]


@cache
def names_in(source: Path) -> set[str]:
    """What a module defines, methods with their class, and what it uses, as it is written there."""
    tree = ast.parse(source.read_text())
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name, body=body):
                found |= {name, *(f"{name}.{each.name}" for each in body if isinstance(each, FUNCTIONS))}
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.Name() | ast.Attribute():
                found.add(ast.unparse(node))
    return found


def test_the_course_has_no_part_without_a_place_here() -> None:
    text = COURSE.read_text()
    parts = """
        BLACKLIST SQLALCHEMY_DATABASE_URI SQLALCHEMY_TRACK_MODIFICATIONS PROPAGATE_EXCEPTIONS JWT_BLACKLIST_ENABLED
        JWT_BLACKLIST_TOKEN_CHECKS secret_key create_tables JWTManager user_claims_loader token_in_blacklist_loader
        expired_token_loader invalid_token_loader unauthorized_loader needs_fresh_token_loader revoked_token_loader
        Store StoreList Item ItemList UserRegister User UserLogin TokenRefresh UserLogout __main__ init_app app.run
    """
    assert [part for part in parts.split() if not re.search(rf"\b{re.escape(part)}\b", text)] == []


def test_every_error_is_in_the_guide() -> None:
    table = markdown.section(GUIDE.read_text(), "## Errors")
    known = {error.code for error in schemas.all_errors()} | {protocol.BadRequest.code, protocol.HeadTooLarge.code}
    told = re.findall(r"^\| [\d, ]+ \| (.+?) \|", table, re.MULTILINE)
    assert {code.strip("` ") for cell in told for code in cell.split(",")} == known


def test_every_event_of_the_log_is_documented() -> None:
    table = markdown.section(MONITORING.read_text(), "## Logs")
    sources = [path.read_text() for path in (markdown.ROOT / "storekeeper").rglob("*.py")]
    events = {"".join(found) for source in sources for found in EVENT.findall(source)}
    assert len(events) > 15
    assert {event for event in events if f"`{event}`" not in table} == set()


@each_document
def test_tests_that_are_named_exist(document: Path) -> None:
    for file, name in NAMED_TEST.findall(document.read_text()):
        assert name.replace("::", ".") in names_in(markdown.ROOT / file), f"{file}::{name}"


@pytest.mark.parametrize("document", [SECURITY, THREATS], ids=lambda path: path.name)
def test_what_is_promised_about_security_names_a_test(document: Path) -> None:
    """Each point, but for those that tell what Storekeeper does not do."""
    said = document.read_text()
    for heading in ("## What is left to you", "## Reporting"):
        said = said.replace(markdown.section(said, heading), "") if f"\n{heading}\n" in said else said
    promised = [point for point in POINT.findall(said) if not point.startswith(NO_PROMISES)]
    assert len(promised) > 20
    assert [point for point in promised if not NAMED_TEST.search(point)] == []


def test_the_packaged_list_of_passwords_names_its_source() -> None:
    assert "zxcvbn" in SECURITY.read_text()
