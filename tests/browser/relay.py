"""A wire to a site or a server: cut, mended, frozen or slow; a TCP relay on a port of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Relay:
    """Passes connections on to the site at `url` (or `unix:///…`) while it is whole.

    A slow one hands to the browser `piece` bytes at a time, with 5 ms between them.
    """

    def __init__(self, url: str, piece: int | None = None) -> None:
        self._place = urlsplit(url)
        self._server: asyncio.Server | None = None
        self.port = 0
        self._piece = piece
        self._flows: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()

    @property
    def url(self) -> str:
        """The address of the site through the relay."""
        return f"http://127.0.0.1:{self.port}"

    async def mend(self) -> None:
        """Takes connections from now on, always on the same port."""
        self._flowing.set()
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Ends all connections and refuses new ones."""
        assert self._server is not None
        self._server.close()
        for flow in list(self._flows):
            flow.cancel()
        await asyncio.sleep(0)

    def freeze(self) -> None:
        """Keeps connections open, and nothing comes through."""
        self._flowing.clear()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._flows.add(task)
        try:
            site = await self._connect()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._flow(reader, site[1]))
                group.create_task(self._flow(site[0], writer, self._piece))
        except (ConnectionError, asyncio.CancelledError, ExceptionGroup):
            pass
        finally:
            self._flows.discard(task)
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._place.scheme == "unix":
            return await asyncio.open_unix_connection(self._place.path)
        return await asyncio.open_connection(self._place.hostname, self._place.port)

    async def _flow(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, piece: int | None = None
    ) -> None:
        with suppress(ConnectionError):
            try:
                while data := await reader.read(piece or 65_536):
                    await self._flowing.wait()
                    if piece:
                        await asyncio.sleep(0.005)
                    writer.write(data)
                    await writer.drain()
            finally:
                writer.close()


@asynccontextmanager
async def relaying(url: str, piece: int | None = None) -> AsyncIterator[Relay]:
    """A relay that is whole at first, and slow if it hands over in pieces."""
    relay = Relay(url, piece)
    await relay.mend()
    try:
        yield relay
    finally:
        await relay.cut()
