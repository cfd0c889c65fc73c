"""Directus: made with its own command, its collections and rights through its API."""

import json
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks import data
from benchmarks.candidates import Candidate, Place
from benchmarks.client import Client
from benchmarks.peers import node
from benchmarks.peers.people import CREDENTIALS, EMAIL
from benchmarks.speech import PAGE, Ask, Speech

PROJECT = Path(__file__).parent
PROGRAM = str(PROJECT / "node_modules" / "directus" / "cli.js")
ADMIN = "administrator@example.com"
PEOPLE = "5a1e0000-0000-4000-8000-000000000002"  # the role in shop.json
USER = "5a1e0000-0000-4000-8000-000000000003"

SPEECH = Speech(
    {
        "read": Ask("GET", "/items/items?filter%5Bname%5D%5B_eq%5D=item{number}&limit=1"),
        "list": Ask("GET", f"/items/items?limit={PAGE}"),
        "counted": Ask("GET", f"/items/items?limit={PAGE}&meta=filter_count"),
        "find": Ask("GET", f"/items/items?search=item{{number}}&limit={PAGE}"),
        "update": Ask("PATCH", "/items/items/{number}", '{"price": {price}}'),
        "login": Ask("POST", "/auth/login", CREDENTIALS, signs=False),
        "refresh": Ask("POST", "/auth/refresh", '{"refresh_token": "{token}", "mode": "json"}', signs=False),
    },
    item=lambda answer: answer["data"][0],
    items=lambda answer: answer["data"],
    tokens=lambda answer: answer["data"],
    total=lambda answer: answer["meta"]["filter_count"],
    rotates=True,
)


def _command(_place: Place) -> list[str]:
    return [str(node.NODE), PROGRAM, "start"]


def _environment(place: Place) -> Mapping[str, str]:
    """Production, with lines of JSON as its log. What would call home is off: nobody is there."""
    return {
        "NODE_ENV": "production",
        "LOG_STYLE": "raw",
        "TELEMETRY": "false",
        "HOST": "127.0.0.1",
        "PORT": str(place.port),
        "PUBLIC_URL": f"http://127.0.0.1:{place.port}",
        "SECRET": secrets.token_urlsafe(32),
        "ADMIN_EMAIL": ADMIN,
        "ADMIN_PASSWORD": secrets.token_urlsafe(24),
    } | _database(sa.make_url(place.url))


def _database(url: sa.URL) -> dict[str, str]:
    if url.get_backend_name() == "sqlite":
        return {"DB_CLIENT": "sqlite3", "DB_FILENAME": str(url.database)}
    told = {"HOST": url.query.get("host", url.host), "PORT": url.port or 5432, "DATABASE": url.database}
    told |= {"USER": url.username, "PASSWORD": url.password}
    return {"DB_CLIENT": "pg"} | {f"DB_{name}": str(value) for name, value in told.items() if value}


def _prepare(place: Place, environment: Mapping[str, str]) -> None:
    for name in ("extensions", "uploads"):
        (place.directory / name).mkdir()
    shutil.copy(PROJECT / "package.json", place.directory)
    node.run(environment, place.directory, PROGRAM, "bootstrap")
    data.use_wal(place.url)


def _fill(place: Place, environment: Mapping[str, str], items: int) -> None:
    client = Client(place.port)
    login = {"email": ADMIN, "password": environment["ADMIN_PASSWORD"]}
    token = client.ask("POST", "/auth/login", login)["data"]["access_token"]
    for method, path, body in _requests():
        client.ask(method, path, body, token)
    _add_stores(place.url)
    data.add_items(place.url, data.ITEMS.format(columns="name, store, price", values=_VALUES), items)


_VALUES = f"{data.NAME_AND_STORE}, ({data.MINOR}) / 100.0"


def _requests() -> list[tuple[str, str, dict[str, Any]]]:
    made: list[tuple[str, str, dict[str, Any]]] = json.loads((PROJECT / "shop.json").read_text("utf-8"))
    user = {"id": USER, "email": EMAIL, "password": data.PASSWORD, "role": PEOPLE}
    return [*made, ("POST", "/users", user)]


def _add_stores(url: str) -> None:
    stores = [{"id": number, "name": name} for number, name in enumerate(data.STORE_NAMES, 1)]
    member = sa.text("INSERT INTO stores_members (stores_id, directus_users_id) VALUES (:id, :user)")
    with data.create_engine(url).begin() as conn:
        conn.execute(sa.text("INSERT INTO stores (id, name) VALUES (:id, :name)"), stores)
        conn.execute(member, [{"id": store["id"], "user": USER} for store in stores])


DIRECTUS = Candidate(
    "directus",
    "Directus",
    (),
    _command,
    _environment,
    _fill,
    SPEECH,
    _prepare,
    versions=lambda: node.versions(PROJECT, "directus", "sqlite3"),
    warm_up=node.WARM_UP,
)
