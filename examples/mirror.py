"""Keep a copy of a catalogue in a SQLite file, and keep it in step, through restarts of either side.

    SHOP=http://127.0.0.1:5000 SHOP_USER=alice SHOP_PASSWORD=... python mirror.py copy.db

The file has the tables `items` and `stores`, each with `id`, `version` and the thing as JSON in `told`. The cursor is
written in the same transaction as the changes that come before it: whatever is killed when, no change is lost.
Needs Python 3.11 or newer and nothing else.
"""

import json
import os
import sqlite3
import time
from argparse import ArgumentParser
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

ENVIRONMENT = ("SHOP", "SHOP_USER", "SHOP_PASSWORD")
TABLES = {"item": "items", "store": "stores"}
LOOK_SECONDS = 1  # between looks for new changes
RETRY_SECONDS = 2  # when the server is away


class Shop:
    """The API, as somebody who is signed in."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self._url = url
        self._credentials = {"username": username, "password": password}
        self._token = ""

    def get(self, path: str) -> Any:
        """The answer. Signs in when that is needed, and waits for a server that is away."""
        while True:
            try:
                return self._ask(path)
            except HTTPError as error:
                if error.code == 401:
                    self._token = self._ask("/login", self._credentials)["access_token"]
                elif error.code < 500:
                    raise
            except (URLError, ConnectionError, TimeoutError):
                time.sleep(RETRY_SECONDS)

    def pages(self, path: str, member: str) -> Any:
        """All rows of a list."""
        following: str | None = path
        while following:
            page = self.get(following)
            yield from page[member]
            following = page.get("next")

    def _ask(self, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json"} if body else {"Authorization": f"Bearer {self._token}"}
        data = json.dumps(body).encode() if body else None
        with urlopen(Request(self._url + path, data, headers), timeout=30) as answer:
            return json.loads(answer.read(), parse_float=str)  # prices keep all their digits


def open_copy(path: str) -> sqlite3.Connection:
    copy = sqlite3.connect(path)
    for table in TABLES.values():
        copy.execute(f"CREATE TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY, version INTEGER, told TEXT)")
    copy.execute("CREATE TABLE IF NOT EXISTS place (cursor INTEGER)")
    return copy


def read_anew(shop: Shop, copy: sqlite3.Connection) -> int:
    """Everything, in place of what is there. The cursor comes first: what is changed meanwhile is only told twice."""
    cursor = int(shop.get("/changes?after=now")["cursor"])
    with copy:
        for table in TABLES.values():
            copy.execute(f"DELETE FROM {table}")
        for store in shop.pages("/stores?limit=200", "stores"):
            keep(copy, "store", {name: value for name, value in store.items() if name not in ("items", "next")})
        for item in shop.pages("/items?archived=any&limit=200", "items"):
            keep(copy, "item", item)
        place(copy, cursor)
    return cursor


def follow(shop: Shop, copy: sqlite3.Connection, cursor: int) -> int:
    """The changes that come after the cursor, and the new cursor, all in one transaction."""
    found = shop.get(f"/changes?after={cursor}&limit=200")
    with copy:
        for change in found["changes"]:
            if change["after"] is None:
                copy.execute(f"DELETE FROM {TABLES[change['kind']]} WHERE id = ?", (change["subject_id"],))
            else:
                keep(copy, change["kind"], change["after"])
        place(copy, found["cursor"])
    if not found["changes"]:
        time.sleep(LOOK_SECONDS)
    return int(found["cursor"])


def keep(copy: sqlite3.Connection, kind: str, thing: Any) -> None:
    """Unless the copy has a later version already."""
    table = TABLES[kind]
    copy.execute(
        f"INSERT INTO {table} VALUES (:id, :version, :told) ON CONFLICT (id) DO UPDATE "
        "SET version = excluded.version, told = excluded.told WHERE excluded.version >= version",
        {"id": thing["id"], "version": thing["version"], "told": json.dumps(thing)},
    )


def place(copy: sqlite3.Connection, cursor: int) -> None:
    copy.execute("DELETE FROM place")
    copy.execute("INSERT INTO place VALUES (?)", (cursor,))


def main(path: str) -> None:
    shop = Shop(*(os.environ[name] for name in ENVIRONMENT))
    copy = open_copy(path)
    known = copy.execute("SELECT cursor FROM place").fetchone()
    cursor = known[0] if known else read_anew(shop, copy)
    while True:
        try:
            cursor = follow(shop, copy, cursor)
        except HTTPError as error:
            if error.code != 410:  # the changes after the cursor are no longer kept
                raise
            cursor = read_anew(shop, copy)


if __name__ == "__main__":
    parser = ArgumentParser(description="Keep a copy of a catalogue in a SQLite file.")
    parser.add_argument("file", help="the copy, which is made where it is not there")
    args = parser.parse_args()
    if missing := [name for name in ENVIRONMENT if not os.environ.get(name)]:
        parser.error(f"the environment has no {', '.join(missing)}")
    main(args.file)
