"""Answers in gzip: who gets them, that they hold what others hold, and which answers stay as they are."""

import asyncio
import gzip
import json
import shutil
import subprocess
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import msgspec
import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.app import create_app, create_routes
from storekeeper.components import Parts, create_components
from storekeeper.console.static_files import TYPES
from storekeeper.files import images
from storekeeper.http import operation
from storekeeper.http.compression import MAX_ACCEPT_ENCODING, MIN_BYTES, Preference, read_preference
from storekeeper.models import item, item_export
from storekeeper.openapi.document import METHODS
from storekeeper.resources.docs import ASSETS
from storekeeper.settings import Settings
from tests.api.test_export import CSV, JSON_LINES, many
from tests.api.test_unread_exports import Reader
from tests.conftest import Person, as_served, bearer
from tests.support import cast
from tests.support.console_browser import Browser
from tests.support.databases import transaction
from tests.support.server_process import Server, request

GZIP = {"Accept-Encoding": "gzip"}
ALWAYS = {"Accept-Encoding": "gzip, identity;q=0"}
TEXT = " ".join(f"word {number}" for number in range(200))
IMAGE = "ab" * 32


@pytest.fixture
def long(engine: sa.Engine) -> None:
    """So much that all lists are long: 30 items, one with a long description."""
    many(engine, 30)
    with transaction(engine) as conn:
        conn.execute(sa.update(item.items).where(item.items.c.id == 1).values(description=TEXT))


def decoded(answer: testing.Result) -> bytes:
    """What a compressed answer holds."""
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    if "content-length" in answer.headers:
        assert int(answer.headers["content-length"]) == len(answer.content)
    return gzip.decompress(answer.content)


def is_plain(answer: testing.Result) -> bool:
    return "content-encoding" not in answer.headers and not answer.content.startswith(b"\x1f\x8b")


# Who gets them

WANTED: dict[str, Preference] = {
    "gzip": Preference.GZIP,
    "GZIP": Preference.GZIP,
    "x-gzip": Preference.GZIP,
    "deflate, gzip, br, zstd": Preference.GZIP,
    "gzip;q=0.001": Preference.GZIP,
    "gzip ; q=0.5 , identity ; q=0.5": Preference.GZIP,
    "*": Preference.GZIP,
    "br;q=1.0, *;q=0.5": Preference.GZIP,
    "gzip;Q=1.000": Preference.GZIP,
    "gzip;q=0.5, identity;q=0.1, *;q=0": Preference.GZIP,
    "gzip, *;q=0": Preference.ONLY_GZIP,
    "gzip, identity;q=0": Preference.ONLY_GZIP,
    "*, identity;q=0.000": Preference.ONLY_GZIP,
    "": Preference.IDENTITY,
    "identity": Preference.IDENTITY,
    "br, deflate": Preference.IDENTITY,
    "gzip;q=0": Preference.IDENTITY,
    "gzip;q=0, *": Preference.IDENTITY,
    "x-gzip;q=0": Preference.IDENTITY,
    "*;q=0": Preference.IDENTITY,
    "identity;q=0": Preference.IDENTITY,
    "gzip;q=0.5, identity": Preference.IDENTITY,
    "gzip;q=0.5, *;q=0.6": Preference.IDENTITY,
    "gzip;q=2": Preference.IDENTITY,
    "gzip;q=-1": Preference.IDENTITY,
    "gzip;q=0.1234": Preference.IDENTITY,
    "gzip;level=1": Preference.IDENTITY,
    "g zip": Preference.IDENTITY,
    "gzip\u00a0": Preference.IDENTITY,
    "gzip," + " " * MAX_ACCEPT_ENCODING: Preference.IDENTITY,
}


@pytest.mark.parametrize("accepted", WANTED)
def test_the_weights_of_a_header_decide(accepted: str) -> None:
    assert read_preference(accepted) is WANTED[accepted]


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/items?limit=200", "*/*"),
        ("/items", CSV),
        ("/items", JSON_LINES),
        ("/store/ikea/items", CSV),
        ("/store/ikea/items?limit=200", "*/*"),
        ("/item/chair", "*/*"),
        ("/store/ikea", "*/*"),
        ("/changes", "*/*"),
        ("/store/ikea/history", "*/*"),
        ("/openapi.json", "*/*"),
        *((f"/docs/{name}", "*/*") for name in ("swagger.js", "swagger.css")),
    ],
)
def test_an_answer_in_gzip_is_that_without(path: str, accept: str, alice: Person, long: None) -> None:
    for number in range(8):  # for the journal
        alice.patch("/item/chair", {"price": number, "description": f"{number} {TEXT}"})
    plain = alice.get(path, headers={"Accept": accept})
    assert is_plain(plain)
    assert plain.headers["vary"] == "Accept-Encoding"
    packed = alice.get(path, headers={"Accept": accept} | GZIP)
    assert decoded(packed) == plain.content
    assert len(packed.content) < len(plain.content) / 2
    assert packed.headers["content-type"] == plain.headers["content-type"]
    head = alice.call("HEAD", path, headers={"Accept": accept} | GZIP)
    assert told(head) == told(packed)


def told(answer: testing.Result) -> Mapping[str, str]:
    own = {"x-request-id", "ratelimit", "ratelimit-policy"}
    return {name: value for name, value in answer.headers.items() if name not in own}


def test_what_is_above_a_chunk_is_compressed_on_a_thread_to_the_same(alice: Person, engine: sa.Engine) -> None:
    many(engine, 199, TEXT)
    plain = alice.get("/items?limit=200").content
    assert len(plain) > 200_000
    assert decoded(alice.get("/items?limit=200", headers=GZIP)) == plain


def test_the_answer_to_a_long_list_of_changes_is_compressed(alice: Person) -> None:
    rows = [{"store_id": 1, "name": f"lamp {number}", "price": 1} for number in range(20)]
    alice.post("/items/bulk", rows)
    rows[0]["price"] = 2
    plain = alice.post("/items/bulk", rows, headers={"Idempotency-Key": "a"})
    again = alice.post("/items/bulk", rows, headers={"Idempotency-Key": "a"} | GZIP)
    assert is_plain(plain)
    assert decoded(again) == plain.content


# Small answers, and errors


def test_small_answers_are_left_alone_but_for_who_takes_no_other(alice: Person, engine: sa.Engine) -> None:
    plain = alice.get("/item/chair")
    assert len(plain.content) < MIN_BYTES
    assert is_plain(alice.get("/item/chair", headers=GZIP))
    assert alice.get("/item/chair", headers=GZIP).content == plain.content
    assert plain.headers["vary"] == "Accept-Encoding"
    assert decoded(alice.get("/item/chair", headers=ALWAYS)) == plain.content
    small = alice.get("/items", headers={"Accept": JSON_LINES} | GZIP)
    assert is_plain(small)
    assert decoded(alice.get("/items", headers={"Accept": JSON_LINES} | ALWAYS)) == small.content


def test_the_bound_is_met(alice: Person) -> None:
    spare = MIN_BYTES - len(alice.get("/item/chair").content)
    for size, is_small in ((spare - 1, True), (spare, False)):
        alice.patch("/item/chair", {"description": "x" * size})
        alice.put("/item/chair", {"price": "15.99", "store_id": 1})
        answer = alice.get("/item/chair", headers=GZIP)
        length = len(alice.get("/item/chair").content)
        assert (is_plain(answer), length < MIN_BYTES) == (is_small, is_small)


def test_errors_are_not_compressed(alice: Person) -> None:
    answer = alice.get("/item/" + "x" * 64, headers=ALWAYS)
    assert (answer.status_code, is_plain(answer), answer.json["error"]) == (404, True, "not_found")


# What never is


def test_what_echoes_secrets_stays_as_it_is(client: testing.TestClient, alice: Person) -> None:
    password = {"username": "alice", "password": cast.PASSWORD}
    login = client.simulate_post("/login", json=password, headers=ALWAYS)
    hook = alice.post("/webhooks", {"url": "https://shop.example/hook", "store": "ikea"}, headers=ALWAYS)
    refreshed = client.simulate_post("/refresh", headers=bearer(login.json["refresh_token"]) | ALWAYS)
    fresh = alice.post("/login/fresh", {"password": cast.PASSWORD}, headers=ALWAYS)
    rotated = alice.post(f"/webhooks/{hook.json['id']}/rotate", headers=ALWAYS)
    for answer in (login, hook, refreshed, fresh, rotated):
        assert answer.status_code in (200, 201)
        assert is_plain(answer)
        assert {"access_token", "secret"} & answer.json.keys()


def test_no_declared_secret_is_compressed(parts: Parts, settings: Settings) -> None:
    """An answer that may be compressed has no member that is a token or a secret, at any depth."""
    compressed = set()
    for template, resource in create_routes(create_components(settings, parts)).items():
        for method in METHODS:
            responder = getattr(resource, f"on_{method}", None)
            declared = operation.of(responder) if responder else operation.NONE
            if declared.is_compressible:
                compressed.add(f"{method} {template}")
                (_, schemas) = msgspec.json.schema_components(
                    declared.answers.values(), schema_hook=lambda _: {"type": "string", "title": "Secret"}
                )
                text = json.dumps(schemas).lower()
                assert not any(word in text for word in ('token"', 'secret"')), template
    assert [each for each in compressed if not each.startswith("get ")] == ["post /items/bulk"]
    assert len(compressed) > 15


def test_pages_and_images_stay_as_they_are(
    client: testing.TestClient, alice: Person, engine: sa.Engine, parts: Parts, long: None
) -> None:
    asyncio.run(parts.storage.put(images.path(IMAGE, "full"), b"image" * 1000))
    with transaction(engine) as conn:
        item.set_image(conn, 1, item.ItemRef("chair"), IMAGE)
    browser = Browser(client, "alice")
    for path in ("/console", "/console/store/ikea", "/console/webhooks", "/console/sign-in"):
        page = browser.get(path, headers=ALWAYS)
        assert (page.status_code in (200, 303), is_plain(page)) == (True, True), path
    picture = client.simulate_get(f"/images/{IMAGE}/full", headers=ALWAYS)
    assert (picture.content, is_plain(picture)) == (b"image" * 1000, True)


def test_a_stream_of_changes_stays_as_it_is(parts: Parts, settings: Settings, alice: Person) -> None:
    reader = Reader(
        create_app(settings, parts), alice.log_in()["access_token"], "/changes", "text/event-stream", reads=1
    )
    reader.scope["headers"].append((b"accept-encoding", b"gzip, identity;q=0"))

    async def test() -> None:
        task = await reader.start()
        reader.hang_up()
        await task

    asyncio.run(test())
    assert b"content-encoding" not in reader.headers
    assert reader.pieces[0].startswith(b"id: ")


# Tags


def test_each_coding_has_its_tag(alice: Person, long: None) -> None:
    for path in ("/item/chair", "/store/ikea"):
        plain, packed = alice.get(path), alice.get(path, headers=GZIP)
        tag = plain.headers["etag"]
        assert packed.headers["etag"] == f'{tag[:-1]}-gzip"'
        for headers, expected in (({}, tag), (GZIP, packed.headers["etag"])):
            for known in (tag, packed.headers["etag"], f"W/{tag}", "*"):
                answer = alice.get(path, headers=headers | {"If-None-Match": known})
                assert (answer.status_code, answer.content) == (304, b"")
                assert (answer.headers["etag"], answer.headers["vary"]) == (expected, "Accept-Encoding")
                assert "content-encoding" not in answer.headers
    tag = alice.get("/item/chair", headers=GZIP).headers["etag"]
    changed = alice.patch("/item/chair", {"price": 3}, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert alice.patch("/item/chair", {"price": 4}, headers={"If-Match": tag}).status_code == 412
    assert alice.get("/item/chair", headers=GZIP | {"If-None-Match": tag}).status_code == 200


# What caches keep


def test_assets_and_the_description_are_kept_by_caches(client: testing.TestClient, engine: sa.Engine) -> None:
    hour, ever = "public, max-age=3600", "public, max-age=31536000, immutable"
    kept = {"/openapi.json": hour, **{f"/docs/{name}": hour for name in ASSETS}}
    kept |= {f"/console/static/{name}": ever for name in TYPES}
    for path, caching in kept.items():
        plain = client.simulate_get(path)
        for headers in ({}, GZIP, GZIP):
            answer = client.simulate_get(path, headers=headers)
            assert (answer.status_code, answer.headers["cache-control"]) == (200, caching)
            assert answer.headers["vary"] == "Accept-Encoding"
            is_packed = bool(headers) and len(plain.content) >= MIN_BYTES
            assert (decoded(answer) if is_packed else answer.content) == plain.content, path
            assert answer.headers["etag"].endswith('-gzip"') is is_packed
            tag = answer.headers["etag"]
            for known in (tag, f'"x", W/{tag}', "*"):
                again = client.simulate_get(path, headers=headers | {"If-None-Match": known})
                assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
            if is_packed:  # whoever takes no gzip is not told that they have it
                assert client.simulate_get(path, headers={"If-None-Match": tag}).content == plain.content
        assert client.simulate_get(path, headers={"If-None-Match": '"x"'}).status_code == 200


def test_it_can_be_switched_off(alice: Person, parts: Parts, settings: Settings, long: None) -> None:
    off = testing.TestClient(as_served(create_app(msgspec.structs.replace(settings, compression=False), parts)))
    for path in ("/items", "/item/chair", "/openapi.json", "/docs/swagger.js", "/console/static/console.css"):
        answer = off.simulate_get(path, headers=bearer(alice.pair["access_token"]) | ALWAYS)
        assert is_plain(answer)
        assert answer.headers.get("etag", '"1.0"').count("gzip") == 0


# Exports


@pytest.mark.parametrize("accept", [CSV, JSON_LINES])
def test_an_export_can_be_read_as_it_comes(
    accept: str, app: Any, bob: Person, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_export, "MAX_BYTES", 3000)
    many(engine, 200)
    token = bob.log_in()["access_token"]
    plain = asyncio.run(Reader(app, token, accept=accept).read())
    packed = Reader(app, token, accept=accept)
    packed.scope["headers"].append((b"accept-encoding", b"gzip"))
    asyncio.run(packed.read())
    assert packed.headers[b"content-encoding"] == b"gzip"
    decoder = zlib.decompressobj(wbits=31)
    assert [decoder.decompress(piece) for piece in packed.pieces] == plain.pieces
    assert (decoder.eof, len(plain.pieces) > 5) == (True, True)


def test_a_file_of_the_console_is_compressed_too(client: testing.TestClient, engine: sa.Engine, long: None) -> None:
    browser = Browser(client, "alice")
    plain = browser.get("/console/store/ikea/export/csv")
    assert decoded(browser.get("/console/store/ikea/export/csv", headers=GZIP)) == plain.content


# Clients of others


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server("storekeeper", tmp_path).wait()
    yield server
    server.put_away()


def test_a_client_of_pythons_library_reads_it(server: Server) -> None:
    plain = server.get("/openapi.json").body
    url = f"http://127.0.0.1:{server.port}/openapi.json"
    with urlopen(Request(url, headers={"Accept-Encoding": "gzip"})) as answer, gzip.open(answer) as file:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert file.read() == plain
    assert server.ask(request("HEAD", "/openapi.json", b"Accept-Encoding: gzip\r\n")).headers["content-encoding"]


@pytest.mark.skipif(not shutil.which("curl"), reason="it needs curl")
def test_curl_reads_it(server: Server) -> None:
    plain = server.get("/docs/swagger.js").body
    url = f"http://127.0.0.1:{server.port}/docs/swagger.js"
    command = ["curl", "-sS", "--compressed", "-w", "%{stderr}%{size_download}", url]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == plain
    assert int(done.stderr) < len(plain) / 2
