"""Mirror a catalogue into a SQLite file, and keep the copy up to date through restarts of either side.

    SHOP=http://127.0.0.1:5000 SHOP_USER=alice SHOP_PASSWORD=... python mirror.py copy.db

The file has the tables `items` and `stores`, each with `id`, `version` and the record as JSON in `told`. A transaction
writes changes together with the cursor that follows them, so no change is lost if either side is killed.
Needs Python 3.11 or newer and nothing else.
"""

import json
import os
import sqlite3
import sys
import time
from argparse import ArgumentParser
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

ENVIRONMENT = ("SHOP", "SHOP_USER", "SHOP_PASSWORD")
TABLES = {"item": "items", "store": "stores"}
LOOK_SECONDS = 1  # between two polls for new changes
RETRY_SECONDS = 2  # while the server does not answer


class Shop:
    """The API, called as a signed-in user."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self._url = url
        self._credentials = {"username": username, "password": password}
        self._token = ""

    def get(self, path: str) -> Any:
        """Return the answer. Sign in when necessary, and retry while the server does not answer."""
        while True:
            try:
                if not self._token:
                    self._sign_in()
                return self._ask(path)
            except HTTPError as error:
                if error.code == 401:
                    self._token = ""
                elif error.code < 500:
                    raise
                else:
                    time.sleep(RETRY_SECONDS)
            except (URLError, ConnectionError, TimeoutError):
                time.sleep(RETRY_SECONDS)

    def pages(self, path: str, member: str) -> Any:
        """Yield all rows of a list, page by page."""
        following: str | None = path
        while following:
            page = self.get(following)
            yield from page[member]
            following = page.get("next")

    def _sign_in(self) -> None:
        try:
            self._token = self._ask("/login", self._credentials)["access_token"]
        except HTTPError as error:
            if error.code >= 500:
                raise
            sys.exit(f"Cannot sign in: {reason(error)}")

    def _ask(self, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json"} if body else {"Authorization": f"Bearer {self._token}"}
        data = json.dumps(body).encode() if body else None
        with urlopen(Request(self._url + path, data, headers), timeout=30) as answer:
            return json.loads(answer.read(), parse_float=str)  # prices keep all their digits


def reason(error: HTTPError) -> str:
    """Return the sentence in the server's answer, or the status if the answer has none."""
    try:
        return str(json.loads(error.read())["message"])
    except (ValueError, KeyError, TypeError):
        return str(error)


def open_copy(path: str) -> sqlite3.Connection:
    copy = sqlite3.connect(path)
    for table in TABLES.values():
        copy.execute(f"CREATE TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY, version INTEGER, told TEXT)")
    copy.execute("CREATE TABLE IF NOT EXISTS place (cursor INTEGER)")
    return copy


def read_anew(shop: Shop, copy: sqlite3.Connection) -> int:
    """Replace the copy by the whole catalogue, and return the cursor.

    The cursor is read first: a change made while the lists are read comes twice, but is not lost.
    """
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
    """Apply the changes after the cursor in one transaction, and return the new cursor."""
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
    """Add or replace a record, unless the copy already has a later version of it."""
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
            if error.code != 410:  # 410: the server no longer has the changes after the cursor
                raise
            cursor = read_anew(shop, copy)


if __name__ == "__main__":
    parser = ArgumentParser(description="Mirror a catalogue into a SQLite file.")
    parser.add_argument("file", help="the copy; created if it does not exist")
    args = parser.parse_args()
    if missing := [name for name in ENVIRONMENT if not os.environ.get(name)]:
        parser.error(f"the environment has no {', '.join(missing)}")
    try:
        main(args.file)
    except HTTPError as refusal:
        sys.exit(f"The server refused {refusal.url}: {reason(refusal)}")
