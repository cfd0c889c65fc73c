"""Bodies in gzip: read as if they were not, within the same bounds, and refused where they are damaged or a bomb."""

import asyncio
import gzip
import random
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from json import dumps
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from storekeeper.app import create_app
from storekeeper.components import Parts
from storekeeper.errors import Invalid, TooLarge
from storekeeper.http.decompression import MAX_MEMBERS, STEP, decompress
from storekeeper.resources.imports import ImportListResource
from storekeeper.resources.item_bulk import MAX_BYTES
from storekeeper.settings import Settings
from tests.conftest import Person, as_served, bearer
from tests.support import imports, raw_requests
from tests.support.imports import carry_out, catalogue, kept
from tests.support.raw_requests import JSON, Answer
from tests.support.request_bodies import everything

ROWS = [{"store_id": 1, "name": f"lamp {number}", "price": number} for number in range(100)]
BODY = dumps(ROWS).encode()
CSV = b"name,price\n" + b"".join(b"lamp %d,%d\n" % (number, number) for number in range(100))
CODED = ("Content-Encoding", "gzip")
NOISE = random.Random(1).randbytes(3 * STEP)


def bulk(app: Any, person: Person, body: bytes, *headers: tuple[str, str]) -> Answer:
    token = bearer(person.pair["access_token"]).items()
    return raw_requests.send(app, "POST", "/items/bulk", [*token, JSON, *(headers or [CODED])], body)


# The content


async def in_pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def contents(body: bytes, size: int, max_bytes: int = 10 * STEP) -> list[bytes]:
    async def collect() -> list[bytes]:
        return [piece async for piece in decompress(in_pieces(body, size), max_bytes)]

    return asyncio.run(collect())


@pytest.mark.parametrize("content", [b"", b"a", b"a" * STEP, b"a" * (STEP + 1), b"ab" * 3 * STEP, NOISE, CSV])
def test_content_is_the_same_however_it_comes(content: bytes) -> None:
    series = gzip.compress(content[:7]) + gzip.compress(content[7:])
    for body in (gzip.compress(content), gzip.compress(content, 1), series):
        for size in (1, 7, 1000, len(body)):
            found = contents(body, size)
            assert b"".join(found) == content
            assert max(map(len, found)) <= STEP


def test_the_bound_is_on_the_content() -> None:
    for content in (b"a" * STEP, NOISE):
        body = gzip.compress(content)
        assert b"".join(contents(body, 100, len(content))) == content
        with pytest.raises(TooLarge):
            contents(body, 100, len(content) - 1)


def test_what_is_damaged_or_cut_is_refused() -> None:
    body = gzip.compress(NOISE)
    middle = len(body) // 2
    spoiled = [body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :], body[:-5] + b"x" + body[-4:]]
    for each in (b"", body[:-1], body[:20], body[:5], body + b"x", body + body[:-1], CSV, zlib.compress(CSV), *spoiled):
        for size in (1000, 10**6):
            with pytest.raises(Invalid):
                contents(each, size)


def test_a_series_has_an_end() -> None:
    empty = gzip.compress(b"")
    assert b"".join(contents(empty * MAX_MEMBERS, 64 * 1024)) == b""
    with pytest.raises(Invalid):
        contents(empty * (MAX_MEMBERS + 1), 64 * 1024)


def test_a_bomb_goes_off_step_by_step() -> None:
    """Of 64 MiB that fit into 64 KiB, never more than a few steps are in memory."""
    bomb, sizes = gzip.compress(b"\0" * 64 * 2**20), []

    async def read() -> None:
        async for piece in decompress(in_pieces(bomb, 64 * 1024), 32 * 2**20):
            sizes.append(len(piece))  # noqa: PERF401 a list of them would be lost with the error

    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            asyncio.run(read())
        assert tracemalloc.get_traced_memory()[1] < 2 * 2**20
    finally:
        tracemalloc.stop()
    assert (sum(sizes), max(sizes)) == (32 * 2**20, STEP)


# Many rows in one request


def test_rows_in_gzip_are_those_without(app: Any, alice: Person) -> None:
    answer = bulk(app, alice, gzip.compress(BODY))
    assert answer.status == 200
    assert [each["status"] for each in answer.json["results"]] == [201] * 100
    for headers in ([CODED], [("Content-Encoding", "X-GZIP")], [("Content-Encoding", "identity")]):
        body = BODY if headers[0][1] == "identity" else gzip.compress(BODY)
        again = bulk(app, alice, body, *headers)
        assert [each["item"] for each in again.json["results"]] == [each["item"] for each in answer.json["results"]]


def test_rows_that_are_cut_damaged_or_too_many_change_nothing(app: Any, alice: Person, engine: sa.Engine) -> None:
    body = gzip.compress(BODY)
    alice.log_in()
    before = everything(engine)
    for spoiled in (b"", body[:-1], body[:-6] + b"xxxxxx", BODY, body + BODY):
        answer = bulk(app, alice, spoiled)
        assert (answer.status, answer.json["error"]) == (400, "invalid"), spoiled[:9]
    answer = bulk(app, alice, gzip.compress(BODY + b" " * (MAX_BYTES + 1 - len(BODY))))
    assert (answer.status, answer.json["error"]) == (413, "too_large")
    assert everything(engine) == before
    assert bulk(app, alice, gzip.compress(BODY + b" " * (MAX_BYTES - len(BODY)))).status == 200


def test_a_bomb_takes_no_memory(app: Any, alice: Person) -> None:
    bomb = gzip.compress(b" " * 64 * 2**20, 1)
    bulk(app, alice, gzip.compress(b" " * 2 * 2**20))
    tracemalloc.start()
    try:
        answer = bulk(app, alice, bomb)
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()
    assert (answer.status, answer.json["error"], answer.headers["connection"]) == (413, "too_large", "close")


def test_another_coding_is_refused_and_those_that_are_read_are_told(app: Any, alice: Person) -> None:
    for coding in ("br", "zstd", "deflate", "gzip, identity", "gzip, gzip", "", "gzip;q=1"):
        answer = bulk(app, alice, BODY, ("Content-Encoding", coding))
        assert (answer.status, answer.json["error"]) == (415, "unsupported_media_type"), coding
        assert answer.headers["accept-encoding"] == "gzip, identity"
    login = raw_requests.send(app, "POST", "/login", [JSON, CODED], gzip.compress(b"{}"))
    assert (login.status, login.headers["accept-encoding"]) == (415, "identity")
    wrong = bulk(app, alice, BODY, ("Content-Type", "text/csv"))
    assert (wrong.status, "accept-encoding" in wrong.headers) == (415, False)


def test_another_attempt_may_be_compressed_anew(app: Any, alice: Person) -> None:
    key = ("Idempotency-Key", "a")
    first = bulk(app, alice, gzip.compress(BODY, mtime=1), key, CODED)
    again = bulk(app, alice, gzip.compress(BODY, 1, mtime=2), key, CODED)
    plain = bulk(app, alice, BODY, key)
    assert (first.status, again.status, plain.status) == (200, 200, 200)
    assert first.body == again.body == plain.body
    other = bulk(app, alice, gzip.compress(BODY.replace(b"lamp", b"rugs")), key, CODED)
    assert (other.status, other.json["error"]) == (422, "idempotency_key_reused")


# Imports


def brought(app: Any, person: Person, body: bytes, settings: Settings, **headers: str) -> list[Any]:
    answer = imports.send(app, person, body, **headers)
    assert answer.status == 202, answer.json
    carry_out(settings)
    return [(each["name"], each["price"]) for each in catalogue(person)]


def test_a_file_in_gzip_is_imported_as_it_is(app: Any, bob: Person, settings: Settings) -> None:
    expected = [("chair", 15.99), *((f"lamp {number}", number) for number in range(100))]
    assert brought(app, bob, gzip.compress(CSV), settings, Content_Encoding="gzip") == expected
    assert brought(app, bob, CSV, settings) == expected


def test_a_file_that_is_cut_damaged_or_too_large_leaves_nothing_behind(
    parts: Parts, settings: Settings, bob: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImportListResource.on_post, "max_bytes", 2**20)
    app = as_served(create_app(settings, parts))
    body = gzip.compress(CSV)
    for spoiled in (body[:-1], body[:-6] + b"xxxxxx", CSV, body + CSV):
        answer = imports.send(app, bob, spoiled, Content_Encoding="gzip")
        assert (answer.status, answer.json["error"]) == (400, "invalid")
    bomb = imports.send(app, bob, gzip.compress(b"a" * (2**20 + 1)), Content_Encoding="gzip")
    assert (bomb.status, bomb.json["error"]) == (413, "too_large")
    assert bob.get("/imports?store=ikea").json == {"imports": []}
    assert kept(tmp_path) == []


def test_the_room_for_files_is_of_their_content(parts: Parts, settings: Settings, bob: Person) -> None:
    app = as_served(create_app(msgspec.structs.replace(settings, import_mib_per_user=1), parts))
    answer = imports.send(app, bob, gzip.compress(CSV + b"\n" * 2**20), Content_Encoding="gzip")
    assert (answer.status, answer.json["error"]) == (409, "import_space_full")
    assert imports.send(app, bob, gzip.compress(CSV), Content_Encoding="gzip").status == 202
