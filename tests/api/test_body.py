"""Bodies: their kind, their bounds in bytes and seconds, and the members that they may have."""

import json
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from storekeeper.app import create_app
from storekeeper.components import Parts
from storekeeper.settings import Settings
from tests.conftest import Person
from tests.support import raw_requests
from tests.support.raw_requests import JSON
from tests.support.request_bodies import BODY_IS_OPTIONAL, REQUESTS, Callers, each_with_text, everything

WRONG_TYPES = (
    "",
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json-patch+json",
    "application/problem+json",
    "application/json, text/plain",
    "application/json; charset=utf-16",
    "application/json; charset=latin-1",
    'application/json; charset="utf-8',
    "application/json; charset=",
    "application/j son",
    "application/json;" + " ;" * 4000 + "x",
)
GOOD_TYPES = (
    "application/json",
    "APPLICATION/JSON",
    "application/json;charset=utf-8",
    'application/json ; charset="UTF-8"',
    "application/json; charset=us-ascii",
    "application/json;",
)


@pytest.fixture
def callers(app: Any, alice: Person, root: Person, engine: sa.Engine) -> Callers:
    return Callers(app, alice, root, engine)


def test_an_empty_body_is_none(callers: Callers) -> None:
    for key in REQUESTS:
        for headers in ([], [("Content-Length", "0")]):
            answer = raw_requests.exchange(
                callers.app, *key, [*callers.headers(key[0]), JSON, *headers], [raw_requests.pieces(b"")]
            )
            assert answer.status in ((200, 201, 400, 404) if key in BODY_IS_OPTIONAL else (400,)), key


def test_a_body_of_another_kind_is_refused(callers: Callers, engine: sa.Engine) -> None:
    before = everything(engine)
    for method, path, text in each_with_text():
        for kind in WRONG_TYPES:
            answer = callers.send(method, path, text, ("Content-Type", kind))
            assert (answer.status, answer.json["error"]) == (415, "unsupported_media_type"), (method, path, kind)
            known = "application/json" + (", application/merge-patch+json" if method == "PATCH" else "")
            assert answer.headers["accept"] == known
            assert answer.headers.get("accept-patch") == (known if method == "PATCH" else None)
        assert callers.send(method, path, text, ("Accept", "*/*")).status == 415, "no content type"
        for encoding in ("gzip", "br", "deflate", "identity, gzip"):
            if (path, encoding) == ("/items/bulk", "gzip"):  # tests/api/test_compressed_bodies.py
                continue
            assert callers.send(method, path, text, JSON, ("Content-Encoding", encoding)).status == 415, encoding
    assert everything(engine) == before


def test_a_patch_may_be_a_merge_patch(callers: Callers) -> None:
    """RFC 7396: what a PATCH takes here is one."""
    merge = ("Content-Type", "application/merge-patch+json")
    for method, path, text in each_with_text():
        assert (callers.send(method, path, text, merge).status != 415) is (method == "PATCH"), (method, path)


def test_the_ways_to_say_json(callers: Callers) -> None:
    text = json.dumps(REQUESTS["PUT", "/item/chair"])
    for kind in GOOD_TYPES:
        assert callers.send("PUT", "/item/chair", text, ("Content-Type", kind)).status == 200, kind
    assert callers.send("PUT", "/item/chair", text, JSON, ("Content-Encoding", "identity")).status == 200


def test_a_cut_body_is_refused_and_nothing_done(callers: Callers, engine: sa.Engine) -> None:
    before = everything(engine)
    for method, path, text in each_with_text():
        body = text.encode()
        headers = [*callers.headers(method), JSON]
        promised = [*headers, ("Content-Length", str(len(body) + 1))]
        chunked = [*headers, ("Transfer-Encoding", "chunked")]
        cut = [
            raw_requests.exchange(callers.app, method, path, promised, [raw_requests.pieces(body)]),
            raw_requests.exchange(
                callers.app, method, path, promised, [raw_requests.pieces(body, True), raw_requests.DISCONNECT]
            ),
            raw_requests.exchange(callers.app, method, path, promised, [raw_requests.DISCONNECT]),
            raw_requests.exchange(
                callers.app, method, path, chunked, [raw_requests.pieces(body, True), raw_requests.DISCONNECT]
            ),
        ]
        for answer in cut:
            assert (answer.status, answer.json["message"]) == (400, "The body ended early. Send the request again."), (
                method,
                path,
            )
    assert everything(engine) == before


def test_a_body_may_have_64_kib_and_not_a_byte_more(callers: Callers) -> None:
    headers = [*callers.headers("PUT"), JSON]
    most = b'{"price": 7, "store_id": 1}'.ljust(65_536)
    chunked = [*headers, ("Transfer-Encoding", "chunked")]
    assert raw_requests.send(callers.app, "PUT", "/item/chair", headers, most).status == 200
    for events in (
        [raw_requests.pieces(most[:60_000], True), raw_requests.pieces(most[60_000:])],
        [raw_requests.pieces(most)],
    ):
        assert raw_requests.exchange(callers.app, "PUT", "/item/chair", chunked, events).status == 200
    for answer in (
        raw_requests.send(callers.app, "PUT", "/item/chair", headers, most + b" "),
        raw_requests.exchange(
            callers.app, "PUT", "/item/chair", [*headers, ("Content-Length", "65537")], [raw_requests.HANG]
        ),
        raw_requests.exchange(
            callers.app,
            "PUT",
            "/item/chair",
            chunked,
            [raw_requests.pieces(most, True), raw_requests.pieces(b" ", True)],
        ),
    ):
        assert (answer.status, answer.json["error"]) == (413, "too_large")
        assert answer.headers["connection"] == "close"


def test_content_lengths_that_are_none(callers: Callers) -> None:
    for length in ("-1", "x", "1.0", "0x10"):
        headers = [*callers.headers("PUT"), JSON, ("Content-Length", length)]
        assert (
            raw_requests.exchange(callers.app, "PUT", "/item/chair", headers, [raw_requests.pieces(b"{}")]).status
            == 400
        ), length


def test_a_body_that_stops_is_given_up(parts: Parts, settings: Settings, callers: Callers) -> None:
    impatient = create_app(msgspec.structs.replace(settings, body_seconds=0.01), parts)
    headers = [*callers.headers("PUT"), JSON, ("Content-Length", "27")]
    answer = raw_requests.exchange(
        impatient, "PUT", "/item/chair", headers, [raw_requests.pieces(b'{"price"', True), raw_requests.HANG]
    )
    assert (answer.status, answer.json["error"]) == (408, "request_timeout")
    assert answer.headers["connection"] == "close"


def test_every_wrong_member_is_named(alice: Person) -> None:
    answer = alice.post("/item/table", {"price": -1, "store_id": "1", "id": 7, "owner_id": 1})
    assert answer.status_code == 400
    assert {each["field"] for each in answer.json["errors"]} == {"store_id", "id", "owner_id"}
    answer = alice.post("/item/table", {"name": "table"})
    assert [(each["field"], each["message"]) for each in answer.json["errors"]] == [
        ("name", "There is no 'name' here."),
        ("price", "'price' is missing."),
        ("store_id", "'store_id' is missing."),
    ]
    assert answer.json["message"] == "There is no 'name' here."


def test_protected_members_are_refused_by_name(callers: Callers, engine: sa.Engine) -> None:
    before = everything(engine)
    for (method, path), body in REQUESTS.items():
        is_list = isinstance(body, list)
        for member in ("id", "owner_id", "user_id", "username_key", "password_hash", "store", "currency_id"):
            spoiled = [{**body[0], member: 1}] if is_list else {**body, member: 1}
            answer = callers.send(method, path, json.dumps(spoiled))
            wrong = {f"0.{member}" if is_list else member}
            assert (answer.status, answer.wrong) == (400, wrong), (method, path, member)
    assert callers.send("POST", "/register", json.dumps({"is_admin": True})).wrong >= {"is_admin"}
    assert everything(engine) == before


def test_thousands_of_unknown_members_are_not_all_told(alice: Person) -> None:
    answer = alice.put("/item/chair", {str(number): 0 for number in range(5000)})
    assert answer.status_code == 400
    assert len(answer.json["errors"]) == 20


def test_what_is_no_store_id(alice: Person) -> None:
    for value in (True, None, "1", 1.0, 0, -1, 2**53, 2**63, 2**64, 10**400, [], {}):
        answer = alice.put("/item/chair", {"price": 1, "store_id": value})
        assert answer.status_code == 400, value
        assert [each["field"] for each in answer.json["errors"]] == ["store_id"], value
