"""A Valkey of a test's own, that may be killed, frozen and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.embedded import EmbeddedServers


class Broker:
    """A running Valkey at `url`."""

    def __init__(self, servers: EmbeddedServers) -> None:
        self._servers = servers
        self.url = servers.start().redis_url

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        valkey = self._servers.valkey
        assert valkey is not None
        assert valkey.server is not None
        os.kill(valkey.server.pid, signal.SIGKILL)
        assert valkey.server.child is not None
        valkey.server.child.wait(10)

    def signal(self, number: int) -> None:
        """Sends a signal, such as SIGSTOP."""
        assert self._servers.valkey is not None
        assert self._servers.valkey.server is not None
        os.kill(self._servers.valkey.server.pid, number)

    def start(self) -> None:
        """Starts it again on the same socket."""
        assert self._servers.valkey is not None
        self._servers.valkey.start()


@contextmanager
def start_broker() -> Iterator[Broker]:
    """Runs a Valkey until the block ends."""
    with tempfile.TemporaryDirectory(
        prefix="sise-", dir="/tmp", ignore_cleanup_errors=True
    ) as short:
        servers = EmbeddedServers(Path(short), postgres=False, fsync=False)
        try:
            broker = Broker(servers)
            yield broker
            broker.signal(signal.SIGCONT)
        finally:
            servers.stop()


async def until(condition: Callable[[], bool], seconds: float = 300) -> None:
    """Waits until a condition holds.

    Raises:
        TimeoutError: it does not within so many seconds.
    """
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
