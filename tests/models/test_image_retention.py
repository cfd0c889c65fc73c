"""Images that no item has any more: nobody is served them, and their files are removed 30 days later."""

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.cli.items import NOT_OURS
from storekeeper.components import Parts
from storekeeper.domain.money import PriceInput
from storekeeper.files.storage import MARK, new_mark
from storekeeper.models import item
from storekeeper.models.item_fields import Fields
from storekeeper.services import image_retention
from storekeeper.settings import Settings
from tests.api.test_item_image import files, picture, put
from tests.conftest import Clock, Person
from tests.support.cli_runner import run_with, says
from tests.support.console_browser import Browser
from tests.support.databases import transaction

DAY = 86_400
CHAIR = "/console/store/ikea/item/chair"

Clean = Callable[[], None]


@pytest.fixture
def clean(parts: Parts) -> Clean:
    """What a server does a few times a day."""
    asyncio.run(parts.health.sample_storage())
    return lambda: asyncio.run(image_retention.apply(parts.db, parts.storage))


@pytest.fixture
def path(alice: Person) -> str:
    """Of the chair's image."""
    answer = put(alice, picture())
    assert answer.status_code == 200, answer.text
    given: str = answer.json["image"]
    return given


def status(client: testing.TestClient, path: str) -> int:
    answer = client.simulate_get(f"{path}/small")
    if answer.status_code != 200:
        assert (answer.json["error"], answer.json["message"]) == ("not_found", "There is no such image.")
        assert "max-age" not in answer.headers.get("cache-control", "")
    return answer.status_code


def give(engine: sa.Engine, name: str, path: str) -> None:
    """Another item of the same image."""
    with transaction(engine) as conn:
        item.add(conn, 1, 1, name, Fields(price=PriceInput("5")))
        item.set_image(conn, 1, item.ItemRef(name, 1), path.rpartition("/")[2])


def undo(browser: Browser, words: str) -> testing.Result:
    entries = re.findall(r"<li>.*?</li>", browser.get(CHAIR).text, re.DOTALL)
    entry = next(each for each in entries if words in re.sub(r"<[^>]*>", "", each))
    (change,) = re.findall(r'name="change" value="(\d+)"', entry)
    return browser.post(f"{CHAIR}/undo", {"change": change})


def by_removal(alice: Person, engine: sa.Engine) -> None:
    assert alice.delete("/item/chair/image").status_code == 200


def by_another(alice: Person, engine: sa.Engine) -> None:
    assert put(alice, picture("blue")).status_code == 200


def by_deletion(alice: Person, engine: sa.Engine) -> None:
    assert alice.delete("/item/chair").status_code == 200


def by_deletion_of_the_store(alice: Person, engine: sa.Engine) -> None:
    assert alice.delete("/store/ikea?with_items=true").status_code == 200


@pytest.mark.parametrize("lose", [by_removal, by_another, by_deletion, by_deletion_of_the_store])
def test_what_no_item_has_is_served_to_nobody_and_removed_30_days_later(
    lose: Callable[[Person, sa.Engine], None],
    path: str,
    alice: Person,
    client: testing.TestClient,
    engine: sa.Engine,
    clean: Clean,
    clock: Clock,
    tmp_path: Path,
) -> None:
    assert status(client, path) == 200
    lose(alice, engine)
    assert status(client, path) == 404
    stored = {f"{path[1:]}/{size}.webp" for size in ("full", "small")}
    clean()
    clock.now += 30 * DAY
    clean()
    assert stored <= files(tmp_path)
    clock.now += DAY
    clean()
    assert not stored & files(tmp_path)
    assert status(client, path) == 404
    with engine.connect() as conn:
        assert conn.scalar(sa.text("SELECT count(*) FROM unused_images")) == 0


def test_whoever_has_a_removed_image_is_not_told_to_keep_it(
    path: str, alice: Person, client: testing.TestClient
) -> None:
    tag = client.simulate_get(f"{path}/small").headers["etag"]
    alice.delete("/item/chair/image")
    assert client.simulate_get(f"{path}/small", headers={"If-None-Match": tag}).status_code == 404


def test_an_image_of_two_items_lives_as_long_as_one_has_it(
    path: str, alice: Person, client: testing.TestClient, engine: sa.Engine, clean: Clean, clock: Clock
) -> None:
    give(engine, "stool", path)
    alice.delete("/item/chair/image")
    for _ in range(3):
        clean()
        assert status(client, path) == 200
        clock.now += 20 * DAY
    alice.log_in()
    alice.delete("/item/stool")
    assert status(client, path) == 404


def test_an_undo_brings_it_back_within_30_days_and_its_time_begins_anew(
    path: str, alice: Person, client: testing.TestClient, clean: Clean, clock: Clock
) -> None:
    alice.delete("/item/chair/image")
    clean()
    clock.now += 29 * DAY
    alice.log_in()
    browser = Browser(client, "alice")
    assert undo(browser, "removed the picture").status_code == 303
    assert alice.get("/item/chair").json["image"] == path
    assert status(client, path) == 200
    alice.delete("/item/chair/image")
    clean()
    clock.now += 3 * DAY
    clean()
    alice.log_in()
    browser = Browser(client, "alice")
    assert undo(browser, "removed the picture").status_code == 303
    assert status(client, path) == 200


@pytest.mark.parametrize("is_cleaned", [True, False])
def test_an_undo_after_30_days_says_that_the_picture_is_gone(
    is_cleaned: bool, path: str, alice: Person, client: testing.TestClient, clean: Clean, clock: Clock
) -> None:
    """Also while its files are still there: they may be removed at any time."""
    alice.delete("/item/chair/image")
    clean()
    clock.now += 31 * DAY if is_cleaned else 30 * DAY
    if is_cleaned:
        clean()
    page = undo(Browser(client, "alice"), "removed the picture")
    assert page.status_code == 409
    assert "The picture is gone" in page.text
    assert status(client, path) == 404


def test_what_was_there_before_begins_its_30_days_when_it_is_found(
    parts: Parts, clean: Clean, clock: Clock, tmp_path: Path
) -> None:
    async def leave() -> None:
        for name in ("images/old/full.webp", "images/old/small.webp", "images/readme.txt", "imports/a"):
            await parts.storage.put(name, b"x")

    asyncio.run(leave())
    clock.now += 400 * DAY
    clean()
    clock.now += 30 * DAY
    clean()
    assert "images/old/full.webp" in files(tmp_path)
    clock.now += DAY
    clean()
    assert files(tmp_path) == {"images/readme.txt", "imports/a", MARK}


def test_what_is_uploaded_again_when_it_is_due_stays(
    path: str, alice: Person, client: testing.TestClient, parts: Parts, engine: sa.Engine, clean: Clean, tmp_path: Path
) -> None:
    """Its files are there anew, and no item has them yet."""
    alice.delete("/item/chair/image")
    clean()
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE unused_images SET since = 0"))
    for name in files(tmp_path):
        os.utime(tmp_path / "files" / name, (0, 0))

    async def upload() -> None:
        await parts.images.keep(await parts.images.make(picture(), 1))

    asyncio.run(upload())
    clean()
    assert len(files(tmp_path) - {MARK}) == 2
    assert put(alice, picture()).json["image"] == path
    assert status(client, path) == 200


def test_files_that_may_be_of_another_installation_stay(
    path: str, alice: Person, parts: Parts, clean: Clean, clock: Clock, tmp_path: Path
) -> None:
    alice.delete("/item/chair/image")
    clean()
    clock.now += 31 * DAY
    (tmp_path / "files" / MARK).write_text(new_mark())
    clean()
    assert len(files(tmp_path)) == 3


def test_the_command_does_the_same(
    path: str, alice: Person, parts: Parts, settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    asyncio.run(parts.health.sample_storage())
    alice.delete("/item/chair/image")
    assert run_with(settings, "images", "prune").stdout == "Images deleted: 0.\n"
    clock.now += 31 * DAY
    assert len(files(tmp_path)) == 3
    assert run_with(settings, "images", "prune").stdout == "Images deleted: 1.\n"
    assert files(tmp_path) == {MARK}


@pytest.mark.parametrize("marks", [[], [new_mark()]])
def test_the_command_deletes_nothing_that_may_be_of_another_installation(
    path: str,
    alice: Person,
    engine: sa.Engine,
    parts: Parts,
    settings: Settings,
    clock: Clock,
    tmp_path: Path,
    marks: list[str],
) -> None:
    """Neither of files that are marked otherwise, nor while it is not known where this database's are."""
    if marks:
        asyncio.run(parts.health.sample_storage())
    alice.delete("/item/chair/image")
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE unused_images SET since = 0"))
    clock.now += 31 * DAY
    for mark in marks:
        (tmp_path / "files" / MARK).write_text(mark)
    before = files(tmp_path)
    assert len(before - {MARK}) == 2
    says(run_with(settings, "images", "prune"), 1, NOT_OURS)
    assert files(tmp_path) == before
