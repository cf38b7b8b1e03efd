"""Every request: whose host, whose origin, and how long it took."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from app.config import load_settings
from app.telemetry import REGISTRY
from app.web.middleware import (
    HostCheck,
    OriginCheck,
    RequestMetrics,
    allowed_hosts,
    refuse_origin,
)

SETTINGS = load_settings({"SISE_ALLOWED_HOSTS": "sise.example.com"})
ATTACKERS = ["https://evil.example", "null", "http://localhost.evil.example", "http://[", "file://"]


async def page(_request: Request) -> Response:
    return PlainTextResponse("served")


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


def make_app(settings=SETTINGS) -> Starlette:
    return Starlette(
        routes=[
            Route("/healthz", page),
            Route("/items/{id}", page, methods=["GET", "POST", "DELETE"]),
            WebSocketRoute("/graphql", socket),
        ],
        middleware=[
            Middleware(RequestMetrics),
            Middleware(HostCheck, settings=settings),
            Middleware(OriginCheck, settings=settings),
        ],
    )


async def send(method: str, path: str = "/items/1", host: str = "localhost:8000", **headers: str):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    transport = httpx.ASGITransport(make_app())
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
        return await client.request(method, path, headers=names)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8000",
        "127.0.0.1:8000",
        "[::1]:8000",
        "LOCALHOST",
        "sise.example.com",
    ],
)
async def test_a_host_of_ours_is_served(host):
    assert (await send("GET", host=host)).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "10.0.0.7", "[::2]:8000"]
)
async def test_a_foreign_host_is_refused_and_told_which_setting_helps(host):
    answer = await send("GET", host=host)
    assert answer.status_code == 400
    assert "SISE_ALLOWED_HOSTS" in answer.text


async def test_probes_are_answered_under_any_name():
    assert (await send("GET", "/healthz", host="10.0.0.7:8000")).status_code == 200


def test_a_process_that_listens_on_all_addresses_has_no_name_of_its_own():
    names = allowed_hosts(load_settings({"SISE_HOST": "0.0.0.0"}))
    assert names == {"127.0.0.1", "::1", "localhost"}
    assert "192.168.0.5" in allowed_hosts(load_settings({"SISE_HOST": "192.168.0.5"}))


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("origin", ATTACKERS)
async def test_an_unsafe_method_from_a_foreign_origin_is_refused(method, origin):
    assert (await send(method, origin=origin)).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_an_unsafe_method_from_another_site_is_refused_whatever_its_origin(site):
    answer = await send("POST", origin="http://localhost:8000", sec_fetch_site=site)
    assert answer.status_code == 403


async def test_an_unsafe_method_of_our_own_page_is_served():
    answer = await send("POST", origin="http://localhost:8000", sec_fetch_site="same-origin")
    assert answer.status_code == 200


async def test_a_client_that_is_no_browser_is_served_and_a_cookie_without_origin_is_not():
    assert (await send("POST")).status_code == 200
    assert (await send("POST", cookie="sise_locale=ko")).status_code == 403


async def test_reading_needs_no_origin():
    assert (await send("GET", origin="https://evil.example")).status_code == 200


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://localhost:8000", "localhost:8000", True),
        ("http://localhost:3000", "localhost:8000", False),  # another program of this machine
        ("https://sise.example.com", "127.0.0.1:8000", True),  # behind a proxy, a listed name
        ("https://sise.example.com:443", "sise.example.com", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("https://localhost", "localhost:80", False),
        ("http://localhost:99999", "localhost:8000", False),
        ("ftp://localhost:8000", "localhost:8000", False),
        ("http://localhost:8000@evil.example", "localhost:8000", False),
    ],
)
def test_an_origin_is_judged_by_its_host_and_port(origin, host, allowed):
    headers = Headers({"origin": origin, "host": host})
    assert (refuse_origin(headers, {"sise.example.com"}) is None) is allowed


@pytest.mark.parametrize(
    ("origin", "host", "accepted"),
    [
        ("https://evil.example", "localhost:8000", False),
        ("null", "localhost:8000", False),
        ("http://localhost:8000", "localhost:8000", True),
        (None, "localhost:8000", True),
        (None, "evil.example", False),
    ],
)
async def test_a_handshake_is_judged_by_host_and_origin(origin, host, accepted):
    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin else [])
    scope = {"type": "websocket", "path": "/graphql", "headers": headers, "subprotocols": []}
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def collect(message):
        sent.append(message["type"])

    await make_app()(scope, receive, collect)
    assert (sent[0] == "websocket.accept") is accepted


async def test_requests_are_timed_by_route_and_status():
    def count(route: str, status: str) -> float:
        labels = {"method": "GET", "route": route, "status": status}
        return REGISTRY.get_sample_value("sise_http_request_seconds_count", labels) or 0.0

    before = count("/items/{id}", "200"), count("other", "404")
    await send("GET", "/items/17")
    await send("GET", "/nothing/here")
    assert (count("/items/{id}", "200"), count("other", "404")) == (before[0] + 1, before[1] + 1)
