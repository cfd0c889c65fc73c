"""A small HTTP client for what the load does not do: signing in, and looking at one answer of each kind."""

import http.client
import json
from collections.abc import Mapping
from typing import Any

from benchmarks import data
from benchmarks.failure import Failure

Json = dict[str, Any]


class Client:
    """Talks to a server on this machine. Failure, with the server's answer, for anything but a 2xx."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(
        self, method: str, path: str, body: Json | str | None = None, token: str = "", more: Mapping[str, str] = {}
    ) -> Json:
        """The answer to a request whose body is given as what it says, or as it is sent."""
        headers = {"Content-Type": "application/json", **more} if body else dict(more)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        sent = json.dumps(body) if isinstance(body, dict) else body
        try:
            status, answer = self._send(method, path, sent or None, headers)
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"{method} {path} was not answered: {error!r}") from None
        if not 200 <= status < 300:
            raise Failure(f"{method} {path} was answered {status}: {answer[:300]}")
        answered: Json = json.loads(answer)
        return answered

    def sign_in(self) -> Json:
        return self.ask("POST", "/login", {"username": data.USERNAME, "password": data.PASSWORD})

    def is_answered(self) -> bool:
        """Whether somebody answers already, whatever it is."""
        try:
            self._send("GET", "/", None, {})
        except (OSError, http.client.HTTPException):
            return False
        return True

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()
