"""A server without a database, for what it tells of itself."""

from pathlib import Path
from typing import Any

from falcon import testing

from storekeeper.app import create_app
from storekeeper.security import signing_keys
from storekeeper.settings import Settings
from tests.conftest import as_served


def client(folder: Path) -> testing.TestClient:
    settings = Settings(data=str(folder))
    signing_keys.ensure(settings.keys_path)
    return testing.TestClient(as_served(create_app(settings)))


def document(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = client(folder).simulate_get("/openapi.json").json
    return told
