"""Names of users: an allow-list of characters, stored as typed, and look-alikes cannot coexist."""

from typing import Any
from urllib.parse import quote

from falcon import testing

from tests import raw
from tests.conftest import PASSWORD, Person, bearer

GOOD = ("a", "Dave", "dave.o-neill@shop_1+x", "Jose\u0301", "Дейв", "大卫", "داود", "मीनू", "123", "x" * 80, "...")
BAD = (
    *("", "x" * 81, " ", "a b", " a", "a ", "a\tb", "a\n", "\u00a0", "a\u00a0b"),
    *(f"a{mark}b" for mark in "/\\:,;'\"<>%#?&=*!()|~`$^{}[]€½™…·"),
    *(
        f"a{mark}b"
        for mark in "😀\u200b\u200d\u200e\u202e\u2060\ufeff\u00ad\u034f\ufe0f\ufe00\U000e0100\u180b\u2024\ufffd"
    ),
    *("\u3164", "a\u3164", "a\uffa0", "a\u115f", "a\u1160", "a\u17b4"),  # letters that cannot be seen
    "\ufdfa" * 10,  # 180 characters once folded
)
SAME = (
    ("Dave", "dave"),
    ("erin", "ERIN"),
    ("José", "Jose\u0301"),
    ("straße", "STRASSE"),
    ("ﬁn", "fin"),
    ("ｆｒａｎｋ", "frank"),
    ("①", "1"),
    ("Σ", "ς"),
    ("ſam", "sam"),
    ("\u212a", "k"),
)


def register(client: testing.TestClient, username: str) -> testing.Result:
    return client.simulate_post("/register", json={"username": username, "password": PASSWORD})


def fields(answer: testing.Result) -> Any:
    return [each["field"] for each in answer.json.get("errors", [])]


def test_good_names_are_stored_as_typed(client: testing.TestClient, root: Person) -> None:
    for username in GOOD:
        answer = register(client, username)
        assert answer.status_code == 201, username
        assert root.get(f"/user/{answer.json['id']}").json["username"] == username
        path = f"/store/ikea/members/{quote(username, safe='')}"
        assert root.put(path).json["username"] == username
        assert root.get(path).json["username"] == username


def test_bad_names_are_refused(client: testing.TestClient, root: Person) -> None:
    before = len(root.get("/users").json["users"])
    for username in (*BAD, "a\0b"):
        answer = register(client, username)
        assert (answer.status_code, fields(answer)) == (400, ["username"]), username
    assert len(root.get("/users").json["users"]) == before


def test_bad_names_in_a_path_are_refused(alice: Person) -> None:
    headers = list(bearer(alice.pair["access_token"]).items())
    for username in BAD:
        path = f"/store/ikea/members/{quote(username, safe='')}"
        answer = raw.send(alice.client.app, "GET", path, headers)
        assert (answer.status, answer.wrong) == (400, {"username"}), username


def test_names_that_look_alike_cannot_coexist(client: testing.TestClient) -> None:
    for first, second in SAME:
        assert register(client, first).status_code == 201, first
        answer = register(client, second)
        assert answer.status_code == 400, second
        assert answer.json == {"error": "already_exists", "message": "A user with that username already exists."}
        login = {"username": second, "password": PASSWORD}
        assert client.simulate_post("/login", json=login).status_code == 200, "the same name, so the same user"
