"""Other origins: none unless listed."""

from typing import Any

import msgspec
import pytest

from storekeeper.app import create_app
from storekeeper.components import Parts
from storekeeper.settings import Settings
from tests.support import raw_requests
from tests.support.raw_requests import Answer

SHOP = "https://shop.example"

# Here the database makes no difference.
pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def opened(settings: Settings, parts: Parts) -> Any:
    return create_app(msgspec.structs.replace(settings, cors_origins=(SHOP, "http://localhost:8080")), parts)


def preflight(app: Any, origin: str, path: str = "/item/chair") -> Answer:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization",
    }
    return raw_requests.send(app, "OPTIONS", path, list(asked.items()))


def told(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def test_no_origin_is_let_in_by_default(app: Any) -> None:
    for origin in (SHOP, "null", "http://127.0.0.1:5000"):
        assert not told(raw_requests.send(app, "GET", "/items", [("Origin", origin)]))
        assert not told(preflight(app, origin))


def test_a_listed_origin_is_let_in(opened: Any) -> None:
    answer = raw_requests.send(opened, "GET", "/items", [("Origin", SHOP)])
    assert answer.status == 200
    assert told(answer) == {
        "access-control-allow-origin": SHOP,
        "access-control-expose-headers": "ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy,"
        " Content-Disposition, Preference-Applied, WWW-Authenticate, X-Request-ID, X-Client-Request-ID",
    }


def test_it_may_read_errors_too(opened: Any) -> None:
    for path, status in (("/item/chair", 401), ("/nothing", 404), ("/items?limit=0", 400)):
        answer = raw_requests.send(opened, "GET", path, [("Origin", SHOP)])
        assert (answer.status, told(answer)["access-control-allow-origin"]) == (status, SHOP)


def test_it_may_send_a_token(opened: Any) -> None:
    answer = preflight(opened, SHOP)
    assert answer.status == 200
    assert told(answer).items() >= {
        ("access-control-allow-origin", SHOP),
        ("access-control-allow-methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
        ("access-control-allow-headers", "authorization"),
    }
    assert "access-control-allow-credentials" not in answer.headers, "there are no cookies"


def test_no_other_origin_is(opened: Any) -> None:
    for origin in (
        "https://shop.example.evil",
        "https://evil-shop.example",
        "http://shop.example",
        "null",
        "*",
        SHOP.upper(),
    ):
        assert not told(raw_requests.send(opened, "GET", "/items", [("Origin", origin)])), origin
        assert not told(preflight(opened, origin)), origin


def test_a_cache_is_told_that_answers_differ_by_origin(opened: Any, app: Any) -> None:
    for headers in ([], [("Origin", SHOP)], [("Origin", "https://evil.example")]):
        assert raw_requests.send(opened, "GET", "/docs/start.js", headers).fields.count(("vary", "Origin")) == 1
    assert ("vary", "Origin") not in raw_requests.send(app, "GET", "/docs/start.js").fields
