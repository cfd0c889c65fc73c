"""Takes a message to a URL by HTTP/1.1, and tells what became of it. Trusts nobody on the way.

The host is looked up here, and connected to is the very address that was checked. No redirect is followed, no proxy
asked, and of the answer only the head is read.
"""

import asyncio
import os
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
LOOKING_UP = 64  # names at once: one whose servers are slow keeps no other waiting

Address = tuple[Any, ...]  # as `socket.getaddrinfo` has it
Resolve = Callable[[str, int], Awaitable[list[Address]]]


class Answer(msgspec.Struct, frozen=True):
    """The status of an answer; or the reason why there is none. `ms` is how long it took."""

    status: int | None
    error: str | None
    ms: int

    @property
    def is_good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Failed(Exception):
    """There is no answer. The message says why, without what is secret in a URL."""


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

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a JSON body. Never raises: what goes wrong is an answer too."""
        began = asyncio.get_running_loop().time()
        status, error = None, None
        try:
            async with asyncio.timeout(self._seconds):
                status = await self._exchange(endpoint.read(url), headers, body)
        except TimeoutError:
            error = f"There was no answer within {self._seconds:g} seconds."
        except Failed as failed:
            error = str(failed)
        return Answer(status, error, int(1000 * (asyncio.get_running_loop().time() - began)))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _exchange(self, to: Endpoint, headers: Mapping[str, str], body: bytes) -> int:
        reader, writer = await self._connect(to)
        try:
            conn = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
            writer.write(_written(conn, to, headers, body))
            return await _read_status(conn, reader)
        except (OSError, h11.RemoteProtocolError) as error:
            raise Failed(_explain(error)) from None
        finally:
            writer.transport.abort()

    async def _connect(self, to: Endpoint) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reason = ""
        for family, kind, protocol, _, address in await self._addresses(to):
            try:
                return await self._open(to, socket.socket(family, kind, protocol), address)
            except OSError as error:
                reason = reason or _explain(error)
        raise Failed(reason)

    async def _open(
        self, to: Endpoint, sock: socket.socket, address: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, address)
            if not to.is_tls:
                return await asyncio.open_connection(sock=sock)
            return await asyncio.open_connection(sock=sock, ssl=self._context, server_hostname=to.host)
        except BaseException:
            sock.close()
            raise

    async def _addresses(self, to: Endpoint) -> list[Address]:
        """Of a host, if all may be reached. It does not tell whether there are some that may not, or none."""
        try:
            found = await self._resolve(to.host, to.port)
        except (OSError, UnicodeError):
            found = []
        if not found or not all(self._networks.admit(address[0]) for *_, address in found):
            raise Failed("The host has no address that may be reached.")
        return found

    async def _look_up(self, host: str, port: int) -> list[Address]:
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found: list[Address] = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return found


def _written(conn: h11.Connection, to: Endpoint, headers: Mapping[str, str], body: bytes) -> bytes:
    """The request, in full."""
    given = {"host": to.authority, "content-type": "application/json", "content-length": str(len(body))}
    fields = [*given.items(), ("connection", "close"), *headers.items()]
    events = h11.Request(method="POST", target=to.target, headers=fields), h11.Data(data=body), h11.EndOfMessage()
    return b"".join(conn.send(event) or b"" for event in events)


async def _read_status(conn: h11.Connection, reader: asyncio.StreamReader) -> int:
    while True:
        event = conn.next_event()
        if isinstance(event, h11.Response):
            return event.status_code
        if event is h11.NEED_DATA:
            conn.receive_data(await reader.read(HEAD_BYTES))


def _explain(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        return "TLS: the two sides could not agree."
    if isinstance(error, h11.RemoteProtocolError):
        return "The answer was cut off, or is not HTTP."
    number = error.errno if isinstance(error, OSError) else None  # its own text may have the address
    return f"The connection failed: {os.strerror(number).lower()}." if number else "The connection was cut off."
