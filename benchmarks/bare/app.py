"""One bare ASGI function with everything inline: no framework, no threads, no limits, hardly a check.

It does for each request what Storekeeper does to the database, and verifies a token's signature once.
"""

import json
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
from nacl.pwhash import argon2id

from benchmarks.bare.drivers import Driver, connect

CALLER = """
    SELECT user_id FROM sessions JOIN users ON users.id = user_id
    WHERE sessions.id = $1 AND is_active"""
READ = "SELECT id, name, price_minor, store_id FROM items WHERE name = $1 LIMIT 2"
LIST = "SELECT id, name, price_minor, store_id FROM items WHERE id > $1 ORDER BY id LIMIT $2"
UPDATE = """
    UPDATE items SET price_minor = $1 WHERE name = $2 AND store_id = $3
    AND EXISTS (SELECT 1 FROM store_members WHERE store_id = items.store_id AND user_id = $4)
    RETURNING id, name, price_minor, store_id"""
PASSWORD = "SELECT id, password_hash FROM users WHERE username = $1 AND is_active"
BEGIN = "INSERT INTO sessions (user_id, last_used_at) VALUES ($1, $2) RETURNING id"
USE = "UPDATE sessions SET last_used_at = $1 WHERE id = $2 RETURNING user_id"

Json = dict[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Json]]
Send = Callable[[Json], Awaitable[None]]


class Bare:
    """The function, and what it holds: the driver, the key, and the claims of the tokens seen so far."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key
        self._driver: Driver
        self._known: dict[bytes, Json] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            self._driver = await connect(self._url)
            await send({"type": "lifespan.startup.complete"})
            return
        body = await self._answer(scope, receive)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> bytes:
        method, path = scope["method"], scope["path"]
        if method == "GET":
            return await (self._list(scope) if path == "/items" else self._read(scope))
        body = json.loads((await receive())["body"] or b"{}")
        if method == "PUT":
            return await self._update(scope, body)
        return await (self._login(body) if path == "/login" else self._refresh(scope))

    async def _read(self, scope: Scope) -> bytes:
        await self._caller(scope)
        rows = await self._driver.run(READ, scope["path"][6:])
        return _item(*rows[0])

    async def _list(self, scope: Scope) -> bytes:
        await self._caller(scope)
        limit = int(scope["query_string"].partition(b"limit=")[2])
        rows = await self._driver.run(LIST, 0, limit)
        return b'{"items":[%s]}' % b",".join(_item(*row) for row in rows)

    async def _update(self, scope: Scope, body: Json) -> bytes:
        user_id = await self._caller(scope)
        minor = round(body["price"] * 100)
        rows = await self._driver.run(UPDATE, minor, scope["path"][6:], body["store_id"], user_id)
        return _item(*rows[0])

    async def _login(self, body: Json) -> bytes:
        user_id, hashed = (await self._driver.run(PASSWORD, body["username"]))[0]
        argon2id.verify(hashed.encode(), body["password"].encode())  # the parameters are the stored hash's own
        rows = await self._driver.run(BEGIN, user_id, int(time.time()))
        return self._tokens(user_id, rows[0][0])

    async def _refresh(self, scope: Scope) -> bytes:
        sid = self._claims(scope)["sid"]
        rows = await self._driver.run(USE, int(time.time()), sid)
        return self._tokens(rows[0][0], sid)

    async def _caller(self, scope: Scope) -> int:
        rows = await self._driver.run(CALLER, self._claims(scope)["sid"])
        user_id: int = rows[0][0]
        return user_id

    def _claims(self, scope: Scope) -> Json:
        token = next(value for name, value in scope["headers"] if name == b"authorization")[7:]
        claims = self._known.get(token)
        if claims is None:
            claims = self._known[token] = jwt.decode(token, self._key, ["HS256"])
        if claims["exp"] < time.time():
            raise jwt.ExpiredSignatureError
        return claims

    def _tokens(self, user_id: int, sid: int) -> bytes:
        claims = {"sub": str(user_id), "sid": sid}
        names = {"access_token": 900, "refresh_token": 30 * 86_400}
        tokens = {name: self._sign(claims | {"exp": int(time.time()) + seconds}) for name, seconds in names.items()}
        return json.dumps(tokens).encode()

    def _sign(self, claims: Json) -> str:
        return jwt.encode(claims, self._key, "HS256")


def _item(id: int, name: str, minor: int, store_id: int) -> bytes:
    price = b"%d.%02d" % divmod(minor, 100)
    return b'{"id":%d,"name":"%s","price":%s,"store_id":%d}' % (id, name.encode(), price, store_id)


def create_app() -> Bare:
    return Bare(os.environ["BARE_DATABASE_URL"], os.environ["BARE_SECRET_KEY"])
