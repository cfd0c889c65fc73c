"""Every setting of the server, read once: from a TOML file, then from the environment, which wins."""

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from storekeeper.domain import expectations
from storekeeper.domain.money import check_currency
from storekeeper.domain.webhook_url import read_allowed
from storekeeper.errors import Invalid

PREFIX = "STOREKEEPER_"
CONFIG = PREFIX + "CONFIG"
CONFIG_NAME = "storekeeper.toml"
ORIGIN = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+")
ENDPOINT = re.compile(ORIGIN.pattern + r"(?:/[A-Za-z0-9._~/-]*)?")
TOML_PLACE = re.compile(r"\(at ([a-z0-9, ]+)\)$")  # at the end of what tomllib says
BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9._-]*[A-Za-z0-9_-])*/?")

SECRETS = ("storage_secret_key",)  # beside the password in `database_url`

Positive = Annotated[int, Meta(gt=0, le=1_000_000)]
Quota = Annotated[int, Meta(ge=0, le=1_000_000)]
Words = tuple[str, ...]


class SettingsError(Exception):
    """Settings are nonsense. The message begins with the first one's name; `faults` has all of them."""

    def __init__(self, *faults: str) -> None:
        super().__init__(faults[0])
        self.faults = faults


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the operator can change. Documented one by one in docs/operating/settings.md; a test compares."""

    data: Annotated[str, Meta(min_length=1)] = "data"
    database_url: str = ""
    keys_file: str = ""

    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 5000
    workers: Annotated[int, Meta(gt=0, le=256)] = 1
    trusted_proxies: Words = ()
    cors_origins: Words = ()
    head_seconds: Positive = 5
    body_seconds: Positive = 10
    keep_alive_seconds: Positive = 30
    compression: bool = True
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    database_seconds: Positive = 5
    database_queue: Positive = 256

    storage_url: str = ""
    storage_endpoint: str = ""
    storage_region: str = ""
    storage_access_key: str = ""
    storage_secret_key: str = ""
    free_disk_mib: Annotated[int, Meta(ge=0, le=1_000_000)] = 1024

    exports_at_once: Positive = 32
    exports_per_user: Positive = 4

    registration: Literal["open", "closed"] = "open"
    currency: str = "EUR"
    require_if_match: bool = False
    journal_days: Annotated[int, Meta(ge=0, le=36_500)] = 0
    webhook_networks: Words = ()
    webhook_creation: Literal["owners", "administrators", "operator"] = "owners"
    webhook_rate: Positive = 20
    webhook_connections: Annotated[int, Meta(gt=0, le=256)] = 8

    password_length: Annotated[int, Meta(ge=8, le=64)] = 8
    argon2_memory: Annotated[int, Meta(ge=19_456, le=4_194_304)] = 19_456
    argon2_passes: Annotated[int, Meta(ge=2, le=100)] = 2
    logins_at_once: Annotated[int, Meta(ge=0, le=256)] = 0

    access_minutes: Positive = 15
    fresh_minutes: Positive = 15
    refresh_days: Annotated[int, Meta(gt=0, le=3650)] = 30
    session_days: Annotated[int, Meta(gt=0, le=3650)] = 90
    refresh_grace_seconds: Annotated[int, Meta(ge=0, le=3600)] = 10

    login_failures: Positive = 10
    login_failures_overall: Positive = 1000
    login_window_seconds: Positive = 300
    logins_per_minute: Positive = 300
    registrations_per_minute: Positive = 60
    network_requests_per_minute: Annotated[int, Meta(ge=0, le=100_000_000)] = 60_000
    user_requests_per_minute: Annotated[int, Meta(ge=0, le=100_000_000)] = 30_000

    stores_per_user: Quota = 200
    sessions_per_user: Quota = 100
    streams_per_user: Quota = 20
    import_mib_per_user: Quota = 1024
    answer_mib_per_user: Quota = 16
    image_mib_per_store: Quota = 5120

    def __repr__(self) -> str:
        """Without the values, as some are secret: a trace or a log would show them."""
        return f"Settings(data={self.data!r}, ...)"

    @property
    def database(self) -> str:
        """The database's URL: SQLite in the data directory unless another is named."""
        return self.database_url or f"sqlite:///{self.data_path / 'storekeeper.db'}"

    @property
    def keys_path(self) -> Path:
        return Path(self.keys_file) if self.keys_file else self.data_path / "keys.json"

    @property
    def data_path(self) -> Path:
        return Path(self.data).absolute()


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """SettingsError, with each setting's name, where some are unknown or nonsense."""
    hints = get_type_hints(Settings, include_extras=True)
    given = _from_file(environ) | _from_environment(environ)
    values: dict[str, Any] = {}
    faults: list[str] = []
    for name, (label, value) in given.items():
        try:
            values[name] = _convert(name, label, value, hints)
        except SettingsError as error:
            faults += error.faults
    settings = Settings(**values)
    faults += _find_faults(settings, {name: label for name, (label, _) in given.items()})
    if faults:
        raise SettingsError(*faults)
    return settings


Given = dict[str, tuple[str, Any]]  # by the setting's name: what its source calls it, and the value there


def _from_environment(environ: Mapping[str, str]) -> Given:
    found = {key: value for key, value in environ.items() if key.startswith(PREFIX) and key != CONFIG}
    return {key.removeprefix(PREFIX).lower(): (key, value) for key, value in found.items()}


def _from_file(environ: Mapping[str, str]) -> Given:
    path = find_file(environ)
    if path is None:
        return {}
    try:
        read = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{CONFIG if CONFIG in environ else CONFIG_NAME}: {path}: {_reason(error)}") from None
    return {name: (f"{path}: {name}", value) for name, value in read.items()}


def _reason(error: OSError | ValueError) -> str:
    match error:
        case OSError():
            return str(error.strerror)
        case UnicodeDecodeError():
            return "this is not UTF-8"
        case _:
            place = TOML_PLACE.search(str(error))
            return "this is not TOML" + (f" ({place[1]})" if place else "")


def find_file(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The file that settings are read from; None if there is none."""
    if CONFIG in environ:
        return Path(environ[CONFIG])
    usual = Path(environ.get(PREFIX + "DATA", "data")) / CONFIG_NAME
    return usual if usual.is_file() else None


def has_secret(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the file holds a password or a secret key. For settings that `read_settings` has found good."""
    read = {name: value for name, (_, value) in _from_file(environ).items()}
    url = make_url(read.get("database_url") or "sqlite://")
    return bool(url.password or "password" in url.query or any(read.get(name) for name in SECRETS))


def _convert(name: str, label: str, value: Any, hints: Mapping[str, Any]) -> Any:
    if name not in hints:
        raise SettingsError(f"{label}: there is no such setting{_suggestion(name, label, hints)}")
    if hints[name] == Words and isinstance(value, str):
        value = [word.strip() for word in value.split(",") if word.strip()]
    try:
        return msgspec.convert(value, hints[name], strict=not isinstance(value, str))
    except msgspec.ValidationError:
        raise SettingsError(f"{label}: this has to be {expectations.describe(hints[name])}") from None


def _suggestion(name: str, label: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415

    near = "".join(get_close_matches(name, known, 1))
    return near and f"; do you mean {PREFIX + near.upper() if label.startswith(PREFIX) else near}?"


def _find_faults(settings: Settings, labels: Mapping[str, str]) -> Iterator[str]:
    """What a type cannot say."""
    checks: dict[str, Callable[[Any], object]] = {
        "database_url": _check_database_url,
        "storage_url": _check_storage_url,
        "storage_endpoint": _check_endpoint,
        "storage_secret_key": lambda secret: _check_pair(settings.storage_access_key, secret),
        "currency": check_currency,
        "journal_days": _check_journal_days,
        "trusted_proxies": _check_networks,
        "webhook_networks": lambda words: [read_allowed(word) for word in words],
        "cors_origins": _check_origins,
    }
    for name, check in checks.items():
        try:
            check(getattr(settings, name))
        except (ValueError, Invalid) as error:
            yield f"{labels.get(name, name)}: {error}"


def _check_database_url(text: str) -> None:
    """The URL may hold a password, whole or in a wrong place: nothing of it is shown, here or later."""
    if not text:
        return
    if not text.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError("a database's URL begins with sqlite:/// or postgresql://")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError("this is not a database's URL: postgresql://user:password@host:5432/name") from None
    if url.get_backend_name() == "sqlite" and (url.query or url.database in (None, "", ":memory:")):
        raise ValueError("sqlite:/// is followed by the path of a file, and by nothing else")
    if "@" in (url.host or ""):
        raise ValueError("special characters in a password have to be percent-encoded, @ as %40")


def _check_storage_url(text: str) -> None:
    if text and not BUCKET.fullmatch(text):
        raise ValueError("files are kept in s3://bucket or s3://bucket/folder, or without this in the data directory")


def _check_networks(words: Words) -> None:
    for word in words:
        try:
            ip_network(word, strict=False)
        except ValueError:
            raise ValueError(f"'{word}' is no network such as 10.0.0.0/8, and no address") from None


def _check_journal_days(days: int) -> None:
    """The lowest price of the 30 days before a discount is to be known for some time after it."""
    if 0 < days < 60:
        raise ValueError("the journal is kept for ever with 0, or for at least 60 days")


def _check_endpoint(text: str) -> None:
    """Somebody may write their keys into it: nothing of it is shown."""
    if text and not ENDPOINT.fullmatch(text):
        raise ValueError("an endpoint is a URL such as https://s3.example, without keys")


def _check_pair(access_key: str, secret_key: str) -> None:
    if bool(access_key) != bool(secret_key):
        raise ValueError("STOREKEEPER_STORAGE_ACCESS_KEY and STOREKEEPER_STORAGE_SECRET_KEY go together")


def _check_origins(origins: Words) -> None:
    for origin in origins:
        if not ORIGIN.fullmatch(origin):
            raise ValueError(f"'{origin}' is no origin such as https://shop.example")
