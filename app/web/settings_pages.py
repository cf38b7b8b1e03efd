"""`/settings`: how pages are shown to the reader; kept in cookies, and with the account if any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError
from app.graphql.execute import run_document
from app.web.auth import caller_of
from app.web.forms import Form, local_address, read_form, refuse
from app.web.graphql_endpoint import make_context
from app.web.preferences import check_choices, set_preferences
from app.web.render import get_renderer
from app.web.shell import find_shell

ZONES: Final = (
    "Asia/Seoul",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "Asia/Hong_Kong",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/London",
    "UTC",
)
"""Zones to choose from by name; every other one may be typed."""

_WORDS: Final = {"locale": "locale", "colors": "colours", "theme": "theme"}


async def settings(request: Request) -> Response:
    """`GET /settings`: language, colours, theme, privacy, currency; the zone of an account."""
    return await _show(request, Form())


async def save_settings(request: Request) -> Response:
    """`POST /settings`: keeps the choices and goes back to where one was."""
    typed = await read_form(request)
    chosen = check_choices(typed)
    try:
        await keep_choices(request, chosen, typed.get("timeZone"))
    except AppError as error:
        return await _show(request, refuse(error, typed, make_context(request).locale))
    response = refresh_page(request, local_address(typed.get("back")))
    set_preferences(response, chosen, secure=request.url.scheme == "https")
    return response


async def keep_choices(
    request: Request, chosen: Mapping[str, str], zone: str | None = None
) -> None:
    """Stores choices with the account of who has signed in.

    Raises:
        BadInput: there is no such time zone.
    """
    if caller_of(request).identity is None:
        return
    changes: dict[str, Any] = {
        word: chosen[name].upper() for name, word in _WORDS.items() if name in chosen
    }
    if "currency" in chosen:
        changes["baseCurrency"] = chosen["currency"]
    if "privacy" in chosen:
        changes["privacy"] = chosen["privacy"] == "on"
    if zone is not None:
        changes["timeZone"] = zone.strip()
    if changes:
        await run_document("settings/_save", {"input": changes}, make_context(request))


def refresh_page(request: Request, address: str) -> Response:
    """The page anew, from its first byte: `<html>` itself has changed."""
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Refresh": "true"})
    return RedirectResponse(address, 303)


async def _show(request: Request, form: Form) -> Response:
    data = {"form": form, "zones": ZONES}
    shell = await find_shell(request)
    return get_renderer().page(request, "settings/page.html", shell, data, status=form.status)
