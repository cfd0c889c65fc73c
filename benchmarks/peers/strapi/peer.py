"""Strapi: a copy of the project here, with the packages that were installed for it."""

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from benchmarks import data
from benchmarks.candidates import Candidate, Place
from benchmarks.client import Client
from benchmarks.peers import node
from benchmarks.peers.people import EMAIL
from benchmarks.speech import ACCESS, PAGE, REFRESH, Ask, Speech

PROJECT = Path(__file__).parent
PROGRAM = str(PROJECT / "node_modules" / "@strapi" / "strapi" / "bin" / "strapi.js")
SECRETS = (
    "APP_KEYS",
    "ADMIN_JWT_SECRET",
    "API_TOKEN_SALT",
    "TRANSFER_TOKEN_SALT",
    "ENCRYPTION_KEY",
    "JWT_SECRET",
)
NO_COUNT = "pagination%5BwithCount%5D=false"
SIZE = f"pagination%5BpageSize%5D={PAGE}"
DOCUMENT = "itemitemitem0"  # with eleven digits, as long as its own ids

SPEECH = Speech(
    {
        "read": Ask("GET", f"/api/items?filters%5Bname%5D%5B$eq%5D=item{{number}}&{NO_COUNT}"),
        "list": Ask("GET", f"/api/items?{SIZE}&{NO_COUNT}"),
        "counted": Ask("GET", f"/api/items?{SIZE}"),
        "find": Ask("GET", f"/api/items?filters%5Bname%5D%5B$contains%5D=item{{number}}&{SIZE}&{NO_COUNT}"),
        "update": Ask("PUT", f"/api/items/{DOCUMENT}{{padded}}", '{"data": {"price": {price}}}'),
        "login": Ask(
            "POST",
            "/api/auth/local",
            f'{{"identifier": "{EMAIL}", "password": "{data.PASSWORD}"}}',
            signs=False,
        ),
        "refresh": Ask("POST", "/api/auth/refresh", '{"refreshToken": "{token}"}', signs=False),
    },
    item=lambda answer: answer["data"][0],
    items=lambda answer: answer["data"],
    tokens=lambda answer: {ACCESS: answer["jwt"], REFRESH: answer["refreshToken"]},
    total=lambda answer: answer["meta"]["pagination"]["total"],
    rotates=True,
)


def _command(_place: Place) -> list[str]:
    return [str(node.NODE), PROGRAM, "start"]


def _environment(place: Place) -> Mapping[str, str]:
    """Production. What would call home is off: nobody is there."""
    own = {"NODE_ENV": "production", "HOST": "127.0.0.1", "PORT": str(place.port)}
    own |= {"STRAPI_TELEMETRY_DISABLED": "true", "STRAPI_DISABLE_UPDATE_NOTIFICATION": "true"}
    return own | {name: secrets.token_hex(16) for name in SECRETS} | _database(sa.make_url(place.url))


def _database(url: sa.URL) -> dict[str, str]:
    if url.get_backend_name() == "sqlite":
        return {"DATABASE_CLIENT": "sqlite", "DATABASE_FILENAME": str(url.database)}
    told = {"HOST": url.query.get("host", url.host), "PORT": url.port, "NAME": url.database}
    told |= {"USERNAME": url.username, "PASSWORD": url.password}
    return {"DATABASE_CLIENT": "postgres"} | {f"DATABASE_{name}": str(value) for name, value in told.items() if value}


def _prepare(place: Place, _environment: Mapping[str, str]) -> None:
    for name in ("package.json", "config", "src"):
        target = place.directory / name
        (shutil.copytree if (PROJECT / name).is_dir() else shutil.copy)(PROJECT / name, target)
    (place.directory / "public" / "uploads").mkdir(parents=True)
    (place.directory / "node_modules").symlink_to(PROJECT / "node_modules")
    data.use_wal(place.url)


def _fill(place: Place, _environment: Mapping[str, str], items: int) -> None:
    user = {"username": data.USERNAME, "email": EMAIL, "password": data.PASSWORD}
    Client(place.port).ask("POST", "/api/auth/local/register", user)
    stores = [{"id": number, "name": name} for number, name in enumerate(data.STORE_NAMES, 1)]
    with data.create_engine(place.url).begin() as conn:
        conn.execute(sa.text(_STORES), [store | {"document": f"{DOCUMENT}{store['id']:011d}"} for store in stores])
        conn.execute(sa.text(_MEMBERS))
    data.add_items(place.url, _ITEMS, items)
    data.add_items(place.url, _LINKS, items)


_STORES = """
    INSERT INTO stores (id, document_id, name, created_at, updated_at, published_at)
    VALUES (:id, :document, :name, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)"""
_MEMBERS = "INSERT INTO stores_members_lnk (store_id, user_id) SELECT stores.id, up_users.id FROM stores, up_users"
_ITEMS = data.ITEMS.format(
    columns="document_id, name, price, created_at, updated_at, published_at",
    values=f"'{DOCUMENT}' || substr('0000000000' || n, length('' || n)), 'item' || n, ({data.MINOR}) / 100.0, "
    "CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP",
)
_LINKS = f"""
    INSERT INTO items_store_lnk (item_id, store_id)
    SELECT id, id % {data.STORES} + 1 FROM items WHERE id <= :items"""

STRAPI = Candidate(
    "strapi",
    "Strapi",
    (),
    _command,
    _environment,
    _fill,
    SPEECH,
    _prepare,
    versions=lambda: node.versions(PROJECT, "@strapi/strapi", "better-sqlite3"),
    warm_up=node.WARM_UP,
)
