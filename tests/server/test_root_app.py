"""The outermost application: what it answers when the one behind it cannot."""

import asyncio
import json
import threading
import time
from typing import Any

from storekeeper.http.asgi_types import App
from storekeeper.http.root_app import LazyApp, RootApp

SCOPE = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": []}


async def receive() -> dict[str, Any]:
    return {"type": "http.disconnect"}


def test_a_request_that_is_cut_off_when_the_server_ends_is_told_to_come_again() -> None:
    async def hang(*_: Any) -> None:
        await asyncio.sleep(60)

    sent = asyncio.run(_cancelled(RootApp(hang, hang, 1)))
    assert sent[0]["status"] == 503
    assert dict(sent[0]["headers"])[b"retry-after"] == b"1"
    assert json.loads(sent[1]["body"])["error"] == "unavailable"


def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    async def begin_and_hang(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(60)

    assert [event["type"] for event in asyncio.run(_cancelled(RootApp(begin_and_hang, begin_and_hang, 1)))] == [
        "http.response.start"
    ]


async def _cancelled(root_app: RootApp) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    task = asyncio.create_task(root_app(dict(SCOPE), receive, send))
    await asyncio.sleep(0)
    task.cancel()
    await task
    return sent


def test_what_is_made_late_is_made_once_and_not_by_the_loop() -> None:
    makers, served = [], []

    async def app(scope: Any, *_: Any) -> None:
        served.append(scope)

    def make() -> App:
        makers.append(threading.get_ident())
        time.sleep(0.05)
        return app

    async def ask() -> None:
        later = LazyApp(make)
        await asyncio.gather(*(later(number, receive, receive) for number in range(3)))
        await later(3, receive, receive)

    asyncio.run(ask())
    assert len(makers) == 1
    assert makers != [threading.get_ident()]
    assert sorted(served) == [0, 1, 2, 3]


def test_a_request_leaves_nothing_for_a_collection() -> None:
    """Uvicorn's `receive` knows the scope, and the scope what is to be read."""

    async def ask(scope: dict[str, Any]) -> None:
        async def app(*_: Any) -> None:
            pass

        async def receive_for() -> dict[str, Any]:
            return {"type": scope["type"]}

        await RootApp(app, app, 1)(scope, receive_for, receive)

    scope = dict(SCOPE)
    asyncio.run(ask(scope))
    assert scope == SCOPE
