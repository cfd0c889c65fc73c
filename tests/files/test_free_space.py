"""A disk that fills up: images and imports are refused while there is room for all else."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from storekeeper.errors import InsufficientStorage
from storekeeper.files.free_space import MEBIBYTE, FreeSpace
from storekeeper.files.storage import create_storage
from storekeeper.settings import Settings
from tests.conftest import Person
from tests.server.test_health import READY, Served, serve
from tests.support import images
from tests.support.cli_runner import run_with
from tests.support.console_browser import Browser

TOTAL = 100 * 1024 * MEBIBYTE
FLOOR = 1024 * MEBIBYTE
PICTURE = images.encoded(images.two_colours(), "PNG")
REFUSED = {
    "error": "insufficient_storage",
    "message": "The server's disk is nearly full, so it takes no files. Its operator has to make room.",
}
SHORTAGE = (
    "Only 1,023 MiB are free on the disk of the files, so images and imports are refused: make room, "
    "1,024 MiB at the least, or lower STOREKEEPER_FREE_DISK_MIB."
)

ROW = 'Its disk has space for files</td><td class="end">'  # of the console's system page


class Usage(NamedTuple):
    total: int
    used: int
    free: int


Free = Callable[[int], None]


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Free:
    """So much is free from now on, of 100 GiB."""

    def set_free(size: int) -> None:
        monkeypatch.setattr("storekeeper.files.free_space.disk_usage", lambda _: Usage(TOTAL, TOTAL - size, size))

    return set_free


@pytest.fixture
def served(engine: sa.Engine, settings: Settings, free: Free) -> Iterator[Served]:
    free(2 * FLOOR)
    with serve(settings) as served:
        yield served


def look(served: Served) -> None:
    asyncio.run(served.parts.health.sample_disk())


def give_image(alice: Person) -> tuple[int, object]:
    answer = alice.put("/item/chair/image", body=PICTURE, headers={"Content-Type": "image/png"})
    return answer.status_code, answer.json


def start_import(alice: Person, file: bytes = b"name,price\r\nlamp,3\r\n") -> tuple[int, object]:
    answer = alice.post("/imports?store=ikea&dry_run=true", body=file, headers={"Content-Type": "text/csv"})
    return answer.status_code, answer.json


def test_files_are_refused_from_the_floor_on_and_all_else_goes_on(served: Served, free: Free) -> None:
    alice = Person(served.client, "alice", 1)
    free(FLOOR)
    look(served)
    assert give_image(alice)[0] == 200
    free(FLOOR - 1)
    look(served)
    assert give_image(alice) == (507, REFUSED)
    assert start_import(alice) == (507, REFUSED)
    answer = alice.put("/item/chair/image", body=PICTURE, headers={"Content-Type": "image/png"})
    assert answer.headers["retry-after"] == "60"
    assert alice.put("/item/lamp", {"price": 3, "store_id": 1}).status_code == 201
    assert alice.delete("/item/chair/image").status_code == 200
    assert served.ready()[1] == READY[1]
    free(2 * FLOOR)
    look(served)
    assert give_image(alice)[0] == 200
    assert start_import(alice)[0] == 202


def test_a_file_that_would_leave_too_little_is_refused_before_it_is_read(served: Served, free: Free) -> None:
    alice = Person(served.client, "alice", 1)
    file = b"name,price\r\nlamp,3\r\n"
    free(FLOOR + len(file) - 1)
    look(served)
    assert start_import(alice, file) == (507, REFUSED)
    free(FLOOR + len(file))
    look(served)
    assert start_import(alice, file)[0] == 202


def test_who_may_not_send_a_file_is_told_that_and_not_of_the_disk(served: Served, free: Free) -> None:
    free(0)
    look(served)
    assert give_image(Person(served.client, "carol", 3))[0] == 403


def test_a_file_on_its_way_is_dropped(tmp_path: Path, free: Free) -> None:
    free(FLOOR)
    storage = create_storage(Settings(data=str(tmp_path)))
    storage.disk.look()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"a" * MEBIBYTE
        free(FLOOR - 1)
        storage.disk.look()
        yield b"b" * MEBIBYTE

    with pytest.raises(InsufficientStorage):
        asyncio.run(storage.put_pieces("imports/1", pieces()))
    assert not storage.exists("imports/1")


@pytest.mark.parametrize(
    ("total", "setting", "floor"),
    [
        (TOTAL, 1024, 1024),
        (20 * 1024, 1024, 1024),
        (10 * 1024, 1024, 512),  # a twentieth
        (1024, 1024, 51),
        (10 * 1024, 100, 100),
    ],
)
def test_of_a_small_disk_a_twentieth_is_kept_free(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, total: int, setting: int, floor: int
) -> None:
    total = total if total == TOTAL else total * MEBIBYTE
    disk = FreeSpace(tmp_path, setting)
    disk.require_room()  # nobody has looked yet
    for missing in (0, MEBIBYTE):
        size = floor * MEBIBYTE + (total // 20) % MEBIBYTE - missing
        monkeypatch.setattr(
            "storekeeper.files.free_space.disk_usage", lambda _, size=size: Usage(total, total - size, size)
        )
        disk.look()
        assert (disk.shortage is not None) == bool(missing)


def test_nothing_is_kept_free_of_a_bucket_or_with_0(tmp_path: Path, free: Free) -> None:
    free(0)
    bucket = create_storage(Settings(storage_url="s3://shop", storage_region="eu-central-1"))
    for disk in (bucket.disk, FreeSpace(tmp_path, 0)):
        disk.look()
        disk.require_room(10**12)
        assert (disk.is_watched, disk.shortage) == (False, None)


def test_a_process_looks_by_itself(served: Served, settings: Settings) -> None:
    (task,) = [task for task in served.parts.health.tasks() if task.name == "disk_space"]
    assert task.every == 5
    with serve(msgspec.structs.replace(settings, free_disk_mib=0)) as other:
        assert "disk_space" not in [task.name for task in other.parts.health.tasks()]


def test_the_log_tells_when_it_begins_and_when_it_is_over(served: Served, free: Free) -> None:
    with capture_logs() as logs:
        for size in (2 * FLOOR, FLOOR - 1, FLOOR - 2, 2 * FLOOR, 2 * FLOOR):
            free(size)
            look(served)
    assert [(line["event"], line["log_level"], line["reason"]) for line in logs] == [
        ("disk_low", "error", SHORTAGE),
        ("disk_recovered", "info", None),
    ]


def test_administrators_see_why(served: Served, free: Free, settings: Settings) -> None:
    free(FLOOR - 1)
    look(served)
    root = Person(served.client, "root", 4)
    (condition,) = [each for each in root.get("/readyz").json["conditions"] if each["name"] == "disk"]
    assert condition | {"since": 0} == {
        "name": "disk",
        "status": "ready",
        "message": "ready",
        "reason": SHORTAGE,
        "since": 0,
    }
    browser = Browser(served.client, "root")
    assert f'{ROW}<span class="danger">✗ no: {SHORTAGE}' in browser.get("/console/system").text
    result = run_with(settings, "check")
    assert result.exit_code == 1
    assert f"storage: {SHORTAGE} [{settings.data_path / 'files'}]" in result.stderr
    free(2 * FLOOR)
    look(served)
    assert f'{ROW}<span class="good">✓ yes' in browser.get("/console/system").text
    assert SHORTAGE not in run_with(settings, "check").stderr


def test_the_console_says_it_beside_the_form(served: Served, free: Free) -> None:
    free(FLOOR - 1)
    look(served)
    browser = Browser(served.client, "alice")
    for path in ("/console/store/ikea/item/chair/image", "/console/store/ikea/import"):
        answer = browser.post(path, file=("chair.png", PICTURE))
        assert (answer.status_code, REFUSED["message"].replace("'", "&#39;") in answer.text) == (507, True), path
