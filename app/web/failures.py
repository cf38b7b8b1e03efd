"""Failures as pages: the status, what happened in the reader's words, and where to go on."""

from __future__ import annotations

import logging
import math
import uuid
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.errors import AppError, RateLimited
from app.translations import translate_error
from app.web.auth import caller_of
from app.web.forms import with_next
from app.web.headers import add_security_headers
from app.web.preferences import read_preferences
from app.web.render import Shell, came_for, get_renderer
from app.web.shell import find_shell, translator

LOGGER: Final = logging.getLogger(__name__)


async def show_app_error(request: Request, error: Exception) -> Response:
    """An expected failure, with its own sentence."""
    if not isinstance(error, AppError):  # as Starlette declares handlers
        raise error
    locale = read_preferences(request).locale
    message, shell = translate_error(error, locale), await find_shell(request)
    response = _page(request, error.status, message, shell, retry=error.retryable)
    if isinstance(error, RateLimited):
        response.headers["Retry-After"] = str(math.ceil(error.retry_after))
    return response


async def show_http_error(request: Request, error: Exception) -> Response:
    """What the router refuses: no such page, or not by that method."""
    if not isinstance(error, HTTPException):  # as Starlette declares handlers
        raise error
    _ = translator(request)
    messages = {
        404: _("There is no page at this address."),
        405: _("This address does not take that method."),
    }
    message = messages.get(error.status_code, error.detail)
    response = _page(request, error.status_code, message, await find_shell(request), retry=False)
    response.headers.update(error.headers or {})
    return response


async def show_defect(request: Request, error: Exception) -> Response:
    """A defect of ours: the reader gets a number that the log has, and nothing else."""
    error_id = uuid.uuid4().hex
    LOGGER.error("a page failed", exc_info=error, extra={"errorId": error_id})
    text = translator(request)("Unexpected error. The log has it as %(id)s.") % {"id": error_id}
    response = _page(request, 500, text, Shell(), retry=True)
    add_security_headers(response.headers, secure=request.url.scheme == "https")
    return response


def _page(request: Request, status: int, message: str, shell: Shell, *, retry: bool) -> Response:
    _ = translator(request)
    headings = {
        400: _("That does not work"),
        401: _("Sign in first"),
        403: _("Not allowed"),
        404: _("Not found"),
        409: _("Not in this state"),
        422: _("Too much at once"),
        429: _("Too often"),
        503: _("Not available right now"),
    }
    heading = headings.get(status) or (
        _("That does not work") if status < 500 else _("Something broke")
    )
    signed_in = caller_of(request).identity is not None
    data: dict[str, Any] = {
        "sign_in": None
        if signed_in or status not in {401, 403}
        else with_next("/login", came_for(request)),
        "heading": heading,
        "message": message,
        "retry": retry and request.method == "GET",
        "status": status,
    }
    return get_renderer().page(request, "error.html", shell, data, status=status)
