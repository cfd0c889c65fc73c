"""A proxy before PostgreSQL that cuts a connection at its COMMIT: before the server has it, after, or long before."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Literal

import sqlalchemy as sa

COMMIT = b"COMMIT\x00"
Cut = Literal["before", "after", "late"]


class Proxy:
    """Hands on what client and server say, on a thread of its own. `cut` says what becomes of the next COMMIT.

    `before`: the server never gets it. `after`: the server has carried it out, and the client does not hear so. `late`:
    the client is cut off at once, and the server gets it when `release` is set.
    """

    def __init__(self, server: str) -> None:
        self._server = sa.make_url(server)
        self.cut: Cut | None = None
        self.came_back = Event()  # a client, after it was cut off
        self.release = Event()
        self.port = 0
        self._under_way: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._started, self._ended = Event(), asyncio.Event()
        self._thread = Thread(target=self._loop.run_until_complete, args=[self._serve()])
        self._thread.start()
        self._started.wait()

    @property
    def url(self) -> str:
        """That of the server's database, by way of this proxy, in the clear so that it can be read."""
        options = {"sslmode": "disable", "gssencmode": "disable"}
        url = self._server.set(host="127.0.0.1", port=self.port, query=options)
        return url.render_as_string(hide_password=False)

    def close(self) -> None:
        self.release.set()
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._ended.wait()
        server.close()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _accept(self, client_reader: StreamReader, client: StreamWriter) -> None:
        self.came_back.set()
        task = asyncio.current_task()
        assert task
        self._under_way.add(task)
        server_reader, server = await self._connect()
        answers = asyncio.create_task(_pass_on(server_reader, client))
        try:
            with suppress(OSError):
                await self._ask(client_reader, client, server, answers)
        finally:
            for writer in (client, server):
                writer.transport.abort()
            await asyncio.wait([answers])
            self._under_way.discard(task)

    async def _connect(self) -> tuple[StreamReader, StreamWriter]:
        host, port = str(self._server.query.get("host") or self._server.host), self._server.port or 5432
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _ask(
        self, reader: StreamReader, client: StreamWriter, server: StreamWriter, answers: asyncio.Task[None]
    ) -> None:
        while data := await reader.read(65536):
            if self.cut and COMMIT in data:
                await self._cut(data, client, server, answers)
                return
            server.write(data)
            await server.drain()

    async def _cut(self, data: bytes, client: StreamWriter, server: StreamWriter, answers: asyncio.Task[None]) -> None:
        how, self.cut = self.cut, None
        self.came_back.clear()
        if how == "before":
            return
        client.transport.abort()
        if how == "late":
            await asyncio.to_thread(self.release.wait, 30)
        server.write(data)
        server.write_eof()  # the server ends when it has carried out what it was sent
        await asyncio.wait([answers])


async def _pass_on(reader: StreamReader, writer: StreamWriter) -> None:
    """All that comes, also when nobody takes it any more."""
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.transport.abort()


@contextmanager
def proxy(server: str) -> Iterator[Proxy]:
    proxy = Proxy(server)
    try:
        yield proxy
    finally:
        proxy.close()
