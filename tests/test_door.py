"""The outermost application: what it answers when the one behind it cannot."""

import asyncio
import json
from typing import Any

from storekeeper.door import Door

SCOPE = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": []}


async def receive() -> dict[str, Any]:
    return {"type": "http.disconnect"}


def test_a_request_that_is_cut_off_when_the_server_ends_is_told_to_come_again() -> None:
    async def hang(*_: Any) -> None:
        await asyncio.sleep(60)

    sent = asyncio.run(_cancelled(Door(hang, hang, 1)))
    assert sent[0]["status"] == 503
    assert dict(sent[0]["headers"])[b"retry-after"] == b"1"
    assert json.loads(sent[1]["body"])["error"] == "unavailable"


def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    async def begin_and_hang(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(60)

    assert [event["type"] for event in asyncio.run(_cancelled(Door(begin_and_hang, begin_and_hang, 1)))] == [
        "http.response.start"
    ]


async def _cancelled(door: Door) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    task = asyncio.create_task(door(dict(SCOPE), receive, send))
    await asyncio.sleep(0)
    task.cancel()
    await task
    return sent
