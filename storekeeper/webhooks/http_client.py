"""An HTTP/1.1 client for webhooks: connects only to checked addresses, follows no redirects and uses no proxy.

It resolves the host, and connects to the address that it checked. A connection is kept for further messages, but not
for long, as the name may resolve to another address by then.

Messages to an address are limited, whatever the number of names that lead there: see `address_limits`. Waiting for a
slot does not count towards the time limit of a message.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import h11
import msgspec

from storekeeper.concurrency.rate_limiter import DeliveryLimits
from storekeeper.domain import webhook_url
from storekeeper.domain.ip_networks import networks
from storekeeper.domain.webhook_url import AllowedNetworks, WebhookUrl
from storekeeper.webhooks.address_limits import AddressLimits, QueueFull

SECONDS = 10
HEAD_BYTES = 16 * 1024
BODY_BYTES = 16 * 1024  # of an answer; a connection on which more comes is not kept
BODY_SECONDS = 1.0  # for the body, once there is a status
LOOKING_UP = 64  # names at once: one whose servers are slow keeps no other waiting
IDLE_SECONDS = 15.0  # that a connection is kept without a message
AGE_SECONDS = 60.0  # that it is kept at all
MAX_IDLE = 256
WAIT_SECONDS = 30.0  # for turns: what is signed with the time must not arrive much later
UNLIMITED = DeliveryLimits(1e6, MAX_IDLE)

Address = tuple[Any, ...]  # as `socket.getaddrinfo` has it
Resolve = Callable[[str, int], Awaitable[list[Address]]]
Place = tuple[bool, str, int]  # whether by TLS, the host, the port


class DeliveryResult(msgspec.Struct, frozen=True):
    """The status of an answer and its body, as far as it was read; or the reason why there is none.

    `ms` is the duration, or None without an answer: it must not reveal how soon a connection was refused. If
    `is_put_off`, nothing was sent, as too many messages wait for that address.
    """

    status: int | None
    error: str | None
    ms: int | None
    body: bytes = b""
    is_put_off: bool = False

    @property
    def is_good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300 and self.error is None


class DeliveryError(Exception):
    """There is no answer. The message gives the reason, without the secrets of a URL."""


class Unreachable(DeliveryError):
    """Nothing answers, for an undisclosed reason: the owner of a webhook must not learn which ports are open."""


class OutgoingMessage:
    """What is to be sent, and how much of its time it has had."""

    def __init__(self, to: WebhookUrl, headers: Mapping[str, str], body: bytes, limit: asyncio.Timeout) -> None:
        self.to = to
        self.place: Place = (to.is_tls, *to.place)
        self._headers = headers
        self._body = body
        self._limit = limit
        self._began_at = asyncio.get_running_loop().time()
        self._patience = WAIT_SECONDS

    @property
    def ms(self) -> int:
        return int(1000 * (asyncio.get_running_loop().time() - self._began_at))

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """As if no time went by meanwhile. Crowded when it has waited too long, over all times."""
        loop, ends_at = asyncio.get_running_loop(), self._limit.when()
        assert ends_at
        began_at = loop.time()
        self._limit.reschedule(None)
        try:
            async with asyncio.timeout(self._patience):
                yield
        except TimeoutError:
            raise QueueFull from None
        finally:
            waited = loop.time() - began_at
            self._patience -= waited
            self._began_at += waited
            self._limit.reschedule(ends_at + waited)

    def written(self, protocol: h11.Connection) -> bytes:
        given = {
            "host": self.to.authority,
            "content-type": "application/json",
            "content-length": str(len(self._body)),
        }
        headers = [*given.items(), *self._headers.items()]
        request = h11.Request(method="POST", target=self.to.target, headers=headers)
        events = request, h11.Data(data=self._body), h11.EndOfMessage()
        return b"".join(protocol.send(event) or b"" for event in events)


class Connection:
    """An open connection, and where its conversation stands. `network` is the network that it leads to."""

    def __init__(self, place: Place, network: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.place = place
        self.network = network
        self.opened_at = asyncio.get_running_loop().time()
        self._reader = reader
        self._writer = writer
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)

    @property
    def is_open(self) -> bool:
        """Whether the other side has not closed it, as far as is known."""
        return not (self._reader.at_eof() or self._writer.transport.is_closing())

    async def ask(self, message: OutgoingMessage) -> tuple[int, bytes]:
        """Send a request. Return the status of the answer and as much of its body as is read."""
        self._writer.write(message.written(self._protocol))
        response = await self._next_event()
        while not isinstance(response, h11.Response):
            response = await self._next_event()
        return response.status_code, await self._read_body()

    def reset(self) -> bool:
        """Prepare it for another message. Return whether that is possible."""
        if (self._protocol.our_state, self._protocol.their_state) != (h11.DONE, h11.DONE) or not self.is_open:
            return False
        self._protocol.start_next_cycle()
        return True

    def close(self) -> None:
        self._writer.transport.abort()

    async def _next_event(self) -> Any:
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            self._protocol.receive_data(await self._reader.read(HEAD_BYTES))
        return event

    async def _read_body(self) -> bytes:
        """The body as far as it arrives in time: a status without a body is an answer, too."""
        body = b""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while len(body) <= BODY_BYTES and isinstance(event := await self._next_event(), h11.Data):
                    body += event.data
        except (TimeoutError, OSError, h11.RemoteProtocolError):
            self.close()
        return body


class WebhookClient:
    """`limits` are those of each address. Tests give their own way to look up names, certificates, and a clock."""

    def __init__(
        self,
        networks: AllowedNetworks,
        seconds: float = SECONDS,
        resolve: Resolve | None = None,
        context: ssl.SSLContext | None = None,
        limits: DeliveryLimits = UNLIMITED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._networks = networks
        self._limits = limits
        self._address_limits = AddressLimits(limits, clock)
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(LOOKING_UP, "lookup")
        self._resolve = resolve or self._look_up
        self._context = context or ssl.create_default_context()
        self._idle: dict[Connection, asyncio.TimerHandle] = {}  # those that have waited longest first

    @property
    def waiting(self) -> int:
        """The number of messages that wait for a slot of an address."""
        return self._address_limits.waiting

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> DeliveryResult:
        """Send a JSON body. Never raises: an error is a DeliveryResult, too."""
        try:
            async with asyncio.timeout(self._seconds) as limit:
                message = OutgoingMessage(webhook_url.read(url), headers, body, limit)
                status, answered = await self._exchange(message)
        except QueueFull:
            return DeliveryResult(None, "Too much goes to this address.", None, is_put_off=True)
        except (TimeoutError, Unreachable):
            reason = f"There was no answer: the connection was refused, or it took more than {self._seconds:g} seconds."
            return DeliveryResult(None, reason, None)
        except DeliveryError as failed:
            return DeliveryResult(None, str(failed), message.ms)
        return DeliveryResult(status, None, message.ms, answered)

    def close(self) -> None:
        for connection in list(self._idle):
            self._drop(connection)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _exchange(self, message: OutgoingMessage) -> tuple[int, bytes]:
        """Use a kept connection, or a new one, as the other side may have closed the kept one meanwhile."""
        while kept := self._find_idle(message.place):
            async with self._turn(message, kept.network):
                try:
                    if taken := self._take_idle(message.place, kept.network):
                        return await self._ask(taken, message)
                except (OSError, h11.RemoteProtocolError):  # it may have arrived all the same: messages have ids
                    continue
        try:
            return await self._ask_anew(message)
        except (OSError, h11.RemoteProtocolError) as error:
            raise _explained(error) from None

    async def _ask_anew(self, message: OutgoingMessage) -> tuple[int, bytes]:
        """On a connection to the first address that answers."""
        reason: Exception = Unreachable()
        for address in await self._addresses(message.to):
            network = network_of(address[-1][0])
            async with self._turn(message, network):
                try:
                    connection = await self._open(message, network, address)
                except OSError as error:
                    reason = error
                    continue
                return await self._ask(connection, message)
        raise reason

    @asynccontextmanager
    async def _turn(self, message: OutgoingMessage, network: str) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            async with message.waiting():
                await stack.enter_async_context(self._address_limits.slot(network, message.place[1]))
            yield

    async def _ask(self, connection: Connection, message: OutgoingMessage) -> tuple[int, bytes]:
        is_kept = False
        try:
            answer = await connection.ask(message)
            is_kept = self._keep(connection)
        finally:
            if not is_kept:
                connection.close()
        return answer

    def _keep(self, connection: Connection) -> bool:
        """Keep a connection for the next message to the same place. Return whether that is possible."""
        loop = asyncio.get_running_loop()
        seconds = min(IDLE_SECONDS, connection.opened_at + AGE_SECONDS - loop.time())
        if seconds <= 0 or not connection.reset():
            return False
        if len(self._idle) >= MAX_IDLE:
            self._drop(next(iter(self._idle)))
        self._idle[connection] = loop.call_later(seconds, self._drop, connection)
        return True

    def _find_idle(self, place: Place, network: str | None = None) -> Connection | None:
        """One that leads there, in that network if one is named. Drops those that lead there no more."""
        for connection in [each for each in self._idle if each.place[1:] == place[1:]]:
            if not connection.is_open or connection.place != place:
                self._drop(connection)
            elif network in (None, connection.network):
                return connection
        return None

    def _take_idle(self, place: Place, network: str) -> Connection | None:
        connection = self._find_idle(place, network)
        if connection:
            self._idle.pop(connection).cancel()
        return connection

    async def _make_room(self, network: str) -> None:
        """For a new connection, beside those on which messages are under way."""
        idle = [connection for connection in self._idle if connection.network == network]
        for connection in idle[
            : max(0, len(idle) + self._address_limits.under_way(network) - self._limits.connections)
        ]:
            self._drop(connection)
        await asyncio.sleep(0)  # they are closed then

    def _drop(self, connection: Connection) -> None:
        self._idle.pop(connection).cancel()
        connection.close()

    async def _open(self, message: OutgoingMessage, network: str, address: Address) -> Connection:
        await self._make_room(network)
        family, kind, protocol, _, target = address
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, target)
            tls: dict[str, Any] = (
                {"ssl": self._context, "server_hostname": message.to.host} if message.to.is_tls else {}
            )
            reader, writer = await asyncio.open_connection(sock=sock, **tls)
        except BaseException:
            sock.close()
            raise
        return Connection(message.place, network, reader, writer)

    async def _addresses(self, to: WebhookUrl) -> list[Address]:
        """The addresses of a host, if all are allowed. The error does not tell forbidden from missing ones."""
        try:
            found = await self._resolve(to.host, to.port)
        except (OSError, UnicodeError):
            found = []
        if not found or not all(self._networks.allows(address[0], to.port) for *_, address in found):
            raise DeliveryError("The host has no address that may be reached.")
        return found

    async def _look_up(self, host: str, port: int) -> list[Address]:
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found: list[Address] = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return found


def network_of(address: str) -> str:
    """The network of one customer that it is in: of IPv6 a /64."""
    return networks(str(webhook_url.effective_address(address)))[-1].name


def _explained(error: Exception) -> DeliveryError:
    """Only what a receiver that is there has done itself is told: the text of an OSError may have the address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return DeliveryError(f"TLS: {error.verify_message}.")
    if isinstance(error, ssl.SSLError):
        return DeliveryError("TLS: the two sides could not agree.")
    if isinstance(error, h11.RemoteProtocolError):
        return DeliveryError("The answer was cut off, or is not HTTP.")
    return Unreachable()
