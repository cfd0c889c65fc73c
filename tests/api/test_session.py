"""/login, /login/fresh, /logout and /sessions: what begins a session, what ends it, and that it ends at once."""

import asyncio
from typing import Any

import jwt
import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper import maintenance
from storekeeper.app import create_app
from storekeeper.components import Parts
from storekeeper.models.session import sessions
from storekeeper.settings import Settings
from tests.conftest import Clock, Person, as_served, bearer
from tests.support.cast import PASSWORD
from tests.support.concurrent_workers import worker
from tests.support.databases import transaction

DAY = 86_400
MINUTE = 60


def call(client: testing.TestClient, method: str, path: str, token: str, body: Any = None) -> testing.Result:
    return client.simulate_request(method, path, headers=bearer(token), json=body)


def state(client: testing.TestClient, pair: dict[str, str]) -> str:
    """How it is with a session: what both of its tokens say, which has to be the same."""
    answers = {
        call(client, "GET", "/item/chair", pair["access_token"]).json.get("error", "live"),
        call(client, "POST", "/refresh", pair["refresh_token"]).json.get("error", "live"),
    }
    assert len(answers) == 1, answers
    return str(answers.pop())


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def listed(person: Person, **more: Any) -> list[dict[str, Any]]:
    answer = person.get("/sessions", **more)
    assert answer.status_code == 200, answer.text
    return list(answer.json["sessions"])


def rows(engine: sa.Engine) -> list[Any]:
    with engine.connect() as conn:
        return list(conn.execute(sa.select(sessions).order_by(sessions.c.id)).all())


# Beginning


def test_a_login_answers_both_tokens(client: testing.TestClient) -> None:
    answer = client.simulate_post("/login", json={"username": "alice", "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json.keys() >= {"access_token", "refresh_token", "expires_in"}
    assert answer.json["expires_in"] == 15 * MINUTE
    assert claims(answer.json["access_token"])["fresh"]


def test_a_wrong_name_and_a_wrong_password_are_answered_alike(client: testing.TestClient, root: Person) -> None:
    assert root.patch("/user/3", {"is_active": False}).status_code == 200
    attempts = [("alice", "wrong"), ("nobody", PASSWORD), ("carol", PASSWORD), ("alice", PASSWORD + " "), ("\x7f", "")]
    answers = [client.simulate_post("/login", json={"username": n, "password": p}) for n, p in attempts]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.text for answer in answers} == {'{"error":"invalid_credentials","message":"Invalid credentials!"}'}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {'Bearer realm="storekeeper"'}


def test_a_password_given_again_answers_a_fresh_token_in_the_same_session(
    client: testing.TestClient, alice: Person
) -> None:
    stale = alice.refresh()["access_token"]
    answer = call(client, "POST", "/login/fresh", stale, {"password": PASSWORD})
    assert answer.status_code == 200
    assert claims(answer.json["access_token"])["fresh"]
    assert claims(answer.json["access_token"])["sid"] == claims(stale)["sid"]
    assert answer.json["expires_in"] == 15 * MINUTE
    table = {"price": 1, "store_id": 1}
    assert call(client, "POST", "/item/table", stale, table).json["error"] == "fresh_token_required"
    assert call(client, "POST", "/item/table", answer.json["access_token"], table).status_code == 201


def test_a_wrong_password_given_again_is_refused_and_ends_nothing(client: testing.TestClient, alice: Person) -> None:
    answer = alice.post("/login/fresh", {"password": "wrong"})
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_credentials")
    assert state(client, alice.pair) == "live"


def test_a_login_takes_away_sessions_that_are_over(alice: Person, bob: Person, engine: sa.Engine, clock: Clock) -> None:
    for _ in range(12):
        alice.log_in()
    clock.now += 60 * DAY
    live = claims(alice.log_in()["access_token"])["sid"]
    clock.now += 30 * DAY + 2 * MINUTE
    bob.log_in()
    assert len(rows(engine)) == 2 + 1 + 1  # a login takes ten, so that nobody waits for long
    bob.log_in()
    assert [row.id for row in rows(engine)] == [live, live + 1, live + 2]


# Ending


@pytest.mark.parametrize("token", ["access_token", "refresh_token"])
def test_a_logout_with_either_token_ends_both_at_once(client: testing.TestClient, alice: Person, token: str) -> None:
    other = alice.log_in()
    pair = alice.log_in()
    answer = call(client, "POST", "/logout", pair[token])
    assert (answer.status_code, answer.json["message"]) == (200, "User <id=1> successfully logged out.")
    assert state(client, pair) == "token_revoked"
    assert call(client, "POST", "/logout", pair[token]).json["error"] == "token_revoked"
    assert state(client, other) == "live"


def test_a_session_outlives_the_server_and_a_logout_does_too(alice: Person, settings: Settings) -> None:
    ended = alice.log_in()
    alice.post("/logout")
    live = alice.log_in()
    with worker(settings) as restarted:
        client = testing.TestClient(as_served(restarted))
        assert state(client, ended) == "token_revoked"
        assert state(client, live) == "live"


def test_a_new_password_ends_the_other_sessions_only(client: testing.TestClient, alice: Person, bob: Person) -> None:
    others = [alice.log_in(), alice.log_in(), bob.log_in()]
    mine = alice.log_in()
    body = {"current_password": PASSWORD, "new_password": "another horse battery"}
    assert alice.put("/user/1/password", body).status_code == 200
    assert [state(client, pair) for pair in others] == ["token_revoked", "token_revoked", "live"]
    assert state(client, mine) == "live"


def test_deactivation_holds_from_the_next_request_on(client: testing.TestClient, root: Person, bob: Person) -> None:
    pair = bob.log_in()
    assert root.patch("/user/2", {"is_active": False}).status_code == 200
    assert state(client, pair) == "token_revoked"
    assert root.patch("/user/2", {"is_active": True}).status_code == 200
    assert state(client, pair) == "token_revoked"  # what has ended does not come back
    assert state(client, bob.log_in()) == "live"


def test_deletion_holds_from_the_next_request_on(client: testing.TestClient, root: Person, bob: Person) -> None:
    pair = bob.log_in()
    assert root.delete("/user/2").status_code == 200
    assert state(client, pair) == "token_revoked"


def test_a_change_of_role_holds_from_the_next_request_on(client: testing.TestClient, root: Person, bob: Person) -> None:
    pair = bob.log_in()
    for is_admin, status in ((True, 200), (False, 403)):
        assert root.patch("/user/2", {"is_admin": is_admin}).status_code == 200
        assert bob.get("/users").status_code == status
    assert state(client, pair) == "live"


def test_an_old_token_never_fits_a_new_user_or_session(client: testing.TestClient, root: Person) -> None:
    def join(username: str) -> dict[str, str]:
        body = {"username": username, "password": PASSWORD}
        id = client.simulate_post("/register", json=body).json["id"]
        return Person(client, username, id).log_in()

    root.log_in()
    first = join("dave")
    assert root.delete(f"/user/{claims(first['access_token'])['sub']}").status_code == 200
    second = join("erin")  # the newest ids were free again
    assert state(client, first) == "token_revoked"
    assert claims(second["access_token"])["sub"] > claims(first["access_token"])["sub"]
    assert claims(second["access_token"])["sid"] > claims(first["access_token"])["sid"]


# Listing


def test_sessions_are_listed_with_device_address_and_times(client: testing.TestClient, clock: Clock) -> None:
    body = {"username": "alice", "password": PASSWORD}
    began = int(clock.now)
    device = "Till/2.0 " + "x" * 300
    for agent, address in ((device, "203.0.113.9"), ("Phone", "2001:db8::1")):
        login = client.simulate_post("/login", json=body, headers={"User-Agent": agent}, remote_addr=address)
        clock.now += 5
    till, phone = call(client, "GET", "/sessions", login.json["access_token"]).json["sessions"]
    assert till == {
        "id": 1,
        "device": device[:200],
        "address": "203.0.113.9",
        "began_at": began,
        "last_used_at": began,
        "is_current": False,
    }
    assert phone["is_current"]
    assert (phone["device"], phone["address"], phone["began_at"]) == ("Phone", "2001:db8::1", began + 5)


def test_an_idle_session_is_listed_no_more(alice: Person, clock: Clock) -> None:
    alice.log_in()
    clock.now += 30 * 86_400 + 1
    alice.log_in()
    assert [each["id"] for each in listed(alice)] == [2]


def test_one_sees_and_ends_ones_own_sessions_only(client: testing.TestClient, alice: Person, bob: Person) -> None:
    first, second, his = alice.log_in(), alice.log_in(), bob.log_in()
    ids = [claims(pair["access_token"])["sid"] for pair in (first, second, his)]
    assert [each["id"] for each in listed(alice)] == ids[:2]
    for id in (ids[2], 99):
        answer = alice.delete(f"/sessions/{id}")
        assert (answer.status_code, answer.json["message"]) == (404, "Session not found.")
    assert alice.delete(f"/sessions/{ids[0]}").status_code == 200
    assert [state(client, pair) for pair in (first, second, his)] == ["token_revoked", "live", "live"]
    assert alice.delete(f"/sessions/{ids[1]}").status_code == 200  # also the one that is speaking
    assert state(client, second) == "token_revoked"


def test_all_other_sessions_end_at_a_word(client: testing.TestClient, alice: Person, bob: Person) -> None:
    pairs = [alice.log_in(), alice.log_in(), bob.log_in(), alice.log_in()]
    answer = alice.delete("/sessions")
    assert (answer.status_code, answer.json["message"]) == (200, "Other sessions ended: 2.")
    assert [state(client, pair) for pair in pairs] == ["token_revoked", "token_revoked", "live", "live"]


def test_sessions_come_in_pages(alice: Person) -> None:
    for _ in range(5):
        alice.log_in()
    seen, path = [], "/sessions?limit=2"
    while path:
        answer = alice.get(path)
        seen.append([each["id"] for each in answer.json["sessions"]])
        path = answer.json.get("next")
        assert answer.headers.get("Link") == (f"<{path}>; rel=next" if path else None)
    assert seen == [[1, 2], [3, 4], [5]]


# When a session was last used


@pytest.fixture
def server(parts: Parts, settings: Settings) -> Any:
    """The application with its whole life, for `testing.ASGIConductor`."""
    return create_app(settings, parts)


@pytest.fixture
def reader(server: Any, clock: Clock) -> Person:
    """Alice, who logged in five minutes ago, and has now read an item."""
    reader = Person(testing.TestClient(as_served(server)), "alice", 1)
    reader.log_in()
    clock.now += 5 * MINUTE
    assert reader.get("/item/chair").status_code == 200
    return reader


async def end(server: Any) -> None:
    async with testing.ASGIConductor(server):
        pass


def last_used_at(engine: sa.Engine) -> list[int]:
    return [row.last_used_at for row in rows(engine)]


def test_a_read_costs_no_write_and_its_time_is_noted_later_to_the_minute(
    server: Any, reader: Person, engine: sa.Engine, clock: Clock
) -> None:
    assert last_used_at(engine) == [int(clock.now) - 5 * MINUTE]
    asyncio.run(end(server))
    assert last_used_at(engine) == [int(clock.now) // MINUTE * MINUTE]


@pytest.mark.usefixtures("reader")
def test_a_time_that_is_noted_late_replaces_no_later_one(server: Any, engine: sa.Engine) -> None:
    with transaction(engine) as conn:
        conn.execute(sa.update(sessions).values(last_used_at=2**40))
    asyncio.run(end(server))
    assert last_used_at(engine) == [2**40]


def test_a_use_that_was_refused_is_none(server: Any, reader: Person, engine: sa.Engine, clock: Clock) -> None:
    """Or else a session that was idle for too long would come back."""
    before = last_used_at(engine)
    asyncio.run(end(server))
    clock.now += 31 * DAY
    for _ in range(2):
        answer = call(reader.client, "POST", "/refresh", reader.pair["refresh_token"])
        assert (answer.status_code, answer.json["error"]) == (401, "token_expired")
        asyncio.run(end(server))
    assert last_used_at(engine)[0] - before[0] < DAY


@pytest.mark.usefixtures("reader")
def test_times_are_noted_while_the_server_runs(server: Any, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "TASK_PAUSE", 0)
    before = last_used_at(engine)

    async def watch() -> bool:
        async with testing.ASGIConductor(server):
            for _ in range(3000):
                if last_used_at(engine) != before:
                    return True
                await asyncio.sleep(0.01)
            return False

    assert asyncio.run(watch())
