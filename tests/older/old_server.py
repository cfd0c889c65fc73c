"""A server of an older version in a process of its own, its commands, and clients that ask it as people do."""

import base64
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

BOUND_SECONDS = 60
LISTENING = re.compile(r"Listening on http://127\.0\.0\.1:(\d+)")
SETUP_TOKEN = re.compile(r'"setup_token": "([0-9a-f]+)"')
PASSWORD = "correct horse battery"
PORT = 18089  # of the receiver of webhooks: it stands in the database
RECEIVED = {"/ok": 200, "/fails": 500, "/gone": 410}


class Answer(NamedTuple):
    status: int
    json: Any
    headers: Mapping[str, str]


class OldServer:
    """`checkout` is a folder with the version's code, and `python` an interpreter with what that needs."""

    def __init__(self, checkout: Path, python: Path, data: Path, database_url: str) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("STOREKEEPER_")}
        settings = {"data": data, "database_url": database_url, "trusted_proxies": "127.0.0.1", "port": 0}
        if (checkout / "storekeeper" / "webhooks_cli.py").exists():
            settings["webhook_networks"] = "127.0.0.0/8"
        self.environ = environ | {f"STOREKEEPER_{name.upper()}": str(value) for name, value in settings.items()}
        self.checkout = checkout
        self.command = [str(python), "-m", "storekeeper"]
        self.log = data.with_suffix(".log")

    def __enter__(self) -> "OldServer":
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*self.command, "serve"], cwd=self.checkout, env=self.environ, stdout=log, stderr=log
            )
        await_that(lambda: LISTENING.search(self.log.read_text()))
        found = LISTENING.search(self.log.read_text())
        assert found, self.log.read_text()
        self.port = int(found[1])
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(BOUND_SECONDS)

    @property
    def setup_token(self) -> str:
        await_that(lambda: SETUP_TOKEN.search(self.log.read_text()))
        found = SETUP_TOKEN.search(self.log.read_text())
        assert found
        return found[1]

    def run(self, *command: str, stdin: str = "") -> str:
        """What a command of the operator's prints."""
        done = subprocess.run(
            [*self.command, *command],
            cwd=self.checkout,
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """What a request is answered, which has to be a success. `body` is bytes, or what is sent as JSON."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body, names = json.dumps(body).encode(), {"Content-Type": "application/json"} | names
        # The path goes out as it is: no client of another kind would send a segment "..".
        conn = HTTPConnection("127.0.0.1", self.port, timeout=BOUND_SECONDS)
        conn.request(method, path, body, names)
        answer = conn.getresponse()
        content, status = answer.read(), answer.status
        conn.close()
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        assert status < 400 or (status, path) in EXPECTED, (method, path, status, content)
        return Answer(status, json.loads(content) if is_json else None, answer.headers)


EXPECTED = {(401, "/login")}


class Person:
    """Somebody with a user name, from an address of their own. Logs in when a token is first needed."""

    def __init__(self, server: OldServer, username: str, address: str = "192.0.2.7") -> None:
        self.server = server
        self.username = username
        self.address = address
        self.pair: dict[str, Any] = {}

    def log_in(self, device: str = "browser/1.0", password: str = PASSWORD) -> dict[str, Any]:
        body = {"username": self.username, "password": password}
        answer = self.server.call("POST", "/login", body, User_Agent=device, X_Forwarded_For=self.address)
        return dict(answer.json)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        self.pair = self.pair or self.log_in()
        headers |= {"Authorization": f"Bearer {self.pair['access_token']}", "X_Forwarded_For": self.address}
        return self.server.call(method, path, body, **headers).json

    def refresh(self, token: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}", "X_Forwarded_For": self.address}
        return dict(self.server.call("POST", "/refresh", **headers).json)

    def sign_in_to_console(self) -> str:
        """The session's cookie."""
        form = urlencode({"username": self.username, "password": PASSWORD, "next": ""}).encode()
        headers = {"Content_Type": "application/x-www-form-urlencoded", "Sec_Fetch_Site": "same-origin"}
        answer = self.server.call("POST", "/console/sign-in", form, **headers, X_Forwarded_For=self.address)
        return answer.headers["Set-Cookie"].partition(";")[0]


def segment(name: str) -> str:
    """A name in a path."""
    return quote(name, safe="")


def claims(token: str) -> dict[str, Any]:
    """What a token says."""
    payload = token.split(".")[1]
    told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return told


def await_that(condition: Callable[[], object]) -> None:
    limit = time.monotonic() + BOUND_SECONDS
    while not condition():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.05)


class Receiver(BaseHTTPRequestHandler):
    """Answers messages as the path says."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(RECEIVED[self.path])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def start_receiver() -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    return server
