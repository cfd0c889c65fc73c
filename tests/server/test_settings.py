"""Settings: from the environment and a file, refused when they are nonsense, and documented one by one."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from storekeeper.settings import Settings, SettingsError, read_settings
from tests.support.server_process import ROOT

DOCUMENT = ROOT / "docs" / "operating" / "settings.md"
ROW = re.compile(r"^\| `STOREKEEPER_(\w+)` \| (.+?) \| (.+) \|$", re.MULTILINE)
SECRET = "s3cret-of-the-database"


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        read_settings(environ)
    return str(caught.value)


# In the documentation


def documented() -> dict[str, tuple[str, str]]:
    """By name: the default and the meaning."""
    return {name: (default, meaning) for name, default, meaning in ROW.findall(DOCUMENT.read_text())}


def test_every_setting_is_documented_in_the_order_of_the_code() -> None:
    assert list(documented()) == ["CONFIG", *(name.upper() for name in Settings.__struct_fields__)]


@pytest.mark.parametrize("field", msgspec.structs.fields(Settings), ids=lambda field: field.name)
def test_the_documented_default_is_the_real_one(field: msgspec.structs.FieldInfo) -> None:
    default, _ = documented()[field.name.upper()]
    told = "" if default == "–" else default.strip("`").replace(",", "")
    real = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    assert told == ("" if field.default == () else real)


@pytest.mark.parametrize("field", msgspec.structs.fields(Settings), ids=lambda field: field.name)
def test_the_documented_bounds_are_the_real_ones(field: msgspec.structs.FieldInfo) -> None:
    kind = msgspec.inspect.type_info(field.type)
    _, meaning = documented()[field.name.upper()]
    if isinstance(kind, msgspec.inspect.IntType):
        least = kind.ge if kind.ge is not None else (kind.gt or 0) + 1
        assert f"{least:,} to {kind.le:,}" in meaning
    if isinstance(kind, msgspec.inspect.LiteralType):
        assert all(f"`{value}`" in meaning for value in kind.values)


# From the environment


def test_nothing_has_to_be_set() -> None:
    assert read_settings({"PATH": "/bin", "TEST_DATABASE_URL": "x"}) == Settings()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("port", "8080", 8080),
        ("data", "/var/lib/storekeeper", "/var/lib/storekeeper"),
        ("registration", "closed", "closed"),
        ("currency", "JPY", "JPY"),
        ("cors_origins", "https://a.example, http://localhost:3000", ("https://a.example", "http://localhost:3000")),
        ("trusted_proxies", "10.0.0.1,fd00::/8,", ("10.0.0.1", "fd00::/8")),
        ("trusted_proxies", "", ()),
        ("database_url", "", ""),
        ("database_url", "sqlite:////var/lib/shop.db", "sqlite:////var/lib/shop.db"),
        ("database_url", "postgresql:///shop", "postgresql:///shop"),
        ("database_url", f"postgresql+psycopg://u:{SECRET}%40@db/shop", f"postgresql+psycopg://u:{SECRET}%40@db/shop"),
    ],
)
def test_a_variable_is_read(name: str, text: str, value: Any) -> None:
    assert getattr(read_settings({"STOREKEEPER_" + name.upper(): text}), name) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "http"),
        ("PORT", ""),
        ("PORT", "80.5"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("WORKERS", "0"),
        ("HOST", ""),
        ("DATA", ""),
        ("LOG_LEVEL", "loud"),
        ("LOG_LEVEL", "INFO"),
        ("REGISTRATION", "true"),
        ("CURRENCY", "EURO"),
        ("CURRENCY", "eur"),
        ("PASSWORD_LENGTH", "7"),
        ("ARGON2_MEMORY", "1024"),
        ("ARGON2_PASSES", "1"),
        ("SESSION_DAYS", "0"),
        ("LOGIN_FAILURES", "-5"),
        ("TRUSTED_PROXIES", "everybody"),
        ("TRUSTED_PROXIES", "10.0.0.1;10.0.0.2"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://shop.example/"),
        ("CORS_ORIGINS", "shop.example"),
        ("DATABASE_URL", "mysql://localhost/shop"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:///file:shop.db?mode=memory&uri=true"),
        ("DATABASE_URL", "storekeeper.db"),
        ("CONFIG", "/nonexistent/storekeeper.toml"),
        ("CONFIG", ""),
        ("SECRET_KEY", "jose"),
    ],
)
def test_nonsense_is_refused_by_its_name(name: str, text: str) -> None:
    assert refusal({f"STOREKEEPER_{name}": text}).startswith(f"STOREKEEPER_{name}: ")


def test_a_slip_of_the_pen_is_named_and_mended() -> None:
    assert refusal({"STOREKEEPER_PROT": "80"}) == (
        "STOREKEEPER_PROT: there is no such setting; do you mean STOREKEEPER_PORT?"
    )


@pytest.mark.parametrize(
    "url",
    [
        f"postgres://u:{SECRET}@db/shop",
        f"postgresql://u:{SECRET}@db:port/shop",
        f"postgresql://u:{SECRET}",
        f"postgresql://u:a@{SECRET}@db/shop",
        f"sqlite:///{SECRET}?key={SECRET}",
    ],
)
def test_a_bad_database_url_is_refused_without_being_shown(url: str) -> None:
    told = refusal({"STOREKEEPER_DATABASE_URL": url})
    assert told.startswith("STOREKEEPER_DATABASE_URL: ")
    assert SECRET not in told


# From a file


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_a_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    config = write(tmp_path / "any.toml", 'port = 8080\nworkers = 2\ncors_origins = ["https://shop.example"]\n')
    read = read_settings({"STOREKEEPER_CONFIG": config, "STOREKEEPER_PORT": "9090"})
    assert read == Settings(port=9090, workers=2, cors_origins=("https://shop.example",))


def test_the_file_in_the_data_directory_needs_not_be_named(tmp_path: Path) -> None:
    write(tmp_path / "storekeeper.toml", 'registration = "closed"\n')
    assert read_settings({"STOREKEEPER_DATA": str(tmp_path)}).registration == "closed"


def test_a_named_file_takes_the_place_of_that_one(tmp_path: Path) -> None:
    write(tmp_path / "storekeeper.toml", "port = 1\n")
    config = write(tmp_path / "other.toml", "workers = 3\n")
    read = read_settings({"STOREKEEPER_DATA": str(tmp_path), "STOREKEEPER_CONFIG": config})
    assert (read.port, read.workers) == (5000, 3)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('port = "http"', "port: this has to be a whole number from 0 to 65,535"),
        ("port = true", "port: this has to be a whole number from 0 to 65,535"),
        ("port = 70000", "port: this has to be a whole number from 0 to 65,535"),
        ("host = 127", "host: this has to be text of at least 1 character"),
        ("cors_origins = [1]", "cors_origins: this has to be a list, each text"),
        ('cors_origins = ["*"]', "cors_origins: '*' is no origin"),
        ("prot = 80", "prot: there is no such setting; do you mean port?"),
        ("[server]\nport = 80", "server: there is no such setting"),
        ("port = ", "this is not TOML (line 1, column 8)"),
        ("port = 80\nport = 81", "this is not TOML (line 2, column 10)"),
        (f'database_url = "postgres://u:{SECRET}@db/shop"', "database_url: a database's URL begins with"),
        (f'database_url = "postgresql://u:{SECRET}@db/shop', "this is not TOML ("),
    ],
)
def test_nonsense_in_the_file_is_refused_with_its_place(text: str, told: str, tmp_path: Path) -> None:
    config = write(tmp_path / "storekeeper.toml", text + "\n")
    found = refusal({"STOREKEEPER_DATA": str(tmp_path)})
    assert config in found
    assert told in found
    assert SECRET not in found


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "storekeeper.toml").write_bytes(b"\xff\xfe")
    assert "this is not UTF-8" in refusal({"STOREKEEPER_DATA": str(tmp_path)})
