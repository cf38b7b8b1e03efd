"""The web application for tests: over ASGI within the test's loop, and as a real server in a thread."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette

from app.commands.serve import server_config
from app.config import Settings
from app.main import build_app
from tests.fakes.running import listen

BASE_URL = "http://localhost:8000"


@dataclass(frozen=True)
class Client:
    """A client of one application; `address` is where it seems to call from."""

    http: httpx.AsyncClient
    app: Starlette

    async def ask(self, query: str, variables: dict[str, Any] | None = None, **headers: str) -> Any:
        """The body of the answer to one operation."""
        return (await self.post({"query": query, "variables": variables}, **headers)).json()

    async def post(self, body: Any, **headers: str) -> httpx.Response:
        """Posts JSON to /graphql."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post("/graphql", json=body, headers=names)


@asynccontextmanager
async def asgi_client(settings: Settings, *, address: str = "127.0.0.1") -> AsyncIterator[Client]:
    """The application of these settings, started, and a client of it."""
    app = build_app(settings)
    transport = httpx.ASGITransport(app, client=(address, 50_000))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http,
    ):
        yield Client(http, app)


@contextmanager
def served(settings: Settings, **state: Any) -> Iterator[str]:
    """The application of these settings behind a real server; its address, without a slash.

    `state` takes the place of what the application has opened, once it has started.
    """
    config = server_config(settings)
    server = uvicorn.Server(config)
    with listen() as listener:
        serving = server.serve([listener])
        thread = threading.Thread(target=lambda: asyncio.run(serving), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        for name, value in state.items():
            setattr(config.app.state, name, value)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(60)
