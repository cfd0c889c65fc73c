"""A server that gives recorded answers, one after the other, to a client that makes the same requests again."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from clients.recording import Exchange


class Replay(ThreadingHTTPServer):
    """Answers the next request with the next answer, and what is not the request that was recorded with 500.

    `served` is how many were the same; `complaint` says what was not about the first that was not.
    """

    daemon_threads = True

    def __init__(self, exchanges: list[Exchange], minds_files: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.exchanges = exchanges
        self.minds_files = minds_files
        self.served = 0
        self.complaint = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Replay
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b"" if body.strip() == b"null" else body  # how clients for Java and Go send none
        expected = self.server.exchanges[self.server.served]
        if not (expected.body_type or self.server.minds_files):
            body = expected.body
        differences = list(compared(expected, self, body))
        if differences:
            self.server.complaint = f"{expected.operation}: {'; '.join(differences)}"
            told = {"error": "internal_error", "message": self.server.complaint}
            self._answer(500, "application/json", json.dumps(told).encode())
            return
        self.server.served += 1
        self._answer(*expected.answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

    def _answer(self, status: int, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def compared(expected: Exchange, request: BaseHTTPRequestHandler, body: bytes) -> Iterator[str]:
    """What is different, in words."""
    path, _, query = request.path.partition("?")
    headers = {
        name: request.headers[name] for name in expected.declared if name[0].isupper() and name in request.headers
    }
    pairs = {
        "method": (expected.method, request.command),
        "path": (segments(expected), [unquote(each) for each in path.split("/")]),
        "query": (with_defaults(expected, expected.given["query"]), with_defaults(expected, dict(parse_qsl(query)))),
        "headers": (as_text(expected.given["header"]), headers),
        "token": (expected.token and f"Bearer {expected.token}", request.headers.get("Authorization", "")),
        "body": (content(expected, expected.body), content(expected, body)),
    }
    if body and (media_type := request.headers["Content-Type"].partition(";")[0]) not in expected.media_types:
        yield f"media type is {media_type!r}, none of {expected.media_types}"  # clients know one for all files
    yield from (f"{name} is {given!r}, not {wanted!r}" for name, (wanted, given) in pairs.items() if given != wanted)


def segments(expected: Exchange) -> list[str]:
    filled = expected.template.format(**{name: quote(str(value), "") for name, value in expected.given["path"].items()})
    return [unquote(each) for each in filled.split("/")]


def with_defaults(expected: Exchange, given: dict[str, Any]) -> dict[str, str]:
    """Some clients send them."""
    return {name: plain(value) for name, value in as_text(expected.declared | given).items()}


def plain(text: str) -> str:
    """20 for 20.0."""
    return re.sub(r"^(\d+)\.0$", r"\1", text)


def as_text(values: dict[str, Any]) -> dict[str, str]:
    """As parameters have them."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def content(expected: Exchange, body: bytes) -> Any:
    return exact(body) if body and expected.body_type else body


def exact(text: str | bytes) -> Any:
    """JSON whose numbers are what they are written as."""
    return json.loads(text, parse_float=Decimal)


@contextmanager
def serve(exchanges: list[Exchange], minds_files: bool = True) -> Iterator[Replay]:
    with Replay(exchanges, minds_files) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
