"""The way to a provider and back: `/auth/<key>` and `/auth/<key>/callback`.

What must not be lost on the way lies in a signed cookie of its own for ten minutes. It begins by a
link, as a form's answer may not lead to another site (`form-action 'self'`); from another site it
does not begin, and connecting a provider needs a ticket of the settings.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.config import Settings
from app.errors import AppError, Forbidden
from app.providers import Provider
from app.services.people.external_sign_in import Vouched, sign_in_by, slow_down
from app.services.people.identity import Identity
from app.services.people.linked_providers import check_ticket, get_provider, link
from app.services.people.sign_in import begin_half
from app.web.auth import caller_of, is_secure, open_browser_session
from app.web.failures import show_app_error
from app.web.forms import Form, local_address
from app.web.middleware import FROM_ANOTHER_SITE
from app.web.oidc import Vouching
from app.web.shell import site_of
from app.web.sign_in_pages import show_login

SECURE_COOKIE: Final = "__Host-oidc"
PLAIN_COOKIE: Final = "sise-dev-oidc"
LIFETIME: Final = 600  # seconds
LONGEST: Final = 512  # characters of what is carried along

Handler = Callable[[Request], Awaitable[Response]]


def provider_routes(settings: Settings, secret: str) -> list[BaseRoute]:
    """The addresses of the sign-in by other sites; `secret` signs the cookie."""
    trip = RoundTrip(settings)
    routes = [
        Route("/{key}", _answering(trip.begin)),
        Route("/{key}/callback", _answering(trip.come_back)),
    ]
    cookie = Middleware(TripCookie, settings=settings, secret=secret)
    return [Mount("/auth", routes=routes, middleware=[cookie])]


class TripCookie:
    """Starlette's session in a cookie: without Secure only in the development profile."""

    def __init__(self, app: ASGIApp, *, settings: Settings, secret: str) -> None:
        self._loopback = settings.loopback
        self._secure = _session(app, secret, SECURE_COOKIE, secure=True)
        self._plain = _session(app, secret, PLAIN_COOKIE, secure=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on with its `session`."""
        plain = self._loopback and not is_secure(scope)
        await (self._plain if plain else self._secure)(scope, receive, send)


class RoundTrip:
    """Its two steps."""

    def __init__(self, settings: Settings) -> None:
        self._vouching = Vouching(settings.providers)

    async def begin(self, request: Request) -> Response:
        """`GET /auth/<key>`: sends the browser to the provider."""
        provider = await self._enter(request)
        if request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
            raise Forbidden(FROM_ANOTHER_SITE)
        asked = request.query_params
        ticket = asked.get("link", "")
        if ticket:
            check_ticket(request.app.state.env, _identity(request), provider.key, ticket)
        request.session.clear()
        wanted = {"next": asked.get("next"), "invitation": asked.get("invitation"), "link": ticket}
        carried = {name: value[:LONGEST] for name, value in wanted.items() if value}
        request.session["carried"] = carried
        back = f"{site_of(request)}/auth/{provider.key}/callback"
        return await self._vouching.send_off(request, provider, back)

    async def come_back(self, request: Request) -> Response:
        """`GET /auth/<key>/callback`: signs in whom the provider vouches for, or connects it."""
        provider = await self._enter(request)
        carried = dict(request.session.get("carried") or {})
        try:
            vouched = await self._vouching.receive(request, provider)
        finally:
            request.session.clear()
        if carried.get("link"):
            return await _connect(request, provider, vouched, carried)
        env = request.app.state.env
        user = await sign_in_by(env, vouched, invitation=carried.get("invitation"))
        if user.second_factor:
            onwards = local_address(carried.get("next"))
            return await show_login(request, Form(), onwards, half=await begin_half(env, user.id))
        return await _welcome(request, user.id, carried)

    async def _enter(self, request: Request) -> Provider:
        env = request.app.state.env
        provider = get_provider(env, request.path_params["key"])
        await slow_down(env, _address(request))
        return provider


async def _connect(
    request: Request, provider: Provider, vouched: Vouched, carried: dict[str, str]
) -> Response:
    env = request.app.state.env
    identity = check_ticket(env, _identity(request), provider.key, carried["link"])
    await link(env, identity, vouched)
    return RedirectResponse(
        local_address(carried.get("next") or "/settings/security?done=link"), 303
    )


async def _welcome(request: Request, user_id: int, carried: dict[str, str]) -> Response:
    response = RedirectResponse(local_address(carried.get("next")), 303)
    await open_browser_session(request, user_id)
    return response


def _identity(request: Request) -> Identity | None:
    return caller_of(request).identity


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _answering(handler: Handler) -> Handler:
    """Failures become pages here, inside of the cookie: it is to be written with them, too."""

    async def handle(request: Request) -> Response:
        try:
            response = await handler(request)
        except AppError as error:
            response = await show_app_error(request, error)
        response.headers["Cache-Control"] = "no-store"
        return response

    return handle


def _session(app: ASGIApp, secret: str, name: str, *, secure: bool) -> ASGIApp:
    return SessionMiddleware(
        app,
        secret_key=secret,
        session_cookie=name,
        max_age=LIFETIME,
        path="/",
        same_site="lax",
        https_only=secure,
    )
