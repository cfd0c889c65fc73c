"""What the command line finds wrong, and how it says so: in one line, without a secret, changing nothing."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa

from storekeeper.cli.check import describe_database
from storekeeper.database import schema_version
from storekeeper.database.engine import create_engine
from storekeeper.files import images
from storekeeper.files.storage import create_storage
from storekeeper.models import item
from storekeeper.security import signing_keys
from storekeeper.settings import Settings
from tests.files.test_storage import closed_port
from tests.support import damaged_files, databases
from tests.support.cli_runner import run_with, says, version

SECRET = "s3cret-of-the-database"
MADE_LATER = "`storekeeper serve` makes it"


@pytest.fixture
def nowhere(tmp_path: Path) -> Settings:
    """A data directory that is not there yet."""
    return Settings(data=str(tmp_path / "new"))


@pytest.fixture
def kept(nowhere: Settings) -> Settings:
    """A data directory with a key."""
    signing_keys.ensure(nowhere.keys_path)
    return nowhere


def test_check_finds_all_well(engine: sa.Engine, settings: Settings, kept: Settings) -> None:
    result = run_with(settings, "check", STOREKEEPER_KEYS_FILE=str(kept.keys_path))
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "settings: ok (no file, only the environment)",
        "keys: ok (1)",
        f"database: ok ({describe_database(settings.database)}, version {schema_version.HEAD})",
        f"storage: none yet ({settings.data}/files); `storekeeper serve` makes it",
        "node: not compared with others yet: the first server to start records its keys and its storage",
        "chores: no server is running",
    ]


def test_check_says_what_it_looked_at_without_a_password(engine: sa.Engine, settings: Settings, tmp_path: Path) -> None:
    signing_keys.ensure(settings.keys_path)
    (tmp_path / "storekeeper.toml").write_text("workers = 2\n")
    create_storage(settings)
    result = run_with(settings, "check")
    assert (result.exit_code, result.stderr) == (0, "")
    first, _, third, fourth, *_ = result.stdout.splitlines()
    assert first == f"settings: ok ({tmp_path / 'storekeeper.toml'})"
    assert str(engine.url.database) in third
    assert fourth == f"storage: ok ({tmp_path / 'files'})"
    assert list((tmp_path / "files").rglob("*")) == []
    secret = f"postgresql://keeper:{SECRET}@db.example:5433/shop?password={SECRET}"
    assert describe_database(secret) == "postgresql shop at db.example:5433"


def test_check_finds_everything_that_is_wrong_and_changes_nothing(kept: Settings) -> None:
    kept.keys_path.chmod(0o644)
    with sa.create_engine(f"sqlite:///{kept.data_path / 'storekeeper.db'}", poolclass=sa.NullPool).begin() as conn:
        conn.execute(sa.text("CREATE TABLE stores (id INTEGER)"))
    before = contents(kept.data_path)
    result = run_with(kept, "check")
    assert (result.exit_code, result.stdout.splitlines()) == (
        1,
        ["settings: ok (no file, only the environment)", f"storage: none yet ({kept.data}/files); {MADE_LATER}"],
    )
    place = f"sqlite {kept.data_path / 'storekeeper.db'}"
    assert result.stderr.splitlines() == [
        f"keys: {kept.keys_path} can be read by others: chmod 600 {kept.keys_path}",
        f"database: The database has no tables yet: `storekeeper migrate` makes them. [{place}]",
    ]
    assert contents(kept.data_path) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_check_without_a_database_makes_none(nowhere: Settings) -> None:
    result = run_with(nowhere, "check")
    assert result.exit_code == 1
    place = f"sqlite {nowhere.data_path / 'storekeeper.db'}"
    assert result.stderr == f"database: There is no database yet: `storekeeper migrate` creates it. [{place}]\n"
    assert not nowhere.data_path.exists()


def test_check_of_an_old_schema(engine: sa.Engine, settings: Settings) -> None:
    with version(engine, "0000"):
        result = run_with(settings, "check")
    assert result.exit_code == 1
    expected = (
        f"The database is of version 0000, not {schema_version.HEAD}: `storekeeper migrate` brings it up to date."
    )
    assert result.stderr == f"database: {expected} [{describe_database(settings.database)}]\n"


def test_check_tells_that_there_is_no_administrator(url: str, settings: Settings) -> None:
    result = run_with(settings, "check")
    assert result.exit_code == 0
    assert "without an administrator: `storekeeper create-admin NAME` makes one" in result.output


def test_check_of_wrong_settings(nowhere: Settings) -> None:
    result = run_with(nowhere, "check", STOREKEEPER_PORT="x", STOREKEEPER_CURENCY="EUR", STOREKEEPER_CORS_ORIGINS="x")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "settings: STOREKEEPER_PORT: this has to be a whole number from 0 to 65,535",
        "settings: STOREKEEPER_CURENCY: there is no such setting; do you mean STOREKEEPER_CURRENCY?",
        "settings: STOREKEEPER_CORS_ORIGINS: 'x' is no origin such as https://shop.example",
    ]


# Files that are open to everybody


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that everybody may enter, as /etc is. Those of pytest are not."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize(
    ("line", "mode", "told"),
    [
        (f'database_url = "postgresql://keeper:{SECRET}@127.0.0.1:1/shop"', 0o644, "has a password, and everybody can"),
        (f'database_url = "postgresql://127.0.0.1:1/shop?password={SECRET}"', 0o604, "has a password, and everybody"),
        (f'storage_access_key = "a"\nstorage_secret_key = "{SECRET}"', 0o644, "has a password, and everybody can read"),
        ("port = 5001", 0o646, "can be changed by everybody"),
        ("port = 5001", 0o644, ""),
        (f'storage_access_key = "a"\nstorage_secret_key = "{SECRET}"', 0o640, ""),
    ],
)
def test_check_minds_a_settings_file_that_is_open_to_everybody(
    line: str, mode: int, told: str, shared: Path, kept: Settings
) -> None:
    path = shared / "storekeeper.toml"
    path.write_text(line)
    path.chmod(mode)
    result = run_with(Settings(data=kept.data), "check", STOREKEEPER_CONFIG=str(path))
    (found,) = [each for each in result.output.splitlines() if each.startswith("settings: ")]
    assert found.startswith(f"settings: {path} {told}" if told else f"settings: ok ({path})")
    assert found.endswith(f": chmod 600 {path}" if told else "")
    assert SECRET not in result.output
    shared.chmod(0o700)  # nobody else may enter any more
    result = run_with(Settings(data=kept.data), "check", STOREKEEPER_CONFIG=str(path))
    assert f"settings: ok ({path})" in result.output


def test_check_minds_a_database_that_is_open_to_everybody(template: Path, shared: Path) -> None:
    (shared / "data").mkdir(mode=0o755)
    databases.copy_file(template, shared / "data")
    path = shared / "data" / "storekeeper.db"
    path.chmod(0o644)
    result = run_with(Settings(data=str(shared / "data")), "check")
    assert result.exit_code == 1
    assert result.stderr.endswith(f"passwords' hashes: chmod 600 {path} [sqlite {path}]\n")


# The storage


def test_check_finds_a_storage_that_is_dead(engine: sa.Engine, settings: Settings) -> None:
    dead = {"STORAGE_URL": "s3://shop", "STORAGE_ENDPOINT": f"http://127.0.0.1:{closed_port()}", "STORAGE_REGION": "r"}
    dead |= {"STORAGE_ACCESS_KEY": "AKID", "STORAGE_SECRET_KEY": SECRET}
    result = run_with(settings, "check", **{f"STOREKEEPER_{name}": value for name, value in dead.items()})
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("storage: The files cannot be written and read: ")
    assert line.endswith(f" [s3://shop at {dead['STORAGE_ENDPOINT']}]")
    assert SECRET not in result.output


def test_check_finds_a_folder_that_cannot_be_written(engine: sa.Engine, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "check").write_text("in the way")
    result = run_with(settings, "check")
    assert result.exit_code == 1
    assert result.stderr.startswith("storage: The files cannot be written and read: ")
    assert (tmp_path / "files" / "check").read_text() == "in the way"


# What is damaged, and what is lost


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_check_reads_every_page(engine: sa.Engine, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "storekeeper.db"
    damaged_files.checkpoint(path)
    damaged_files.damage_root(path, "ix_items_updated")  # which nothing that `check` itself asks for needs
    result = run_with(settings, "check")
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines
    for line in lines:
        assert line.startswith("database: The database is damaged: ")
        assert line.endswith(f" (what to do: docs/operating/damaged-database.md) [sqlite {path}]")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("make", [damaged_files.truncate, damaged_files.damage_header])
def test_check_of_what_is_no_database_any_more(
    make: Any, engine: sa.Engine, settings: Settings, tmp_path: Path
) -> None:
    damaged_files.checkpoint(tmp_path / "storekeeper.db")
    make(tmp_path / "storekeeper.db")
    result = run_with(settings, "check")
    assert result.exit_code == 1
    assert result.stderr.startswith("database: The database is damaged: ")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_deep_check_compares_indexes_with_their_tables(engine: sa.Engine, settings: Settings) -> None:
    """A quick one does not: it would take as long."""
    with engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA writable_schema = ON")
        made = conn.exec_driver_sql("SELECT * FROM sqlite_master WHERE name = 'ix_items_updated'").one()
        conn.exec_driver_sql("DELETE FROM sqlite_master WHERE name = 'ix_items_updated'")
        conn.commit()
    with create_engine(settings.database).begin() as conn:
        conn.exec_driver_sql("UPDATE items SET updated_at = 7")
        conn.exec_driver_sql("PRAGMA writable_schema = ON")
        conn.exec_driver_sql("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", tuple(made))
    assert run_with(settings, "check").exit_code == 0
    result = run_with(settings, "check", "--deep")
    assert result.exit_code == 1
    assert "missing from index ix_items_updated" in result.stderr


def test_a_deep_check_finds_rows_and_files_that_are_named_and_lost(
    engine: sa.Engine, settings: Settings, tmp_path: Path
) -> None:
    signing_keys.ensure(settings.keys_path)
    storage = create_storage(settings)
    with engine.begin() as conn:
        foreign_keys(conn, "OFF")
        conn.execute(sa.update(item.items).values(image="a" * 64))
        conn.execute(sa.insert(item.items).values(store_id=99, name="pen", price_minor=1))
        foreign_keys(conn, "ON")
    storage.copy_from(images.path("a" * 64, "small"), BytesIO(b"picture"))
    assert run_with(settings, "check").exit_code == 0
    result = run_with(settings, "check", "--deep")
    assert result.exit_code == 1
    place = describe_database(settings.database)
    assert result.stderr.splitlines() == [
        f"database: In items, 1 rows have a store_id that is not in stores. [{place}]"
    ]
    with engine.begin() as conn:
        conn.execute(sa.delete(item.items).where(item.items.c.store_id == 99))
    result = run_with(settings, "check", "--deep")
    missing = images.path("a" * 64, "full")
    assert result.stderr.splitlines() == [f"files: An item has an image {missing}, which is not there."]
    storage.copy_from(missing, BytesIO(b"picture"))
    assert run_with(settings, "check", "--deep").exit_code == 0


def foreign_keys(conn: sa.Connection, state: str) -> None:
    if conn.dialect.name == "sqlite":
        conn.connection.driver_connection.execute(f"PRAGMA foreign_keys = {state}")  # type: ignore[union-attr]
    else:
        conn.execute(sa.text(f"SET session_replication_role = {'replica' if state == 'OFF' else 'origin'}"))


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_check_finds_a_server_that_takes_no_changes(url: str, engine: sa.Engine, settings: Settings) -> None:
    name = engine.url.database
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(sa.text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        try:
            result = run_with(settings, "check")
        finally:
            conn.execute(sa.text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
    assert result.exit_code == 1
    assert result.stderr == f"database: The database takes no changes: it is read-only. [{describe_database(url)}]\n"


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
    told = "The database is damaged: file is not a database (what to do: docs/operating/damaged-database.md)"
    says(run_with(nowhere, "migrate"), 1, told)


def test_the_engine_hides_the_parameters_of_a_failed_statement(url: str) -> None:
    with create_engine(url).connect() as conn, pytest.raises(sa.exc.DBAPIError) as caught:
        conn.execute(sa.text("SELECT nothing FROM nowhere WHERE password = :password"), {"password": SECRET})
    assert SECRET not in str(caught.value)
