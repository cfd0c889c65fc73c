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

from storekeeper.files.images import MEDIA_TYPES
from storekeeper.resources.imports import TYPES
from tests.support import app_without_database, images
from tests.support.cast import PASSWORD

NAME = "generated_storekeeper_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """Imports a module of the package that was made."""
    folder = tmp_path_factory.mktemp("generated")
    generate(app_without_database.document(folder), folder)
    sys.path.insert(0, str(folder))
    yield lambda module: importlib.import_module(f"{NAME}.{module}")
    sys.path.remove(str(folder))


def generate(document: dict[str, Any], folder: Path) -> None:
    source, config = folder / "openapi.json", folder / "config.json"
    source.write_text(json.dumps(document))
    # Hooks only make the code prettier. Of the types of files, this generator knows one only.
    bytes_types = dict.fromkeys((*MEDIA_TYPES, *TYPES, "image/webp"), "application/octet-stream")
    config.write_text(json.dumps({"post_hooks": [], "content_type_overrides": bytes_types}))
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning", "--meta", "none"]
    places = ["--path", source, "--config", config, "--output-path", folder / NAME]
    done = subprocess.run([*command, *places], capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_log_in_and_read_an_item(app: Any, generated: Callable[[str], Any]) -> None:
    asyncio.run(log_in_and_read_an_item(app, generated))


def test_fill_a_catalogue(app: Any, generated: Callable[[str], Any]) -> None:
    asyncio.run(fill_a_catalogue(app, generated))


async def log_in(app: Any, generated: Callable[[str], Any]) -> Any:
    """A client of Alice's."""
    models, clients = generated("models"), generated("client")
    options = {"base_url": "http://storekeeper", "httpx_args": {"transport": httpx.ASGITransport(app)}}

    credentials = models.Credentials("alice", PASSWORD)
    pair = await generated("api.sessions.login").asyncio(client=clients.Client(**options), body=credentials)
    assert isinstance(pair, models.TokenPair)
    return clients.AuthenticatedClient(token=pair.access_token, **options)


async def log_in_and_read_an_item(app: Any, generated: Callable[[str], Any]) -> None:
    models, signed_in = generated("models"), await log_in(app, generated)
    body = models.ItemBody(price=24.5, store_id=1)
    await generated("api.items.put_item").asyncio("table/round", client=signed_in, body=body)
    item = await generated("api.items.get_item").asyncio("table/round", client=signed_in)
    assert isinstance(item, models.Item)
    assert (item.name, item.price, item.currency, item.store_id) == ("table/round", 24.5, "EUR", 1)

    page = await generated("api.items.list_items").asyncio(client=signed_in, limit=1)
    assert isinstance(page, models.ItemPage)
    assert isinstance(page.items[0], models.Item)
    assert page.next_

    missing = await generated("api.items.get_item").asyncio_detailed("ghost", client=signed_in)
    assert missing.status_code == HTTPStatus.NOT_FOUND
    assert isinstance(missing.parsed, models.ErrorBody)
    assert (missing.parsed.error, missing.parsed.message) == ("not_found", "Item not found.")


async def fill_a_catalogue(app: Any, generated: Callable[[str], Any]) -> None:
    models, types, signed_in = generated("models"), generated("types"), await log_in(app, generated)

    rows = [models.BulkRow(store_id=1, name="lamp", price=9.5, tags=["garden"]), models.BulkRow(1, "ghost")]
    done = await generated("api.items.bulk_put_items").asyncio(client=signed_in, body=rows)
    assert isinstance(done, models.ErrorBody)
    done = await generated("api.items.bulk_put_items").asyncio(client=signed_in, body=rows[:1])
    assert [(each.status, each.item.name, each.item.tags) for each in done.results] == [(201, "lamp", ["garden"])]
    left = await generated("api.items.adjust_stock").asyncio("lamp", client=signed_in, body=models.StockBody(3))
    assert left.stock == 3
    found = await generated("api.items.list_items_in_store").asyncio("ikea", client=signed_in, tag="garden", q="la")
    assert [each.name for each in found.items] == ["lamp"]

    image = types.File(payload=images.encoded(images.two_colours(), "PNG"))
    lamp = await generated("api.items.put_item_image").asyncio("lamp", client=signed_in, body=image)
    _, _, key = lamp.image.split("/")
    small = await generated("api.items.get_image").asyncio(key, "small", client=signed_in)
    assert small.payload.read(4) == b"RIFF"

    file = types.File(payload=b"name,price\nrug,5\n")
    job = await generated("api.imports.start_import").asyncio(client=signed_in, body=file, store="ikea")
    assert isinstance(job, models.Import)
    assert (job.store, job.state, job.found) == ("ikea", "queued", None)
    ended = await generated("api.imports.cancel_import").asyncio(job.id, client=signed_in)
    assert ended.state == "cancelled"
