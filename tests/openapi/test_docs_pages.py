"""/docs: whole without any other host, and strict about what a browser may do there."""

import re
from importlib.resources import files
from typing import Any

import pytest
from falcon import testing

from tests.support import app_without_database, raw_requests

OURS = ("page.html", "page.css", "start.js")
TYPES = {
    "swagger.js": "text/javascript; charset=utf-8",
    "swagger.css": "text/css; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "start.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> testing.TestClient:
    return app_without_database.client(tmp_path_factory.mktemp("described"))


@pytest.fixture
def page(client: testing.TestClient) -> str:
    return client.simulate_get("/docs").text


def links(page: str) -> list[str]:
    return re.findall(r'(?:href|src)="([^"]*)"', page)


@pytest.mark.parametrize(
    ("accept", "place"),
    [
        ("*/*", "/docs"),
        ("application/json", "/docs"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "/console"),
    ],
)
def test_the_root_leads_programs_to_the_pages_and_browsers_to_the_console(
    client: testing.TestClient, accept: str, place: str
) -> None:
    answer = client.simulate_get("/", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["location"]) == (302, place)
    fields = raw_requests.send(client.app, "GET", "/", [("Accept", accept)]).fields
    assert ("vary", "Accept") in fields


def test_the_page_is_html_that_is_never_stale(client: testing.TestClient) -> None:
    answer = client.simulate_get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


def test_a_browser_may_do_little_there(client: testing.TestClient, page: str) -> None:
    policy = client.simulate_get("/docs").headers["content-security-policy"]
    allowed = {name: sources for name, *sources in (part.split() for part in policy.split(";"))}
    assert allowed.pop("img-src") == ["'self'", "data:"]  # the arrows of Swagger UI
    assert {name for name, sources in allowed.items() if sources == ["'none'"]} == {
        "default-src",
        "base-uri",
        "form-action",
        "frame-ancestors",
    }
    assert {name for name, sources in allowed.items() if sources == ["'self'"]} == {
        "script-src",
        "style-src",
        "connect-src",
    }
    assert len(allowed) == 7
    assert "<style" not in page
    assert not re.search(r"<script>|\son\w+=|style=", page)


@pytest.mark.parametrize("name", TYPES)
def test_an_asset(client: testing.TestClient, name: str) -> None:
    for _ in range(2):  # from the file, and as remembered
        answer = client.simulate_get(f"/docs/{name}")
        assert answer.status_code == 200
        assert len(answer.content) > 100
        assert answer.headers["content-type"] == TYPES[name]
        assert answer.headers["cache-control"] == "public, max-age=3600"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_page_uses_these_assets_and_no_others(page: str) -> None:
    assert {link for link in links(page) if link.startswith("/")} == {f"/docs/{name}" for name in TYPES} | {
        "/openapi.json"
    }


@pytest.mark.parametrize("name", OURS)
def test_nothing_of_ours_names_another_host(name: str) -> None:
    text = files("storekeeper").joinpath("resources", "docs_page", name).read_text()
    assert not re.search(r"https?:|//\w|@import|url\(", re.sub(r"^// .*$", "", text, flags=re.MULTILINE))


def test_the_first_steps_lead_to_operations(client: testing.TestClient, page: str) -> None:
    paths: dict[str, dict[str, Any]] = client.simulate_get("/openapi.json").json["paths"]
    operations = [path[method] for path in paths.values() for method in path.keys() - {"parameters"}]
    known = {f"#/{tag}/{operation['operationId']}" for operation in operations for tag in operation["tags"]}
    steps = [link for link in links(page) if link.startswith("#")]
    assert len(steps) == 5
    assert set(steps) <= known


@pytest.mark.parametrize(
    "path",
    [
        "/docs/page.html",
        "/docs/redoc.js",
        "/docs/swagger_bundle.js",
        "/docs/..%2Fsettings.py",
        "/docs/..%2f..%2Fetc%2Fpasswd",
        "/docs/%2Fetc%2Fpasswd",
        "/docs/../settings.py",
        "/docs/start.js/",
        "/docs/",
    ],
)
def test_no_other_file_can_be_reached(client: testing.TestClient, path: str) -> None:
    answer = client.simulate_get(path)
    assert answer.status_code == 404
    assert answer.json["error"] == "not_found"
    assert answer.headers["cache-control"] == "no-store"
