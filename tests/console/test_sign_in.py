"""The console's entrance: set-up, signing in and out, giving the password again, one's own sessions."""

import re

import pytest
import sqlalchemy as sa
from falcon import testing
from structlog.testing import capture_logs

from storekeeper.components import Parts
from storekeeper.console.form_keys import FIELD
from storekeeper.models import session, user
from storekeeper.security import setup_token
from storekeeper.security.tokens import Lifetimes, Tokens
from tests.conftest import Clock, Person, bearer
from tests.support.cast import PASSWORD
from tests.support.console_browser import Browser, said, values, wrong
from tests.support.databases import transaction

NEW = "another horse battery"


@pytest.fixture
def nobodys(client: testing.TestClient) -> Browser:
    return Browser(client)


# The first start


def test_the_first_start_makes_an_administrator_and_signs_him_in(nobodys: Browser, parts: Parts, url: str) -> None:
    with transaction(parts.db.engine) as conn:
        conn.execute(sa.delete(user.users))
    assert nobodys.get("/console").headers["location"] == "/console/sign-in?next=%2Fconsole"
    assert nobodys.get("/console/sign-in").headers["location"] == "/console/set-up"
    form = {
        "setup_token": f" {setup_token.create(parts.keys)}\n",
        "username": "root",
        "password": PASSWORD,
        "repeated": "x",
    }
    refused = nobodys.post("/console/set-up", form)
    assert (refused.status_code, wrong(refused)) == (400, {"repeated": "The two passwords differ."})
    assert values(refused)["username"] == "root", "what was typed is kept"
    assert PASSWORD not in refused.text
    overview = nobodys.follow(nobodys.post("/console/set-up", form | {"repeated": PASSWORD}))
    assert "Stores" in said(overview)
    assert '<a href="/console/users"' in overview.text


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"setup_token": "wrong"}, 403, None),
        ({"setup_token": ""}, 403, None),
        ({"username": "a b"}, 400, "username"),
        ({"password": "short", "repeated": "short"}, 400, "password"),
    ],
)
def test_a_set_up_that_is_refused(
    nobodys: Browser, parts: Parts, changes: dict[str, str], status: int, field: str | None
) -> None:
    with transaction(parts.db.engine) as conn:
        conn.execute(sa.delete(user.users))
    form = {
        "setup_token": setup_token.create(parts.keys),
        "username": "root",
        "password": PASSWORD,
        "repeated": PASSWORD,
    }
    answer = nobodys.post("/console/set-up", form | changes)
    assert (answer.status_code, [*wrong(answer)]) == (status, [field] if field else [])
    with parts.db.engine.connect() as conn:
        assert not user.has_admin(conn)


# Signing in


def test_signing_in_begins_a_session_like_any_other(alice: Person, nobodys: Browser) -> None:
    nobodys.sign_in("alice")
    known = alice.get("/sessions").json["sessions"]
    assert len(known) == 2
    assert sum(each["is_current"] for each in known) == 1


def test_a_wrong_password_says_nothing_more_and_keeps_the_name(nobodys: Browser, engine: sa.Engine) -> None:
    heard = []
    with capture_logs() as logs:
        for name in ("alice", "nosuchuser"):
            form = {"username": name, "password": "wrong password", "next": "/console"}
            answer = nobodys.post("/console/sign-in", form)
            assert values(answer)["username"] == name
            assert "wrong password" not in answer.text
            heard.append((answer.status_code, said(answer).replace(name, "")))
    assert heard[0] == heard[1]
    assert heard[0][0] == 401
    assert "Invalid credentials!" in heard[0][1]
    assert [each["event"] for each in logs] == ["login_failed", "login_failed"]


def test_the_throttle_is_the_same_as_the_apis(nobodys: Browser, client: testing.TestClient, engine: sa.Engine) -> None:
    form = {"username": "alice", "password": "wrong password"}
    for _ in range(5):
        assert nobodys.post("/console/sign-in", form).status_code == 401
        assert client.simulate_post("/login", json=form).status_code == 401
    answer = nobodys.post("/console/sign-in", form | {"password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "Too many failed logins" in said(answer)


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ("/console/store/ikea?q=a%20b", "/console/store/ikea?q=a%20b"),
        ("/console", "/console"),
        ("/console?stores=all", "/console?stores=all"),
        ("", "/console"),
        ("/docs", "/console"),
        ("/consoleevil", "/console"),
        ("//evil.example/console", "/console"),
        ("https://evil.example/console", "/console"),
        ("/console\\@evil.example", "/console"),
        ("/console/\\evil.example", "/console"),
        ("/console/\r\nSet-Cookie: a=b", "/console"),
        ("javascript:alert(1)", "/console"),
    ],
)
def test_who_signs_in_is_led_to_a_page_of_the_console(
    nobodys: Browser, engine: sa.Engine, wanted: str, place: str
) -> None:
    answer = nobodys.post("/console/sign-in", {"username": "alice", "password": PASSWORD, "next": wanted})
    assert (answer.status_code, answer.headers["location"]) == (303, place)


def test_a_page_leads_to_signing_in_and_back(nobodys: Browser, engine: sa.Engine) -> None:
    page = nobodys.follow(nobodys.get("/console/store/ikea?sort=-price"))
    assert values(page)["next"] == "/console/store/ikea?sort=-price"


# The cookie


def test_the_cookies_are_for_this_server_alone(client: testing.TestClient, engine: sa.Engine) -> None:
    form = f"username=alice&password={PASSWORD.replace(' ', '+')}"
    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
    for protocol, prefix in (("http", ""), ("https", "__Host-")):
        given = client.simulate_post("/console/sign-in", body=form, headers=headers, protocol=protocol).cookies
        assert given.keys() == {f"{prefix}storekeeper", f"{prefix}storekeeper-device"}
        for cookie in given.values():
            assert re.fullmatch(r"[\w.-]+", cookie.value)
            assert (cookie.path, cookie.domain, cookie.same_site) == ("/", None, "Lax")
            assert (cookie.http_only, cookie.secure) == (True, bool(prefix))
            assert cookie.expires is not None


def test_the_cookie_lasts_as_long_as_its_session(client: testing.TestClient, engine: sa.Engine, clock: Clock) -> None:
    browser = Browser(client, "alice")
    for _ in range(4):
        clock.now += 29 * 86_400
        with transaction(engine) as conn:
            session.note_uses(conn, {(1, 0): clock.now})
        last, answer = clock.now, browser.get("/console/account")
        if answer.status_code == 303:
            break
    assert answer.status_code == 303
    assert last - 90 * 86_400 > 0
    assert "storekeeper" not in browser.cookies, "a cookie that is good for nothing is taken away"


def test_a_session_that_lies_unused_for_a_month_is_over(alices: Browser, clock: Clock) -> None:
    clock.now += 30 * 86_400 - 120
    assert alices.get("/console/account").status_code == 200
    clock.now += 240
    assert alices.get("/console/account").headers["location"].startswith("/console/sign-in")


@pytest.mark.parametrize("kind", ["refresh", "access"])
def test_no_other_token_is_good_in_the_cookie(
    nobodys: Browser, engine: sa.Engine, parts: Parts, kind: str, alice: Person
) -> None:
    nobodys.cookies["storekeeper"] = alice.pair[f"{kind}_token"]
    assert nobodys.get("/console").headers["location"].startswith("/console/sign-in")


def test_the_token_of_a_cookie_is_good_nowhere_else(alices: Browser, client: testing.TestClient) -> None:
    token = bearer(alices.cookies["storekeeper"])
    for method, path in (("GET", "/item/chair"), ("POST", "/refresh"), ("POST", "/logout")):
        answer = client.simulate_request(method, path, headers=token)
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")
    assert client.simulate_get("/item/chair", headers={"Cookie": f"storekeeper={token}"}).status_code == 401


def test_a_cookie_of_nonsense_is_none(nobodys: Browser, engine: sa.Engine) -> None:
    for text in ("", "nonsense", "a.b.c", '"', "é", "x" * 3000):
        nobodys.cookies["storekeeper"] = text.encode().decode("latin1")
        assert nobodys.get("/console").status_code == 303


# Signing out


def test_signing_out_kills_the_tokens_of_the_session(
    alices: Browser, client: testing.TestClient, parts: Parts, engine: sa.Engine
) -> None:
    tokens = Tokens(parts.keys, Lifetimes())
    token = bearer(tokens.access(1, 1, fresh=True, is_admin=False))
    assert client.simulate_get("/item/chair", headers=token).status_code == 200
    page = alices.follow(alices.post("/console/sign-out"))
    assert "You are signed out." in said(page)
    assert client.simulate_get("/item/chair", headers=token).json["error"] == "token_revoked"
    assert alices.get("/console").status_code == 303


def test_logging_out_by_the_api_ends_the_console_too(
    alices: Browser, client: testing.TestClient, parts: Parts, engine: sa.Engine
) -> None:
    token = bearer(Tokens(parts.keys, Lifetimes()).access(1, 1, fresh=True, is_admin=False))
    client.simulate_post("/logout", headers=token)
    assert alices.get("/console").headers["location"].startswith("/console/sign-in")


# The password once more


def test_what_needs_the_password_asks_for_it_and_goes_on(alices: Browser, clock: Clock) -> None:
    wanted = "/console/store/ikea/members/bob/remove"
    assert alices.get(wanted).status_code == 200
    clock.now += 15 * 60 + 31
    asked = alices.get(wanted)
    assert asked.headers["location"] == "/console/confirm?next=%2Fconsole%2Fstore%2Fikea%2Fmembers%2Fbob%2Fremove"
    page = alices.follow(asked)
    assert "Password of alice" in said(page)
    refused = alices.post("/console/confirm", {"password": "wrong password", "next": values(page)["next"]})
    assert refused.status_code == 401
    assert values(refused)["next"] == wanted
    answer = alices.post("/console/confirm", {"password": PASSWORD, "next": values(page)["next"]})
    assert answer.headers["location"] == wanted
    assert alices.follow(answer).status_code == 200


def test_an_item_is_added_without_giving_the_password_again(alices: Browser, clock: Clock) -> None:
    clock.now += 60 * 60
    assert alices.get("/console/store/ikea/new-item").status_code == 200
    answer = alices.post("/console/store/ikea/new-item", {"name": "table", "price": "5", "stock": "1"})
    assert answer.headers["location"] == "/console/store/ikea/item/table"


def test_a_form_that_needs_the_password_leads_back_to_its_page(alices: Browser, clock: Clock) -> None:
    alices.get("/console/account?x=1")
    clock.now += 15 * 60 + 31
    answer = alices.post("/console/account/password", {"current_password": PASSWORD})
    assert answer.headers["location"] == "/console/confirm?next=%2Fconsole%2Faccount%2Fpassword%3Fkept%3D1"
    answer = alices.post("/console/account/password", {"current_password": PASSWORD, FIELD: ""})
    assert answer.headers["location"] == "/console/confirm?next=%2Fconsole%2Faccount%3Fx%3D1", (
        "whose it is nobody knows"
    )


# The account


def test_the_password_is_changed(alices: Browser, alice: Person, nobodys: Browser) -> None:
    alice.log_in()
    form = {"current_password": PASSWORD, "new_password": NEW, "repeated": NEW}
    for changes, status, field in (
        ({"repeated": "other"}, 400, "repeated"),
        ({"new_password": "short", "repeated": "short"}, 400, "new_password"),
        ({"current_password": "wrong password"}, 401, None),
    ):
        refused = alices.post("/console/account/password", form | changes)
        assert (refused.status_code, [*wrong(refused)]) == (status, [field] if field else [])
        assert NEW not in refused.text
    page = alices.follow(alices.post("/console/account/password", form))
    assert "Your password is changed" in said(page)
    assert alice.get("/item/chair").json["error"] == "token_revoked"
    nobodys.sign_in("alice", NEW)


def test_sessions_are_listed_and_ended(alices: Browser, alice: Person) -> None:
    alice.log_in()
    page = alices.get("/console/account")
    assert said(page).count("this one") == 1
    (other,) = re.findall(r'action="(/console/account/sessions/\d+)"', page.text)
    page = alices.follow(alices.post(other))
    assert "The session has ended." in said(page)
    assert alice.get("/item/chair").json["error"] == "token_revoked"
    assert "The session has ended." not in said(alices.get("/console/account")), "it is said once"
    gone = alices.post(other)
    assert gone.status_code == 404


def test_all_other_sessions_are_ended(alices: Browser, alice: Person, client: testing.TestClient) -> None:
    alice.log_in()
    other = Browser(client, "alice")
    assert "Other sessions ended: 2." in said(alices.follow(alices.post("/console/account/sessions")))
    assert other.get("/console").status_code == 303
    assert alice.get("/item/chair").json["error"] == "token_revoked"
