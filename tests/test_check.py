"""What the command line finds wrong, and how it says so: in one line, without a secret, changing nothing."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from storekeeper import keys, schema
from storekeeper.db import create_engine
from storekeeper.settings import Settings
from tests.commands import run_with, says, version

SECRET = "s3cret-of-the-database"


@pytest.fixture
def nowhere(tmp_path: Path) -> Settings:
    """A data directory that is not there yet."""
    return Settings(data=str(tmp_path / "new"))


@pytest.fixture
def kept(nowhere: Settings) -> Settings:
    """A data directory with a key."""
    keys.ensure(nowhere.keys_path)
    return nowhere


def test_check_finds_all_well(engine: sa.Engine, settings: Settings, kept: Settings) -> None:
    result = run_with(settings, "check", STOREKEEPER_KEYS_FILE=str(kept.keys_path))
    assert result.exit_code == 0
    first, second, third, fourth = result.output.splitlines()
    assert (first, second) == ("settings: ok", "keys: ok (1)")
    assert third.startswith("database: ok (")
    assert third.endswith(f", version {schema.HEAD})")
    assert fourth == "chores: no server is running"


def test_check_finds_everything_that_is_wrong_and_changes_nothing(kept: Settings) -> None:
    kept.keys_path.chmod(0o644)
    with sa.create_engine(f"sqlite:///{kept.data_path / 'storekeeper.db'}").begin() as conn:
        conn.execute(sa.text("CREATE TABLE stores (id INTEGER)"))
    before = contents(kept.data_path)
    result = run_with(kept, "check")
    assert (result.exit_code, result.stdout) == (1, "settings: ok\n")
    assert result.stderr.splitlines() == [
        f"keys: {kept.keys_path} can be read by others: chmod 600 {kept.keys_path}",
        "database: The database has no tables yet: `storekeeper migrate` makes them.",
    ]
    assert contents(kept.data_path) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_check_without_a_database_makes_none(nowhere: Settings) -> None:
    result = run_with(nowhere, "check")
    assert result.exit_code == 1
    assert result.stderr == "database: There is no database yet: `storekeeper migrate` creates it.\n"
    assert not nowhere.data_path.exists()


def test_check_of_an_old_schema(engine: sa.Engine, settings: Settings) -> None:
    with version(engine, "0000"):
        result = run_with(settings, "check")
    assert result.exit_code == 1
    expected = f"The database is of version 0000, not {schema.HEAD}: `storekeeper migrate` brings it up to date."
    assert result.stderr == f"database: {expected}\n"


def test_check_tells_that_there_is_no_administrator(url: str, settings: Settings) -> None:
    result = run_with(settings, "check")
    assert result.exit_code == 0
    assert "without an administrator: `storekeeper create-admin NAME` makes one" in result.output


def test_check_of_wrong_settings(nowhere: Settings) -> None:
    says(run_with(nowhere, "check", STOREKEEPER_PORT="x"), 1, "STOREKEEPER_PORT: Expected `int`, got `str`")


# The database is out of reach


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"postgresql://keeper:{SECRET}@127.0.0.1:1/shop", "Connection refused"),
        (f"postgresql://keeper:{SECRET}@127.0.0.1:1/shop?sslmode=nonsense", "sslmode"),
        (f"postgresql://keeper@127.0.0.1:1/shop?password={SECRET}&nonsense=1", "nonsense"),
        (f"postgresql://keeper:{SECRET}@127.0.0.1:port/shop", "STOREKEEPER_DATABASE_URL"),
        (f"postgresql://keeper:a@{SECRET}@127.0.0.1/shop", "STOREKEEPER_DATABASE_URL"),
        (f"postgresql://keeper:{SECRET}", "STOREKEEPER_DATABASE_URL"),
        (f"postgres://keeper:{SECRET}@127.0.0.1/shop", "STOREKEEPER_DATABASE_URL"),
        (f"mysql://keeper:{SECRET}@127.0.0.1/shop", "STOREKEEPER_DATABASE_URL"),
    ],
)
def test_it_is_said_in_one_line_without_the_password(url: str, reason: str, nowhere: Settings) -> None:
    for args in (["migrate"], ["users", "list"], ["check"]):
        result = run_with(nowhere, *args, STOREKEEPER_DATABASE_URL=url)
        assert result.exit_code == 1
        (line,) = result.stderr.splitlines()
        assert reason in line
        assert SECRET not in result.output


def test_a_file_that_is_no_database(nowhere: Settings) -> None:
    nowhere.data_path.mkdir()
    (nowhere.data_path / "storekeeper.db").write_text("dear diary" * 1000)
    says(run_with(nowhere, "migrate"), 1, "The database cannot be used: file is not a database")


def test_the_engine_hides_the_parameters_of_a_failed_statement(url: str) -> None:
    with create_engine(url).connect() as conn, pytest.raises(sa.exc.DBAPIError) as caught:
        conn.execute(sa.text("SELECT nothing FROM nowhere WHERE password = :password"), {"password": SECRET})
    assert SECRET not in str(caught.value)
