"""A client that a public generator makes of /openapi.json, without a word of warning, can do what a shop needs."""

import asyncio
import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import described
from tests.conftest import PASSWORD

NAME = "generated_storekeeper_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """Imports a module of the package that was made."""
    folder = tmp_path_factory.mktemp("generated")
    generate(described.document(folder), folder)
    sys.path.insert(0, str(folder))
    yield lambda module: importlib.import_module(f"{NAME}.{module}")
    sys.path.remove(str(folder))


def generate(document: dict[str, Any], folder: Path) -> None:
    source, config = folder / "openapi.json", folder / "config.json"
    source.write_text(json.dumps(document))
    config.write_text(json.dumps({"post_hooks": []}))  # they only make the code prettier
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning", "--meta", "none"]
    places = ["--path", source, "--config", config, "--output-path", folder / NAME]
    done = subprocess.run([*command, *places], capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_log_in_and_read_an_item(app: Any, generated: Callable[[str], Any]) -> None:
    asyncio.run(log_in_and_read_an_item(app, generated))


async def log_in_and_read_an_item(app: Any, generated: Callable[[str], Any]) -> None:
    models, clients = generated("models"), generated("client")
    options = {"base_url": "http://storekeeper", "httpx_args": {"transport": httpx.ASGITransport(app)}}

    credentials = models.Credentials("alice", PASSWORD)
    pair = await generated("api.session.post_login").asyncio(client=clients.Client(**options), body=credentials)
    assert isinstance(pair, models.TokenPair)

    signed_in = clients.AuthenticatedClient(token=pair.access_token, **options)
    body = models.ItemBody(price=24.5, store_id=1)
    await generated("api.item.put_item").asyncio("table/round", client=signed_in, body=body)
    item = await generated("api.item.get_item").asyncio("table/round", client=signed_in)
    assert isinstance(item, models.Item)
    assert (item.name, item.price, item.currency, item.store_id) == ("table/round", 24.5, "EUR", 1)

    page = await generated("api.item.get_item_list").asyncio(client=signed_in, limit=1)
    assert isinstance(page, models.ItemPage)
    assert isinstance(page.items[0], models.Item)
    assert page.next_

    missing = await generated("api.item.get_item").asyncio_detailed("ghost", client=signed_in)
    assert missing.status_code == HTTPStatus.NOT_FOUND
    assert isinstance(missing.parsed, models.ErrorBody)
    assert (missing.parsed.error, missing.parsed.message) == ("not_found", "Item not found.")
