"""Receivers of webhooks: real servers on loopback that note what comes, and answer as they are told."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from threading import Event, Lock, Thread
from typing import Any, NamedTuple

# What becomes of a request: a status; or one of these; or what is done before it is answered 200.
HANG = "hang"  # until the receiver is closed
CUT = "cut"  # the connection ends in the middle of the answer
NONSENSE = "nonsense"
END = "end"  # answered 200, but the connection that was to be kept is closed
ENDLESS = "endless"  # answered 200, with a body that never ends
Behaviour = int | str | Callable[[], object]


class Message(NamedTuple):
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_challenge(self) -> bool:
        return b'"type":"webhook.challenge"' in self.body


class Receiver:
    """Behaves to the first request as the first behaviour says, and so on; the last one is for all that follow."""

    def __init__(
        self,
        *behaviours: Behaviour,
        host: str = "127.0.0.1",
        location: str = "/",
        context: Any = None,
        keeps: bool = False,
        agrees: bool = False,
        says: bytes = b"",
    ) -> None:
        first = behaviours or (200,)
        self.behaviours: Iterator[Behaviour] = chain(first, repeat(first[-1]))
        self.location = location
        self.messages: list[Message] = []
        self.keeps = keeps  # connections, as HTTP/1.1 does
        self.connections = 0
        self.closed = 0  # of these
        self.agrees = agrees  # answers challenges by itself, and notes them here
        self.challenges: list[Message] = []
        self.says = says  # the body of its answers
        self.hung_up = 0  # how many senders have closed a connection after the answer
        self.closing = Event()
        self.lock = Lock()
        self._server = Server((host, 0), Handler)
        self._server.receiver = self
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"{'https' if context else 'http'}://{host}:{self.port}/hook"
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def ids(self) -> list[str]:
        return [message.id for message in self.messages]

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


Receive = Callable[..., Receiver]


class Server(ThreadingHTTPServer):
    request_queue_size = 256  # with Python's own 5 what comes at once is tried again by the kernel, a second later
    receiver: Receiver


class Handler(BaseHTTPRequestHandler):
    server: Server

    def setup(self) -> None:
        super().setup()
        if self.server.receiver.keeps:
            self.protocol_version = "HTTP/1.1"
        with self.server.receiver.lock:
            self.server.receiver.connections += 1

    def finish(self) -> None:
        super().finish()
        with self.server.receiver.lock:
            self.server.receiver.closed += 1

    def do_POST(self) -> None:
        receiver = self.server.receiver
        headers = {name.lower(): value for name, value in self.headers.items()}
        message = Message(headers, self.rfile.read(int(headers["content-length"])))
        if receiver.agrees and message.is_challenge:
            self.agree(message)
            return
        with receiver.lock:
            receiver.messages.append(message)
            behaviour = next(receiver.behaviours)
        self.close_connection = not receiver.keeps or behaviour in (HANG, CUT, NONSENSE, END, ENDLESS)
        self.behave(behaviour)

    def agree(self, message: Message) -> None:
        said = json.dumps({"challenge": message.json["data"]["challenge"]}).encode()
        self.server.receiver.challenges.append(message)
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def behave(self, behaviour: Behaviour) -> None:
        if behaviour == HANG:
            self.server.receiver.closing.wait()
        elif behaviour == CUT:
            self.wfile.write(b"HTTP/1.1 200 O")
        elif behaviour == NONSENSE:
            self.wfile.write(b"\x00\xff what do you want?\r\n\r\n")
        elif behaviour == END:
            self.answer(200)
        elif behaviour == ENDLESS:
            self.send_response(200)
            self.end_headers()
            self.pour()
        elif callable(behaviour):
            behaviour()
            self.answer(200)
        else:
            self.answer(int(behaviour))

    def answer(self, status: int) -> None:
        """And wait until the sender hangs up, which it does when it knows; unless the connection is kept."""
        self.send_response(status)
        self.send_header("Location", self.server.receiver.location)
        if self.server.receiver.keeps and status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(self.server.receiver.says)))
        self.end_headers()
        self.wfile.write(self.server.receiver.says)
        if self.server.receiver.keeps:
            return
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.recv(1)
        with self.server.receiver.lock:
            self.server.receiver.hung_up += 1

    def pour(self) -> None:
        with suppress(OSError):
            while not self.server.receiver.closing.is_set():
                self.wfile.write(b"x" * 1000)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""
