"""Takes messages to URLs by HTTP/1.1, and tells what became of them. Trusts nobody on the way.

The host is looked up here, and connected to is the very address that was checked. A connection is kept for the messages
that follow, but not for long, as the name may lead elsewhere by then. No redirect is followed and no proxy asked.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import h11
import msgspec

from storekeeper import endpoint
from storekeeper.endpoint import Endpoint, Networks

SECONDS = 10
HEAD_BYTES = 16 * 1024
BODY_BYTES = 16 * 1024  # of an answer; a connection on which more comes is not kept
BODY_SECONDS = 1.0  # for the body, once there is a status
LOOKING_UP = 64  # names at once: one whose servers are slow keeps no other waiting
IDLE_SECONDS = 15.0  # that a connection is kept without a message
AGE_SECONDS = 60.0  # that it is kept at all
MAX_IDLE = 256

Address = tuple[Any, ...]  # as `socket.getaddrinfo` has it
Resolve = Callable[[str, int], Awaitable[list[Address]]]
Place = tuple[bool, str, int]  # whether by TLS, the host, the port


class Answer(msgspec.Struct, frozen=True):
    """The status of an answer and its body, as far as it was read; or the reason why there is none.

    `ms` is how long it took, and None where nothing answered: how soon a connection is refused is nobody's business.
    """

    status: int | None
    error: str | None
    ms: int | None
    body: bytes = b""

    @property
    def is_good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300 and self.error is None


class Failed(Exception):
    """There is no answer. The message says why, without what is secret in a URL."""


class Unreachable(Failed):
    """Nothing answers, for a reason that is not told: whoever names a URL must not learn which ports are open."""


class Connection:
    """An open connection, and where its conversation stands."""

    def __init__(self, place: Place, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.place = place
        self.opened_at = asyncio.get_running_loop().time()
        self._reader = reader
        self._writer = writer
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)

    @property
    def is_open(self) -> bool:
        """Whether the other side has not closed it, as far as is known."""
        return not (self._reader.at_eof() or self._writer.transport.is_closing())

    async def ask(self, to: Endpoint, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Send a request; the status of its answer and as much of its body as is read."""
        self._writer.write(self._written(to, headers, body))
        response = await self._next_event()
        while not isinstance(response, h11.Response):
            response = await self._next_event()
        return response.status_code, await self._read_body()

    def reset(self) -> bool:
        """Make it ready for another message; whether it can be."""
        if (self._protocol.our_state, self._protocol.their_state) != (h11.DONE, h11.DONE) or not self.is_open:
            return False
        self._protocol.start_next_cycle()
        return True

    def close(self) -> None:
        self._writer.transport.abort()

    def _written(self, to: Endpoint, headers: Mapping[str, str], body: bytes) -> bytes:
        given = {"host": to.authority, "content-type": "application/json", "content-length": str(len(body))}
        request = h11.Request(method="POST", target=to.target, headers=[*given.items(), *headers.items()])
        events = request, h11.Data(data=body), h11.EndOfMessage()
        return b"".join(self._protocol.send(event) or b"" for event in events)

    async def _next_event(self) -> Any:
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            self._protocol.receive_data(await self._reader.read(HEAD_BYTES))
        return event

    async def _read_body(self) -> bytes:
        """What comes of it in time: the status alone is an answer, too."""
        body = b""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while len(body) <= BODY_BYTES and isinstance(event := await self._next_event(), h11.Data):
                    body += event.data
        except (TimeoutError, OSError, h11.RemoteProtocolError):
            self.close()
        return body


class Courier:
    """Tests give their own way to look up names, and their own certificates."""

    def __init__(
        self,
        networks: Networks,
        seconds: float = SECONDS,
        resolve: Resolve | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._networks = networks
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(LOOKING_UP, "lookup")
        self._resolve = resolve or self._look_up
        self._context = context or ssl.create_default_context()
        self._idle: dict[Connection, asyncio.TimerHandle] = {}  # those that have waited longest first

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a JSON body. Never raises: what goes wrong is an answer too."""
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._seconds):
                status, answered = await self._exchange(endpoint.read(url), headers, body)
        except (TimeoutError, Unreachable):
            reason = f"There was no answer: the connection was refused, or it took more than {self._seconds:g} seconds."
            return Answer(None, reason, None)
        except Failed as failed:
            return Answer(None, str(failed), self._ms_since(began))
        return Answer(status, None, self._ms_since(began), answered)

    def close(self) -> None:
        for connection in list(self._idle):
            self._drop(connection)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ms_since(self, began: float) -> int:
        return int(1000 * (asyncio.get_running_loop().time() - began))

    async def _exchange(self, to: Endpoint, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """On a kept connection, or else on a new one: the other side may have closed the kept one meanwhile."""
        while kept := self._find_idle(to):
            try:
                return await self._ask(kept, to, headers, body)
            except (OSError, h11.RemoteProtocolError):  # it may have arrived all the same: messages have ids
                continue
        try:
            return await self._ask(await self._connect(to), to, headers, body)
        except (OSError, h11.RemoteProtocolError) as error:
            raise _explained(error) from None

    async def _ask(
        self, connection: Connection, to: Endpoint, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        is_kept = False
        try:
            answer = await connection.ask(to, headers, body)
            is_kept = self._keep(connection)
        finally:
            if not is_kept:
                connection.close()
        return answer

    def _keep(self, connection: Connection) -> bool:
        """For the next message to the same place; whether that can be."""
        loop = asyncio.get_running_loop()
        seconds = min(IDLE_SECONDS, connection.opened_at + AGE_SECONDS - loop.time())
        if seconds <= 0 or not connection.reset():
            return False
        if len(self._idle) >= MAX_IDLE:
            self._drop(next(iter(self._idle)))
        self._idle[connection] = loop.call_later(seconds, self._drop, connection)
        return True

    def _find_idle(self, to: Endpoint) -> Connection | None:
        for connection in [each for each in self._idle if each.place[1:] == to.place]:
            self._idle.pop(connection).cancel()
            if connection.is_open and connection.place == (to.is_tls, *to.place):
                return connection
            connection.close()
        return None

    def _drop(self, connection: Connection) -> None:
        self._idle.pop(connection).cancel()
        connection.close()

    async def _connect(self, to: Endpoint) -> Connection:
        reason: Exception = Unreachable()
        for family, kind, protocol, _, address in await self._addresses(to):
            try:
                return await self._open(to, socket.socket(family, kind, protocol), address)
            except OSError as error:
                reason = error
        raise reason

    async def _open(self, to: Endpoint, sock: socket.socket, address: Any) -> Connection:
        try:
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, address)
            tls: dict[str, Any] = {"ssl": self._context, "server_hostname": to.host} if to.is_tls else {}
            reader, writer = await asyncio.open_connection(sock=sock, **tls)
        except BaseException:
            sock.close()
            raise
        return Connection((to.is_tls, *to.place), reader, writer)

    async def _addresses(self, to: Endpoint) -> list[Address]:
        """Of a host, if all may be reached. It does not tell whether there are some that may not, or none."""
        try:
            found = await self._resolve(to.host, to.port)
        except (OSError, UnicodeError):
            found = []
        if not found or not all(self._networks.admit(address[0], to.port) for *_, address in found):
            raise Failed("The host has no address that may be reached.")
        return found

    async def _look_up(self, host: str, port: int) -> list[Address]:
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found: list[Address] = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return found


def _explained(error: Exception) -> Failed:
    """Only what a receiver that is there has done itself is told: the text of an OSError may have the address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failed(f"TLS: {error.verify_message}.")
    if isinstance(error, ssl.SSLError):
        return Failed("TLS: the two sides could not agree.")
    if isinstance(error, h11.RemoteProtocolError):
        return Failed("The answer was cut off, or is not HTTP.")
    return Unreachable()
