"""Quotas of bytes: the files of a user's imports, the answers kept for their keys, and the images of a store."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.components import Parts
from storekeeper.console.form_keys import FIELD
from storekeeper.domain.money import PriceInput
from storekeeper.errors import ImageSpaceFull
from storekeeper.files import images
from storekeeper.models import idempotency_space, item, store_image
from storekeeper.models.idempotency import keys
from storekeeper.models.idempotency_space import HOUR, PARTS
from storekeeper.models.item import ItemRef
from storekeeper.models.item_fields import Fields
from storekeeper.models.store_image import Kept, store_images
from storekeeper.services import image_retention
from storekeeper.settings import Settings
from tests.api.test_item_image import files, picture, put
from tests.conftest import Clock, Person, bearer
from tests.support import raw_requests
from tests.support.cli_runner import run_with
from tests.support.concurrent_workers import Call, at_once, log_in, statuses
from tests.support.console_browser import said
from tests.support.databases import transaction
from tests.support.imports import carry_out, kept, start, upload
from tests.support.raw_requests import pieces
from tests.support.small_quotas import MIB, Limited, refused

DAY = 86_400
CSV = ("Content-Type", "text/csv")


@pytest.fixture
def limited(settings: Settings, parts: Parts) -> Limited:
    return Limited(settings, parts)


# Files of imports


def sheet(size: int) -> bytes:
    """A file of that size, which can be planned."""
    head, row = b"name,price\nlamp,5\n", b"\n"
    return head + row * (size - len(head))


def of_unknown_length(token: str) -> dict[str, Any]:
    """A new request whose file comes in pieces."""
    return raw_requests.scope("POST", "/imports?store=ikea", [*bearer(token).items(), CSV])


def test_files_of_imports_take_as_much_room_as_they_may(limited: Limited, engine: sa.Engine, tmp_path: Path) -> None:
    bob = limited.person("bob", import_mib_per_user=1)
    first = start(bob, sheet(600_000), dry_run=True)
    left = MIB - 600_000
    answer = upload(bob, sheet(left + 1))
    assert refused(answer) == (409, "import_space_full", MIB, 600_000)
    assert answer.json["message"].endswith("their files are kept for 7 days. 0.6 of 1 MiB are used.")
    assert len(kept(tmp_path)) == 1
    second = start(bob, sheet(left))
    assert refused(upload(bob, sheet(100))) == (409, "import_space_full", MIB, MIB)
    assert len(kept(tmp_path)) == 2
    bob.delete(second)
    assert refused(upload(bob, sheet(left + 1)))[3] == 600_000
    bob.delete(first)
    start(bob, sheet(MIB))


def test_planned_and_refused_files_take_room_and_others_do_not(
    limited: Limited, engine: sa.Engine, clock: Clock, tmp_path: Path
) -> None:
    bob, settings = limited.person("bob", import_mib_per_user=1), limited.settings()
    start(bob, sheet(300_000), dry_run=True)
    start(bob, sheet(300_000).replace(b"lamp,5", b"lamp,x"))
    start(bob, sheet(300_000))
    carry_out(settings)
    assert refused(upload(bob, sheet(MIB)))[3] == 600_000, "what is done has no file"
    clock.now += 7 * DAY - 10
    bob.log_in()
    carry_out(settings)
    assert refused(upload(bob, sheet(MIB)))[3] == 600_000
    clock.now += 20
    carry_out(settings)
    assert kept(tmp_path) == []
    assert upload(bob, sheet(MIB)).status_code == 202


def test_a_file_that_is_too_large_is_not_read(limited: Limited, engine: sa.Engine, tmp_path: Path) -> None:
    app = limited.app(import_mib_per_user=1)
    bob = limited.person("bob")
    headers = [*bearer(bob.pair["access_token"]).items(), CSV]
    told = [*headers, ("Content-Length", str(MIB + 1))]
    answer = raw_requests.exchange(app, "POST", "/imports?store=ikea", told, [raw_requests.HANG])
    assert (answer.status, answer.json["error"]) == (409, "import_space_full")
    untold = [pieces(bytes(MIB // 2), more_body=True), pieces(bytes(MIB // 2 + 1), more_body=True), raw_requests.HANG]
    answer = raw_requests.exchange(app, "POST", "/imports?store=ikea", headers, untold)
    assert (answer.status, answer.json["error"]) == (409, "import_space_full")
    assert kept(tmp_path) == []


def test_files_that_are_on_their_way_take_room(limited: Limited, engine: sa.Engine, tmp_path: Path) -> None:
    """Or whoever sends many at once would fill the disk before one of them is there."""
    app = limited.app(import_mib_per_user=1)
    token = limited.person("bob").pair["access_token"]
    part = sheet(700_000)

    async def scenario() -> tuple[int, int, int]:
        has_begun, may_end = asyncio.Event(), asyncio.Event()
        events = [pieces(part, more_body=True), pieces(b"\n")]
        sent: list[Any] = []

        async def receive() -> Any:
            if len(events) == 1:
                has_begun.set()
                await may_end.wait()
            return events.pop(0)

        async def send(event: Any) -> None:
            sent.append(event)

        first = asyncio.create_task(app(of_unknown_length(token), receive, send))
        await has_begun.wait()
        second = await raw_requests._exchange(app, of_unknown_length(token), [pieces(part)])
        may_end.set()
        await first
        third = await raw_requests._exchange(app, of_unknown_length(token), [pieces(sheet(300_000))])
        return second.status, sent[0]["status"], third.status

    assert asyncio.run(scenario()) == (409, 202, 202)
    assert len(kept(tmp_path)) == 2


def test_of_many_files_at_once_as_many_are_taken_as_there_is_room_for(
    limited: Limited, engine: sa.Engine, tmp_path: Path
) -> None:
    with limited.workers(import_mib_per_user=1) as apps:
        token = log_in(apps[0], "bob")["access_token"]
        call = Call("POST", "/imports?store=ikea", sheet(400_000), token, more=(CSV,))
        answers = at_once(apps, [call] * 8)
    taken = [each for each in answers if each.status == 202]
    assert {each.status for each in answers} == {202, 409}
    assert 1 <= len(taken) <= 2
    assert len(kept(tmp_path)) == len(taken)


def test_of_two_workers_one_gets_the_last_room_for_a_file(limited: Limited, engine: sa.Engine, tmp_path: Path) -> None:
    """Each has read its file before the other's is there."""
    with limited.workers(import_mib_per_user=1) as apps:
        token = log_in(apps[0], "bob")["access_token"]

        async def scenario() -> list[int]:
            waiting, may_end = [0], asyncio.Event()

            async def ask(app: Any) -> int:
                events = [pieces(sheet(600_000), more_body=True), pieces(b"")]
                sent: list[Any] = []

                async def receive() -> Any:
                    if len(events) == 1:
                        waiting[0] += 1
                        if waiting[0] == len(apps):
                            may_end.set()
                        await may_end.wait()
                    return events.pop(0)

                async def send(event: Any) -> None:
                    sent.append(event)

                await app(of_unknown_length(token), receive, send)
                return int(sent[0]["status"])

            return sorted(await asyncio.gather(*map(ask, apps)))

        assert asyncio.run(scenario()) == [202, 409]
    assert len(kept(tmp_path)) == 1


def test_administrators_and_the_operator_import_what_they_like(
    limited: Limited, engine: sa.Engine, tmp_path: Path
) -> None:
    root = limited.person("root", import_mib_per_user=1)
    for _ in range(2):
        start(root, sheet(MIB), dry_run=True)
    file = tmp_path / "list.csv"
    file.write_bytes(sheet(MIB + 1))
    command = ("import", str(file), "--store", "ikea", "--dry-run")
    result = run_with(limited.settings(), *command, STOREKEEPER_IMPORT_MIB_PER_USER="1")
    assert result.exit_code == 0, result.output


def test_what_was_imported_under_another_quota_stays(limited: Limited, engine: sa.Engine, tmp_path: Path) -> None:
    path = start(limited.person("bob", import_mib_per_user=0), sheet(2 * MIB), dry_run=True)
    bob = limited.person("bob", import_mib_per_user=1)
    assert refused(upload(bob, sheet(100))) == (409, "import_space_full", MIB, 2 * MIB)
    carry_out(limited.settings())
    assert bob.post(path).status_code == 202
    carry_out(limited.settings())
    assert bob.get(path).json["state"] == "done"
    start(bob, sheet(100))


def test_a_file_that_has_come_before_needs_no_room(limited: Limited, engine: sa.Engine, tmp_path: Path) -> None:
    bob = limited.person("bob", import_mib_per_user=1)
    headers = {"Content-Type": "text/csv", "Idempotency-Key": "key"}
    first, again = (bob.post("/imports?store=ikea", body=sheet(MIB), headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code, again.json) == (202, 202, first.json)
    assert len(kept(tmp_path)) == 1
    other = bob.post("/imports?store=ikea", body=sheet(MIB - 1), headers=headers)
    assert other.json["error"] == "idempotency_key_reused"
    assert len(kept(tmp_path)) == 1


def test_the_page_of_imports_says_that_there_is_no_room(limited: Limited, engine: sa.Engine, tmp_path: Path) -> None:
    bobs = limited.browser("bob", import_mib_per_user=1)
    place = "/console/store/ikea/import"
    assert bobs.post(place, {"match": "name"}, file=("a.csv", sheet(600_000))).status_code == 303
    for size in (MIB - 600_000 + 1, MIB):  # the second is refused by its length
        page = bobs.post(place, {"match": "name"}, file=("b.csv", sheet(size)))
        assert page.status_code == 409
        assert "There is no room for this file among those of your imports." in said(page)
        assert "a.csv" in said(page)
    assert bobs.post(place, {"match": "name"}, file=("b.csv", sheet(MIB - 600_000))).status_code == 303
    assert len(kept(tmp_path)) == 2


# Answers


def ask(person: Person, key: str, delta: int = 1) -> testing.Result:
    return person.post("/item/chair/stock", {"delta": delta}, headers={"Idempotency-Key": key})


def fill(engine: sa.Engine, user_id: int, size: int) -> None:
    """Let that user's answers have this size."""
    with engine.begin() as conn:
        conn.execute(
            sa.delete(idempotency_space.answer_space).where(idempotency_space.answer_space.c.user_id == user_id)
        )
        idempotency_space.note(conn, user_id, "0" * 64, size)


def used(engine: sa.Engine, user_id: int) -> int:
    with engine.connect() as conn:
        return idempotency_space._find_used(conn, user_id).bytes


def test_answers_are_counted_with_all_that_is_stored_of_them(limited: Limited, engine: sa.Engine) -> None:
    bob = limited.person("bob")
    for number in range(3 * PARTS):
        assert ask(bob, f"key {number}".replace(" ", "-")).status_code == 200
        assert ask(bob, f"key-{number}").status_code == 200
    assert ask(bob, "refused", -(10**6)).status_code == 409
    with engine.connect() as conn:
        rows = conn.execute(sa.select(keys.c.key, keys.c.request, keys.c.result, keys.c.rights)).all()
    assert len(rows) == 3 * PARTS
    assert used(engine, 2) == sum(len(text.encode()) for row in rows for text in row)


def test_beyond_their_room_new_keys_are_refused_and_known_ones_answered(
    limited: Limited, engine: sa.Engine, clock: Clock
) -> None:
    clock.now = clock.now // HOUR * HOUR + 100
    bob = limited.person("bob", answer_mib_per_user=1)
    first = ask(bob, "first")
    fill(engine, 2, MIB - 1)
    assert ask(bob, "last").status_code == 200
    full = used(engine, 2)
    answer = ask(bob, "one-more")
    assert refused(answer) == (429, "answer_space_full", MIB, full)
    assert answer.headers["retry-after"] == str(25 * HOUR - 100)
    assert "Known keys are answered." in answer.json["message"]
    assert ask(bob, "first").json == first.json
    assert bob.get("/item/chair").json["stock"] == 2
    assert bob.post("/item/chair/stock", {"delta": 1}).status_code == 200, "without a key it is stored nowhere"
    assert ask(limited.person("alice", answer_mib_per_user=1), "hers").status_code == 200


def test_when_it_is_said_there_is_room_again(limited: Limited, engine: sa.Engine, clock: Clock) -> None:
    clock.now = clock.now // HOUR * HOUR
    bob = limited.person("bob", answer_mib_per_user=1)
    fill(engine, 2, MIB // 2)
    with engine.begin() as conn:
        clock.now += 3 * HOUR
        idempotency_space.note(conn, 2, "0" * 64, MIB // 2)
    wait = int(ask(bob, "key").headers["retry-after"])
    clock.now += wait - 1
    bob.log_in()
    assert ask(bob, "key").status_code == 429
    clock.now += 1
    assert ask(bob, "key").status_code == 200
    with engine.connect() as conn:
        hours = set(conn.scalars(sa.select(idempotency_space.answer_space.c.hour)))
    assert len(hours) == 2, "the first hour is forgotten"


def test_what_a_wrong_clock_has_counted_for_later_does_not_count(
    limited: Limited, engine: sa.Engine, clock: Clock
) -> None:
    clock.now += 10 * DAY
    fill(engine, 2, MIB)
    clock.now -= 10 * DAY
    assert ask(limited.person("bob", answer_mib_per_user=1), "key").status_code == 200


def test_administrators_have_room_and_0_is_no_limit_for_answers(limited: Limited, engine: sa.Engine) -> None:
    fill(engine, 4, 5 * MIB)
    assert ask(limited.person("root", answer_mib_per_user=1), "key").status_code == 200
    fill(engine, 2, 100 * MIB)
    assert ask(limited.person("bob", answer_mib_per_user=0), "key").status_code == 200
    assert ask(limited.person("bob", answer_mib_per_user=100), "other").status_code == 429
    assert ask(limited.person("bob", answer_mib_per_user=101), "other").status_code == 200


def test_of_many_new_keys_at_once_one_gets_the_last_room(limited: Limited, engine: sa.Engine) -> None:
    fill(engine, 2, MIB - 1)
    with limited.workers(answer_mib_per_user=1) as apps:
        token = log_in(apps[0], "bob")["access_token"]
        calls = [
            Call("POST", "/item/chair/stock", {"delta": 1}, token, more=(("Idempotency-Key", f"key-{number}"),))
            for number in range(10)
        ]
        answers = at_once(apps, calls)
    assert statuses(answers) == {200: 1, 429: 9}


def test_forms_go_on_to_twice_the_room(limited: Limited, engine: sa.Engine) -> None:
    """So that nobody at a till has to wait for a day because of a program."""
    bobs = limited.browser("bob", answer_mib_per_user=1)
    place = "/console/store/ikea/item/chair/archive"
    fill(engine, 2, 2 * MIB - 1)
    form = {"archived": "yes", FIELD: bobs.new_key()}
    assert bobs.post(place, form).status_code == 303
    page = bobs.post(place, {"archived": "no"})
    assert page.status_code == 429
    assert "There is no room for another answer" in said(page)
    assert bobs.post(place, form).status_code == 303, "a form that was sent before is answered"
    with engine.connect() as conn:
        assert conn.scalar(sa.select(item.items.c.archived_at)) is not None


# Images


def counted(engine: sa.Engine, store_id: int = 1) -> dict[str, int]:
    with engine.connect() as conn:
        rows = conn.execute(sa.select(store_images).where(store_images.c.store_id == store_id))
        return {row.key: row.bytes for row in rows}


def take(engine: sa.Engine, size: int) -> None:
    """Let the other images of "ikea" have this size."""
    with engine.begin() as conn:
        conn.execute(sa.delete(store_images).where(store_images.c.key == "others"))
        conn.execute(sa.insert(store_images).values(store_id=1, key="others", bytes=size))


def size_of(colour: str) -> int:
    return images.read(picture(colour)).size


@pytest.fixture
def clean(parts: Parts) -> Callable[[], None]:
    """What a server does a few times a day."""
    asyncio.run(parts.health.sample_storage())
    return lambda: asyncio.run(image_retention.apply(parts.db, parts.storage))


def test_the_images_of_a_store_take_as_much_room_as_they_may(
    limited: Limited, engine: sa.Engine, tmp_path: Path
) -> None:
    bob = limited.person("bob", image_mib_per_store=1)
    size = size_of("red")
    take(engine, MIB - size + 1)
    answer = put(bob, picture("red"))
    assert refused(answer) == (409, "image_space_full", MIB, MIB - size + 1)
    assert answer.json["message"].endswith("ask the operator for more room. 1.0 of 1 MiB are used.")
    assert files(tmp_path) == set()
    assert bob.get("/item/chair").json["image"] is None
    take(engine, MIB - size)
    path = put(bob, picture("red")).json["image"]
    on_disk = sum((tmp_path / "files" / name).stat().st_size for name in files(tmp_path))
    assert counted(engine) == {"others": MIB - size, path.rpartition("/")[2]: on_disk}
    assert on_disk == size
    assert refused(put(bob, picture("blue")))[:2] == (409, "image_space_full")
    with transaction(engine) as conn:
        item.add(conn, 1, 1, "stool", Fields(price=PriceInput("5")))
    again = put(bob, picture("red"), "/item/stool/image")
    assert (again.status_code, again.json["image"]) == (200, path), "the store has this one already"
    with transaction(engine) as conn:
        conn.execute(sa.text("UPDATE users SET is_admin = :yes WHERE id = 2"), {"yes": True})
    assert put(bob, picture("blue")).status_code == 200, "administrators have room"


def test_an_image_takes_room_until_its_files_are_removed(
    limited: Limited, engine: sa.Engine, clean: Callable[[], None], clock: Clock
) -> None:
    bob = limited.person("bob", image_mib_per_store=1)
    put(bob, picture("red"))
    put(bob, picture("blue"))
    bob.delete("/item/chair/image")
    assert sum(counted(engine).values()) == size_of("red") + size_of("blue")
    clean()
    clock.now += 30 * DAY
    clean()
    assert len(counted(engine)) == 2
    clock.now += DAY
    clean()
    assert counted(engine) == {}


def test_images_that_were_there_are_counted(limited: Limited, engine: sa.Engine, clean: Callable[[], None]) -> None:
    bob = limited.person("bob")
    path = put(bob, picture("red")).json["image"]
    bob.client.simulate_get(path)
    with engine.begin() as conn:
        conn.execute(sa.delete(store_images))
        conn.execute(sa.insert(item.items), [gone(number) for number in range(1500)])
    clean()
    found = counted(engine)
    assert found.pop(path.rpartition("/")[2]) == size_of("red")
    assert found == {f"gone {number}": 0 for number in range(1500)}, "without files they take no room"


def gone(number: int) -> dict[str, Any]:
    return {"store_id": 1, "name": f"gone {number}", "price_minor": 1, "image": f"gone {number}"}


def test_of_many_images_at_once_one_gets_the_last_room(engine: sa.Engine) -> None:
    """Each is of another item, and all have been found to fit."""
    count = 8
    take(engine, MIB - 100)
    with transaction(engine) as conn:
        for number in range(count):
            item.add(conn, 1, 1, f"item {number}", Fields(price=PriceInput("5")))
    all_are_there = Barrier(count)

    def give(number: int) -> bool:
        image = Kept(f"image {number}", 100)
        with engine.connect() as conn:
            store_image.require_room(conn, 2, 1, image, MIB)
        all_are_there.wait(30)
        try:
            with transaction(engine) as conn:
                store_image.give(conn, 2, ItemRef(f"item {number}", 1), image, MIB)
        except ImageSpaceFull:
            return False
        return True

    with ThreadPoolExecutor(count) as pool:
        assert sorted(pool.map(give, range(count))) == [False] * (count - 1) + [True]
    assert sum(counted(engine).values()) == MIB
    with engine.connect() as conn:
        assert len(item.images(conn)) == 1, "who was refused has changed nothing"


def test_with_0_images_have_no_limit_and_what_is_there_stays(limited: Limited, engine: sa.Engine) -> None:
    take(engine, 9 * MIB)
    path = put(limited.person("bob", image_mib_per_store=0), picture("red")).json["image"]
    bob = limited.person("bob", image_mib_per_store=1)
    assert refused(put(bob, picture("blue"))) == (409, "image_space_full", MIB, 9 * MIB + size_of("red"))
    assert bob.get("/item/chair").json["image"] == path
    assert bob.client.simulate_get(f"{path}/small").status_code == 200


def test_the_page_of_an_item_says_that_there_is_no_room(limited: Limited, engine: sa.Engine) -> None:
    bobs = limited.browser("bob", image_mib_per_store=1)
    take(engine, MIB)
    page = bobs.post("/console/store/ikea/item/chair/image", {}, file=("a.png", picture("red")))
    assert page.status_code == 409
    assert "There is no room for this image among those of the store." in said(page)
