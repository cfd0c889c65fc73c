"""Who may do what in the console: every operation, for every kind of caller, in one table like that of tests/api."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.components import Parts, create_components
from storekeeper.console.routes import create_console_components, create_routes
from storekeeper.models import item, journal, session, store_member, user
from storekeeper.models.item_fields import Fields
from storekeeper.models.session import SessionLimits
from storekeeper.security import setup_token
from storekeeper.security.tokens import Lifetimes, Tokens
from storekeeper.settings import Settings
from tests.api.test_access_table import PNG, everything
from tests.api.test_access_table import world as _world
from tests.conftest import Clock
from tests.support import console_browser
from tests.support.cast import PASSWORD
from tests.support.databases import transaction

# What each caller meets, at the paths below /console: a status, `in` for the way to sign in, or `sure` for the question
# for the password. But for nobody, each has a cookie that was good once. `off` is deactivated, `access` has an access
# token of Alice's in the cookie's place, `demoted` was an administrator when their token was made, `stale` is one whose
# password was given a while ago, `other` works in no store, and `abroad` is Alice on a page of another site.
TABLE = """
operation                                        nobody ended off access demoted stale other clerk owner admin abroad
GET  /                                           in     in    in  in     200     200   200   200   200   200   200
GET  /set-up                                     303    303   303 303    303     303   303   303   303   303   303
POST /set-up                                     403    403   403 403    403     403   403   403   403   403   403
GET  /sign-in                                    200    200   200 200    200     200   200   200   200   200   200
POST /sign-in                                    303    303   303 303    303     303   303   303   303   303   403
GET  /new-password                               303    303   303 303    303     303   303   303   303   303   303
POST /new-password                               403    403   403 403    403     403   403   403   403   403   403
POST /sign-out                                   in     in    in  in     303     303   303   303   303   303   403
GET  /confirm                                    in     in    in  in     200     200   200   200   200   200   200
POST /confirm                                    in     in    in  in     303     303   303   303   303   303   403
GET  /account                                    in     in    in  in     200     200   200   200   200   200   200
GET  /account/password                           in     in    in  in     200     200   200   200   200   200   200
POST /account/password                           in     in    in  in     303     sure  303   303   303   303   403
GET  /account/sessions                           in     in    in  in     200     200   200   200   200   200   200
POST /account/sessions                           in     in    in  in     303     sure  303   303   303   303   403
GET  /account/sessions/{session_id}              in     in    in  in     200     200   200   200   200   200   200
POST /account/sessions/{session_id}              in     in    in  in     404     404   404   404   303   404   403
GET  /items                                      in     in    in  in     200     200   200   200   200   200   200
GET  /new-store                                  in     in    in  in     200     200   200   200   200   200   200
POST /new-store                                  in     in    in  in     303     303   303   303   303   303   403
GET  /store/{name}                               in     in    in  in     200     200   200   200   200   200   200
POST /store/{name}                               in     in    in  in     403     303   403   303   303   303   403
GET  /store/{name}/selection                     in     in    in  in     200     200   200   200   200   200   200
POST /store/{name}/selection                     in     in    in  in     403     303   403   303   303   303   403
GET  /store/{name}/settings                      in     in    in  in     403     200   403   403   200   200   200
POST /store/{name}/settings                      in     in    in  in     403     303   403   403   303   303   403
GET  /store/{name}/delete                        in     in    in  in     403     200   403   403   200   200   200
POST /store/{name}/delete                        in     in    in  in     403     303   403   403   303   303   403
GET  /store/{name}/members                       in     in    in  in     404     200   404   200   200   200   200
POST /store/{name}/members                       in     in    in  in     403     sure  403   403   303   303   403
GET  /store/{name}/members/{username}/remove     in     in    in  in     404     sure  404   200   200   200   200
POST /store/{name}/members/{username}/remove     in     in    in  in     404     sure  404   403   303   303   403
GET  /store/{name}/new-item                      in     in    in  in     403     200   403   200   200   200   200
POST /store/{name}/new-item                      in     in    in  in     403     303   403   303   303   303   403
GET  /store/{name}/item/{item_name}              in     in    in  in     200     200   200   200   200   200   200
POST /store/{name}/item/{item_name}              in     in    in  in     403     303   403   303   303   303   403
GET  /store/{name}/item/{item_name}/archive      in     in    in  in     200     200   200   200   200   200   200
POST /store/{name}/item/{item_name}/archive      in     in    in  in     403     303   403   303   303   303   403
GET  /store/{name}/item/{item_name}/image        in     in    in  in     200     200   200   200   200   200   200
POST /store/{name}/item/{item_name}/image        in     in    in  in     403     303   403   303   303   303   403
GET  /store/{name}/item/{item_name}/image/remove in     in    in  in     200     200   200   200   200   200   200
POST /store/{name}/item/{item_name}/image/remove in     in    in  in     403     303   403   303   303   303   403
GET  /store/{name}/item/{item_name}/delete       in     in    in  in     404     200   404   404   200   200   200
POST /store/{name}/item/{item_name}/delete       in     in    in  in     403     303   403   403   303   303   403
GET  /store/{name}/item/{item_name}/undo         in     in    in  in     200     200   200   200   200   200   200
POST /store/{name}/item/{item_name}/undo         in     in    in  in     403     303   403   303   303   303   403
GET  /store/{name}/activity                      in     in    in  in     403     200   403   200   200   200   200
GET  /activity                                   in     in    in  in     403     200   403   403   403   200   403
GET  /store/{name}/import                        in     in    in  in     403     200   403   200   200   200   200
POST /store/{name}/import                        in     in    in  in     403     303   403   303   303   303   403
GET  /store/{name}/export                        in     in    in  in     200     200   200   200   200   200   200
GET  /store/{name}/export/{format}               in     in    in  in     200     200   200   200   200   200   200
GET  /import/{import_id}                         in     in    in  in     404     200   404   200   200   200   200
POST /import/{import_id}                         in     in    in  in     404     303   404   303   303   303   403
GET  /import/{import_id}/cancel                  in     in    in  in     404     200   404   200   200   200   200
POST /import/{import_id}/cancel                  in     in    in  in     404     303   404   303   303   303   403
GET  /import/{import_id}/refused.csv             in     in    in  in     404     200   404   200   200   200   200
GET  /webhooks                                   in     in    in  in     200     200   200   200   200   200   200
POST /webhooks                                   in     in    in  in     403     sure  403   403   200   200   403
GET  /store/{name}/webhooks                      in     in    in  in     403     200   403   403   200   200   200
POST /store/{name}/webhooks                      in     in    in  in     403     sure  403   403   200   200   403
GET  /webhooks/{webhook_id}                      in     in    in  in     404     200   404   404   200   200   200
POST /webhooks/{webhook_id}                      in     in    in  in     404     303   404   404   303   303   403
GET  /webhooks/{webhook_id}/state                in     in    in  in     404     200   404   404   200   200   200
POST /webhooks/{webhook_id}/state                in     in    in  in     404     303   404   404   303   303   403
GET  /webhooks/{webhook_id}/test                 in     in    in  in     404     200   404   404   200   200   200
POST /webhooks/{webhook_id}/test                 in     in    in  in     404     303   404   404   303   303   403
GET  /webhooks/{webhook_id}/replay               in     in    in  in     404     200   404   404   200   200   200
POST /webhooks/{webhook_id}/replay               in     in    in  in     404     303   404   404   303   303   403
GET  /webhooks/{webhook_id}/deliveries/{delivery_id}/replay in in in in 404 200 404 404 200 200 200
POST /webhooks/{webhook_id}/deliveries/{delivery_id}/replay in in in in 404 303 404 404 303 303 403
GET  /webhooks/{webhook_id}/rotate               in     in    in  in     404     sure  404   404   200   200   200
POST /webhooks/{webhook_id}/rotate               in     in    in  in     404     sure  404   404   200   200   403
GET  /webhooks/{webhook_id}/verify               in     in    in  in     404     200   404   404   200   200   200
POST /webhooks/{webhook_id}/verify               in     in    in  in     404     303   404   404   303   303   403
GET  /webhooks/{webhook_id}/takeover             in     in    in  in     404     sure  404   404   200   200   200
POST /webhooks/{webhook_id}/takeover             in     in    in  in     404     sure  404   404   200   200   403
GET  /webhooks/{webhook_id}/delete               in     in    in  in     404     200   404   404   200   200   200
POST /webhooks/{webhook_id}/delete               in     in    in  in     404     303   404   404   303   303   403
GET  /users                                      in     in    in  in     403     200   403   403   403   200   403
GET  /new-user                                   in     in    in  in     403     200   403   403   403   200   403
POST /new-user                                   in     in    in  in     403     303   403   403   403   303   403
GET  /users/{user_id}                            in     in    in  in     403     200   403   403   403   200   403
GET  /users/{user_id}/roles                      in     in    in  in     403     200   403   403   403   200   403
POST /users/{user_id}/roles                      in     in    in  in     403     sure  403   403   403   303   403
GET  /users/{user_id}/sessions                   in     in    in  in     403     200   403   403   403   200   403
POST /users/{user_id}/sessions                   in     in    in  in     403     303   403   403   403   303   403
GET  /users/{user_id}/password                   in     in    in  in     403     sure  403   403   403   200   403
POST /users/{user_id}/password                   in     in    in  in     403     sure  403   403   403   303   403
GET  /users/{user_id}/delete                     in     in    in  in     403     sure  403   403   403   200   403
POST /users/{user_id}/delete                     in     in    in  in     403     sure  403   403   403   303   403
GET  /system                                     in     in    in  in     403     200   403   403   403   200   403
GET  /static/{name}                              200    200   200 200    200     200   200   200   200   200   200
"""
HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
CALLERS = HEAD[1:]
EXPECTED = {
    f"{method} /console{template}".rstrip("/"): dict(zip(CALLERS, row, strict=True)) for method, template, *row in ROWS
}
USERS = {"owner": 1, "access": 1, "abroad": 1, "ended": 1, "clerk": 2, "other": 3, "admin": 4, "stale": 4}
USERS |= {"demoted": 6, "off": 7}

PATHS = {
    "{session_id}": "1",
    "{name}/delete": "shed/delete",
    "POST {name}/settings": "hut/settings",
    "store/{name}": "store/ikea",
    "{username}": "dave",
    "POST {item_name}/delete": "lamp/delete",
    "{item_name}": "chair",
    "{format}": "csv",
    "POST {import_id}/cancel": "1/cancel",
    "{import_id}": "2",
    "{user_id}/delete": "8/delete",
    "{user_id}": "5",
    "{webhook_id}/delete": "2/delete",
    "{webhook_id}": "1",
    "{delivery_id}": "3",
    "static/{name}": "static/console.js",
}
FORMS: dict[str, Any] = {
    "POST /console/set-up": {"setup_token": "", "username": "first", "password": PASSWORD, "repeated": PASSWORD},
    "POST /console/sign-in": {"username": "carol", "password": PASSWORD},
    "POST /console/new-password": {"ticket": "1.1.0", "new_password": "another horse", "repeated": "another horse"},
    "POST /console/confirm": {"password": PASSWORD},
    "POST /console/account/password": {
        "current_password": PASSWORD,
        "new_password": "another horse battery",
        "repeated": "another horse battery",
    },
    "POST /console/new-store": {"name": "new", "currency": "EUR"},
    "POST /console/store/{name}": {"price.1": "5", "was-price.1": "15.99"},
    "POST /console/store/{name}/selection": {"item": "1", "action": "tag", "value": "new"},
    "POST /console/store/{name}/settings": {"name": "hut", "currency": "USD"},
    "POST /console/store/{name}/delete": {"name": "shed"},
    "POST /console/store/{name}/members": {"username": "carol", "role": "clerk"},
    "POST /console/store/{name}/new-item": {"name": "table", "price": "5"},
    "POST /console/store/{name}/item/{item_name}": {"description.1": "Oak.", "was-description.1": ""},
    "POST /console/store/{name}/item/{item_name}/archive": {"archived": "yes"},
    "POST /console/import/{import_id}": {"skip_refused": "yes"},
    "POST /console/store/{name}/webhooks": {"url": "https://shop.example/hook"},
    "POST /console/webhooks": {"url": "https://shop.example/hook", "store": "ikea"},
    "POST /console/webhooks/{webhook_id}": {"url": "https://shop.example/other"},
    "POST /console/webhooks/{webhook_id}/state": {"is_active": "yes"},
    "POST /console/webhooks/{webhook_id}/replay": {"cursor": "0"},
    "POST /console/new-user": {"username": "newcomer", "password": PASSWORD},
    "POST /console/users/{user_id}/roles": {"is_admin": "no"},
    "POST /console/users/{user_id}/password": {"password": "another horse battery"},
}
FILES = {
    "POST /console/store/{name}/item/{item_name}/image": ("chair.png", PNG[1]),
    "POST /console/store/{name}/import": ("items.csv", b"name,price\r\nrug,5\r\n"),
}
# These end sessions, among them the one that another operation is to end.
LAST = ("POST /console/account/password", "POST /console/account/sessions")
world = _world


@pytest.fixture
def console_world(world: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    """Beside what that of tests/api has: user 8, who is to be deleted, a store to be renamed, and a change to undo."""
    with transaction(world) as conn:
        user.add(conn, "judy", "hash")
        store_member.create_store(conn, 1, "hut", "EUR")
        store_member.put(conn, 1, "hut", "bob", "clerk")
        chair = item.ItemRef("chair", 1)
        item.change(conn, 1, chair, Fields(sku="CH-1"))
        monkeypatch.setitem(FORMS, "POST /console/store/{name}/item/{item_name}/undo", {"change": journal.last(conn)})
    return world


@pytest.fixture
def tokens(parts: Parts) -> Tokens:
    return Tokens(parts.keys, Lifetimes())


def knock(
    engine: sa.Engine, client: testing.TestClient, tokens: Tokens, clock: Clock, caller: str
) -> console_browser.Browser:
    """That caller's browser, in a session of its own."""
    browser = console_browser.Browser(client)
    if caller == "nobody":
        return browser
    with transaction(engine) as conn:
        conn.execute(sa.update(user.users).values(is_active=True))
        grant = session.begin(conn, USERS[caller], SessionLimits(3600), "", "")
    clock.now -= 1800 if caller == "stale" else 0
    token = tokens.console(grant.user_id, grant.session_id, ends_at=grant.began_at + 3600)
    clock.now += 1800 if caller == "stale" else 0
    if caller == "access":
        token = tokens.access(grant.user_id, grant.session_id, fresh=True, is_admin=False)
    browser.cookies["storekeeper"] = token
    browser.form_key = browser.new_key()  # of a page that was shown while the session was good
    with transaction(engine) as conn:
        if caller == "ended":
            session.end(conn, grant.user_id, grant.session_id)
        if caller == "off":
            user.change(conn, grant.user_id, None, False)
    return browser


def path_of(operation: str) -> str:
    method, template = operation.split()
    for piece, given in PATHS.items():
        only, _, part = piece.rpartition(" ")
        if only in ("", method):
            template = template.replace(part, given)
    return template


def ask(browser: console_browser.Browser, operation: str, caller: str) -> str:
    """What the caller meets, in the words of the table."""
    headers = {"Sec-Fetch-Site": "cross-site"} if caller == "abroad" else {}
    if operation.startswith("GET"):
        answer = browser.get(path_of(operation), headers)
    else:
        form = FORMS.get(operation, {})
        answer = browser.post(path_of(operation), form, headers, file=FILES.get(operation))
    location = answer.headers.get("location", "")
    if answer.status_code == 303 and "/sign-in?next" in location:
        return "in"
    return "sure" if answer.status_code == 303 and "/confirm?next" in location else str(answer.status_code)


def stored(engine: sa.Engine, settings: Settings) -> dict[str, list[str]]:
    """All but what is kept of a form while its sender signs in."""
    return {name: rows for name, rows in everything(engine, settings).items() if name != "kept_forms"}


@pytest.mark.parametrize("caller", CALLERS)
def test_what_each_caller_may_do(
    console_world: sa.Engine, settings: Settings, client: testing.TestClient, tokens: Tokens, clock: Clock, caller: str
) -> None:
    expected = {each: row[caller] for each, row in EXPECTED.items()}
    refused = [each for each, verdict in expected.items() if verdict not in ("200", "303")]
    browser = knock(console_world, client, tokens, clock, caller)
    before = stored(console_world, settings)
    heard = {}
    for each in refused:
        cookies = dict(browser.cookies)
        heard[each] = ask(browser, each, caller)
        browser.cookies = cookies
    assert stored(console_world, settings) == before, "a refused call has changed something"
    for each in sorted([each for each in expected if each not in refused], key=LAST.__contains__):
        heard[each] = ask(knock(console_world, client, tokens, clock, caller), each, caller)
    assert heard == expected


def test_every_page_has_a_row_and_every_row_a_page(parts: Parts, settings: Settings) -> None:
    views = create_routes(create_console_components(create_components(settings, parts)))
    found = {
        f"{method.upper()} {re.sub(':[a-z]+}', '}', template)}"
        for template, view in views.items()
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(view, f"on_{method}")
    }
    assert found == set(EXPECTED)
    assert len(ROWS) == len(EXPECTED)


def test_the_token_of_a_cookie_is_no_bearer_token(client: testing.TestClient, engine: sa.Engine) -> None:
    browser = console_browser.Browser(client, "alice")
    headers = {"Authorization": f"Bearer {browser.cookies['storekeeper']}"}
    answer = client.simulate_get("/item/chair", headers=headers)
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")


def test_the_set_up_token_is_void_once_there_is_an_administrator(
    client: testing.TestClient, engine: sa.Engine, parts: Parts
) -> None:
    form = FORMS["POST /console/set-up"] | {"setup_token": setup_token.create(parts.keys)}
    assert console_browser.Browser(client).post("/console/set-up", form).status_code == 403
