"""A local server in a thread of this process."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette


def server_config(app: Starlette) -> uvicorn.Config:
    """Quiet, without lifespan, with WebSockets."""
    return uvicorn.Config(
        app,
        log_level="critical",
        ws="websockets-sansio",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )


def listen(port: int = 0) -> socket.socket:
    """A listening socket of the loopback whose connections send without delay.

    asyncio sets TCP_NODELAY only on a socket that names its protocol. Without it, head and body of
    an answer are two packets, and the second waits 40 ms for the other side's acknowledgement.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    return listener


@contextmanager
def run_app(app: Starlette, *, port: int = 0) -> Iterator[str]:
    """Serves the app on the loopback until the block ends; its URL."""
    with listen(port) as listener:
        server = uvicorn.Server(server_config(app))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
