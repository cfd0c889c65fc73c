"""A password that has to be replaced: at the command line, at the login, and in the console."""

from html import unescape
from re import search
from typing import Any

import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.settings import Settings
from tests.conftest import Clock, Person
from tests.support.cast import PASSWORD
from tests.support.cli_runner import run_with, says
from tests.support.console_browser import Browser

NEW = "another horse battery"


@pytest.fixture
def required(alice: Person, settings: Settings) -> Person:
    """Alice, of whom a new password is required, with a session from before."""
    alice.log_in()
    done = run_with(settings, "users", "require-new-password", "alice", "bob")
    assert done.output == "Users who have to choose a new password: 2. Sessions ended: 1.\n"
    return alice


def log_in(client: testing.TestClient, password: str = PASSWORD, username: str = "alice") -> testing.Result:
    return client.simulate_post("/login", json={"username": username, "password": password})


def choose(client: testing.TestClient, ticket: str, password: str = NEW) -> testing.Result:
    return client.simulate_post("/login/password", json={"ticket": ticket, "new_password": password})


def refusal(answer: testing.Result) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]


def test_a_login_has_to_choose_a_new_password(required: Person, client: testing.TestClient, root: Person) -> None:
    assert refusal(required.get("/sessions")) == (401, "token_revoked")
    assert root.get("/user/1").json["must_change_password"] is True
    answer = log_in(client)
    assert refusal(answer) == (403, "password_change_required")
    assert "access_token" not in answer.json
    pair = choose(client, answer.json["ticket"]).json
    fresh = {"Authorization": f"Bearer {pair['access_token']}"}
    assert client.simulate_post("/item/table", json={"price": 1, "store_id": 1}, headers=fresh).status_code == 201
    assert root.get("/user/1").json["must_change_password"] is False
    assert refusal(log_in(client)) == (401, "invalid_credentials")
    assert log_in(client, NEW).status_code == 200
    assert refusal(log_in(client, username="bob")) == (403, "password_change_required")
    told = root.get("/audit?kind=user&limit=3").json["changes"]
    assert [(each["action"], each["before"], each["author_kind"], each["username"]) for each in told] == [
        ("password", {}, "user", "alice"),
        ("update", {"must_change_password": False}, "operator", None),
        ("update", {"must_change_password": False}, "operator", None),
    ]


def test_an_administrator_may_ask_for_it_and_take_that_back(
    alice: Person, root: Person, client: testing.TestClient
) -> None:
    alice.log_in()
    assert root.patch("/user/1", {"must_change_password": True}).json["must_change_password"] is True
    assert refusal(alice.get("/sessions")) == (401, "token_revoked")
    assert refusal(log_in(client)) == (403, "password_change_required")
    assert root.patch("/user/1", {"must_change_password": False}).status_code == 200
    assert log_in(client).status_code == 200


def test_a_wrong_password_learns_nothing(required: Person, client: testing.TestClient) -> None:
    assert refusal(log_in(client, "wrong")) == (401, "invalid_credentials")


def test_a_ticket_is_good_once_and_for_a_while(required: Person, client: testing.TestClient, clock: Clock) -> None:
    first, second = (log_in(client).json["ticket"] for _ in range(2))
    clock.now += 15 * 60 + 1
    assert refusal(choose(client, first)) == (403, "ticket_invalid")
    ticket = log_in(client).json["ticket"]
    assert choose(client, ticket).status_code == 200
    for spent in (ticket, second):
        assert refusal(choose(client, spent, "a third horse battery")) == (403, "ticket_invalid")


def test_a_ticket_outlives_a_rotation_of_keys(required: Person, client: testing.TestClient, settings: Settings) -> None:
    ticket = log_in(client).json["ticket"]
    assert run_with(settings, "keys", "rotate", "--now").exit_code == 0
    assert choose(client, ticket).status_code == 200


def test_a_ticket_is_its_users_alone(required: Person, client: testing.TestClient, root: Person) -> None:
    user_id, ends_at, signature = log_in(client).json["ticket"].split(".")
    forged = [f"2.{ends_at}.{signature}", f"{user_id}.{int(ends_at) + 1}.{signature}", f"99.{ends_at}.{signature}"]
    forged += [f"{user_id}.{ends_at}.{'0' * 64}", "", "1", f"0{user_id}.{ends_at}.{signature}", "9" * 100]
    for ticket in forged:
        assert refusal(choose(client, ticket)) == (403, "ticket_invalid"), ticket
    assert root.patch("/user/1", {"is_active": False}).status_code == 200
    assert refusal(choose(client, f"{user_id}.{ends_at}.{signature}")) == (403, "ticket_invalid")


@pytest.mark.parametrize(("password", "words"), [("short", "8"), (PASSWORD, "Choose another one."), ("alice123", "")])
def test_the_new_password_is_a_good_one(
    required: Person, client: testing.TestClient, password: str, words: str
) -> None:
    ticket = log_in(client).json["ticket"]
    answer = choose(client, ticket, password)
    if words:
        assert refusal(answer) == (400, "invalid")
        assert (answer.json["errors"][0]["field"], words in answer.json["message"]) == ("new_password", True)
    else:
        assert answer.status_code == 200


def test_an_administrators_reset_will_do(required: Person, settings: Settings, client: testing.TestClient) -> None:
    assert run_with(settings, "users", "reset-password", "alice", "--password-stdin", stdin=NEW).exit_code == 0
    assert log_in(client, NEW).status_code == 200


def test_all_users_at_the_command_line(settings: Settings, engine: sa.Engine, client: testing.TestClient) -> None:
    done = run_with(settings, "users", "require-new-password", "--all")
    assert done.output == "Users who have to choose a new password: 4. Sessions ended: 0.\n"
    assert run_with(settings, "users", "list").output.count("has to choose a new password") == 4
    for arguments in ((), ("--all", "alice")):
        assert "Name the users, or say --all." in run_with(settings, "users", "require-new-password", *arguments).stderr
    before = run_with(settings, "users", "require-new-password", "carol", "nobody")
    says(before, 1, "User not found.")


def test_in_the_console(required: Person, client: testing.TestClient, root: Person) -> None:
    browser = Browser(client)
    form: dict[str, Any] = {"username": "alice", "password": PASSWORD, "next": "/console/account"}
    page = browser.post("/console/sign-in", form)
    assert (page.status_code, "Choose a new password" in page.text) == (200, True)
    assert browser.get("/console/account").status_code == 303, "not signed in yet"
    hidden = {name: field(page.text, name) for name in ("ticket", "next")}
    refused = browser.post("/console/new-password", hidden | {"new_password": NEW, "repeated": "other"})
    assert (refused.status_code, "The two passwords differ." in unescape(refused.text)) == (400, True)
    hidden = {name: field(refused.text, name) for name in ("ticket", "next")}
    taken = browser.post("/console/new-password", hidden | {"new_password": NEW, "repeated": NEW})
    assert taken.headers["location"] == "/console/account"
    assert "alice" in browser.follow(taken).text
    assert "must choose a new password" in Browser(client, "root").get("/console/users/2").text
    assert browser.get("/console/new-password").headers["location"] == "/console/sign-in"


def field(page: str, name: str) -> str:
    match = search(f'name="{name}" value="([^"]*)"', page)
    assert match, name
    return unescape(match[1])
