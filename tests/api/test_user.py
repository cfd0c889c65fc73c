"""/register, /user/{id} and /users: who becomes a user, who an administrator, and that there always is one."""

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.components import Parts
from storekeeper.models import login_network, user
from storekeeper.models.login_throttle import Attempt
from storekeeper.models.network_rate import Rate
from storekeeper.models.user import users
from storekeeper.security import setup_token as setup
from storekeeper.settings import Settings
from tests.conftest import Person
from tests.support.cast import HASHED, PASSWORD
from tests.support.databases import transaction

LAST = "The last administrator cannot be demoted, deactivated or deleted."

LOGINS = Rate("login", 1000, "")
ATTEMPT = Attempt({"name": 1}, 1)


def register(client: testing.TestClient, username: Any, **more: Any) -> testing.Result:
    return client.simulate_post("/register", json={"username": username, "password": PASSWORD} | more)


def verdict(answer: testing.Result) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]


def wrong(answer: testing.Result) -> set[str]:
    """The members that are at fault."""
    assert answer.status_code == 400, answer.text
    return {each["field"] for each in answer.json["errors"]}


def names(answer: testing.Result) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["username"] for each in answer.json["users"]]


# Registering


def test_anybody_may_register_and_then_log_in(client: testing.TestClient) -> None:
    answer = register(client, "Dave.O-Neill@shop_1+x")
    assert (answer.status_code, answer.json["message"]) == (201, "User created successfully.")
    assert answer.headers["Location"] == f"/user/{answer.json['id']}"
    dave = Person(client, "dave.o-neill@SHOP_1+x", answer.json["id"])
    assert dave.get(f"/user/{dave.id}").json == {
        "id": dave.id,
        "username": "Dave.O-Neill@shop_1+x",
        "is_admin": False,
        "is_active": True,
        "must_change_password": False,
    }


def test_a_name_is_taken_in_all_its_forms(client: testing.TestClient) -> None:
    for username in ("alice", "ALICE", "aLiCe", "ａｌｉｃｅ"):
        answer = register(client, username)
        assert verdict(answer) == (400, "already_exists"), username
        assert answer.json["message"] == "A user with that username already exists."


def test_the_turkish_letters_are_letters_of_their_own(client: testing.TestClient) -> None:
    for username in ("fil", "f\u0131l", "f\u0130l"):  # i, dotless i, and I with a dot
        assert register(client, username).status_code == 201, username
    for username in ("FIL", "ﬁl", "fi\u0307l", "FI\u0307L"):
        assert verdict(register(client, username)) == (400, "already_exists"), username


def test_unknown_and_protected_members_are_refused_by_name(client: testing.TestClient, engine: sa.Engine) -> None:
    protected = ("id", "is_admin", "is_active", "username_key", "password_hash", "role", "owner_id", "Username", "")
    for name in protected:
        assert wrong(register(client, "dave", **{name: 1})) == {name}
    assert wrong(register(client, "dave", id=7, is_admin=True)) == {"id", "is_admin"}
    with engine.connect() as conn:
        assert login_network.find(conn, "dave", "", LOGINS, ATTEMPT).login is None


def test_names_and_passwords_are_strings_and_both_are_needed(client: testing.TestClient) -> None:
    for path in ("/register", "/login"):
        for value in (None, 1, True, ["alice"], {"$ne": ""}):
            answer = client.simulate_post(path, json={"username": value, "password": value})
            assert wrong(answer) == {"username", "password"}, value
        assert wrong(client.simulate_post(path, json={})) == {"username", "password"}
    assert wrong(register(client, "dave\0", password=PASSWORD + "\0")) >= {"password"}


class TestClosedRegistration:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return msgspec.structs.replace(settings, registration="closed")

    def test_nobody_may_register(self, client: testing.TestClient, root: Person) -> None:
        assert verdict(register(client, "dave")) == (403, "registration_closed")
        assert verdict(register(client, "alice")) == (403, "registration_closed")  # which tells nothing of her
        assert names(root.get("/users")) == ["alice", "bob", "carol", "root"]

    def test_the_first_administrator_may(self, client: testing.TestClient, parts: Parts, engine: sa.Engine) -> None:
        with transaction(engine) as conn:
            conn.execute(sa.delete(users).where(users.c.is_admin))
        assert register(client, "boss", setup_token=setup.create(parts.keys)).status_code == 201
        assert verdict(register(client, "dave")) == (403, "registration_closed")


# The first administrator


@pytest.fixture
def setup_token(parts: Parts, engine: sa.Engine) -> str:
    """While there is no administrator: Root has gone."""
    with transaction(engine) as conn:
        conn.execute(sa.delete(users).where(users.c.is_admin))
    return setup.create(parts.keys)


def test_the_setup_token_makes_an_administrator_once(client: testing.TestClient, setup_token: str) -> None:
    answer = register(client, "boss", setup_token=setup_token)
    assert answer.status_code == 201
    boss = Person(client, "boss", answer.json["id"])
    assert boss.get(f"/user/{boss.id}").json["is_admin"]
    assert names(boss.get("/users")) == ["alice", "bob", "carol", "boss"]
    assert verdict(register(client, "second", setup_token=setup_token)) == (403, "wrong_setup_token")
    assert names(boss.get("/users")) == ["alice", "bob", "carol", "boss"]


def test_a_wrong_setup_token_makes_nobody(client: testing.TestClient, setup_token: str, engine: sa.Engine) -> None:
    for given in ("", "wrong", setup_token[:-1], setup_token + "0", setup_token.upper(), f" {setup_token}", "é"):
        assert verdict(register(client, "boss", setup_token=given)) == (403, "wrong_setup_token"), given
    with engine.connect() as conn:
        assert not user.has_admin(conn)
        assert login_network.find(conn, "boss", "", LOGINS, ATTEMPT).login is None


def test_the_setup_token_is_not_good_while_there_is_an_administrator(client: testing.TestClient, parts: Parts) -> None:
    answer = register(client, "boss", setup_token=setup.create(parts.keys))
    assert verdict(answer) == (403, "wrong_setup_token")
    assert answer.json["message"] == "The set-up token is not valid, or there is an administrator already."


def test_an_inactive_administrator_is_none(client: testing.TestClient, parts: Parts, engine: sa.Engine) -> None:
    with transaction(engine) as conn:
        conn.execute(sa.update(users).where(users.c.is_admin).values(is_active=False))
    assert register(client, "boss", setup_token=setup.create(parts.keys)).status_code == 201


def test_the_setup_token_changes_no_other_rule(client: testing.TestClient, setup_token: str) -> None:
    assert verdict(register(client, "alice", setup_token=setup_token)) == (400, "already_exists")
    assert wrong(register(client, "boss", setup_token=setup_token, password="short")) == {"password"}
    assert wrong(register(client, "the boss", setup_token=setup_token)) == {"username"}
    assert register(client, "boss", setup_token=None).status_code == 201  # as if none had been sent


# Reading


def test_a_user_is_seen_by_himself_and_by_administrators(alice: Person, bob: Person, root: Person) -> None:
    for person in (alice, root):
        answer = person.get("/user/1")
        assert answer.status_code == 200
        assert answer.json == {
            "id": 1,
            "username": "alice",
            "is_admin": False,
            "is_active": True,
            "must_change_password": False,
        }
    theirs, nobodys = bob.get("/user/1"), bob.get("/user/99")
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.text == nobodys.text
    assert theirs.json["message"] == "User not found."
    assert root.get("/user/99").json["message"] == "User not found."


def test_what_is_no_id_is_the_id_of_nobody(root: Person) -> None:
    for id in ("0", "-1", "01", "1.0", "alice", "1e0", "١", str(2**53), str(10**30), "1%00"):
        assert root.get(f"/user/{id}").status_code == 404, id


def test_users_are_listed_in_pages_by_id_or_by_name(root: Person, engine: sa.Engine) -> None:
    with transaction(engine) as conn:
        for name in ("Ärger", "Zoe", "beth", "Anna"):
            user.add(conn, name, HASHED)
    orders = {
        "id": ["alice", "bob", "carol", "root", "Ärger", "Zoe", "beth", "Anna"],
        "name": ["alice", "Anna", "beth", "bob", "carol", "root", "Zoe", "Ärger"],  # folded, by code point
    }
    for sort, order in orders.items():
        assert names(root.get(f"/users?sort={sort}")) == order
        seen, path = [], f"/users?sort={sort}&limit=3"
        while path:
            answer = root.get(path)
            assert len(names(answer)) <= 3
            seen += names(answer)
            path = answer.json.get("next")
        assert seen == order
    assert root.get("/users").json["users"][3] == {
        "id": 4,
        "username": "root",
        "is_admin": True,
        "is_active": True,
        "must_change_password": False,
    }


# Deleting, and changing what one may


def test_a_user_deletes_himself(client: testing.TestClient, alice: Person, root: Person) -> None:
    answer = alice.delete("/user/1?stores_to=carol")
    assert (answer.status_code, answer.json["message"]) == (200, "User deleted.")
    assert root.get("/user/1").status_code == 404
    login = client.simulate_post("/login", json={"username": "alice", "password": PASSWORD})
    assert verdict(login) == (401, "invalid_credentials")
    assert client.simulate_get("/store/ikea").status_code == 200
    assert root.get("/store/ikea/members").json["members"] == [
        {"user_id": 2, "username": "bob", "role": "clerk"},
        {"user_id": 3, "username": "carol", "role": "owner"},
    ]
    assert root.delete("/store/ikea?with_items=true").status_code == 200


def test_an_administrator_deletes_anybody_and_nobody_twice(bob: Person, root: Person) -> None:
    assert bob.delete("/user/1").json["message"] == "User not found."
    assert bob.delete("/user/1?stores_to=bob").json["message"] == "User not found."
    assert root.delete("/user/1?stores_to=bob").status_code == 200
    assert root.delete("/user/1").json["message"] == "User not found."


def test_an_administrator_changes_what_a_user_may(root: Person, bob: Person) -> None:
    was = {"id": 2, "username": "bob", "is_admin": False, "is_active": True, "must_change_password": False}
    for change in (
        {},
        {"is_admin": True},
        {"is_admin": None},
        {"is_active": False},
        {"is_active": True, "is_admin": False},
    ):
        was |= {name: value for name, value in change.items() if value is not None}
        answer = root.patch("/user/2", change)
        assert (answer.status_code, answer.json) == (200, was)
        assert root.get("/user/2").json == was
    assert root.patch("/user/99", {"is_admin": True}).json["message"] == "User not found."
    assert bob.patch("/user/99", {"is_admin": True}).json["message"] == "Admin privilege required."


def test_other_members_cannot_be_changed(root: Person) -> None:
    for name in ("id", "username", "password", "password_hash", "username_key"):
        assert wrong(root.patch("/user/2", {name: "1", "is_admin": True})) == {name}
    for value in (1, "true", "yes", []):
        assert wrong(root.patch("/user/2", {"is_admin": value, "is_active": value})) == {"is_admin", "is_active"}
    assert not root.get("/user/2").json["is_admin"]


def test_the_last_administrator_stays(root: Person, bob: Person) -> None:
    attempts: list[tuple[str, Any]] = [
        ("PATCH", {"is_admin": False}),
        ("PATCH", {"is_active": False}),
        ("PATCH", {"is_admin": False, "is_active": False}),
        ("DELETE", None),
    ]

    def all_refused() -> bool:
        answers = [root.call(method, "/user/4", body) for method, body in attempts]
        told = {(answer.status_code, answer.json["error"], answer.json["message"]) for answer in answers}
        return told == {(409, "last_administrator", LAST)}

    assert all_refused()
    assert root.patch("/user/2", {"is_admin": True, "is_active": False}).status_code == 200
    assert all_refused()  # the other one is not active
    assert root.patch("/user/2", {"is_active": True}).status_code == 200
    assert root.patch("/user/4", {"is_admin": False}).status_code == 200
    assert bob.get("/user/4").json["is_admin"] is False
