"""What is wrong is told in plain sentences of ours: none of msgspec's, Python's or Click's reaches a user."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
import sqlalchemy as sa
from msgspec import inspect

from storekeeper.cli.main import main
from storekeeper.domain import expectations
from storekeeper.settings import Settings, SettingsError, read_settings
from tests.conftest import Person
from tests.support import raw_requests
from tests.support.cli_runner import named, run_with
from tests.support.request_bodies import Callers, each_with_text
from tests.support.request_strategies import EDGES, FOREIGN

WHOLE = "This has to be a whole number from {} to {}."
STOCK = WHOLE.format("-1,000,000,000,000", "1,000,000,000,000")
NAME = "This has to be text of 1 to 80 characters."
TAGS = "This has to be a list of at most 20 entries, each text of at most 40 characters or null."
ANY_ID = "from 1 to 9,007,199,254,740,991"
CURSOR = "This has to be the `cursor` of an answer, which has at most 16 digits, or `now`."
PRICE = "A price is a number such as 15.99, or the same in quotes."

# Bodies


@pytest.mark.parametrize(
    ("method", "path", "field", "value", "sentence"),
    [
        ("PUT", "/item/chair", "store_id", "1", WHOLE.format("1", "9,007,199,254,740,991")),
        ("PUT", "/item/chair", "store_id", 0, WHOLE.format("1", "9,007,199,254,740,991")),
        ("PUT", "/item/chair", "store_id", None, WHOLE.format("1", "9,007,199,254,740,991")),
        ("PUT", "/item/chair", "price", "1e", PRICE),
        ("PUT", "/item/chair", "price", None, PRICE),
        ("PUT", "/item/chair", "colour", "red", "There is no 'colour' here."),
        ("PATCH", "/item/chair", "stock", 1.5, STOCK),
        ("PATCH", "/item/chair", "stock", 10**13, STOCK),
        ("PATCH", "/item/chair", "archived", "yes", "This has to be true or false."),
        ("PATCH", "/item/chair", "tags", "garden", TAGS),
        ("PATCH", "/item/chair", "tags", [1], TAGS),
        ("PATCH", "/item/chair", "name", "", NAME),
        ("PATCH", "/item/chair", "sku", 7, "This has to be text of at most 64 characters or null."),
        ("POST", "/item/chair/stock", "delta", True, STOCK),
        ("PUT", "/store/ikea/members/carol", "role", "king", "This has to be one of clerk, owner."),
        ("PUT", "/store/ikea/members/carol", "role", 7, "This has to be one of clerk, owner."),
        ("PATCH", "/store/ikea", "currency", "euro", "This has to be text of at most 3 characters, such as EUR."),
        ("POST", "/login", "password", "\0", "This has to be text of at most 1,024 characters, without NUL."),
        (
            *("POST", "/webhooks", "url", "ftp://a"),
            "This has to be text of at most 2,000 characters, a URL such as https://shop.example/hook without a user.",
        ),
    ],
)
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_wrong_member_is_told_what_it_has_to_be(
    method: str, path: str, field: str, value: Any, sentence: str, callers: Callers
) -> None:
    answer = callers.send(method, path, json.dumps({field: value}))
    assert answer.status == 400
    assert {"field": field, "message": sentence} in answer.json["errors"]


# Queries


@pytest.mark.parametrize(
    ("path", "field", "sentence"),
    [
        ("/items?limit=0", "limit", WHOLE.format(1, 200)),
        ("/items?limit=x", "limit", WHOLE.format(1, 200)),
        ("/items?limit=201", "limit", WHOLE.format(1, 200)),
        ("/items?color=red", "color", "There is no 'color' here."),
        ("/items?in_stock=maybe", "in_stock", "This has to be true or false."),
        ("/items?archived=1", "archived", "This has to be one of any, no, yes."),
        ("/items?price_min=x", "price_min", PRICE),
        ("/items?tag=", "tag", "This has to be text of 1 to 200 characters."),
        ("/stores?sort=age", "sort", "This has to be one of id, name."),
        ("/changes?after=-1", "after", CURSOR),
        ("/changes?after=x", "after", CURSOR),
        ("/changes?after=", "after", CURSOR),
        ("/changes?after=007", "after", CURSOR),
        (f"/changes?after={'1' * 17}", "after", CURSOR),
    ],
)
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_wrong_parameter_is_told_what_it_has_to_be(path: str, field: str, sentence: str, alice: Person) -> None:
    answer = alice.get(path)
    assert (answer.status_code, answer.json["message"]) == (400, sentence)
    assert answer.json["errors"] == [{"field": field, "message": sentence}]


# Settings


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "http", "this has to be a whole number from 0 to 65,535"),
        ("WORKERS", "0", "this has to be a whole number from 1 to 256"),
        ("DATA", "", "this has to be text of at least 1 character"),
        ("REGISTRATION", "shut", "this has to be one of closed, open"),
        ("REQUIRE_IF_MATCH", "maybe", "this has to be true or false"),
        ("TRUSTED_PROXIES", "proxy", "'proxy' is no network such as 10.0.0.0/8, and no address"),
    ],
)
def test_a_wrong_setting_is_told_what_it_has_to_be(name: str, value: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"STOREKEEPER_DATA": str(tmp_path), f"STOREKEEPER_{name}": value})
    assert str(caught.value) == f"STOREKEEPER_{name}: {told}"


def test_every_field_of_a_request_and_every_setting_says_what_it_has_to_be() -> None:
    """One that does not is answered that it is not what is expected, which helps nobody. Prices say it themselves."""
    for struct in strict_structs(msgspec.Struct):
        for name, sentence in expectations.sentences(struct).items():
            assert sentence.code != "value_unexpected" or name in ("price", "price_min", "price_max"), (struct, name)


def test_every_pattern_is_told_in_words() -> None:
    """A text that has the right length and is refused, without a reason, would be a riddle."""
    for struct in strict_structs(msgspec.Struct):
        for field in msgspec.structs.fields(struct):
            kind = inspect.type_info(field.type)
            if "pattern='" in repr(kind):
                assert re.search(r"extra=\{'(form|words)': ErrorMessage\(", repr(kind)), (struct, field.name)


def strict_structs(base: Any) -> Iterator[Any]:
    for each in base.__subclasses__():
        if each.__struct_config__.forbid_unknown_fields and each.__module__.startswith("storekeeper."):
            yield each
        yield from strict_structs(each)


# Commands


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ("fnd", "There is no command 'fnd' here. Did you mean 'find'?"),
        ("users st", "There is no command 'st' here. Did you mean 'list' or 'set'?"),
        ("--king", "There is no option '--king' here."),
        ("serve --prt 1", "There is no option '--prt' here. Did you mean '--port'?"),
        ("users set", "'NAME' is missing."),
        ("members set ikea bob", "'--role' is missing: one of owner, clerk."),
        ("members set ikea bob --role king", "'--role' has to be one of owner, clerk."),
        ("serve --port http", "'--port' has to be a whole number from 0 to 65,535."),
        ("serve --port 70000", "'--port' has to be a whole number from 0 to 65,535."),
        ("history chair --limit 0", "'--limit' has to be a whole number from 1 to 200."),
        ("webhooks replay x", f"'WEBHOOK_ID' has to be a whole number {ANY_ID}."),
        (f"webhooks remove {2**53}", f"'WEBHOOK_ID' has to be a whole number {ANY_ID}."),
        (f"webhooks replay 1 --delivery {2**53}", f"'--delivery' has to be a whole number {ANY_ID}."),
        (f"imports confirm {2**53}", f"'IMPORT_ID' has to be a whole number {ANY_ID}."),
        (f"find --limit {2**53}", f"'--limit' has to be a whole number {ANY_ID}."),
        ("serve --workers", "'--workers' needs a value."),
        ("users set alice --admin=1", "'--admin' takes no value."),
        ("keys rotate a b", "This command does not take so many arguments: 'a b' is too much."),
        ("changes --after x", "'--after': It is a cursor, which has at most 16 digits, or `now`."),
        (f"changes --after {10**16}", "'--after': It is a cursor, which has at most 16 digits, or `now`."),
        ("find --price-min x", "'--price-min': An amount is written like 15.99."),
        ("users set alice --admin --active --no-admin", "'--admin' and '--no-admin' exclude each other."),
        ("users set alice --inactive --active", "'--active' and '--inactive' exclude each other."),
        ("find --in-stock --out-of-stock", "'--in-stock' and '--out-of-stock' exclude each other."),
    ],
)
def test_wrong_usage_is_told_in_plain_words(args: str, told: str, nowhere: Settings) -> None:
    result = run_with(nowhere, *args.split())
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {told}"


# Whatever is wrong


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_no_answer_holds_a_phrase_of_a_librarys(callers: Callers) -> None:
    for method, path, text in each_with_text():
        good = json.loads(text)
        for member in (good[0] if isinstance(good, list) else good) | {"other": 0}:
            for value in EDGES:
                spoiled = {**(good[0] if isinstance(good, list) else good), member: value}
                body = json.dumps([spoiled] if isinstance(good, list) else spoiled)
                check(callers.send(method, path, body))
        for length in range(0, len(text), 3):
            check(callers.send(method, path, text[:length]))
            check(callers.send(method, path, text[:length] + "\\" + text[length:]))


def check(answer: raw_requests.Answer) -> None:
    assert not (found := [phrase for phrase in FOREIGN if phrase in answer.body.decode()]), (found, answer.body)


CLICKS = (
    *("Invalid value", "No such option", "No such command", "Missing option", "Missing argument", "Missing parameter"),
    *("Got unexpected extra", "is not a valid", "is not in the range", "is not one of", "requires an argument"),
    "does not take a value",
)


def test_no_command_says_a_phrase_of_clicks(nowhere: Settings) -> None:
    for path, command in leaves(main):
        for args in wrong_usage(command):
            told = run_with(nowhere, *path, *args)
            assert told.exit_code in (1, 2), (path, args)  # 1 where a name is looked at first
            assert not [phrase for phrase in CLICKS if phrase in told.stderr], (path, args, told.stderr)
            assert "\x1b" not in told.stderr, (path, args)
    assert not nowhere.data_path.exists()


def wrong_usage(command: click.Command) -> Iterator[list[str]]:
    """Arguments that no command of these parameters takes."""
    yield ["--no-such\x1b-option"]
    if not any(each.nargs == -1 for each in command.params):
        yield ["\x1b"] * 9
    if any(each.required for each in command.params):
        yield []
    for each in command.params:
        if isinstance(each, click.Option):
            yield [f"{each.opts[0]}=\x1b"] if each.is_flag else [each.opts[0]]
            if isinstance(each.type, click.Choice | click.types.IntParamType):
                yield [each.opts[0], "\x1b"]


def leaves(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in named(group):
        if isinstance(command, click.Group):
            yield from leaves(command, *path, name)
        else:
            yield (*path, name), command


@pytest.fixture
def callers(app: Any, alice: Person, root: Person, engine: sa.Engine) -> Callers:
    return Callers(app, alice, root, engine)


@pytest.fixture
def nowhere(tmp_path: Path) -> Settings:
    """A data directory that is not there yet."""
    return Settings(data=str(tmp_path / "new"))
