"""Each page as it is seen: sound to axe-core by day and night, not wider than a phone, and drawn for the documents."""

import os
import time
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page

from browser.conftest import OpenPage, Shop
from storekeeper.database.engine import create_engine
from storekeeper.domain.money import PriceInput
from storekeeper.models import item, journal, webhook, webhook_delivery
from storekeeper.models.item_fields import Fields
from storekeeper.models.webhook import deliveries, webhooks
from storekeeper.models.webhook_delivery import NewDelivery
from tests.support.databases import transaction
from tests.support.server_process import Server
from tests.support.webhook_senders import agree

STORE = "/console/store/M%C3%B6bel%20Nord"
ITEM = f"{STORE}/item/Heirloom%20clock"
# By the name of the picture: who looks, and at what.
PAGES = {
    "sign-in": ("", "/console/sign-in"),
    "stores": ("alice", "/console"),
    "store": ("alice", STORE),
    "search": ("alice", f"{STORE}?q=oak&tag=garden"),
    "nothing-found": ("alice", f"{STORE}?q=unobtainium"),
    "item": ("alice", ITEM),
    "item-for-strangers": ("carol", ITEM),
    "new-item": ("alice", f"{STORE}/new-item"),
    "delete-item": ("alice", f"{ITEM}/delete"),
    "members": ("alice", f"{STORE}/members"),
    "store-webhooks": ("alice", f"{STORE}/webhooks"),
    "webhook": ("alice", "/console/webhooks/1"),
    "new-secret": ("alice", "/console/webhooks/1/rotate"),
    "settings": ("alice", f"{STORE}/settings"),
    "delete-store": ("alice", f"{STORE}/delete"),
    "store-activity": ("alice", f"{STORE}/activity"),
    "import": ("alice", f"{STORE}/import"),
    "plan": ("alice", "/console/import/1"),
    "export": ("alice", f"{STORE}/export"),
    "new-store": ("alice", "/console/new-store"),
    "account": ("alice", "/console/account"),
    "confirm": ("alice", "/console/confirm"),
    "items": ("alice", "/console/items"),
    "activity": ("root", "/console/activity"),
    "webhooks": ("root", "/console/webhooks"),
    "users": ("root", "/console/users"),
    "user": ("root", "/console/users/3"),
    "new-user": ("root", "/console/new-user"),
    "reset-password": ("root", "/console/users/3/password"),
    "system": ("root", "/console/system"),
    "not-found": ("alice", "/console/store/nowhere"),
}
SERIOUS = ("serious", "critical")


@pytest.fixture
def lively(shop: Shop, open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """With something to be seen on each page."""
    live_through_a_year(f"sqlite:///{tmp_path / 'data' / 'storekeeper.db'}", monkeypatch)
    send_messages(f"sqlite:///{tmp_path / 'data' / 'storekeeper.db'}")
    shop.call("", "POST", "/register", {"username": "carol", "password": "correct horse battery"})
    for username, price in (("bob", "17.5"), ("alice", "16"), ("bob", "18.9")):
        shop.call(username, "PATCH", "/item/Oak%20chair", {"price": price})
    shop.call("bob", "POST", "/item/Oak%20chair/stock", {"delta": 12})
    shop.call(
        "alice", "PATCH", "/item/Oak%20chair", {"description": "Solid oak, oiled by hand.", "tags": ["garden", "new"]}
    )
    file = tmp_path / "spring.csv"
    file.write_text("name,price,stock\r\nOak vase,12.50,3\r\nOak jar,cheap,1\r\nOak chair,19.90,5\r\n,3,1\r\n")
    page = open_page("alice")
    page.goto(f"{STORE}/import")
    page.get_by_label("Choose a file, or drop one here").set_input_files(file)
    page.get_by_role("button", name="Show the plan").click()
    page.get_by_role("heading", name="Some lines were refused").wait_for()
    return shop


def live_through_a_year(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An item with a past: its prices, by the days since, and who set them (2 is Alice, 3 is Bob)."""
    now, clock = time.time(), item.ItemRef("Heirloom clock", 1)
    engine = create_engine(url)
    for days, price, user_id in (
        (350, "89.00", 2),
        (290, "95.00", 3),
        (200, "79.00", 3),
        (110, "99.50", 2),
        (30, "94.00", 3),
    ):
        monkeypatch.setattr("time.time", lambda at=now - days * 86_400: at)
        with transaction(engine) as conn, journal.signed(conn, journal.Author("user", user_id, "a year")):
            if days == 350:
                more = {
                    "description": "Solid oak, oiled by hand.",
                    "tags": ["new", "office"],
                    "stock": 4,
                    "sku": "MN-7",
                }
                item.add(conn, user_id, 1, clock.name, Fields(price=PriceInput(price), **more))
            else:
                item.change(conn, user_id, clock, Fields(price=PriceInput(price)))
    monkeypatch.undo()
    engine.dispose()


def send_messages(url: str) -> None:
    """A webhook of Alice's with messages that arrived, wait and were given up. A sender far away serves it."""
    ends: list[dict[str, object]] = [
        {"state": "delivered", "attempts": 1, "status": 204, "ms": 38, "next_at": None},
        {"state": "delivered", "attempts": 2, "status": 200, "ms": 112, "next_at": None},
        {"state": "failed", "attempts": 10, "status": 503, "ms": 71, "next_at": None},
        {"attempts": 3, "error": "TLS: certificate has expired.", "ms": 84},
    ]
    engine = create_engine(url)
    with transaction(engine) as conn:
        hook = webhook.add(conn, 2, "https://shop.example/hook", "Möbel Nord").id
        webhook.add(conn, 1, "https://ledger.example/storekeeper/changes", None)
        agree(conn)
        webhook_delivery.add(conn, hook, [NewDelivery("item.update", number + 1) for number in range(len(ends))])
        for number, end in enumerate(ends, 1):
            conn.execute(
                sa.update(deliveries).where(deliveries.c.change_id == number).values(tried_at=int(time.time()), **end)
            )
        conn.execute(sa.update(webhooks).values(sender="elsewhere", beat_at=2**40))
    engine.dispose()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(lively: Shop, open_page: OpenPage, scheme: str) -> None:
    pages: dict[str, Page] = {}
    found = []
    for name, (username, path) in PAGES.items():
        page = pages.get(username) or pages.setdefault(username, open_page(username, color_scheme=scheme))
        page.goto(path)
        result = Axe().run(page)
        found += [
            (name, each["id"], [node["target"] for node in each["nodes"]][:3])
            for each in result.response["violations"]
            if each["impact"] in SERIOUS
        ]
    assert found == []


@pytest.mark.parametrize("width", [360, 768])
def test_no_page_is_wider_than_the_screen(lively: Shop, open_page: OpenPage, width: int) -> None:
    pages: dict[str, Page] = {}
    too_wide = {}
    for name, (username, path) in PAGES.items():
        size = {"width": width, "height": 740}
        page = pages.get(username) or pages.setdefault(username, open_page(username, viewport=size, has_touch=True))
        page.goto(path)
        if (seen := page.evaluate("document.documentElement.scrollWidth")) > width:
            too_wide[name] = seen
    assert too_wide == {}


def test_every_page_is_drawn(lively: Shop, open_page: OpenPage, tmp_path: Path) -> None:
    """Into the folder that SCREENSHOTS names, for the documents."""
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    looks = {
        "": {"viewport": {"width": 1120, "height": 760}},
        "-phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    }
    for suffix, options in looks.items():
        pages: dict[str, Page] = {}
        for name, (username, path) in PAGES.items():
            page = pages.get(username) or pages.setdefault(username, open_page(username, **options))
            page.goto(path)
            drawn = Image.open(BytesIO(page.screenshot(full_page=name in ("item", "webhook"))))
            drawn.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(
                folder / f"{name}{suffix}.png", optimize=True
            )


def test_nothing_comes_from_another_host(lively: Shop, open_page: OpenPage, server: Server) -> None:
    page = open_page("alice")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in ("/console", STORE, ITEM):
        page.goto(path)
    assert len(asked) > 6
    assert [url for url in asked if not url.startswith((f"http://127.0.0.1:{server.port}/", "data:"))] == []
