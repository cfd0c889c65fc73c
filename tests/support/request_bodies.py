"""A good request of every operation that takes a body, and who sends it: to be spoiled by the tests."""

import json
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from storekeeper.database.engine import metadata
from storekeeper.models.webhook import webhooks
from tests.conftest import Person, bearer
from tests.support import raw_requests
from tests.support.cast import PASSWORD
from tests.support.raw_requests import JSON, Answer

REQUESTS: dict[tuple[str, str], Any] = {
    ("POST", "/register"): {"username": "newcomer", "password": PASSWORD},
    ("POST", "/login"): {"username": "alice", "password": PASSWORD},
    ("POST", "/login/password"): {"ticket": "$TICKET", "new_password": "another horse"},
    ("POST", "/login/fresh"): {"password": PASSWORD},
    ("PUT", "/user/1/password"): {"current_password": PASSWORD, "new_password": "another horse"},
    ("PATCH", "/user/3"): {"is_active": False},
    ("POST", "/store/lidl"): {"currency": "JPY"},
    ("PUT", "/store/ikea/members/carol"): {"role": "owner"},
    ("POST", "/item/table"): {"price": "1.50", "store_id": 1},
    ("PUT", "/item/chair"): {"price": 1.5, "store_id": 1},
    ("POST", "/store/ikea/item/lamp"): {"price": 1.5},
    ("PUT", "/store/ikea/item/lamp"): {"price": 2},
    ("PATCH", "/store/ikea"): {"negative_stock": True},
    ("PATCH", "/item/chair"): {"price": 2, "tags": ["garden"]},
    ("PATCH", "/store/ikea/item/chair"): {"description": "Oak."},
    ("POST", "/item/chair/stock"): {"delta": 2},
    ("POST", "/store/ikea/item/chair/stock"): {"delta": -2},
    ("POST", "/items/bulk"): [{"store_id": 1, "name": "chair", "stock": 2}],
    ("POST", "/webhooks"): {"url": "https://shop.example/hook", "store": "ikea"},
    ("POST", "/webhooks/1/verify"): {"challenge": "$CHALLENGE"},
    ("PATCH", "/webhooks/1"): {"is_active": True},
    ("POST", "/webhooks/1/replay"): {"after": 2},
}
BODY_IS_OPTIONAL = {("POST", "/store/lidl"), ("PUT", "/store/ikea/members/carol"), ("POST", "/webhooks/1/verify")}


class Callers:
    """Who asks for what: the one who may."""

    def __init__(self, app: Any, alice: Person, root: Person, engine: sa.Engine) -> None:
        self.app = app
        self._engine = engine
        self._tokens = {"PATCH": root.pair["access_token"]}
        self._usual = alice.pair["access_token"]
        root.patch("/user/2", {"must_change_password": True})
        login = root.client.simulate_post("/login", json={"username": "bob", "password": PASSWORD})
        self._ticket = login.json["ticket"]

    def headers(self, method: str) -> list[tuple[str, str]]:
        return list(bearer(self._tokens.get(method, self._usual)).items())

    def send(self, method: str, path: str, body: bytes | str, *headers: tuple[str, str]) -> Answer:
        sent = self._fill(body).encode() if isinstance(body, str) else body
        return raw_requests.send(self.app, method, path, [*self.headers(method), *(headers or [JSON])], sent)

    def _fill(self, body: str) -> str:
        """With what only the server knows: a login's ticket, and what it asks of a webhook's receiver."""
        if "$CHALLENGE" in body:
            with self._engine.connect() as conn:
                body = body.replace("$CHALLENGE", conn.scalar(sa.select(webhooks.c.nonce)) or "")
        return body.replace("$TICKET", self._ticket)


def everything(engine: sa.Engine) -> dict[str, Any]:
    with engine.connect() as conn:
        return {table.name: sorted(conn.execute(sa.select(table)).all(), key=str) for table in metadata.sorted_tables}


def each_with_text() -> Iterable[tuple[str, str, str]]:
    for (method, path), body in REQUESTS.items():
        yield method, path, json.dumps(body)
