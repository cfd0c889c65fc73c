"""The image of an item: who may give it one, what is kept, and how it is handed out."""

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from falcon import testing
from PIL import Image

from storekeeper.models import store_member
from tests.conftest import Person
from tests.support.databases import transaction
from tests.support.expected_answers import whole

PLACES = ["/item/chair/image", "/store/ikea/item/chair/image"]
PATH = re.compile(r"/images/[0-9a-f]{64}")


def picture(colour: str = "red", format: str = "PNG", size: tuple[int, int] = (640, 480)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, format)
    return out.getvalue()


def put(person: Person, body: bytes, path: str = PLACES[0], media_type: str = "image/png") -> testing.Result:
    return person.put(path, body=body, headers={"Content-Type": media_type})


def files(tmp_path: Path) -> set[str]:
    folder = tmp_path / "files"
    return {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}


@pytest.mark.parametrize("place", PLACES)
def test_an_item_is_given_an_image_and_loses_it(
    place: str, bob: Person, client: testing.TestClient, tmp_path: Path
) -> None:
    answer = put(bob, picture(), place)
    assert answer.status_code == 200, answer.text
    path = answer.json["image"]
    assert answer.json == whole(1, "chair", 15.99, image=path)
    assert bob.get("/item/chair").json == answer.json
    for size, width in (("full", 640), ("small", 320)):
        got = client.simulate_get(f"{path}/{size}")
        assert (got.status_code, got.headers["content-type"]) == (200, "image/webp")
        assert Image.open(BytesIO(got.content), formats=["WEBP"]).width == width
    assert files(tmp_path) == {f"{path[1:]}/full.webp", f"{path[1:]}/small.webp"}

    answer = bob.delete(place)
    assert (answer.status_code, answer.json) == (200, whole(1, "chair", 15.99))
    assert client.simulate_get(f"{path}/full").status_code == 404
    assert bob.delete(place).status_code == 200


def test_another_image_has_another_address(alice: Person) -> None:
    paths = [put(alice, picture(colour)).json["image"] for colour in ("red", "blue", "red")]
    assert all(PATH.fullmatch(path) for path in paths)
    assert paths[0] == paths[2] != paths[1]


def test_an_image_is_for_any_page_and_for_a_day(alice: Person, client: testing.TestClient) -> None:
    path = put(alice, picture()).json["image"] + "/small"
    first = client.simulate_get(path)
    assert first.headers["cache-control"] == "public, max-age=86400, must-revalidate"
    assert first.headers["cross-origin-resource-policy"] == "cross-origin"
    assert first.headers["x-content-type-options"] == "nosniff"
    known = first.headers["etag"]
    for said, status in ((known, 304), (f"W/{known}", 304), ("*", 304), ('"other"', 200)):
        again = client.simulate_get(path, headers={"If-None-Match": said})
        assert again.status_code == status
        assert again.headers["etag"] == first.headers["etag"]
        assert again.content == (b"" if status == 304 else first.content)


@pytest.mark.parametrize(
    "path",
    [
        f"/images/{'0' * 64}/full",
        f"/images/{'0' * 64}/large",
        f"/images/{'0' * 63}/full",
        "/images/..%2F..%2Fkeys.json/full",
        "/images/%2e%2e/full",
    ],
)
def test_what_is_no_image_is_not_found(path: str, client: testing.TestClient) -> None:
    assert client.simulate_get(path).status_code == 404


Case = Callable[[Person, Person], testing.Result]
REFUSED: dict[str, tuple[Case, int, str]] = {
    "a stranger": (lambda _alice, carol: put(carol, picture()), 403, "forbidden"),
    "a stranger, in the store": (lambda _alice, carol: put(carol, picture(), PLACES[1]), 403, "forbidden"),
    "a stranger, with anything": (lambda _alice, carol: put(carol, b"x"), 403, "forbidden"),
    "a stranger who deletes": (lambda _alice, carol: carol.delete(PLACES[0]), 403, "forbidden"),
    "nobody's item": (lambda alice, _carol: put(alice, picture(), "/item/sofa/image"), 404, "not_found"),
    "nobody's store": (lambda alice, _carol: put(alice, picture(), "/store/shed/item/chair/image"), 404, "not_found"),
    "another store": (lambda alice, _carol: put(alice, picture(), PLACES[0] + "?store_id=9"), 404, "not_found"),
    "no image": (lambda alice, _carol: put(alice, b"x"), 400, "invalid"),
    "nothing": (lambda alice, _carol: put(alice, b""), 400, "invalid"),
    "half of one": (lambda alice, _carol: put(alice, picture()[:400]), 400, "invalid"),
    "svg": (lambda alice, _carol: put(alice, b"<svg/>", media_type="image/svg+xml"), 415, "unsupported_media_type"),
    "json": (lambda alice, _carol: alice.put(PLACES[0], {"image": "x"}), 415, "unsupported_media_type"),
    "too large": (lambda alice, _carol: put(alice, bytes(10 * 2**20 + 1)), 413, "too_large"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_leaves_nothing(case: str, alice: Person, carol: Person, tmp_path: Path) -> None:
    do, status, code = REFUSED[case]
    answer = do(alice, carol)
    assert (answer.status_code, answer.json["error"]) == (status, code), answer.text
    assert alice.get("/item/chair").json["image"] is None
    assert files(tmp_path) == set()


def test_an_image_may_be_larger_than_other_bodies_and_is_what_it_is(alice: Person) -> None:
    out = BytesIO()
    Image.effect_noise((600, 600), 99).save(out, "JPEG", quality=95)
    assert len(out.getvalue()) > 100_000
    assert put(alice, out.getvalue(), media_type="image/png").status_code == 200


def test_a_name_of_several_stores_has_to_be_chosen(alice: Person, engine: sa.Engine) -> None:
    with transaction(engine) as conn:
        store_member.create_store(conn, 1, "shed", "EUR")
    assert alice.post("/store/shed/item/chair", {"price": "5"}).status_code == 201
    assert put(alice, picture()).status_code == 409
    assert put(alice, picture(), PLACES[0] + "?store_id=2").json["store_id"] == 2
    stores = {name: alice.get(f"/store/{name}/item/chair").json["image"] for name in ("ikea", "shed")}
    assert (stores["ikea"], bool(stores["shed"])) == (None, True)


def test_without_the_storage_no_item_changes(alice: Person, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.rmdir()
    folder.write_text("no folder")
    answer: Any = put(alice, picture())
    assert (answer.status_code, answer.json["message"]) == (503, "The files cannot be reached. Try again soon.")
    assert alice.get("/item/chair").json["image"] is None
