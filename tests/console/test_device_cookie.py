"""The device cookie: a browser that has signed in is not shut out by what others do."""

import msgspec
import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.components import Parts
from storekeeper.security.tokens import Lifetimes, Tokens
from storekeeper.settings import Settings
from tests.conftest import Clock, Person, bearer
from tests.support.cast import PASSWORD
from tests.support.console_browser import Browser

DAY = 86_400
COOKIE = "storekeeper-device"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, login_failures=3, login_failures_overall=6)


def sign_in(browser: Browser, password: str = PASSWORD, username: str = "alice") -> int:
    form = {"username": username, "password": password, "next": ""}
    return browser.post("/console/sign-in", form).status_code


def sign_out(browser: Browser) -> None:
    assert browser.post("/console/sign-out").status_code == 303


def lock(client: testing.TestClient, times: int = 6) -> None:
    """Fill the buckets: of the name, of the address and over all."""
    for n in range(times):
        body = {"username": "alice" if n < 3 else f"nobody{n}", "password": "wrong horse"}
        assert client.simulate_post("/login", json=body, remote_addr=f"192.0.{n}.1").status_code == 401


@pytest.fixture
def known(client: testing.TestClient, engine: sa.Engine) -> Browser:
    """One in which Alice has signed in, and out again."""
    browser = Browser(client, "alice")
    sign_out(browser)
    return browser


def test_a_browser_that_has_signed_in_is_let_in_whatever_others_do(client: testing.TestClient, known: Browser) -> None:
    lock(client)
    assert sign_in(Browser(client)) == 429
    assert client.simulate_post("/login", json={"username": "alice", "password": PASSWORD}).status_code == 429
    assert sign_in(known) == 303


def test_it_is_for_its_user_alone(client: testing.TestClient, known: Browser) -> None:
    lock(client)
    assert sign_in(known, username="bob") == 429
    assert sign_in(known, "wrong horse", "nobody") == 429


def test_it_has_a_few_failures_of_its_own(client: testing.TestClient, known: Browser, clock: Clock) -> None:
    """Then its browser is as good as any other, which is not good while the name is closed."""
    lock(client)
    assert [sign_in(known, "wrong horse") for _ in range(4)] == [401, 401, 401, 429]
    assert sign_in(known) == 429
    clock.now += 301
    assert sign_in(known) == 303


def test_its_failures_count_for_nobody_else(client: testing.TestClient, known: Browser, engine: sa.Engine) -> None:
    assert [sign_in(known, "wrong horse") for _ in range(3)] == [401] * 3
    assert client.simulate_post("/login", json={"username": "alice", "password": PASSWORD}).status_code == 200
    assert [sign_in(known, "wrong horse") for _ in range(4)] == [401] * 3 + [429]  # now those of the name count


def test_it_stays_when_its_user_signs_out_and_goes_after_90_days(
    client: testing.TestClient, known: Browser, clock: Clock
) -> None:
    clock.now += 90 * DAY - 60
    lock(client)
    assert sign_in(known) == 303
    sign_out(known)  # which made it anew
    clock.now += 90 * DAY + 60
    lock(client)
    assert sign_in(known) == 429


@pytest.mark.parametrize("text", ["", "nonsense", "a.b.c", "é", "x" * 3000])
def test_one_of_nonsense_is_none(client: testing.TestClient, known: Browser, text: str) -> None:
    known.cookies[COOKIE] = text.encode().decode("latin1")
    assert sign_in(known) == 303
    known.cookies[COOKIE] = text.encode().decode("latin1")
    lock(client)
    assert sign_in(known) == 429


@pytest.mark.parametrize("kind", ["refresh", "access", "console"])
def test_no_other_token_is_one(client: testing.TestClient, known: Browser, alice: Person, kind: str) -> None:
    browser = Browser(client, "alice")
    known.cookies[COOKIE] = browser.cookies["storekeeper"] if kind == "console" else alice.pair[f"{kind}_token"]
    lock(client)
    assert sign_in(known) == 429


def test_it_opens_nothing(client: testing.TestClient, known: Browser) -> None:
    token = known.cookies[COOKIE]
    assert known.get("/console").headers["location"].startswith("/console/sign-in")
    known.cookies["storekeeper"] = token
    assert known.get("/console").headers["location"].startswith("/console/sign-in")
    for method, path in (("GET", "/item/chair"), ("POST", "/refresh"), ("POST", "/logout")):
        answer = client.simulate_request(method, path, headers=bearer(token))
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")


def test_another_key_makes_none(client: testing.TestClient, known: Browser, parts: Parts) -> None:
    head, claims, _ = known.cookies[COOKIE].split(".")
    known.cookies[COOKIE] = f"{head}.{claims}.{'A' * 43}"
    lock(client)
    assert sign_in(known) == 429
    known.cookies[COOKIE] = Tokens(parts.keys, Lifetimes()).device(1, 1)  # the same by the right one
    assert sign_in(known) == 303


def test_api_clients_are_given_none_and_theirs_do_not_count(
    client: testing.TestClient, known: Browser, engine: sa.Engine
) -> None:
    body = {"username": "alice", "password": PASSWORD}
    assert "set-cookie" not in client.simulate_post("/login", json=body).headers
    lock(client)
    headers = {"Cookie": f"{COOKIE}={known.cookies[COOKIE]}"}
    assert client.simulate_post("/login", json=body, headers=headers).status_code == 429
