"""Real servers in processes of their own, and clients that speak to them byte by byte.

Run as a program it serves `create_toy`, an application whose answers tell what has reached it, in place of ours.
"""

import asyncio
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from storekeeper.server import run
from storekeeper.settings import read_settings

ROOT = Path(__file__).parents[2]
LISTENING = re.compile(r"Listening on http://127\.0\.0\.1:(\d+)")
BOUND_SECONDS = 30  # for what is over in a moment, unless it never is

HOST = b"Host: a\r\n"


class Server:
    """A server that runs until `end`. `program` is a module; `given` are settings."""

    def __init__(self, program: str, folder: Path, **given: object) -> None:
        self.log_path = folder / f"{time.monotonic_ns()}.log"
        self.clients: list[Client] = []
        self.known: set[int] = set()
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith("STOREKEEPER_")}
        settings = {"data": folder / "data", "host": "127.0.0.1", "port": 0} | given
        self.environ |= {f"STOREKEEPER_{name.upper()}": str(value) for name, value in settings.items()}
        self.command = [sys.executable, "-m", program, *(["serve"] if program == "storekeeper" else [])]
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(self.command, cwd=ROOT, env=self.environ, stdout=log, stderr=log)

    def wait(self) -> "Server":
        """Until it answers."""
        await_that(lambda: LISTENING.search(self.log) or self.process.poll() is not None)
        match = LISTENING.search(self.log)
        assert match, self.log
        self.port = int(match[1])
        assert self.get("/livez").status == 200
        return self

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    @property
    def pid(self) -> int:
        return self.process.pid

    def connect(self, *pieces: bytes, **options: Any) -> "Client":
        client = Client(self.port, **options)
        self.clients.append(client)
        for piece in pieces:
            client.send(piece)
        return client

    def ask(self, *pieces: bytes) -> "Answer":
        """The answer to a request that is given in full."""
        return self.connect(*pieces).read()

    def get(self, path: str, headers: bytes = b"") -> "Answer":
        return self.ask(request("GET", path, headers))

    def hang_up(self) -> None:
        """Close all clients."""
        while self.clients:
            self.clients.pop().close()

    def family(self) -> set[int]:
        """The process and all that have come from it."""
        pids, new = set(), {self.pid}
        while new:
            pids |= new
            new = {child for pid in new for child in children(pid)} - pids
        self.known |= pids
        return pids

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send the signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(BOUND_SECONDS)

    def put_away(self) -> None:
        """End it whatever a test has found, and what it may have left behind."""
        self.hang_up()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(BOUND_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in filter(is_alive, self.known):
            os.kill(pid, signal.SIGKILL)


class Answer:
    """What came back. `status` is 0 if the connection was closed without an answer."""

    def __init__(self, head: bytes, body: bytes) -> None:
        line, *fields = head.decode("latin1").split("\r\n")
        self.status = int(line.split()[1]) if line else 0
        self.headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One connection."""

    def __init__(self, port: int, buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(BOUND_SECONDS)
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise
        self._read = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def flood(self, data: bytes) -> int:
        """Send `data` until nobody takes it for a while; how many bytes were taken."""
        self.socket.settimeout(0.2)
        taken = 0
        with suppress(OSError):
            while taken < len(data):
                taken += self.socket.send(data[taken:])
        return taken

    def read(self) -> Answer:
        """The next answer, or as much of one as came before the end."""
        while b"\r\n\r\n" not in self._read and self._receive():
            pass
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        answer = Answer(head, b"")
        size = int(answer.headers.get("content-length", 0))
        while len(self._read) < size and self._receive():
            pass
        answer.body, self._read = self._read[:size], self._read[size:]
        return answer

    def is_closed(self) -> bool:
        """Waits until something comes, and that has to be the end."""
        return not self._read and not self._receive()

    def _receive(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self._read += data
        return bool(data)

    def close(self) -> None:
        self.socket.close()


Start = Callable[[], Server]


def request(method: str, path: str, headers: bytes = b"", body: bytes | None = None) -> bytes:
    length = b"" if body is None else b"Content-Length: %d\r\n" % len(body)
    return f"{method} {path} HTTP/1.1\r\n".encode() + HOST + headers + length + b"\r\n" + (body or b"")


@contextmanager
def several(folder: Path, **given: object) -> Iterator[Start]:
    """Starts servers with the same data, one after the other. In the end each goes, with its processes."""
    started: list[Server] = []

    def start() -> Server:
        started.append(Server("storekeeper", folder, **given).wait())
        return started[-1]

    yield start
    for each in started:
        each.family()
        each.put_away()


def await_that(condition: Callable[[], object]) -> None:
    """Until it holds, or too long."""
    limit = time.monotonic() + BOUND_SECONDS
    while not condition():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def megabytes(pid: int) -> float:
    """The memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


# The toy


def create_toy() -> Any:
    run.die_with_parent()
    if os.environ.get("TOY_FAILS"):
        raise SystemExit("the toy fails")
    return toy


async def toy(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    asked = dict(parse_qsl(scope["query_string"].decode()))
    if "sleep" in asked:
        await asyncio.sleep(float(asked["sleep"]))
    body = b"" if "ignore" in asked else await _body(receive)
    headers = [[name.decode("latin1"), value.decode("latin1")] for name, value in scope["headers"]]
    told = {"path": scope["path"], "headers": headers, "body": body.decode("latin1"), "pid": os.getpid()}
    content = json.dumps(told).encode() + b" " * int(asked.get("size", 0))
    fields = [(b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    if "halves" in asked:
        await send({"type": "http.response.body", "body": content[:9], "more_body": True})
        content = content[9:]
    await send({"type": "http.response.body", "body": content})


async def _live(receive: Any, send: Any) -> None:
    while True:
        event = await receive()
        await send({"type": f"{event['type']}.complete"})
        if event["type"] == "lifespan.shutdown":
            return


async def _body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    return body


def main() -> None:
    logging.basicConfig(level=logging.INFO)
    run.run(read_settings(), "tests.support.server_process:create_toy")


if __name__ == "__main__":
    main()
