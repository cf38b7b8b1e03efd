"""`/disclaimer`: shown first to who has an account and has not accepted it yet.

Who registers accepts it with the form. An account that the operator has added, or another site has
vouched for, comes without: its browser is led here before any other page, and back afterwards.
Programs are none of it: `/graphql`, and whatever comes with a token, answer as ever.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.graphql.execute import run_document
from app.web.account_pages import require_person
from app.web.auth import caller_of
from app.web.forms import local_address, read_form, with_next
from app.web.graphql_endpoint import make_context
from app.web.middleware import SAFE_METHODS
from app.web.render import came_for, get_renderer
from app.web.shell import find_shell

PATH: Final = "/disclaimer"
_OPEN: Final = frozenset({PATH, "/graphql", "/logout", "/about"})
_WAYS_IN: Final = "/auth/"
_LANGUAGE: Final = "/settings"
"""Its form changes the language of this page, too; the page itself waits like every other."""


class DisclaimerFirst:
    """Leads a browser that has signed in to the disclaimer until it is accepted."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or answers where to go first."""
        if scope["type"] == "http" and _is_due(request := Request(scope)):
            await _lead(request)(scope, receive, send)
            return
        await self.app(scope, receive, send)


async def disclaimer(request: Request) -> Response:
    """`GET /disclaimer?next=`: what it says, and the button that accepts it.

    Raises:
        Unauthenticated: nobody is signed in.
    """
    onwards = local_address(request.query_params.get("next"))
    if require_person(request).disclaimer_at is not None:
        return RedirectResponse(onwards, 303)
    shell, data = await find_shell(request), {"onwards": onwards}
    return get_renderer().page(request, "disclaimer/page.html", shell, data)


async def accept(request: Request) -> Response:
    """`POST /disclaimer`: notes that it is accepted, and goes on to `next`."""
    typed = await read_form(request)
    await run_document("disclaimer/_accept", None, make_context(request))
    return RedirectResponse(local_address(typed.get("next")), 303)


def _is_due(request: Request) -> bool:
    identity = caller_of(request).identity
    if identity is None or not identity.in_browser or identity.user.disclaimer_at is not None:
        return False
    path = request.url.path
    changes_language = path == _LANGUAGE and request.method not in SAFE_METHODS
    return not (path in _OPEN or path.startswith(_WAYS_IN) or changes_language)


def _lead(request: Request) -> Response:
    """To the disclaimer, and from there back."""
    address = with_next(PATH, came_for(request))
    if request.headers.get("hx-request") == "true":  # it would be put into a part of the page
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)
