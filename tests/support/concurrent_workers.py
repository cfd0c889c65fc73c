"""Many callers at once, and the workers that they call: apps that share a database and the keys, as processes would."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from storekeeper.app import create_app
from storekeeper.database.executor import Database
from storekeeper.security import signing_keys
from storekeeper.security.argon2 import Hasher
from storekeeper.security.passwords import Passwords
from storekeeper.settings import Settings
from tests.conftest import make_parts
from tests.support.cast import CHEAP, PASSWORD


class Call(NamedTuple):
    method: str
    path: str
    body: Any = None
    token: str = ""
    address: str = "127.0.0.1"
    more: tuple[tuple[str, str], ...] = ()  # headers


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any
    text: str


@contextmanager
def worker(settings: Settings, hasher: Hasher = CHEAP, at_once: int = 8, seconds: float = 5.0) -> Iterator[Any]:
    """An app with connections and threads of its own."""
    signing_keys.ensure(settings.keys_path)
    db = Database(settings.database, seconds=seconds)
    passwords = Passwords(hasher, at_once, settings.password_length)
    try:
        yield create_app(settings, make_parts(settings, db, passwords))
    finally:
        passwords.close()
        db.close()


def at_once(apps: Sequence[Any], calls: Sequence[Call]) -> list[Answer]:
    """The answers to all the calls, made at once and dealt out to the apps in turn."""

    async def gather() -> list[Answer]:
        return await asyncio.gather(*(send(apps[i % len(apps)], call) for i, call in enumerate(calls)))

    return asyncio.run(gather())


def call(app: Any, method: str, path: str, body: Any = None, token: str = "") -> Answer:
    return at_once([app], [Call(method, path, body, token)])[0]


async def send(app: Any, call: Call) -> Answer:
    """Straight through ASGI: a client library costs more than the server does."""
    body = call.body if isinstance(call.body, bytes) else b"" if call.body is None else json.dumps(call.body).encode()
    events: list[Any] = []

    unread = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        if not unread:
            await asyncio.Event().wait()  # nobody hangs up
        return unread.pop()

    async def note(event: Any) -> None:
        events.append(event)

    await app(_scope(call, body), receive, note)
    headers = {name.decode(): value.decode() for name, value in events[0]["headers"]}
    text = b"".join(event.get("body", b"") for event in events[1:]).decode()
    is_json = headers.get("content-type", "").startswith("application/json")
    return Answer(events[0]["status"], headers, json.loads(text) if is_json else None, text)


def _scope(call: Call, body: bytes) -> dict[str, Any]:
    path, _, query = call.path.partition("?")
    headers = [(b"host", b"server"), (b"content-length", str(len(body)).encode())]
    if body and not isinstance(call.body, bytes):
        headers.append((b"content-type", b"application/json"))
    if call.token:
        headers.append((b"authorization", f"Bearer {call.token}".encode()))
    headers += [(name.lower().encode(), value.encode()) for name, value in call.more]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": quote(path, safe="/%").encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": (call.address, 50_000),
        "server": ("server", 80),
    }


def log_in(app: Any, username: str, password: str = PASSWORD) -> dict[str, str]:
    answer = call(app, "POST", "/login", {"username": username, "password": password})
    assert answer.status == 200, answer
    return dict(answer.body)


def statuses(answers: Sequence[Answer]) -> dict[int, int]:
    """How many answers there were of each status."""
    found = sorted(answer.status for answer in answers)
    return {status: found.count(status) for status in found}
