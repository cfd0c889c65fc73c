"""Around the console's pages: which forms are taken, what browsers may do there, what a reader sees when it fails."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from falcon import testing

import storekeeper
from storekeeper.console.form_keys import FIELD
from storekeeper.console.static_files import TYPES
from storekeeper.models import import_job
from tests.conftest import Person
from tests.support.cast import PASSWORD
from tests.support.console_browser import Browser, said
from tests.support.databases import transaction
from tests.support.item_catalogues import fill

TEMPLATES = Path(storekeeper.__file__).parent / "console" / "templates"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SIGN_IN = f"username=alice&password={PASSWORD.replace(' ', '+')}"
VOID = {"img", "input", "link", "meta", "br", "hr"}
POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "script-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": ""}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://shop.example"}, 403),
        ({"Origin": "http://shop.example"}, 303),
        ({"Origin": "https://shop.example"}, 303),
        ({"Origin": "http://SHOP.example"}, 303),
        ({"Origin": "http://shop.example:8080"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://shop.example.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({}, 403),
    ],
)
def test_only_a_form_of_our_own_pages_is_taken(
    client: testing.TestClient, engine: sa.Engine, headers: dict[str, str], status: int
) -> None:
    given = FORM | headers
    answer = client.simulate_post("/console/sign-in", body=SIGN_IN, headers=given, host="shop.example")
    assert answer.status_code == status
    if status == 403:
        assert "page of another site" in said(answer)
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "application/json"}, "{}", 415),
        ({}, SIGN_IN, 415),
        ({"Content-Type": "multipart/form-data"}, SIGN_IN, 415),
        (FORM, "username=%ff", 400),
        (FORM, "username=a%00b&password=c", 400),
        (FORM, b"username=\xc3\xa9", 400),
        (FORM, "&".join(f"a{number}=b" for number in range(1001)), 400),
        (FORM, "a=" + "b" * 70_000, 413),
        (FORM, "", 401),
    ],
)
def test_a_form_that_cannot_be_read(
    client: testing.TestClient, engine: sa.Engine, headers: dict[str, str], body: str | bytes, status: int
) -> None:
    answer = client.simulate_post("/console/sign-in", body=body, headers={"Sec-Fetch-Site": "same-origin"} | headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>Sign in</h1>" in answer.text


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_goes_wrong_is_told_on_a_page(client: testing.TestClient, engine: sa.Engine) -> None:
    browser = Browser(client, "alice")
    for path, status, words in (
        ("/console/nowhere", 404, "Not found"),
        ("/console/", 404, "Not found"),
        ("/console/store/nowhere", 404, "Store not found."),
        ("/console/store/ikea/item/nothing", 404, "Item not found."),
        ("/console/store/%FF", 400, "The path is not UTF-8."),
        ("/console/users", 403, "Admin privilege required."),
        ("/console/import/9", 404, "Import not found."),
        ("/console/static/../views.py", 404, "Not found"),
        ("/console/static/console.py", 404, "Not found"),
    ):
        answer = browser.get(path)
        assert (path, answer.status_code) == (path, status)
        assert words in said(answer)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
    answer = browser.post("/console/system")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_the_api_stays_json(client: testing.TestClient, engine: sa.Engine) -> None:
    for path in ("/nowhere", "/consoles", "/store/nowhere"):
        answer = client.simulate_get(path, headers={"Accept": "text/html"})
        assert (answer.status_code, answer.json["error"]) == (404, "not_found")
    described = client.simulate_get("/openapi.json").json["paths"]
    assert not [path for path in described if path.startswith("/console")]


def test_the_files_may_be_kept_for_ever_and_nothing_else(client: testing.TestClient, engine: sa.Engine) -> None:
    browser = Browser(client, "alice")
    assert browser.get("/console").headers["cache-control"] == "no-store"
    for name, kind in TYPES.items():
        answer = browser.get(f"/console/static/{name}?v=1")
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert not re.search(
            r"https?:|//\w|@import|url\(|eval\(", answer.text.replace("http://www.w3.org/2000/svg", "")
        )


def test_no_template_writes_a_form_that_changes_something_by_itself() -> None:
    """`post` does, with its key."""
    found = [each.name for each in TEMPLATES.glob("*.html") if 'method="post"' in each.read_text()]
    assert found == []
    assert len(list(TEMPLATES.glob("*.html"))) > 30


class Reader(HTMLParser):
    """Reads a page as strictly as a test may: what is opened is closed, ids are there once, fields have labels."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.links: set[str] = set()
        self.posts = 0  # forms that change something
        self.keys: list[str] = []
        self.flaws: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.flaws += [f"{tag} has {name}" for name in given if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.flaws.append(f"{tag} inside the page")
        if given.get("id"):
            self.ids.append(str(given["id"]))
        self.posts += (tag, given.get("method")) == ("form", "post")
        if given.get("name") == FIELD and self.open[-1] == "form":
            self.keys.append(str(given["value"]))
        if tag == "label" and "for" in given:
            self.labels.add(str(given["for"]))
        is_hidden = given.get("type") == "hidden" or "hidden" in given
        if tag in ("input", "select", "textarea") and not is_hidden and "label" not in self.open:
            self.fields.append(given)
        self.links |= {str(given[name]) for name in ("href", "src", "action", "formaction") if given.get(name)}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.flaws.append(f"</{tag}> closes nothing")

    def check(self) -> list[str]:
        twice = [f"{id} is there twice" for id in self.ids if self.ids.count(id) > 1]
        bare = [f"{each} has no label" for each in self.fields if not _is_labelled(each, self.labels)]
        keys = [] if len(set(self.keys)) == self.posts else [f"{self.posts} forms have the keys {self.keys}"]
        return [*self.flaws, *keys, *twice, *bare, *(f"<{tag}> is open" for tag in self.open)]


def _is_labelled(field: dict[str, str | None], labels: set[str]) -> bool:
    return bool(field.get("aria-label")) or field.get("id") in labels


@pytest.mark.parametrize("username", ["root", "alice", "carol"])
def test_every_page_that_can_be_reached_is_sound(
    client: testing.TestClient, engine: sa.Engine, alice: Person, username: str
) -> None:
    """From link to link through the whole console."""
    fill(alice, ({"name": f"item {number:03}", "tags": ["a b"], "stock": number} for number in range(120)))
    with transaction(engine) as conn:
        import_job.add(conn, 1, import_job.ImportRequest(store="ikea", file="imports/a", file_name="a <list>.csv"))
    browser = Browser(client, username)
    todo, seen = ["/console"], set()
    while todo:
        path = todo.pop()
        answer = browser.get(path)
        seen.add(shape(path))
        assert answer.status_code == 200, path
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        assert len(answer.content) < 100_000, path
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
        assert policy == POLICY
        assert answer.headers["referrer-policy"] == "same-origin"
        reader = Reader()
        reader.feed(answer.text)
        assert reader.check() == [], path
        assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in reader.links), path
        new = [link for link in reader.links if link.startswith("/console") and shape(link) not in seen]
        todo += [link for link in new if not leads_to_change(answer.text, link)]
    assert len(seen) > {"root": 45, "alice": 30, "carol": 12}[username]


def shape(path: str) -> str:
    """What tells pages apart here: not the cursor, nor the number of an item."""
    split = urlsplit(path)
    names = sorted(re.findall(r"(?:^|&)(\w+)=", split.query))
    return re.sub(r"item%20\d+", "item", split.path) + "?" + "&".join(names)


def leads_to_change(text: str, link: str) -> bool:
    """Whether this is where a form is sent to, by POST."""
    return bool(re.search(rf'<form[^>]*method="post" action="{re.escape(link)}"', text)) or "sign-out" in link
