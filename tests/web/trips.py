"""A browser on its way to a provider and back."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.serving import Client, asgi_client

TLS = ssl.create_default_context()
"""Made once: it takes longer than the way to a provider and back."""


@asynccontextmanager
async def visiting(settings, providers, **changes):
    """A browser at an installation with these providers, where everybody may register."""
    set_ = replace(settings, providers=providers.providers(), registration="open")
    async with asgi_client(replace(set_, **changes), address="192.0.2.7") as client:
        yield client


@asynccontextmanager
async def another(client: Client, number: int):
    """Another browser, at an address of its own."""
    transport = httpx.ASGITransport(client.app, client=(f"198.51.100.{number}", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as http:
        yield Client(http, client.app)


async def leave(client: Client, key: str = "home", **query: str) -> str:
    """Begins and lets the provider send the browser back: the address that it is sent to."""
    begun = await client.http.get(f"/auth/{key}?{urlencode(query)}")
    assert begun.status_code == 302, begun.text
    async with httpx.AsyncClient(verify=TLS) as http:
        sent = await http.get(begun.headers["location"])
    assert sent.status_code == 302, sent.text
    return sent.headers["location"]


async def go(client: Client, key: str = "home", **query: str) -> httpx.Response:
    """The whole way; the answer to the browser that has come back."""
    return await client.http.get(await leave(client, key, **query))


async def me(client: Client) -> dict[str, Any] | None:
    """Who the browser is signed in as."""
    asked = "{ me { username email emailVerified role hasPassword } }"
    origin = "http://localhost:8000"
    return (await client.ask(asked, origin=origin))["data"]["me"]
