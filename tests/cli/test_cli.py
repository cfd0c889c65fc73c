"""The command line: what it says, with what exit code it ends, and what it never shows."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from falcon import testing

from storekeeper.cli.main import main
from storekeeper.database import schema_version
from storekeeper.models import user
from storekeeper.security import signing_keys
from storekeeper.settings import Settings
from tests.conftest import Person, bearer
from tests.support import databases
from tests.support.cast import PASSWORD
from tests.support.cli_runner import named, run_with, says, version
from tests.support.databases import transaction

Run = Callable[..., Result]


@pytest.fixture
def run(engine: sa.Engine, settings: Settings) -> Run:
    """Commands on the database that has the cast."""
    return lambda *args, **more: run_with(settings, *args, **more)


@pytest.fixture
def nowhere(tmp_path: Path) -> Settings:
    """A data directory that is not there yet."""
    return Settings(data=str(tmp_path / "new"))


@pytest.fixture
def empty(template: Path, tmp_path: Path) -> Settings:
    """A data directory with tables and nobody in them."""
    databases.copy_file(template, tmp_path)
    return Settings(data=str(tmp_path))


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in named(group):
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name)


def found(path: tuple[str, ...]) -> click.Command:
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        command = dict(named(command))[name]
    return command


# Help and usage


@pytest.mark.parametrize("path", list(commands(main)), ids=" ".join)
def test_no_command_takes_a_password_as_an_argument(path: tuple[str, ...]) -> None:
    """Other users of the machine see arguments, and shells remember them: what is secret comes from standard input."""
    secret = [each for each in found(path).params if re.search("pass|secret|token|key$", each.name or "")]
    assert [each.name for each in secret if not (isinstance(each, click.Option) and each.is_flag)] == []


@pytest.mark.parametrize("path", list(commands(main)), ids=" ".join)
def test_no_command_takes_a_flag_and_its_opposite(path: tuple[str, ...], nowhere: Settings) -> None:
    for each in found(path).params:
        if each.secondary_opts:
            told = run_with(nowhere, *path, each.opts[0], each.secondary_opts[0])
            assert f"'{each.opts[0]}' and '{each.secondary_opts[0]}' exclude each other." in told.stderr
            assert told.exit_code == 2


@pytest.mark.parametrize("path", list(commands(main)), ids=" ".join)
def test_every_number_has_bounds(path: tuple[str, ...]) -> None:
    """No database has room for any number. That of a process is for none."""
    for each in found(path).params:
        if isinstance(each.type, click.types.IntParamType) and each.name != "beside":
            assert isinstance(each.type, click.IntRange), each.name
            assert None not in (each.type.min, each.type.max), each.name


@pytest.mark.parametrize("path", list(commands(main)), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    usage, _, text = result.output.partition("\n\n")
    assert " ".join(path) in usage
    assert len(text.split("Options:")[0].split()) >= 5


def test_a_command_that_is_nearly_right_is_suggested() -> None:
    assert "Did you mean 'find'?" in CliRunner().invoke(main, ["fnd"]).stderr


@pytest.mark.parametrize(
    "args",
    [
        ["frobnicate"],
        ["users", "set"],
        ["users", "set", "alice"],
        ["users", "set", "alice", "--king"],
        ["create-admin"],
        ["keys", "remove"],
        ["serve", "--port", "http"],
        ["serve", "--port", "70000"],
        ["serve", "--workers", "0"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(args: list[str], nowhere: Settings) -> None:
    result = run_with(nowhere, *args)
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: ")
    assert not nowhere.data_path.exists()


@pytest.mark.parametrize(
    "args",
    [
        ["users", "set", "\udcff", "--admin"],
        ["users", "end-sessions", "\udcff"],
        ["history", "\udcff"],
        ["audit", "--user", "\udcff"],
        ["changes", "--store", "\udcff"],
        ["webhooks", "add", "http://a.example/", "--store", "\udcff"],
    ],
)
def test_an_argument_that_is_not_utf8_is_told(args: list[str], run: Run) -> None:
    """A name that came from another encoding: it is none, or cannot be looked for."""
    told = run(*args)
    sentences = (
        "A name may not hold U+DCFF: it cannot be seen.",
        r"A text that was given holds what is not UTF-8: '\udcff'.",
    )
    assert (told.exit_code, told.stderr) in [(1, f"Error: {sentence}\n") for sentence in sentences]


# migrate


def test_migrate_creates_the_database_for_its_owner_only(nowhere: Settings) -> None:
    assert run_with(nowhere, "migrate").output == f"The database is now at version {schema_version.HEAD}.\n"
    assert run_with(nowhere, "migrate").output == f"The database is already at version {schema_version.HEAD}.\n"
    assert nowhere.data_path.stat().st_mode & 0o777 == 0o700
    assert (nowhere.data_path / "storekeeper.db").stat().st_mode & 0o777 == 0o600


def test_a_database_of_a_later_version_is_left_alone(engine: sa.Engine, run: Run) -> None:
    expected = f"The database is of a later version (9999) than this program ({schema_version.HEAD}): upgrade it."
    with version(engine, "9999"):
        says(run("migrate"), 1, expected)
        says(run("users", "list"), 1, expected)


@pytest.mark.parametrize("args", [["users", "list"], ["users", "end-sessions", "alice"]], ids=" ".join)
def test_without_a_database_a_command_says_how_to_make_one_and_makes_none(args: list[str], nowhere: Settings) -> None:
    nowhere.data_path.mkdir()
    says(run_with(nowhere, *args), 1, "There is no database yet: `storekeeper migrate` creates it.")
    assert list(nowhere.data_path.iterdir()) == []


def test_a_data_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run_with(Settings(data=str(tmp_path / "file" / "data")), "migrate")
    says(result, 1, f"{tmp_path / 'file' / 'data'}: Not a directory")


# create-admin


@pytest.mark.parametrize("password", ["  spaces at both ends  ", "pässwörd ☃ \u0301", "tab\tand 'quotes\""])
def test_a_new_administrator_logs_in_with_exactly_this_password(
    password: str, run: Run, client: testing.TestClient
) -> None:
    result = run("create-admin", "boss", "--password-stdin", stdin=password + "\n")
    assert (result.exit_code, result.output) == (0, "boss is an administrator, with the id 5.\n")
    tokens = Person(client, "boss", 5, password).log_in()
    assert client.simulate_get("/users", headers=bearer(tokens["access_token"])).status_code == 200
    trimmed = client.simulate_post("/login", json={"username": "boss", "password": password.strip()})
    assert trimmed.status_code == (200 if password == password.strip() else 401)


@pytest.mark.parametrize(
    ("name", "stdin", "message"),
    [
        ("boss", "short\n", "A password has 8 to 256 characters."),
        ("boss", "", "A password has 8 to 256 characters."),
        ("boss", "x" * 257, "A password has 8 to 256 characters."),
        ("boss", "Password1\n", "This password is one of the 10,000 most common."),
        ("the.boss", "THE.BOSS\n", "A password is not the user name."),
        ("boss", b"latin \xe9\xe8\xea text\n", "The password is not UTF-8."),
        ("two words", PASSWORD, "A user name has letters, digits and . _ @ + - only."),
        ("", PASSWORD, "A user name has 1 to 80 characters."),
    ],
)
def test_no_administrator_is_made_of(name: str, stdin: str | bytes, message: str, empty: Settings) -> None:
    says(run_with(empty, "create-admin", name, "--password-stdin", stdin=stdin), 1, message)
    assert run_with(empty, "users", "list").output == ""


def test_an_existing_user_does_not_become_one_by_that(run: Run) -> None:
    result = run("create-admin", "ALICE", "--password-stdin", stdin=PASSWORD)
    says(result, 1, "A user 'alice' exists. `storekeeper users set alice` changes what they may do.")
    assert "1\talice\tuser\tactive\n" in run("users", "list").output


def test_the_password_is_asked_for_twice(empty: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    given = iter([PASSWORD, "something else", PASSWORD, PASSWORD])
    monkeypatch.setattr("getpass.getpass", lambda *_: next(given))
    says(run_with(empty, "create-admin", "boss"), 1, "The two passwords differ.")
    assert run_with(empty, "create-admin", "boss").exit_code == 0


def test_without_a_terminal_it_is_said_how_to_give_it(empty: Settings) -> None:
    command = [sys.executable, "-m", "storekeeper", "create-admin", "boss"]
    environ = {"STOREKEEPER_DATA": empty.data}
    told = subprocess.run(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
        capture_output=True,
        check=False,
    )
    assert told.stderr == "Error: There is no terminal to ask for the password: use --password-stdin.\n"
    assert told.returncode == 1


def test_usage_has_the_name_of_the_command() -> None:
    """However it was called: `make run` makes a command that is `python -m storekeeper`."""
    command = [sys.executable, "-m", "storekeeper", "keys", "remove"]
    told = subprocess.run(command, text=True, capture_output=True, check=False).stderr
    assert told.startswith(
        "Usage: storekeeper keys remove [OPTIONS] KID\nTry 'storekeeper keys remove --help' for help.\n"
    )


def test_the_first_administrator_may_come_before_the_first_start(nowhere: Settings) -> None:
    result = run_with(nowhere, "create-admin", "boss", "--password-stdin", stdin=PASSWORD)
    assert (result.exit_code, result.output) == (0, "boss is an administrator, with the id 1.\n")


# users


def test_an_added_user_logs_in_and_is_no_administrator(run: Run, client: testing.TestClient) -> None:
    result = run("users", "add", "dora", "--password-stdin", stdin=PASSWORD, STOREKEEPER_REGISTRATION="closed")
    assert (result.exit_code, result.output) == (0, "dora is a user, with the id 5.\n")
    assert Person(client, "dora", 5).get("/users").status_code == 403
    says(run("users", "add", "Dora"), 1, "A user 'dora' exists. `storekeeper users set dora` changes what they may do.")


def test_users_are_listed_with_role_and_state(run: Run) -> None:
    assert run("users", "set", "carol", "--inactive").output == "carol is no administrator and inactive.\n"
    assert run("users", "list").output.splitlines() == [
        "1\talice\tuser\tactive",
        "2\tbob\tuser\tactive",
        "3\tcarol\tuser\tinactive",
        "4\troot\tadministrator\tactive",
    ]


def test_all_users_are_listed_however_many_there_are(engine: sa.Engine, run: Run) -> None:
    with transaction(engine) as conn:
        for number in range(5, 406):
            user.add(conn, f"user{number}", "")
    assert [line.split("\t")[0] for line in run("users", "list").output.splitlines()] == [
        str(id) for id in range(1, 406)
    ]


@pytest.mark.parametrize("change", ["--no-admin", "--inactive"])
def test_the_last_administrator_stays(change: str, run: Run) -> None:
    says(run("users", "set", "root", change), 1, "The last administrator cannot be demoted, deactivated or deleted.")


@pytest.mark.parametrize(
    "args",
    [["users", "set", "nobody", "--admin"], ["users", "end-sessions", "nobody"], ["users", "reset-password", "nobody"]],
    ids=" ".join,
)
def test_an_unknown_user(args: list[str], run: Run) -> None:
    says(run(*args), 1, "User not found.")


def test_a_change_of_role_holds_from_the_next_request_on(run: Run, alice: Person, bob: Person) -> None:
    assert alice.get("/users").status_code == 403
    assert run("users", "set", "Alice", "--admin").output == "alice is an administrator and active.\n"
    assert alice.get("/users").status_code == 200
    assert bob.get("/sessions").status_code == 200
    run("users", "set", "bob", "--inactive")
    assert bob.get("/sessions").json["error"] == "token_revoked"


def test_reset_password_ends_all_sessions_of_the_user(run: Run, alice: Person, bob: Person) -> None:
    alice.log_in()
    alice.log_in()
    result = run("users", "reset-password", "alice", "--password-stdin", stdin="a new one of hers\n")
    assert result.output == "The password is changed. Sessions ended: 2.\n"
    assert alice.get("/sessions").json["error"] == "token_revoked"
    assert bob.get("/sessions").status_code == 200
    alice.password = "a new one of hers"
    alice.log_in()


def test_a_weak_password_changes_nothing(run: Run, alice: Person) -> None:
    assert alice.get("/sessions").status_code == 200
    result = run("users", "reset-password", "alice", "--password-stdin", stdin="12345678\n")
    says(result, 1, "This password is one of the 10,000 most common.")
    assert alice.get("/sessions").status_code == 200
    alice.log_in()


def test_end_sessions_signs_a_user_out_everywhere(run: Run, alice: Person) -> None:
    refresh_token = alice.log_in()["refresh_token"]
    assert run("users", "end-sessions", "alice").output == "Sessions ended: 1.\n"
    answer = alice.client.simulate_post("/refresh", headers=bearer(refresh_token))
    assert answer.json["error"] == "token_revoked"
    assert run("users", "end-sessions", "alice").output == "Sessions ended: 0.\n"


# keys


@pytest.fixture
def kept(nowhere: Settings) -> Settings:
    """A data directory with a key."""
    signing_keys.ensure(nowhere.keys_path)
    return nowhere


def test_keys_are_listed_rotated_and_removed_without_a_secret_being_shown(kept: Settings) -> None:
    first = signing_keys.load(kept.keys_path)[0]
    second_kid = run_with(kept, "keys", "rotate").output.split()[0]
    listed = run_with(kept, "keys", "list").output
    assert [line.split("\t")[0] for line in listed.splitlines()] == [first.kid, second_kid]
    assert run_with(kept, "keys", "remove", first.kid).output == f"{first.kid} is gone.\n"
    assert [key.kid for key in signing_keys.load(kept.keys_path)] == [second_kid]
    assert first.secret not in listed
    assert signing_keys.load(kept.keys_path)[0].secret not in listed


def test_the_only_key_stays_and_an_unknown_one_is_named(kept: Settings) -> None:
    kid = signing_keys.load(kept.keys_path)[0].kid
    says(run_with(kept, "keys", "remove", kid), 1, f"'{kid}' is the only key. First `keys rotate`.")
    says(run_with(kept, "keys", "remove", "nosuch"), 1, "There is no key 'nosuch'.")


@pytest.mark.parametrize("args", [["keys", "list"], ["keys", "rotate"]], ids=" ".join)
def test_keys_that_are_not_there(args: list[str], nowhere: Settings) -> None:
    nowhere.data_path.mkdir()
    says(run_with(nowhere, *args), 1, f"{nowhere.keys_path}: No such file or directory")
