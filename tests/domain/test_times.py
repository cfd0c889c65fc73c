"""Times in requests: seconds since 1970, RFC 3339 or a date, wherever there is one."""

from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from storekeeper.database.engine import transaction
from storekeeper.models.item import items
from storekeeper.settings import Settings
from tests.conftest import Person
from tests.support.cli_runner import run_with

DAY = 86_400
AT = 1_793_534_400  # 2026-11-01T12:00:00Z
SAME = (str(AT), "2026-11-01T12:00:00Z", "2026-11-01T13:00:00+01:00", "2026-11-01T12:00:00.9Z", "2026-11-01 12:00:00Z")
WRONG = ("", "yesterday", "2026-11-01T12:00:00", "2026-13-01", "-1", "1.0", "1e3", "x" * 41, str(2**53), "1969-12-30")
PARAMETERS = (
    *(("/items", "updated_since"), ("/store/ikea/items", "updated_since"), ("/item/chair/price", "as_of")),
    *(("/audit", "since"), ("/audit", "until"), ("/store/ikea/history", "since"), ("/store/ikea/history", "until")),
)


def ask(person: Person, path: str, name: str, text: str) -> Any:
    return person.get(f"{path}?{name}={quote(text, safe='')}")


@pytest.mark.parametrize(("path", "name"), PARAMETERS)
def test_every_time_in_a_query_is_taken_and_refused_alike(root: Person, path: str, name: str) -> None:
    for text in (*SAME, "2026-11-01"):
        assert ask(root, path, name, text).status_code != 400, text
    for text in WRONG:
        answer = ask(root, path, name, text)
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, name), text


@pytest.mark.parametrize("text", [*SAME, "2026-11-01"])
def test_what_was_changed_since_then(root: Person, engine: sa.Engine, settings: Settings, text: str) -> None:
    since = AT - DAY // 2 if text == "2026-11-01" else AT
    for at, found in ((since - 1, []), (since, ["chair"])):
        with transaction(engine) as conn:
            conn.execute(sa.update(items).values(updated_at=at))
        assert [each["name"] for each in ask(root, "/items", "updated_since", text).json["items"]] == found
        told = run_with(settings, "find", "--updated-since", text, "--format", "tsv")
        assert (told.exit_code, "chair" in told.output) == (0, bool(found))


def test_a_date_is_a_day_of_utc(root: Person, clock: Any) -> None:
    """`since` begins with it, `until` ends with it."""
    clock.now = AT - DAY // 2
    first = root.patch("/item/chair", {"stock": 1}).json["version"]
    clock.now = AT + DAY // 2 - 1
    root.log_in()
    last = root.patch("/item/chair", {"stock": 2}).json["version"]
    clock.now = AT + DAY // 2
    root.patch("/item/chair", {"stock": 3})
    page = root.get("/audit?kind=item&since=2026-11-01&until=2026-11-01&limit=1").json
    following = root.get(page["next"]).json
    assert [each["version"] for each in (*page["changes"], *following["changes"])] == [last, first]
