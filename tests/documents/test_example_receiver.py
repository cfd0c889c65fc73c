"""examples/receiver.py takes what is signed, once, and nothing else; and docs/webhooks.md shows what is true."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from socket import create_server
from typing import Any

import pytest

from storekeeper.security.webhook_signatures import new_secret, sign
from storekeeper.webhooks.sender import RETRIES
from tests.support import markdown
from tests.support.server_process import ROOT, await_that

SECRET = new_secret()
TEXT = (ROOT / "docs" / "webhooks.md").read_text()


@pytest.fixture
def port() -> int:
    with create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def log(tmp_path: Path, port: int) -> Iterator[Path]:
    """The receiver runs; what it prints."""
    path = tmp_path / "log"
    environ = os.environ | {"WEBHOOK_SECRET": SECRET}
    command = [sys.executable, str(ROOT / "examples" / "receiver.py"), str(port)]
    with (
        path.open("wb") as out,
        subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=out, stderr=subprocess.DEVNULL) as process,
    ):
        await_that(lambda: listens(port))
        yield path
        process.terminate()


def listens(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port)
    try:
        connection.connect()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def send(port: int, id: str, name: str, *secrets: str, at: float = 0, **headers: str) -> int:
    body = json.dumps({"type": "item.update", "data": {"after": {"name": name}}}).encode()
    return post(port, id, body, *secrets, at=at, **headers)[0]


def post(port: int, id: str, body: bytes, *secrets: str, at: float = 0, **headers: str) -> tuple[int, bytes]:
    now = int(time.time() + at)
    signatures = " ".join(sign(secret, id, now, body) for secret in secrets or (SECRET,))
    given = {"webhook-id": id, "webhook-timestamp": str(now), "webhook-signature": signatures}
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/", body, given | {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def test_a_port_that_is_in_use_ends_the_example_with_a_sentence(tmp_path: Path) -> None:
    with create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command = [sys.executable, str(ROOT / "examples" / "receiver.py"), str(port)]
        environ = os.environ | {"WEBHOOK_SECRET": SECRET}
        ended = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert re.fullmatch(rf"Cannot listen on port {port}: .+\n", ended.stderr)


def test_the_example_repeats_a_challenge_that_is_signed(port: int, log: Path) -> None:
    body = json.dumps({"type": "webhook.challenge", "data": {"challenge": "n0nce"}}).encode()
    assert post(port, "msg_1_challenge_1", body) == (200, b'{"challenge": "n0nce"}')
    assert post(port, "msg_1_challenge_1", body, new_secret()) == (400, b"")
    assert log.read_text() == ""


def test_the_example_takes_each_message_once_and_no_forged_one(port: int, log: Path) -> None:
    assert send(port, "msg_1_1", "chair") == 204
    assert send(port, "msg_1_1", "chair") == 204
    assert send(port, "msg_1_2", "table") == 204
    assert send(port, "msg_1_3", "forged", new_secret()) == 400
    assert send(port, "msg_1_3", "old", at=-400) == 400
    assert send(port, "msg_1_3", "nonsense", webhook_timestamp="soon") == 400
    assert send(port, "msg_1_3", "other id", webhook_id="msg_1_4") == 400
    assert send(port, "msg_1_3", "none", webhook_signature="v1,") == 400
    assert send(port, "msg_1_5", "both", new_secret(), SECRET) == 204
    names = [json.loads(line.partition(" ")[2])["name"] for line in log.read_text().splitlines()]
    assert names == ["chair", "table", "both"]


def test_the_message_in_the_document_is_signed_as_it_says() -> None:
    (text,) = [block.text for block in markdown.blocks(TEXT) if block.language == "http"]
    head, _, body = text.rstrip("\n").partition("\n\n")
    headers: dict[str, Any] = dict(line.split(": ") for line in head.splitlines()[1:])
    (secret,) = re.findall(r"`(whsec_[A-Za-z0-9+/=]+)`", TEXT)
    signature = sign(secret, headers["webhook-id"], int(headers["webhook-timestamp"]), body.encode())
    assert headers["webhook-signature"] == signature


def test_the_times_in_the_document_are_those_between_attempts() -> None:
    assert "after 5 seconds, 5 minutes, 30 minutes, and 2, 5, 10, 14, 20 and 24 hours" in " ".join(TEXT.split())
    assert list(RETRIES) == [5, 300, 1800, *(3600 * hours for hours in (2, 5, 10, 14, 20, 24))]
