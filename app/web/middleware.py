"""What every request passes: the host is ours, the origin is ours, and its time is measured.

An unsafe method and a WebSocket handshake need an Origin of this site, or none and no cookie: a
browser always sends one with them, so what has none holds no reader's cookies. `/graphql` makes the
same check itself, in the order of its own guard.
"""

from __future__ import annotations

from collections.abc import Collection
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.config import LOOPBACK, Settings
from app.telemetry import REQUESTS
from app.translations import N_

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
PROBES: Final = frozenset({"/healthz", "/readyz"})
"""Asked by address, by whatever watches the process; they tell nothing of a reader."""

FROM_ANOTHER_SITE: Final = N_("The request comes from another site.")
COOKIE_WITHOUT_ORIGIN: Final = N_("The request has a cookie and no Origin.")
FOREIGN_ORIGIN: Final = N_("The Origin of the request is not this site.")

_ANY_ADDRESS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - named, not bound to
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def allowed_hosts(settings: Settings) -> frozenset[str]:
    """The names under which this site may be called: loopback, its own host, SISE_ALLOWED_HOSTS."""
    own = {settings.host} - _ANY_ADDRESS
    return frozenset(name.lower() for name in {*LOOPBACK, *own, *settings.allowed_hosts})


def refuse_origin(headers: Headers, trusted: Collection[str] = ()) -> str | None:
    """Why a request may not change anything here, None when it may.

    The Origin is the Host of the request, or one of the `trusted` names (SISE_ALLOWED_HOSTS: behind
    a proxy that terminates TLS, Host may be another one).
    """
    if headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
        return FROM_ANOTHER_SITE
    origin = headers.get("origin")
    if origin is None:
        return COOKIE_WITHOUT_ORIGIN if "cookie" in headers else None
    if _names_host(origin, headers.get("host"), trusted):
        return None
    return FOREIGN_ORIGIN


class HostCheck:
    """Refuses a Host that is not ours: a foreign name may have been made to point here."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self.hosts = allowed_hosts(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or answers 400 (a handshake: 403)."""
        known = scope["type"] == "lifespan" or scope["path"] in PROBES
        if known or _host_name(Headers(scope=scope).get("host")) in self.hosts:
            await self.app(scope, receive, send)
            return
        text = "This host name is not known here. SISE_ALLOWED_HOSTS lists the names to answer to."
        await _refuse(scope, receive, send, PlainTextResponse(text, 400))


class OriginCheck:
    """Refuses unsafe methods and handshakes from other sites."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self.trusted = frozenset(name.lower() for name in settings.allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or answers 403."""
        if self._is_checked(scope):
            why = refuse_origin(Headers(scope=scope), self.trusted)
            if why is not None:
                await _refuse(scope, receive, send, PlainTextResponse(why, 403))
                return
        await self.app(scope, receive, send)

    def _is_checked(self, scope: Scope) -> bool:
        if scope["type"] == "http":
            return scope["method"] not in SAFE_METHODS and scope["path"] != "/graphql"
        return bool(scope["type"] == "websocket")


class RequestMetrics:
    """Times each HTTP request, by method, route and status."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on and notes how long it took."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500
        begin = perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if scope["method"] in {"GET", "HEAD", "POST"} else "other"
            REQUESTS.labels(method, route, str(status)).observe(perf_counter() - begin)


async def _refuse(scope: Scope, receive: Receive, send: Send, response: PlainTextResponse) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
    else:
        await response(scope, receive, send)


def _names_host(origin: str, host: str | None, trusted: Collection[str]) -> bool:
    try:
        parsed = urlsplit(origin)
        wanted = urlsplit(f"//{host}")
        port = parsed.port or _DEFAULT_PORTS.get(parsed.scheme)
        host_port = wanted.port or _DEFAULT_PORTS.get(parsed.scheme)
    except ValueError:
        return False
    if parsed.scheme not in _DEFAULT_PORTS or not parsed.hostname:
        return False
    same = parsed.hostname == wanted.hostname and port == host_port
    return same or parsed.hostname in trusted


def _host_name(host: str | None) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname if host else None
    except ValueError:
        return None
