"""Passwords: which are good, that nothing of them is lost, how one is changed, and how its hash is renewed."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.app import create_app
from storekeeper.components import Parts
from storekeeper.models import login_network, session, user
from storekeeper.models.login_throttle import Attempt
from storekeeper.models.network_rate import Rate
from storekeeper.security.argon2 import Hasher
from storekeeper.security.passwords import Passwords
from storekeeper.settings import Settings
from tests.conftest import Person, as_served, bearer
from tests.support.cast import CHEAP, HASHED, PASSWORD
from tests.support.databases import transaction

NEW = "another horse battery"

# Each is a password as it is; beside it those that a careless server would take for the same.
WHOLE = {
    "  spaces at both ends  ": ("spaces at both ends", "  spaces at both ends", "spaces at both ends  "),
    "\ttabs and a line\n": ("tabs and a line", "\ttabs and a line"),
    "x" * 255 + "y": ("x" * 255, "x" * 255 + "z", "x" * 72, "x" * 256),
    "é" * 256: ("é" * 255, "e" * 256, "é" * 128),
    "🔑" * 8: ("🔑" * 7, "🔑" * 9, "?" * 8),
    "Grüße, Jürgen": ("Grusse, Jurgen", "GRÜSSE, JÜRGEN", "grüße, jürgen"),
    "null\u2028line": ("null", "nullline"),
}

LOGINS = Rate("login", 1000, "")
ATTEMPT = Attempt({"name": 1}, 1)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Without the throttle: here one fails often."""
    return msgspec.structs.replace(settings, login_failures=1000)


def register(client: testing.TestClient, password: Any, username: str = "dave") -> testing.Result:
    return client.simulate_post("/register", json={"username": username, "password": password})


def login(client: testing.TestClient, password: str, username: str = "alice") -> int:
    return client.simulate_post("/login", json={"username": username, "password": password}).status_code


def refusal(answer: testing.Result, field: str = "password") -> str:
    """Why that member is refused."""
    assert (answer.status_code, answer.json["error"]) == (400, "invalid"), answer.text
    (error,) = answer.json["errors"]
    assert error["field"] == field
    return str(error["message"])


def hash_of(engine: sa.Engine, username: str) -> str:
    with engine.connect() as conn:
        login = login_network.find(conn, username, "", LOGINS, ATTEMPT).login
    assert login
    return login.password_hash


# Which are good


def test_a_password_is_neither_trimmed_nor_cut(client: testing.TestClient) -> None:
    for n, (password, others) in enumerate(WHOLE.items()):
        assert register(client, password, f"user{n}").status_code == 201, password
        assert login(client, password, f"user{n}") == 200, password
        assert [login(client, other, f"user{n}") for other in others] == [401] * len(others), password


def test_a_password_has_8_to_256_characters(client: testing.TestClient) -> None:
    for password in ("", "7 chars", "x" * 257, "é" * 257, "🔑" * 7, "x" * 1024, " " * 7):
        too_long = "This has to be text of at most 256 characters, without NUL."
        expected = too_long if len(password) > 256 else "A password has 8 to 256 characters."
        assert refusal(register(client, password)) == expected, password
    assert register(client, "8 chars.").status_code == 201


def test_common_passwords_are_refused_however_they_are_written(client: testing.TestClient) -> None:
    for password in ("password", "PassWord", "12345678", "QWERTYUIOP", "iloveyou", "trustno1"):
        assert refusal(register(client, password)) == "This password is one of the 10,000 most common."


def test_a_password_is_not_the_user_name(client: testing.TestClient) -> None:
    for password in ("dave.oneill", "DAVE.ONEILL", "ｄave.oneill"):
        assert refusal(register(client, password, "Dave.ONeill")) == "A password is not the user name."
    assert register(client, "dave.oneill!", "Dave.ONeill").status_code == 201


def test_a_refused_password_is_not_repeated(client: testing.TestClient) -> None:
    for password in ("trustno1", "hunter2", "\0 a secret with a zero", "s3cret" * 60):
        assert password.strip("\0") not in register(client, password).text


class TestLongerPasswords:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return msgspec.structs.replace(settings, password_length=15)

    def test_the_operator_may_ask_for_more_characters(self, client: testing.TestClient, alice: Person) -> None:
        assert refusal(register(client, "x" * 9 + "abcde")) == "A password has 15 to 256 characters."
        assert register(client, "x" * 10 + "abcde").status_code == 201
        body = {"current_password": PASSWORD, "new_password": "x" * 9 + "abcde"}
        assert "15 to 256" in refusal(alice.put("/user/1/password", body), "new_password")


# Changing it


def change(person: Person, current: Any = PASSWORD, new: Any = NEW, id: int = 1) -> testing.Result:
    return person.put(f"/user/{id}/password", {"current_password": current, "new_password": new})


def test_a_password_is_changed_by_who_knows_it(client: testing.TestClient, alice: Person) -> None:
    answer = change(alice)
    assert (answer.status_code, answer.json["message"]) == (200, "Password changed.")
    assert login(client, PASSWORD) == 401
    assert login(client, NEW) == 200


def test_a_wrong_current_password_changes_nothing(client: testing.TestClient, alice: Person) -> None:
    other = alice.log_in()
    alice.log_in()
    for current in ("wrong", "", NEW, PASSWORD + " ", PASSWORD.upper()):
        answer = change(alice, current)
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_credentials"), current
    assert login(client, PASSWORD) == 200
    assert client.simulate_get("/sessions", headers=bearer(other["access_token"])).status_code == 200


def test_a_new_password_keeps_the_rules(client: testing.TestClient, alice: Person) -> None:
    for new in ("short", "password", "x" * 257):
        refusal(change(alice, new=new), "new_password")
    assert login(client, PASSWORD) == 200


def test_the_password_of_another_is_nobodys(client: testing.TestClient, alice: Person, root: Person) -> None:
    for person in (alice, root):
        answer = change(person, id=2)
        assert (answer.status_code, answer.json["message"]) == (404, "User not found.")
        assert change(person, id=99).text == answer.text
    assert login(client, PASSWORD, "bob") == 200


def test_a_token_that_is_not_fresh_changes_no_password(client: testing.TestClient, alice: Person) -> None:
    stale = alice.refresh()["access_token"]
    body = {"current_password": PASSWORD, "new_password": NEW}
    answer = client.simulate_put("/user/1/password", headers=bearer(stale), json=body)
    assert (answer.status_code, answer.json["error"]) == (401, "fresh_token_required")


def test_the_members_are_named_that_are_wrong(alice: Person) -> None:
    for body, fields in (
        ({}, {"current_password", "new_password"}),
        ({"password": NEW}, {"password", "current_password", "new_password"}),
        ({"current_password": PASSWORD, "new_password": NEW, "id": 2}, {"id"}),
    ):
        answer = alice.put("/user/1/password", body)
        assert {each["field"] for each in answer.json["errors"]} == fields


# Its hash


class Meddling(Passwords):
    """Lets something happen just after a password was found to fit."""

    def __init__(self, hasher: Hasher = CHEAP) -> None:
        super().__init__(hasher, 2, 8)
        self.happens: Any = lambda: None

    async def fit(self, password: str, hashed: str | None, address: str) -> bool:
        fits = await super().fit(password, hashed, address)
        self.happens()
        return fits


@pytest.fixture
def meddling() -> Iterator[Meddling]:
    passwords = Meddling()
    yield passwords
    passwords.close()


@pytest.fixture
def meddled(parts: Parts, settings: Settings, meddling: Meddling) -> testing.TestClient:
    return testing.TestClient(as_served(create_app(settings, msgspec.structs.replace(parts, passwords=meddling))))


def set_password(engine: sa.Engine, hashed: str) -> None:
    with transaction(engine) as conn:
        user.set_password(conn, 1, hashed)


def deactivate(engine: sa.Engine) -> None:
    with transaction(engine) as conn:
        session.change_user(conn, 1, None, False)


@pytest.mark.parametrize("change", ["password", "state"])
def test_what_changes_during_a_login_lets_no_session_begin(
    meddled: testing.TestClient, meddling: Meddling, engine: sa.Engine, change: str
) -> None:
    new_hash = CHEAP.hash(NEW)
    meddling.happens = lambda: set_password(engine, new_hash) if change == "password" else deactivate(engine)
    assert login(meddled, PASSWORD) == 401
    with engine.connect() as conn:
        assert conn.execute(sa.select(session.sessions)).all() == []


def test_a_password_that_changes_during_its_change_is_not_overwritten(
    meddled: testing.TestClient, meddling: Meddling, engine: sa.Engine
) -> None:
    alice = Person(meddled, "alice", 1)
    alice.log_in()
    theirs = CHEAP.hash("a third horse battery")
    meddling.happens = lambda: set_password(engine, theirs)
    assert change(alice).json["error"] == "invalid_credentials"
    assert hash_of(engine, "alice") == theirs


def test_a_hash_is_renewed_at_login_when_the_parameters_were_raised(
    parts: Parts, settings: Settings, engine: sa.Engine
) -> None:
    stronger = Passwords(Hasher(16, 2), 2, 8)
    client = testing.TestClient(as_served(create_app(settings, msgspec.structs.replace(parts, passwords=stronger))))
    assert login(client, "wrong") == 401
    assert hash_of(engine, "alice") == HASHED
    assert login(client, PASSWORD) == 200
    renewed = hash_of(engine, "alice")
    assert renewed.startswith("$argon2id$v=19$m=16,t=2,p=1$")
    assert login(client, PASSWORD) == 200
    assert hash_of(engine, "alice") == renewed  # once
    assert hash_of(engine, "bob") == HASHED
    stronger.close()


def test_a_hash_that_another_library_made_with_more_lanes_is_checked_and_renewed(
    client: testing.TestClient, engine: sa.Engine
) -> None:
    theirs = "$argon2id$v=19$m=16,t=1,p=2$z003vDFig26q6h37KNnZnA$EeDLvG8Gt9YkUHGdrMU4M3h2W+qTFUu2/xkiILV8k1Q"
    set_password(engine, theirs)
    assert login(client, "wrong") == 401
    assert hash_of(engine, "alice") == theirs
    assert login(client, PASSWORD) == 200
    assert hash_of(engine, "alice").startswith("$argon2id$v=19$m=8,t=1,p=1$")


def test_a_hash_that_cannot_be_read_fits_no_password(client: testing.TestClient, engine: sa.Engine) -> None:
    for damaged in ("", "x", "x" * 300, PASSWORD, "$argon2id$v=19$m=8,t=1,p=1$", "$2b$12$" + "a" * 53, HASHED + "ä"):
        set_password(engine, damaged)
        assert login(client, PASSWORD) == 401, damaged
    set_password(engine, HASHED)
    assert login(client, PASSWORD) == 200


def test_by_default_a_hash_is_made_as_owasp_asks() -> None:
    settings = Settings()
    assert (settings.argon2_memory, settings.argon2_passes) == (19_456, 2)
