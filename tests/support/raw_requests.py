"""A request as the server hands it over: every byte of path, query, headers and body as the test wants it."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from falcon import async_to_sync

Headers = Sequence[tuple[str, str]]

JSON = ("Content-Type", "application/json")
HANG = {"type": "the rest never comes"}
DISCONNECT = {"type": "http.disconnect"}


class Answer(NamedTuple):
    status: int
    fields: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.fields)

    @property
    def wrong(self) -> set[str]:
        """The fields that the answer names."""
        return {each["field"] for each in self.json.get("errors", [])}


def send(app: Any, method: str, target: str, headers: Headers = (), body: bytes = b"") -> Answer:
    """With the body's length, as everybody sends it."""
    length = [("Content-Length", str(len(body)))] if body else []
    return exchange(app, method, target, [*headers, *length], [pieces(body)])


def pieces(body: bytes, more_body: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more_body}


def exchange(app: Any, method: str, target: str, headers: Headers, events: Sequence[dict[str, Any]]) -> Answer:
    """The answer to a request whose body comes as these events."""
    return async_to_sync(_exchange, app, scope(method, target, headers), list(events))


def scope(method: str, target: str, headers: Headers) -> dict[str, Any]:
    """As Uvicorn makes it."""
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "root_path": "",
        "query_string": query.encode("latin-1"),
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 5000),
    }


async def _exchange(app: Any, asked: dict[str, Any], events: list[dict[str, Any]]) -> Answer:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        event = events.pop(0) if events else DISCONNECT
        if event is HANG:
            await asyncio.Event().wait()
        return event

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    await app(asked, receive, send)
    start, *rest = sent
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
    return Answer(start["status"], fields, b"".join(event.get("body", b"") for event in rest))
