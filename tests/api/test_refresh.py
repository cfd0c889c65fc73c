"""POST /refresh: numbered tokens that never punish the honest, and how long a session may go on."""

from typing import Any

import jwt
import msgspec
import pytest
import structlog.testing
from falcon import testing

from storekeeper.settings import Settings
from tests.conftest import Clock, Person, bearer

DAY = 86_400
GRACE = 10


def refresh(client: testing.TestClient, token: str) -> testing.Result:
    return client.simulate_post("/refresh", headers=bearer(token))


def next_pair(client: testing.TestClient, token: str) -> dict[str, Any]:
    answer = refresh(client, token)
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def successors(client: testing.TestClient, person: Person, count: int) -> list[str]:
    """The refresh tokens of a new session: its first, and so many more, each asked for with the one before."""
    tokens = [person.log_in()["refresh_token"]]
    for _ in range(count):
        tokens.append(next_pair(client, tokens[-1])["refresh_token"])
    return tokens


def error(answer: testing.Result) -> str:
    assert answer.status_code == 401, answer.text
    return str(answer.json["error"])


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def test_a_refresh_answers_an_access_token_that_is_not_fresh_and_the_next_refresh_token(alice: Person) -> None:
    first, second = alice.pair, alice.refresh()
    assert second["expires_in"] == 15 * 60
    assert claims(first["access_token"])["fresh"]
    assert not claims(second["access_token"])["fresh"]
    assert claims(second["access_token"])["sid"] == claims(first["access_token"])["sid"]
    assert second["refresh_token"] != first["refresh_token"]


def test_a_token_says_who_is_an_administrator_now(root: Person, bob: Person) -> None:
    assert not claims(bob.pair["access_token"])["is_admin"]
    assert root.patch("/user/2", {"is_admin": True}).status_code == 200
    assert claims(bob.refresh()["access_token"])["is_admin"]


def test_the_same_token_answers_the_same_successor(alice: Person, clock: Clock) -> None:
    successor = alice.refresh()["refresh_token"]
    for pause in (0, GRACE + 1, 5 * DAY):  # a lost answer may be asked for again, however late
        clock.now += pause
        assert alice.refresh()["refresh_token"] == successor


def test_a_client_that_ignores_the_new_token_works_for_ever(alice: Person, clock: Clock) -> None:
    for _ in range(8):
        clock.now += 10 * DAY
        assert alice.refresh()["access_token"]


def test_a_token_stays_good_for_the_grace_after_its_successor_was_used(
    client: testing.TestClient, alice: Person, clock: Clock
) -> None:
    tokens = successors(client, alice, 3)  # so the first three have been used, and none of it is long ago
    clock.now += GRACE
    for n in (0, 1, 2):
        assert next_pair(client, tokens[n])["refresh_token"] == tokens[n + 1]


def test_a_token_that_is_used_later_than_that_ends_the_whole_session(
    client: testing.TestClient, alice: Person, clock: Clock
) -> None:
    tokens = successors(client, alice, 2)
    clock.now += GRACE + 0.1
    newest = next_pair(client, tokens[1])  # the last that was used: its answer may have been lost
    with structlog.testing.capture_logs() as log:
        assert error(refresh(client, tokens[0])) == "token_revoked"
    noted = next(line for line in log if line["event"] == "refresh_token_reused")
    assert noted["session_id"] == claims(tokens[0])["sid"]
    assert noted["user_id"] == alice.id
    for token in (*tokens, newest["refresh_token"]):
        assert error(refresh(client, token)) == "token_revoked"
    for token in (alice.pair["access_token"], newest["access_token"]):
        assert error(client.simulate_get("/item/chair", headers=bearer(token))) == "token_revoked"


def test_a_token_from_long_before_ends_the_session_also_while_others_have_grace(
    client: testing.TestClient, alice: Person, clock: Clock
) -> None:
    first, second = successors(client, alice, 1)
    third = next_pair(client, second)["refresh_token"]
    clock.now += GRACE + 1
    fourth = next_pair(client, third)["refresh_token"]
    assert next_pair(client, second)["refresh_token"] == third
    assert error(refresh(client, first)) == "token_revoked"
    assert error(refresh(client, fourth)) == "token_revoked"


def test_asking_again_does_not_prolong_the_grace(client: testing.TestClient, alice: Person, clock: Clock) -> None:
    first, second = successors(client, alice, 1)
    next_pair(client, second)
    clock.now += GRACE - 1
    next_pair(client, first)
    next_pair(client, second)
    clock.now += 2
    assert error(refresh(client, first)) == "token_revoked"


def test_theft_ends_that_session_only(client: testing.TestClient, alice: Person, clock: Clock) -> None:
    other = alice.log_in()
    tokens = successors(client, alice, 2)
    clock.now += GRACE + 1
    assert error(refresh(client, tokens[0])) == "token_revoked"
    assert client.simulate_get("/item/chair", headers=bearer(other["access_token"])).status_code == 200


def test_a_refresh_token_is_good_for_refreshing_only_and_an_access_token_is_not(
    client: testing.TestClient, alice: Person
) -> None:
    assert error(refresh(client, alice.pair["access_token"])) == "invalid_token"
    assert error(client.simulate_get("/sessions", headers=bearer(alice.pair["refresh_token"]))) == "invalid_token"


def test_a_session_that_is_used_lives_on_and_ends_after_90_days(
    client: testing.TestClient, alice: Person, clock: Clock
) -> None:
    pair = alice.log_in()
    for days in (29, 29, 29, 2):
        clock.now += days * DAY
        pair = next_pair(client, pair["refresh_token"])
    clock.now += DAY - 30
    last = next_pair(client, pair["refresh_token"])
    clock.now += 30 + 31  # beyond the leeway
    assert error(refresh(client, last["refresh_token"])) == "token_expired"
    # However long its access tokens would be good.
    assert error(client.simulate_get("/item/chair", headers=bearer(last["access_token"]))) == "token_expired"


def test_a_session_that_is_not_used_for_30_days_is_over(
    client: testing.TestClient, alice: Person, clock: Clock
) -> None:
    token = alice.log_in()["refresh_token"]
    clock.now += 30 * DAY - 60
    token = next_pair(client, token)["refresh_token"]
    clock.now += 30 * DAY + 60
    assert error(refresh(client, token)) == "token_expired"


class TestOtherSettings:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return msgspec.structs.replace(
            settings, refresh_grace_seconds=0, refresh_days=1, session_days=3, access_minutes=60
        )

    def test_the_operator_may_set_the_grace(self, client: testing.TestClient, alice: Person, clock: Clock) -> None:
        first, second = successors(client, alice, 1)
        next_pair(client, second)
        clock.now += 0.1
        assert error(refresh(client, first)) == "token_revoked"

    def test_the_operator_may_set_how_long_sessions_last(
        self, client: testing.TestClient, alice: Person, clock: Clock
    ) -> None:
        pair = alice.log_in()
        assert pair["expires_in"] == 60 * 60
        for _ in range(3):
            clock.now += DAY - 60
            pair = next_pair(client, pair["refresh_token"])
        clock.now += DAY
        assert error(refresh(client, pair["refresh_token"])) == "token_expired"

    def test_an_idle_session_ends_after_the_days_that_were_set(self, alice: Person, clock: Clock) -> None:
        alice.log_in()
        clock.now += DAY + 1
        assert error(refresh(alice.client, alice.pair["refresh_token"])) == "token_expired"

    def test_freshness_ends_after_15_minutes_however_long_the_token_lives(self, alice: Person, clock: Clock) -> None:
        body = {"price": 1, "store_id": 1}
        assert alice.post("/item/table", body).status_code == 201
        clock.now += 15 * 60 + 31
        assert alice.get("/item/table").status_code == 200
        answer = alice.post("/item/desk", body)
        assert (answer.status_code, answer.json["error"]) == (401, "fresh_token_required")
