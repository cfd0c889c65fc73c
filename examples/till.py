"""A till that survives lost answers: no sale is booked twice, and no price is overwritten unseen.

    SHOP=http://127.0.0.1:5000 SHOP_USER=bob SHOP_PASSWORD=... python till.py sell ikea chair 2
    SHOP=http://127.0.0.1:5000 SHOP_USER=bob SHOP_PASSWORD=... python till.py reprice ikea chair 15.99 12.90

The till writes each sale into `till.db` with its own idempotency key, and then sends it with that key until the server
answers, even if the till was switched off in between. It changes a price only if the clerk saw the current one.
Needs Python 3.11 or newer and nothing else.
"""

import json
import os
import sqlite3
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen
from uuid import uuid4

ENVIRONMENT = ("SHOP", "SHOP_USER", "SHOP_PASSWORD")
RETRY_SECONDS = 2


class Answer(NamedTuple):
    status: int
    tag: str
    body: Any


class Shop:
    """The API, called as a signed-in user."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self._url = url
        self._credentials = {"username": username, "password": password}
        self._token = ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request until there is an answer, so it must be safe to repeat."""
        while True:
            said = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = self._try(method, path, body, said | {"Authorization": f"Bearer {self._token}"})
            if answer is not None and answer.status == 401:
                self._sign_in()
            elif answer is not None and answer.status < 500 and answer.body.get("error") != "idempotency_key_in_use":
                return answer
            else:
                time.sleep(RETRY_SECONDS)

    def _sign_in(self) -> None:
        answer = self._try("POST", "/login", self._credentials, {})
        if answer is not None and answer.status == 200:
            self._token = answer.body["access_token"]
        elif answer is not None and answer.status < 500:
            sys.exit(f"Cannot sign in: {answer.body['message']}")
        else:
            time.sleep(RETRY_SECONDS)

    def _try(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer | None:
        """Return the answer, or None if it was lost or is not JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data, headers | {"Content-Type": "application/json"}, method=method)
        try:
            try:
                with urlopen(request, timeout=10) as answer:
                    read = json.loads(answer.read(), parse_float=Decimal)  # prices keep all their digits
                    return Answer(answer.status, answer.headers.get("ETag", ""), read)
            except HTTPError as error:
                return Answer(error.code, "", json.loads(error.read()))
        except (URLError, ConnectionError, TimeoutError, ValueError):
            return None


def open_till(path: str = "till.db") -> sqlite3.Connection:
    till = sqlite3.connect(path)
    till.execute("CREATE TABLE IF NOT EXISTS sales (key TEXT PRIMARY KEY, path TEXT, count INTEGER, verdict TEXT)")
    return till


def sell(till: sqlite3.Connection, store: str, item: str, count: int) -> None:
    """Write a sale into `till.db`; `book` sends it."""
    path = f"/store/{quote(store, safe='')}/item/{quote(item, safe='')}/stock"
    with till:
        till.execute("INSERT INTO sales VALUES (?, ?, ?, NULL)", (str(uuid4()), path, count))


def book(till: sqlite3.Connection, shop: Shop) -> None:
    """Send the sales that the server has not answered yet, oldest first."""
    waiting = till.execute("SELECT key, path, count FROM sales WHERE verdict IS NULL ORDER BY rowid").fetchall()
    for key, path, count in waiting:
        answer = shop.ask("POST", path, {"delta": -count}, Idempotency_Key=key)
        verdict = f"{answer.body['stock']} left" if answer.status == 200 else answer.body["message"]
        with till:
            till.execute("UPDATE sales SET verdict = ? WHERE key = ?", (verdict, key))
        print(verdict)


def reprice(shop: Shop, store: str, item: str, seen: Decimal, new: Decimal) -> bool:
    """Set a new price if the current one is `seen`. Return whether the price is `new` now.

    The server answers 412 if another request changed the item first. That may have been this till's own request, whose
    answer was lost: so read the price again before deciding.
    """
    path = f"/store/{quote(store, safe='')}/item/{quote(item, safe='')}"
    while True:
        now = shop.ask("GET", path)
        if now.status == 200 and now.body["price"] != seen:
            print(f"The price is {now.body['price']}.")
            return bool(now.body["price"] == new)
        answer = now if now.status != 200 else shop.ask("PATCH", path, {"price": str(new)}, If_Match=now.tag)
        if answer.status not in (200, 412):
            sys.exit(answer.body["message"])


def price(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise ValueError from None


def read_arguments() -> Namespace:
    parser = ArgumentParser(description="Book a sale, or change a price.")
    commands = parser.add_subparsers(dest="command", required=True)
    numbers: dict[str, dict[str, Callable[[str], Any]]] = {
        "sell": {"count": int},
        "reprice": {"seen": price, "new": price},
    }
    for command, kinds in numbers.items():
        of_command = commands.add_parser(command)
        of_command.add_argument("store")
        of_command.add_argument("item")
        for name, kind in kinds.items():
            of_command.add_argument(name, type=kind)
    args = parser.parse_args()
    if missing := [name for name in ENVIRONMENT if not os.environ.get(name)]:
        parser.error(f"the environment has no {', '.join(missing)}")
    return args


def main(args: Namespace) -> None:
    shop = Shop(*(os.environ[name] for name in ENVIRONMENT))
    if args.command == "sell":
        till = open_till()
        sell(till, args.store, args.item, args.count)
        book(till, shop)
    elif not reprice(shop, args.store, args.item, args.seen, args.new):
        sys.exit("Somebody else has changed the price. Decide again.")


if __name__ == "__main__":
    main(read_arguments())
