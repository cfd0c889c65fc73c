"""A real server and a real browser: Debian's Chromium, driven by Playwright. `make test-browser` runs what is here."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.support.server_process import Server

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "correct horse battery"
PATIENCE = 20_000  # milliseconds: for what is there in a moment, unless it never is


class Shop:
    """A server with Root, who runs it, Alice, who owns the store "Möbel Nord", and Bob, its clerk."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.address = f"http://127.0.0.1:{server.port}"
        self.tokens: dict[str, str] = {}

    def call(self, username: str, method: str, path: str, body: Any = None) -> Any:
        """As that user, by the API."""
        if username and username not in self.tokens:
            given = {"username": username, "password": PASSWORD}
            self.tokens[username] = self.call("", "POST", "/login", given)["access_token"]
        headers = {"Content-Type": "application/json"}
        if username:
            headers["Authorization"] = f"Bearer {self.tokens[username]}"
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self.address + path, data, headers, method=method), timeout=30) as answer:
            return json.load(answer)

    def price(self, name: str) -> Any:
        return self.call("alice", "GET", f"/item/{name.replace(' ', '%20')}")["price"]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server("storekeeper", tmp_path).wait()
    yield server
    server.put_away()
    print(server.log)  # noqa: T201  shown beside a failure


@pytest.fixture
def shop(server: Server) -> Shop:
    shop = Shop(server)
    setup_token = server.log.split('"setup_token": "')[1].split('"')[0]
    for name, more in (("root", {"setup_token": setup_token}), ("alice", {}), ("bob", {})):
        shop.call("", "POST", "/register", {"username": name, "password": PASSWORD} | more)
    shop.call("alice", "POST", "/store/M%C3%B6bel%20Nord")
    shop.call("alice", "PUT", "/store/M%C3%B6bel%20Nord/members/bob", {"role": "clerk"})
    shop.call("alice", "POST", "/items/bulk", list(goods()))
    return shop


def goods() -> Iterator[dict[str, Any]]:
    woods = ("Oak", "Pine", "Birch", "Walnut", "Ash", "Beech")
    things = ("chair", "table", "lamp", "shelf", "stool", "desk", "bench", "bowl", "rug", "clock")
    for number, (wood, thing) in enumerate((wood, thing) for thing in things for wood in woods):
        yield {
            "store_id": 1,
            "name": f"{wood} {thing}",
            "price": f"{15 + number * 7}.{number % 10}9",
            "sku": f"MN-{100 + number}",
            "stock": number * 5 % 23,
            "tags": [("garden", "kitchen", "office")[number % 3], *(["sale"] if number % 4 == 0 else [])],
        }


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser, server: Server) -> Iterator[OpenPage]:
    """Opens a page in a browser of its own, signed in if a name is given. What the page complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # Forms that are refused, and answers that a test lets get lost.
        is_expected = "the server responded with a status of" in message.text or "net::ERR_CONNECTION" in message.text
        if message.type in ("error", "warning") and not is_expected:
            complaints.append(message.text)

    def open(username: str = "", **options: Any) -> Page:
        given = {
            "locale": "en-GB",
            "timezone_id": "Europe/Berlin",
            "viewport": {"width": 1200, "height": 800},
        } | options
        context = chromium.new_context(base_url=f"http://127.0.0.1:{server.port}", **given)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/")
        if username:
            sign_in(page, username)
        return page

    yield open
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Page, username: str, password: str = PASSWORD) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console")
