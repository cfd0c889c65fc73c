"""Around every answer: paths, methods, headers, the request's id, and the one shape of errors."""

import re

import msgspec
import pytest
from falcon import testing

from storekeeper.app import create_app
from storekeeper.components import Parts
from storekeeper.settings import Settings
from tests.conftest import Person, as_served, bearer
from tests.support import raw_requests

# Here the database makes no difference: `test_fuzz` compares the two.
pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
ALLOWED = {
    "/": "GET, HEAD, OPTIONS",
    "/docs": "GET, HEAD, OPTIONS",
    "/docs/start.js": "GET, HEAD, OPTIONS",
    "/openapi.json": "GET, HEAD, OPTIONS",
    "/livez": "GET, HEAD, OPTIONS",
    "/readyz": "GET, HEAD, OPTIONS",
    "/register": "OPTIONS, POST",
    "/login": "OPTIONS, POST",
    "/login/password": "OPTIONS, POST",
    "/login/fresh": "OPTIONS, POST",
    "/refresh": "OPTIONS, POST",
    "/logout": "OPTIONS, POST",
    "/sessions": "DELETE, GET, HEAD, OPTIONS",
    "/sessions/1": "DELETE, OPTIONS",
    "/user/1": "DELETE, GET, HEAD, OPTIONS, PATCH",
    "/user/1/password": "OPTIONS, PUT",
    "/users": "GET, HEAD, OPTIONS",
    "/store/ikea": "DELETE, GET, HEAD, OPTIONS, PATCH, POST",
    "/stores": "GET, HEAD, OPTIONS",
    "/store/ikea/members": "GET, HEAD, OPTIONS",
    "/store/ikea/members/bob": "DELETE, GET, HEAD, OPTIONS, PUT",
    "/store/ikea/items": "GET, HEAD, OPTIONS",
    "/store/ikea/item/chair": "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
    "/store/ikea/item/chair/stock": "OPTIONS, POST",
    "/store/ikea/item/chair/image": "DELETE, OPTIONS, PUT",
    "/item/chair": "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
    "/item/chair/stock": "OPTIONS, POST",
    "/item/chair/image": "DELETE, OPTIONS, PUT",
    "/images/0/small": "GET, HEAD, OPTIONS",
    "/item/chair/history": "GET, HEAD, OPTIONS",
    "/item/chair/price": "GET, HEAD, OPTIONS",
    "/store/ikea/item/chair/history": "GET, HEAD, OPTIONS",
    "/store/ikea/item/chair/price": "GET, HEAD, OPTIONS",
    "/store/ikea/history": "GET, HEAD, OPTIONS",
    "/changes": "GET, HEAD, OPTIONS",
    "/audit": "GET, HEAD, OPTIONS",
    "/items": "GET, HEAD, OPTIONS",
    "/items/bulk": "OPTIONS, POST",
    "/imports": "GET, HEAD, OPTIONS, POST",
    "/imports/1": "DELETE, GET, HEAD, OPTIONS, POST",
    "/imports/1/refusals": "GET, HEAD, OPTIONS",
    "/webhooks": "GET, HEAD, OPTIONS, POST",
    "/webhooks/1": "DELETE, GET, HEAD, OPTIONS, PATCH",
    "/webhooks/1/rotate": "OPTIONS, POST",
    "/webhooks/1/takeover": "OPTIONS, POST",
    "/webhooks/1/verify": "OPTIONS, POST",
    "/webhooks/1/test": "OPTIONS, POST",
    "/webhooks/1/replay": "OPTIONS, POST",
    "/webhooks/1/deliveries": "GET, HEAD, OPTIONS",
    "/webhooks/1/deliveries/1/replay": "OPTIONS, POST",
}
NOWHERE = (
    "/nothing",
    "/item",
    "/item/a/b",
    "/items/",
    "/ITEMS",
    "/store%2Fikea",
    "/store/ikea/items/chair",
    "/item/chair/prices",
    "/imports/0",
    "/images/small",
    "/user/0",
    "/user/01",
    "/user/-1",
    "/user/1.0",
    "/user/abc",
    "/user/9007199254740992",
    "/user/%D9%A1",
    "/user/1%2Fpassword",
    "/docs/page.html",
    "/docs/..%2F..%2Fapp.py",
)


def test_nothing_is_there(alice: Person) -> None:
    for path in NOWHERE:
        answer = raw_requests.send(alice.client.app, "GET", path, list(bearer(alice.pair["access_token"]).items()))
        assert answer.status == 404, path
        assert answer.json == {"error": "not_found", "message": "There is nothing at this address."}, path


def test_every_path_is_tried_here(client: testing.TestClient) -> None:
    templates = client.simulate_get("/openapi.json").json["paths"]
    patterns = [re.compile(re.sub(r"\{\w+\}", "[^/]+", template)) for template in templates]
    assert all(any(pattern.fullmatch(path) for path in ALLOWED) for pattern in patterns)


def test_allow_lists_exactly_what_works(client: testing.TestClient) -> None:
    for path, allowed in ALLOWED.items():
        asked = raw_requests.send(client.app, "OPTIONS", path)
        assert (asked.status, asked.headers["allow"]) == (200, allowed), path
        for method in METHODS:
            answer = raw_requests.send(client.app, method, path)
            assert (answer.status == 405) is (method not in allowed.split(", ")), (method, path)
            if answer.status == 405:
                assert (answer.headers["allow"], answer.json["error"]) == (allowed, "method_not_allowed")


def test_methods_that_nobody_knows(client: testing.TestClient) -> None:
    for method in ("BREW", "get", "TRACE", "CONNECT", "PROPFIND", "WEBSOCKET"):
        answer = raw_requests.send(client.app, method, "/items")
        assert answer.status in (400, 405), method
        assert answer.json.keys() == {"error", "message"}, method


def test_head_answers_as_get_does(alice: Person) -> None:
    headers = list(bearer(alice.pair["access_token"]).items())
    for path in ("/items", "/item/chair", "/item/nothing", "/stores", "/store/ikea", "/sessions", "/livez", "/nothing"):
        told, asked = (raw_requests.send(alice.client.app, method, path, headers) for method in ("HEAD", "GET"))
        ids = [dict(answer.fields).pop("x-request-id") for answer in (told, asked)]
        assert ids[0] != ids[1]
        assert told.status == asked.status, path
        assert told.headers["content-length"] == asked.headers["content-length"], path


def test_the_head_of_a_file_does_not_tell_its_length(alice: Person) -> None:
    """Nobody knows it before the last line."""
    headers = [*bearer(alice.pair["access_token"]).items(), ("Accept", "text/csv")]
    told, asked = (raw_requests.send(alice.client.app, method, "/items", headers) for method in ("HEAD", "GET"))
    assert (told.status, told.body) == (200, b"")
    assert asked.body.startswith(b"id,store,name,")
    assert told.headers.keys() == asked.headers.keys()
    assert "content-length" not in told.headers
    for method in ("HEAD", "GET"):
        assert raw_requests.send(alice.client.app, method, "/store/nowhere/items", headers).status == 404


def test_the_pages_for_people_have_a_policy_of_their_own(client: testing.TestClient) -> None:
    answer = client.simulate_get("/docs")
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


SOUND_IDS = ("a", "7f3c9e-12", "a1B2._:/+=-", "x" * 128)
BAD_IDS = ("", "x" * 129, "a b", "a\tb", 'a"b', "a,b", "<a>", "é", "a\n", "%0a")


def test_a_request_has_the_servers_id_and_its_senders(client: testing.TestClient) -> None:
    """Who is looked up in the log by the id does not choose it."""
    ids = set()
    for sound in SOUND_IDS:
        headers = raw_requests.send(client.app, "GET", "/livez", [("X-Request-ID", sound)]).headers
        assert headers["x-client-request-id"] == sound
        ids.add(headers["x-request-id"])
    for bad in BAD_IDS:
        headers = raw_requests.send(client.app, "GET", "/livez", [("X-Request-ID", bad)]).headers
        assert "x-client-request-id" not in headers
        ids.add(headers["x-request-id"])
    assert len(ids) == len(SOUND_IDS) + len(BAD_IDS), "each request has an id of its own"
    assert not ids & {*SOUND_IDS, *BAD_IDS}


def test_a_request_has_the_id_of_a_trusted_proxy(settings: Settings, parts: Parts) -> None:
    served = as_served(create_app(msgspec.structs.replace(settings, trusted_proxies=("10.0.0.0/24",)), parts))
    for address, is_trusted in (("10.0.0.9", True), ("10.0.1.9", False), ("192.0.2.7", False)):
        answer = testing.TestClient(served).simulate_get(
            "/livez", headers={"X-Request-ID": "of-proxy", "X-Forwarded-For": "192.0.2.1"}, remote_addr=address
        )
        assert (answer.headers["x-request-id"] == "of-proxy") is is_trusted
        assert answer.headers.get("x-client-request-id") == (None if is_trusted else "of-proxy")


NAMES = (
    "/item/{}",
    "/store/{}",
    "/store/{}/members",
    "/store/{}/items",
    "/store/{}/item/chair",
    "/store/{}/item/chair/image",
    "/store/ikea/item/{}",
    "/item/{}/image",
    "/store/ikea/members/{}",
)


NO_TEXT = ("%FF", "%C3%28", "a%ED%A0%80", "%C0%AF", "%00", "a%00", "%0A", "%EF%B7%90", "a%EF%B7%91b", "%E2%80%8B")


def test_what_is_no_text_is_no_name(alice: Person) -> None:
    headers = list(bearer(alice.pair["access_token"]).items())
    for path in (template.format(segment) for template in NAMES for segment in NO_TEXT):
        for method in ("GET", "DELETE"):
            answer = raw_requests.send(alice.client.app, method, path, headers)
            if answer.status != 405:
                assert (answer.status, answer.json["error"]) == (400, "invalid"), (method, path)
                assert answer.wrong in ({"name"}, {"username"}), (method, path)


def test_a_stand_in_for_the_slash_is_no_slash(alice: Person) -> None:
    """U+FDD0, which stands for %2F inside, does not work from outside."""
    assert alice.put("/item/a%2Fb", {"price": 5, "store_id": 1}).status_code == 201
    headers = list(bearer(alice.pair["access_token"]).items())
    assert raw_requests.send(alice.client.app, "GET", "/item/a%2Fb", headers).status == 200
    for twin in ("a%EF%B7%90b", "a%ef%b7%90b", "a%EF%B7%91b"):
        assert raw_requests.send(alice.client.app, "GET", f"/item/{twin}", headers).status == 400
        assert raw_requests.send(alice.client.app, "GET", f"/store/ikea%2F/item/{twin}", headers).status == 400
