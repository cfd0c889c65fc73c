"""Each page takes the server less than 50 ms with 100,000 items, and has less than 100 KB."""

import json
from urllib.parse import quote

import pytest

from browser.conftest import OpenPage, Shop

ITEMS = 100_000
AT_ONCE = 1000
TRIES = 8  # of which the fastest counts: other programs use the machine as well
MOST_MS = 50
MOST_BYTES = 100_000

STORE = f"/console/store/{quote('Möbel Nord')}"
PATHS = (
    "/console",
    STORE,
    f"{STORE}?q=oak",
    f"{STORE}?q=oak+chair&price_min=20&sort=-price",
    f"{STORE}?stock=out&sort=-updated",
    f"{STORE}?tag=garden&sort=name",
    f"{STORE}?sort=-stock",
    f"{STORE}/item/{quote('Oak chair')}",
    f"{STORE}/activity",
    f"{STORE}/members",
    f"{STORE}/settings",
    f"{STORE}/delete",
    f"{STORE}/import",
    f"{STORE}/export",
    "/console/items",
    "/console/items?q=chair",
    "/console/account",
    "/console/activity",
    "/console/users",
    "/console/system",
)


@pytest.fixture
def full(shop: Shop) -> Shop:
    words = ("oak", "pine", "birch", "walnut", "chair", "table", "lamp", "shelf", "garden", "small")
    for start in range(0, ITEMS, AT_ONCE):
        rows = [
            {
                "store_id": 1,
                "name": f"{words[number % 10].title()} {words[number // 10 % 10]} {number}",
                "price": number % 900,
                "stock": number % 23,
                "tags": ["garden"] if number % 5 == 0 else [],
            }
            for number in range(start, start + AT_ONCE)
        ]
        shop.call("alice", "POST", "/items/bulk", rows)
    return shop


def test_every_page_is_quick_and_small(full: Shop, open_page: OpenPage) -> None:
    page = open_page("root")
    sizes, times = {}, {}
    for path in PATHS:
        for _ in range(TRIES):
            answer = page.request.get(path)
            assert answer.status == 200, path
        sizes[path] = len(answer.body())
        times[path] = min(_times(full)[-TRIES:])
    assert {path: size for path, size in sizes.items() if size >= MOST_BYTES} == {}
    assert {path: ms for path, ms in times.items() if ms >= MOST_MS} == {}


def _times(shop: Shop) -> list[float]:
    """How long each page took the server, as its log tells."""
    lines = [json.loads(line) for line in shop.server.log.splitlines() if line.startswith("{")]
    return [
        line["ms"]
        for line in lines
        if str(line.get("path", "")).startswith("/console") and "static" not in line["path"]
    ]
