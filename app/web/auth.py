"""Who is calling: the session cookie of a browser, or a token in `Authorization: Bearer`.

The cookie is `__Host-sid`: Secure, HttpOnly, SameSite=Lax, for this host alone. Over plain http on
a server that is bound to loopback it is `sise-dev-sid` without Secure, the named development
profile: not every browser takes a secure cookie from http://localhost.

A token that is not in force is answered with 401. A cookie that is not: on `/graphql` too, on pages
the reader is a stranger whose cookie is taken away. Pages of who has signed in are never stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.config import Settings
from app.env import Env
from app.errors import Unauthenticated, Unavailable
from app.graphql.context import Context
from app.services.people.authentication import find_again, find_by_bearer, find_by_cookie
from app.services.people.identity import Device, Identity
from app.services.people.sessions import LONGEST, open_session
from app.services.people.sign_in import SecondFactorNeeded, finish_sign_in, sign_in
from app.services.people.users import UserRow, find_user, has_users, update_settings
from app.translations import translate_error
from app.web.preferences import prefer, read_cookies, read_preferences

SECURE_COOKIE: Final = "__Host-sid"
PLAIN_COOKIE: Final = "sise-dev-sid"

_KEY: Final = "sise.caller"
_WITHOUT: Final = ("/static/", "/healthz", "/readyz", "/metrics", "/manifest", "/sw.js", "/schema")
"""Answers that are the same for everybody."""

_COLUMNS: Final = {"colors": "colours"}
"""What the account calls otherwise than the cookie."""


@dataclass(frozen=True)
class Caller:
    """`first_run`: there is no account yet, and the person at this machine rules.

    `cookie` is what the browser is told to hold from now on: "" takes it away, None leaves it.
    """

    identity: Identity | None = None
    first_run: bool = False
    cookie: str | None = None
    broken_token: bool = False


STRANGER: Final = Caller()


class Authentication:
    """Finds out who is calling and leaves it in the scope (`caller_of`)."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self._settled = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or answers 401."""
        if scope["type"] == "lifespan" or scope["path"].startswith(_WITHOUT):
            await self.app(scope, receive, send)
            return
        caller = scope[_KEY] = await self._find(scope)
        if caller.identity is not None:
            prefer(scope, _choices_of(caller.identity.user))
        ended = caller.cookie is not None
        if scope["type"] == "http":
            send = self._finishing(scope, send)
            if caller.broken_token or (ended and scope["path"] == "/graphql"):
                await _refusal(Request(scope), token=caller.broken_token)(scope, receive, send)
                return
        elif caller.broken_token:
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        await self.app(scope, receive, send)

    async def _find(self, scope: Scope) -> Caller:
        env = scope["app"].state.env
        connection = HTTPConnection(scope)
        token = read_bearer(connection.headers.get("authorization"))
        name = cookie_name(self.settings, secure=is_secure(scope))
        cookie = connection.cookies.get(name)
        try:
            if token is not None:
                identity = await find_by_bearer(env, token)
                return Caller(identity, broken_token=identity is None)
            if cookie:
                identity = await find_by_cookie(env, cookie)
                if identity is not None:
                    return Caller(identity)
            if not self._settled:
                self._settled = await has_users(env)
        except Unavailable:  # who cannot be looked up is a stranger
            return STRANGER
        return Caller(first_run=not self._settled, cookie="" if cookie else None)

    def _finishing(self, scope: Scope, send: Send) -> Send:
        """Gives the browser its cookie, and lets it keep no page that was made for somebody.

        Who is calling may have changed on the way: by signing in or out.
        """

        async def send_finished(message: Message) -> None:
            if message["type"] == "http.response.start":
                caller, headers = scope[_KEY], MutableHeaders(scope=message)
                known = caller.identity is not None
                if known and headers.get("content-type", "").startswith("text/html"):
                    headers["Cache-Control"] = "no-store"
                if caller.cookie is not None:
                    secure = is_secure(scope)
                    cookie = write_cookie(self.settings, caller.cookie, secure=secure)
                    headers.append("set-cookie", cookie)
            await send(message)

        return send_finished


def caller_of(connection: HTTPConnection) -> Caller:
    """Who is calling, as `Authentication` has found; a stranger where it did not look."""
    found: Caller = connection.scope.get(_KEY, STRANGER)
    return found


async def sign_in_by_token(context: Context, authorization: object) -> Context | None:
    """The context of who sends these words in `connection_init`, None when they are nobody's."""
    token = read_bearer(authorization) if isinstance(authorization, str) else None
    identity = None if token is None else await find_by_bearer(context.env, token)
    return None if identity is None else context.signed_in(identity)


async def check_again(context: Context) -> Context | None:
    """The context as of now, None once the sign-in or token was ended."""
    if context.identity is None:
        return context
    identity = await find_again(context.env, context.identity)
    return None if identity is None else context.signed_in(identity)


async def check_sign_in(request: Request, form: Mapping[str, str]) -> UserRow:
    """Who has filled in the form: `username` and `password`, or `half` and `code` after them.

    Raises:
        Unauthenticated: they are not right.
        SecondFactorNeeded: the password is, and a code is missing or wrong.
        RateLimited: too many tries.
    """
    env = request.app.state.env
    address = request.client.host if request.client else ""
    if form.get("half"):
        return await finish_sign_in(env, form["half"], form.get("code", ""), address=address)
    username, password = form.get("username", ""), form.get("password", "")
    return await sign_in(env, username, password, address=address)


def half_of(error: Exception) -> str | None:
    """What a form carries for `check_sign_in` once the password was right; None when it was not."""
    return error.half if isinstance(error, SecondFactorNeeded) else None


async def open_browser_session(request: Request, user_id: int) -> None:
    """Signs the browser in: a new session for its cookie; what that held before ends.

    The rest of the request is answered to who has signed in. What was chosen before and the account
    leaves open becomes the account's.
    """
    settings, secure = request.app.state.settings, is_secure(request.scope)
    address = request.client.host if request.client else ""
    device = Device.of(request.headers.get("user-agent", ""), address)
    before = request.cookies.get(cookie_name(settings, secure=secure))
    env = request.app.state.env
    secret = await open_session(env, user_id, device, replaces=before)
    await _take_over(env, request, user_id)
    identity = await find_by_cookie(env, secret)
    request.scope[_KEY] = Caller(identity, cookie=secret)
    if identity is not None:
        prefer(request.scope, _choices_of(identity.user))


def close_browser_session(request: Request) -> None:
    """Takes the cookie away; the session itself is ended by `signOut`."""
    request.scope[_KEY] = Caller(cookie="")


async def _take_over(env: Env, request: Request, user_id: int) -> None:
    """Stores the choices of the cookies that the account has none for.

    Hidden amounts and the currency, which an account always has, are taken by one without any.
    """
    user, chosen = await find_user(env, user_id), read_cookies(request)
    if user is None:
        return
    own = {"locale": user.locale, "colors": user.colours, "theme": user.theme}
    changes: dict[str, Any] = {
        _COLUMNS.get(name, name): chosen[name]
        for name, value in own.items()
        if value is None and name in chosen
    }
    if not any(own.values()):
        changes |= {"base_currency": chosen.get("currency", user.base_currency)}
        changes |= {"privacy": user.privacy or chosen.get("privacy") == "on"}
    if changes:
        await update_settings(env, user_id, changes)


def _choices_of(user: UserRow) -> dict[str, str]:
    """The account's choices by the names of the cookies."""
    own = {
        "locale": user.locale,
        "colors": user.colours,
        "theme": user.theme,
        "privacy": "on" if user.privacy else "off",
        "currency": user.base_currency,
    }
    return {name: value for name, value in own.items() if value is not None}


def cookie_name(settings: Settings, *, secure: bool) -> str:
    """Which cookie counts: the plain one only over http on a server bound to loopback."""
    return PLAIN_COOKIE if settings.loopback and not secure else SECURE_COOKIE


def read_bearer(header: str | None) -> str | None:
    """The token of an Authorization header, None for none; another scheme is an empty token."""
    if header is None:
        return None
    scheme, _, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def write_cookie(settings: Settings, secret: str, *, secure: bool) -> str:
    """The value of `Set-Cookie` that makes a browser hold a secret, or with "" forget it."""
    name = cookie_name(settings, secure=secure)
    response = Response()
    response.set_cookie(
        name,
        secret,
        max_age=int(LONGEST.total_seconds()) if secret else 0,
        path="/",
        httponly=True,
        samesite="lax",
        secure=name == SECURE_COOKIE,
    )
    return response.headers["set-cookie"]


def is_secure(scope: Scope) -> bool:
    """Whether a request has come over TLS."""
    return scope.get("scheme") in {"https", "wss"}


def _refusal(request: Request, *, token: bool) -> Response:
    error = Unauthenticated("You are not signed in any more. Sign in again.")
    message = translate_error(error, read_preferences(request).locale)
    body: dict[str, Any] = {"errors": [{"message": message, "extensions": error.extensions}]}
    headers = {"Cache-Control": "no-store"}
    if token:
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return Response(orjson.dumps(body), 401, Headers(headers), media_type="application/json")
