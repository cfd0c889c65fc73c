"""Names of users: an allow-list of characters, stored as typed, and look-alikes cannot coexist."""

import unicodedata
from typing import Any
from urllib.parse import quote

from falcon import testing

from storekeeper.domain import names, unicode_scripts
from storekeeper.settings import Settings
from tests.conftest import Person, bearer
from tests.support import raw_requests
from tests.support.cast import PASSWORD
from tests.support.cli_runner import run_with, says
from tests.support.console_browser import Browser

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
    for username in BAD[1:]:  # an empty segment leads nowhere
        path = f"/store/ikea/members/{quote(username, safe='')}"
        answer = raw_requests.send(alice.client.app, "GET", path, headers)
        assert (answer.status, answer.wrong) == (400, {"username"}), username


def test_names_that_look_alike_cannot_coexist(client: testing.TestClient) -> None:
    for first, second in SAME:
        assert register(client, first).status_code == 201, first
        answer = register(client, second)
        assert answer.status_code == 400, second
        assert answer.json == {"error": "already_exists", "message": "A user with that username already exists."}
        login = {"username": second, "password": PASSWORD}
        assert client.simulate_post("/login", json=login).status_code == 200, "the same name, so the same user"


# Scripts

OF_SEVERAL = {
    "\u0430dmin": "Cyrillic and Latin",
    "adm\u0131\u03bf": "Greek and Latin",
    "\u0391\u0410": "Cyrillic and Greek",
    "a\xb5": "Greek and Latin",  # the micro sign, which is a mu
    "\u13aalice": "Cherokee and Latin",
    "\u5927\ud55c\u3042": "Han, Hangul and Hiragana",
    "a\u0e01\u0915": "Devanagari, Latin and Thai",
}
OF_ONE = (
    *("Ren\xe9e", "Zo\u00eb.1", "\uff21lice", "Дейв-2", "Σωκράτης", "\u5927\u536b", "カタひら漢字", "カタひら漢字abc"),
    *("한글漢abc", "ㄅㄆ漢abc", "داود_x", "דוד-x", "मीनू", "สมชาย", "Ваня123", "\u0661\u0662", "_._", "a\u0301"),
)


def test_a_new_user_name_is_of_one_script(client: testing.TestClient, root: Person, settings: Settings) -> None:
    """UTS 39, moderately restrictive: Latin goes with one other that has no letters like its, and some go together."""
    for username, found in OF_SEVERAL.items():
        message = f"A user name is of one script: this one has letters of {found}."
        answer = register(client, username)
        assert (answer.status_code, answer.json["errors"]) == (400, [{"field": "username", "message": message}])
        says(run_with(settings, "users", "add", username, "--password-stdin", stdin=PASSWORD), 1, message)
        says(run_with(settings, "create-admin", username, "--password-stdin", stdin=PASSWORD), 1, message)
    browser = Browser(client, "root")
    form = {"username": "\u0430dmin", "password": PASSWORD, "repeated": PASSWORD}
    assert browser.post("/console/new-user", form).status_code == 400
    for username in OF_ONE:
        assert names.of_new_user(username) == username
    assert register(client, OF_ONE[7]).status_code == 201


def test_the_table_of_scripts_says_what_characters_are_called() -> None:
    """It comes from a later Unicode than this Python knows. What Python names after a script is of that script."""
    known = {script.upper(): script for script in set().union(*map(unicode_scripts.find, map(chr, range(0x110000))))}
    exceptions = {0x374, 0x640, 0xA9CF}  # of several scripts
    for code in range(0x20000):
        name = unicodedata.name(chr(code), "")
        script = known.get(name.partition(" ")[0])
        if script and unicodedata.category(chr(code))[0] == "L" and code not in exceptions:
            assert unicode_scripts.find(chr(code)) == {script}, (hex(code), name)
    assert unicode_scripts.find("1_\u0301\u30fc") == set()
