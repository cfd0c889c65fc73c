"""Who may call what: every operation of the API, for every kind of caller, in one table that the routes are held to."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from falcon import testing
from falcon.asgi import Response
from falcon.constants import COMBINED_METHODS

from storekeeper.app import create_api, create_routes
from storekeeper.components import Parts, create_components
from storekeeper.database.engine import metadata
from storekeeper.domain.money import PriceInput
from storekeeper.files import images
from storekeeper.http.request import Request
from storekeeper.http.root_app import RootApp
from storekeeper.models import import_job, item, session, store_member, user, webhook, webhook_delivery
from storekeeper.models.item_fields import Fields
from storekeeper.models.session import SessionLimits
from storekeeper.security.tokens import Lifetimes, Tokens
from storekeeper.settings import Settings
from tests.conftest import Clock, Person, as_served, bearer
from tests.support import images as pictures
from tests.support.cast import HASHED, PASSWORD
from tests.support.databases import transaction
from tests.support.webhook_senders import agree

# What each caller hears: a status, or the error of a 401 by the word that ERRORS has for it. But for nobody, each
# sends a token that was good once. `refresh` is Alice's refresh token where an access token is wanted. `demoted` was
# an administrator when their token was made, and it still says so. `stale` is an administrator whose password was not
# given for their token. The stranger works in no store, Bob is clerk of this one, and Alice owns it: she also is the
# user, and the session hers, that the URLs name.
TABLE = """
operation                                      nobody ended inactive refresh demoted stale stranger clerk owner admin
POST   /register                               201    201   201      201     201     201   201      201   201   201
POST   /login                                  200    200   200      200     200     200   200      200   200   200
POST   /login/password                         403    403   403      403     403     403   403      403   403   403
POST   /login/fresh                            none   dead  dead     kind    200     200   200      200   200   200
POST   /refresh                                none   kind  kind     200     kind    kind  kind     kind  kind  kind
POST   /logout                                 none   dead  dead     200     200     200   200      200   200   200
GET    /sessions                               none   dead  dead     kind    200     200   200      200   200   200
DELETE /sessions/{session_id}                  none   dead  dead     kind    404     404   404      404   200   404
DELETE /sessions                               none   dead  dead     kind    200     stale 200      200   200   200
GET    /user/{user_id}                         none   dead  dead     kind    404     200   404      404   200   200
PATCH  /user/{user_id}                         none   dead  dead     kind    403     stale 403      403   403   200
PUT    /user/{user_id}/password                none   dead  dead     kind    404     stale 404      404   200   404
GET    /users                                  none   dead  dead     kind    403     200   403      403   403   200
GET    /store/{name}                           200    200   200      200     200     200   200      200   200   200
POST   /store/{name}                           none   dead  dead     kind    201     201   201      201   201   201
PATCH  /store/{name}                           none   dead  dead     kind    403     200   403      403   200   200
DELETE /store/{name}                           none   dead  dead     kind    403     200   403      403   200   200
GET    /stores                                 200    200   200      200     200     200   200      200   200   200
GET    /store/{name}/items                     200    dead  dead     kind    200     200   200      200   200   200
GET    /store/{name}/members                   none   dead  dead     kind    404     200   404      200   200   200
GET    /store/{name}/members/{username}        none   dead  dead     kind    404     200   404      200   200   200
PUT    /store/{name}/members/{username}        none   dead  dead     kind    403     stale 403      403   201   201
DELETE /store/{name}/members/{username}        none   dead  dead     kind    404     stale 404      403   200   200
GET    /item/{name}                            none   dead  dead     kind    200     200   200      200   200   200
POST   /item/{name}                            none   dead  dead     kind    403     stale 403      201   201   201
PUT    /item/{name}                            none   dead  dead     kind    403     200   403      200   200   200
PATCH  /item/{name}                            none   dead  dead     kind    403     200   403      200   200   200
DELETE /item/{name}                            none   dead  dead     kind    403     200   403      403   200   200
POST   /item/{name}/stock                      none   dead  dead     kind    403     200   403      200   200   200
PUT    /item/{name}/image                      none   dead  dead     kind    403     200   403      200   200   200
DELETE /item/{name}/image                      none   dead  dead     kind    403     200   403      200   200   200
GET    /store/{name}/item/{item_name}          none   dead  dead     kind    200     200   200      200   200   200
POST   /store/{name}/item/{item_name}          none   dead  dead     kind    403     stale 403      201   201   201
PUT    /store/{name}/item/{item_name}          none   dead  dead     kind    403     200   403      200   200   200
PATCH  /store/{name}/item/{item_name}          none   dead  dead     kind    403     200   403      200   200   200
DELETE /store/{name}/item/{item_name}          none   dead  dead     kind    403     200   403      403   200   200
POST   /store/{name}/item/{item_name}/stock    none   dead  dead     kind    403     200   403      200   200   200
PUT    /store/{name}/item/{item_name}/image    none   dead  dead     kind    403     200   403      200   200   200
DELETE /store/{name}/item/{item_name}/image    none   dead  dead     kind    403     200   403      200   200   200
GET    /item/{name}/history                    none   dead  dead     kind    403     200   403      200   200   200
GET    /item/{name}/price                      none   dead  dead     kind    200     200   200      200   200   200
GET    /store/{name}/item/{item_name}/history  none   dead  dead     kind    403     200   403      200   200   200
GET    /store/{name}/item/{item_name}/price    none   dead  dead     kind    200     200   200      200   200   200
GET    /store/{name}/history                   none   dead  dead     kind    403     200   403      200   200   200
GET    /changes                                none   dead  dead     kind    200     200   200      200   200   200
GET    /audit                                  none   dead  dead     kind    403     200   403      403   403   200
GET    /items                                  200    dead  dead     kind    200     200   200      200   200   200
GET    /images/{key}/{size}                    200    200   200      200     200     200   200      200   200   200
POST   /items/bulk                             none   dead  dead     kind    403     200   403      200   200   200
GET    /imports                                none   dead  dead     kind    403     200   403      200   200   200
POST   /imports                                none   dead  dead     kind    403     202   403      202   202   202
GET    /imports/{import_id}                    none   dead  dead     kind    404     200   404      200   200   200
POST   /imports/{import_id}                    none   dead  dead     kind    404     202   404      202   202   202
DELETE /imports/{import_id}                    none   dead  dead     kind    404     200   404      200   200   200
GET    /imports/{import_id}/refusals           none   dead  dead     kind    404     200   404      200   200   200
POST   /webhooks                               none   dead  dead     kind    403     stale 403      403   201   201
GET    /webhooks                               none   dead  dead     kind    200     200   200      200   200   200
GET    /webhooks/{webhook_id}                  none   dead  dead     kind    404     200   404      404   200   200
PATCH  /webhooks/{webhook_id}                  none   dead  dead     kind    404     200   404      404   200   200
DELETE /webhooks/{webhook_id}                  none   dead  dead     kind    404     200   404      404   200   200
POST   /webhooks/{webhook_id}/rotate           none   dead  dead     kind    404     stale 404      404   200   200
POST   /webhooks/{webhook_id}/takeover         none   dead  dead     kind    404     stale 404      404   200   200
POST   /webhooks/{webhook_id}/verify           none   dead  dead     kind    404     200   404      404   200   200
POST   /webhooks/{webhook_id}/test             none   dead  dead     kind    404     202   404      404   202   202
POST   /webhooks/{webhook_id}/replay           none   dead  dead     kind    404     202   404      404   202   202
GET    /webhooks/{webhook_id}/deliveries       none   dead  dead     kind    404     200   404      404   200   200
POST   /webhooks/{webhook_id}/deliveries/{delivery_id}/replay none dead dead kind 404    202   404      404   202   202
GET    /                                       302    302   302      302     302     302   302      302   302   302
GET    /docs                                   200    200   200      200     200     200   200      200   200   200
GET    /docs/{name}                            200    200   200      200     200     200   200      200   200   200
GET    /openapi.json                           200    200   200      200     200     200   200      200   200   200
GET    /livez                                  200    200   200      200     200     200   200      200   200   200
GET    /readyz                                 200    dead  dead     kind    200     200   200      200   200   200
DELETE /user/{user_id}                         none   dead  dead     kind    404     stale 404      404   200   200
"""
ERRORS = {
    "none": "authorization_required",
    "dead": "token_revoked",
    "kind": "invalid_token",
    "stale": "fresh_token_required",
}
HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
CALLERS = HEAD[1:]
EXPECTED = {f"{method} {template}": dict(zip(CALLERS, row, strict=True)) for method, template, *row in ROWS}
USERS = {"owner": 1, "refresh": 1, "ended": 1, "clerk": 2, "stranger": 3, "admin": 4, "stale": 4}
USERS |= {"demoted": 6, "inactive": 7}

IMAGE = "0" * 64

# The requests, where they are not the template itself; all are valid, so that the verdict is about rights alone.
PATHS = {
    "/sessions/{session_id}": "/sessions/1",
    "/user/{user_id}": "/user/1",
    "/user/{user_id}/password": "/user/1/password",
    "/store/{name}": "/store/ikea",
    "/store/{name}/members": "/store/ikea/members",
    "/store/{name}/members/{username}": "/store/ikea/members/bob",
    "/item/{name}": "/item/chair",
    "/store/{name}/items": "/store/ikea/items",
    "/item/{name}/stock": "/item/chair/stock",
    "/item/{name}/image": "/item/chair/image",
    "/store/{name}/item/{item_name}": "/store/ikea/item/chair",
    "/store/{name}/item/{item_name}/stock": "/store/ikea/item/chair/stock",
    "/store/{name}/item/{item_name}/image": "/store/ikea/item/chair/image",
    "/item/{name}/history": "/item/chair/history",
    "/item/{name}/price": "/item/chair/price",
    "/store/{name}/item/{item_name}/history": "/store/ikea/item/chair/history",
    "/store/{name}/item/{item_name}/price": "/store/ikea/item/chair/price",
    "/store/{name}/history": "/store/ikea/history",
    "/images/{key}/{size}": f"/images/{IMAGE}/small",
    "/imports": "/imports?store=ikea",
    "/imports/{import_id}": "/imports/1",
    "/imports/{import_id}/refusals": "/imports/1/refusals",
    "/webhooks/{webhook_id}": "/webhooks/1",
    "/webhooks/{webhook_id}/rotate": "/webhooks/1/rotate",
    "/webhooks/{webhook_id}/takeover": "/webhooks/1/takeover",
    "/webhooks/{webhook_id}/verify": "/webhooks/1/verify",
    "/webhooks/{webhook_id}/test": "/webhooks/1/test",
    "/webhooks/{webhook_id}/replay": "/webhooks/1/replay",
    "/webhooks/{webhook_id}/deliveries": "/webhooks/1/deliveries",
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay": "/webhooks/1/deliveries/3/replay",
    "/docs/{name}": "/docs/start.js",
    # What comes or goes has a name of its own.
    "POST /store/{name}": "/store/new",
    "DELETE /store/{name}": "/store/shed",
    "DELETE /user/{user_id}": "/user/1?stores_to=bob",
    "PUT /store/{name}/members/{username}": "/store/ikea/members/carol",
    "DELETE /store/{name}/members/{username}": "/store/ikea/members/dave",
    "POST /item/{name}": "/item/table",
    "DELETE /item/{name}": "/item/lamp",
    "POST /store/{name}/item/{item_name}": "/store/ikea/item/desk",
    "DELETE /store/{name}/item/{item_name}": "/store/ikea/item/sofa",
    "POST /imports/{import_id}": "/imports/2",
    "DELETE /webhooks/{webhook_id}": "/webhooks/2",
}
BODIES: dict[str, Any] = {
    "POST /register": {"username": "newcomer", "password": PASSWORD},
    "POST /login": {"username": "carol", "password": PASSWORD},
    "POST /login/password": {"ticket": "1.1.0", "new_password": "another horse battery"},  # to be had by a login alone
    "POST /login/fresh": {"password": PASSWORD},
    "PATCH /user/{user_id}": {"is_active": True},
    "PUT /user/{user_id}/password": {"current_password": PASSWORD, "new_password": "another horse battery"},
    "PUT /store/{name}/members/{username}": {"role": "clerk"},
    "POST /item/{name}": {"price": 5, "store_id": 1},
    "PUT /item/{name}": {"price": 5, "store_id": 1},
    "POST /store/{name}/item/{item_name}": {"price": 5},
    "PUT /store/{name}/item/{item_name}": {"price": 5},
    "PATCH /store/{name}": {"negative_stock": True},
    "PATCH /item/{name}": {"price": 5},
    "PATCH /store/{name}/item/{item_name}": {"price": 5},
    "POST /item/{name}/stock": {"delta": 5},
    "POST /store/{name}/item/{item_name}/stock": {"delta": 5},
    "POST /webhooks": {"url": "https://shop.example/hook", "store": "ikea"},
    "PATCH /webhooks/{webhook_id}": {"is_active": True},
    "POST /webhooks/{webhook_id}/replay": {"after": 3},
    "POST /items/bulk": [{"store_id": 1, "name": "chair", "price": 5}],
}
PNG = "image/png", pictures.encoded(pictures.two_colours(2, 2), "PNG")
UPLOADS = {
    "PUT /item/{name}/image": PNG,
    "PUT /store/{name}/item/{item_name}/image": PNG,
    "POST /imports": ("text/csv", b"name,price\r\nrug,5\r\n"),
}


@pytest.fixture
def tokens(parts: Parts) -> Tokens:
    return Tokens(parts.keys, Lifetimes())


@pytest.fixture
def world(engine: sa.Engine, parts: Parts) -> sa.Engine:
    """Beside the cast: those who may no longer, what is there to be deleted, and session 1, which is Alice's.

    Import 1 waits, and import 2 is planned.
    """
    asyncio.run(parts.storage.put(images.path(IMAGE, "small"), b"image"))
    with transaction(engine) as conn:
        for name in ("dave", "frank", "ivan"):
            user.add(conn, name, HASHED)
        store_member.put(conn, 1, "ikea", "dave", "clerk")
        store_member.create_store(conn, 1, "shed", "EUR")
        store_member.put(conn, 1, "shed", "bob", "clerk")
        for name in ("lamp", "sofa", "poster"):
            item.add(conn, 1, 1, name, Fields(price=PriceInput("5")))
        conn.execute(sa.update(item.items).where(item.items.c.name == "poster").values(image=IMAGE))
        session.begin(conn, 1, SessionLimits(3600), "", "")
        for _ in range(2):
            import_job.add(conn, 1, import_job.ImportRequest(store="ikea", file="imports/a", file_name="", size=1))
        conn.execute(sa.update(import_job.jobs).where(import_job.jobs.c.id == 2).values(state="planned", ended_at=1))
        for _ in range(2):
            webhook.add(conn, None, "https://shop.example/hook", "ikea")
        agree(conn)
        webhook_delivery.ping(conn, None, 1)
    return engine


def knock(engine: sa.Engine, tokens: Tokens, caller: str) -> dict[str, str]:
    """The headers of that caller, in a session of its own."""
    if caller == "nobody":
        return {}
    with transaction(engine) as conn:
        conn.execute(sa.update(user.users).values(is_active=True))
        grant = session.begin(conn, USERS[caller], SessionLimits(3600), "", "")
        if caller == "ended":
            session.end(conn, grant.user_id, grant.session_id)
        if caller == "inactive":  # the session stays: it is the user who may not
            user.change(conn, grant.user_id, None, False)
    return bearer(token_of(tokens, grant, caller))


def token_of(tokens: Tokens, grant: session.Grant, caller: str) -> str:
    if caller == "refresh":
        return tokens.refresh(grant.user_id, grant.session_id, number=1, began=grant.began_at)
    was_admin = grant.is_admin or caller == "demoted"
    return tokens.access(grant.user_id, grant.session_id, fresh=caller != "stale", is_admin=was_admin)


def ask(client: testing.TestClient, operation: str, headers: dict[str, str]) -> str:
    """What the caller hears, in the words of the table."""
    method, template = operation.split()
    path = PATHS.get(operation) or PATHS.get(template, template)
    given: dict[str, Any] = {"json": BODIES.get(operation)}
    if operation in UPLOADS:
        media_type, given["body"] = UPLOADS[operation]
        headers = headers | {"Content-Type": media_type}
    answer = client.simulate_request(method, path, headers=headers, **given)
    if answer.status_code != 401:
        return str(answer.status_code)
    code = answer.json["error"]
    return next((word for word, known in ERRORS.items() if known == code), code)


def everything(engine: sa.Engine, settings: Settings) -> dict[str, list[str]]:
    """All rows of all tables, and the names of all files."""
    files = {"files": sorted(str(each) for each in Path(settings.data, "files").rglob("*") if each.is_file())}
    with engine.connect() as conn:
        rows = {each.name: sorted(map(repr, conn.execute(sa.select(each)))) for each in metadata.sorted_tables}
    return rows | files


@pytest.mark.parametrize("caller", CALLERS)
def test_what_each_caller_may_do(
    world: sa.Engine, settings: Settings, client: testing.TestClient, tokens: Tokens, caller: str
) -> None:
    expected = {each: row[caller] for each, row in EXPECTED.items()}
    refused = [each for each, verdict in expected.items() if not verdict.startswith(("2", "3"))]
    headers = knock(world, tokens, caller)
    before = everything(world, settings)
    heard = {each: ask(client, each, headers) for each in refused}
    assert everything(world, settings) == before, "a refused call has changed something"
    for each in [each for each in expected if each not in refused]:
        heard[each] = ask(client, each, knock(world, tokens, caller))
    assert heard == expected


def test_every_operation_has_a_row_and_every_row_an_operation(parts: Parts, settings: Settings, tokens: Tokens) -> None:
    routes = create_routes(create_components(settings, parts))
    methods = [method for method in COMBINED_METHODS if method.isalpha()]
    found = {
        f"{method} {re.sub(':[a-z]+}', '}', template)}"
        for template, resource in routes.items()
        for method in methods
        if hasattr(resource, f"on_{method.lower()}")
    }
    assert found | {"GET /openapi.json"} == set(EXPECTED)
    assert len(ROWS) == len(EXPECTED)


def test_a_responder_without_a_mark_is_for_the_signed_in(parts: Parts, settings: Settings, alice: Person) -> None:
    class Bare:
        async def on_get(self, req: Request, resp: Response) -> None:
            resp.media = {"user_id": req.caller.user_id}

    api = create_api(create_components(settings, parts))
    api.add_route("/bare", Bare())
    client = testing.TestClient(as_served(RootApp(api, api, settings.body_seconds)))
    assert client.simulate_get("/bare").json["error"] == "authorization_required"
    assert client.simulate_get("/bare", headers=bearer(alice.pair["refresh_token"])).json["error"] == "invalid_token"
    assert client.simulate_get("/bare", headers=bearer(alice.pair["access_token"])).json == {"user_id": 1}


# The five token errors, word for word (design 1.2).


def is_refused(answer: testing.Result, error: str, **members: str) -> bool:
    """Whether it is that 401, with at least those members, and the challenge that RFC 6750 wants."""
    is_known = answer.status_code == 401 and (members | {"error": error}).items() <= answer.json.items()
    return is_known and answer.headers["WWW-Authenticate"] == 'Bearer realm="storekeeper", error="invalid_token"'


def test_no_token(client: testing.TestClient) -> None:
    answer = client.simulate_get("/item/chair")
    assert answer.status_code == 401
    description = "Request does not contain an access token."
    assert answer.json.items() >= {"description": description, "error": "authorization_required"}.items()
    assert client.simulate_head("/item/chair").status_code == 401
    # RFC 6750 section 3.1: no error code for who did not try to authenticate.
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="storekeeper"'


def test_a_bad_token(alice: Person, client: testing.TestClient) -> None:
    head, payload, _ = alice.pair["access_token"].split(".")
    for token in (f"{head}.{payload}.{'A' * 43}", "nonsense"):
        answer = client.simulate_get("/item/chair", headers=bearer(token))
        assert is_refused(answer, "invalid_token", message="Signature verification failed.")
    # Where the signature is good, the message may be more exact.
    assert is_refused(client.simulate_get("/item/chair", headers=bearer(alice.pair["refresh_token"])), "invalid_token")


def test_an_expired_token(alice: Person, clock: Clock) -> None:
    assert alice.get("/item/chair").status_code == 200
    clock.now += 15 * 60 + 31
    assert is_refused(alice.get("/item/chair"), "token_expired", message="The token has expired.")


def test_a_token_that_is_not_fresh(alice: Person, client: testing.TestClient) -> None:
    token = alice.refresh()["access_token"]
    answer = client.simulate_post("/item/table", headers=bearer(token), json={"price": 1, "store_id": 1})
    assert is_refused(answer, "fresh_token_required", description="The token is not fresh.")


def test_a_revoked_token(alice: Person) -> None:
    assert alice.post("/logout").status_code == 200
    assert is_refused(alice.get("/item/chair"), "token_revoked", description="The token has been revoked.")
