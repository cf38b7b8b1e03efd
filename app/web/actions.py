"""What forms do: each runs a mutation and answers by going on to a page.

Without JavaScript the answer is a redirect (303). htmx follows it too; where a form swaps itself
alone, or the whole page has to be drawn anew, a header tells it so.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, quote

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError, BadInput
from app.graphql.execute import run_document
from app.translations import translate_error
from app.web.data_pages import show_data_health, show_instrument_data
from app.web.graphql_endpoint import make_context
from app.web.pages import show_dashboard, track_form
from app.web.preferences import check_choices, set_preferences
from app.web.render import get_renderer
from app.web.shell import load_shell

MAX_FORM: Final = 16_384
_FORM: Final = "application/x-www-form-urlencoded"
_TYPED_WRONG: Final = frozenset({"BAD_INPUT", "NOT_FOUND", "CONFLICT"})


async def track(request: Request) -> Response:
    """`POST /track`: adds an instrument and goes to its page; an error stands at the field."""
    form = await read_form(request)
    typed = form.get("symbol", "").strip()
    context = make_context(request)
    try:
        found = await run_document("dashboard/_track", {"symbol": typed}, context)
    except AppError as error:
        if error.code not in _TYPED_WRONG:
            raise
        message = translate_error(error, context.locale)
        return await _show_wrong(request, {"symbol": typed[:20], "error": message})
    return _go(request, f"/instruments/{quote(found['trackInstrument']['symbol'])}")


async def collect(request: Request) -> Response:
    """`POST /collect`: has one instrument, or all of them, collected now."""
    form = await read_form(request)
    symbols = [form["symbol"]] if form.get("symbol") else None
    await run_document("jobs/_collect", {"symbols": symbols}, make_context(request))
    return RedirectResponse("/jobs", 303)


async def release_held(request: Request) -> Response:
    """`POST /data/release`: stores a held row as it was given."""
    return await _decide(request, "data/_release")


async def drop_held(request: Request) -> Response:
    """`POST /data/drop`: a held row is never stored."""
    return await _decide(request, "data/_drop")


async def switch_source(request: Request) -> Response:
    """`POST /source`: takes prices from another source from now on."""
    form = await read_form(request)
    name = form.get("source", "").upper()
    await run_document("settings/_source", {"name": name}, make_context(request))
    return _refresh(request, "/")


async def save_settings(request: Request) -> Response:
    """`POST /settings`: keeps the choices in cookies and goes back to where one was."""
    form = await read_form(request)
    chosen = check_choices(form)
    response = _refresh(request, local_address(form.get("back")))
    set_preferences(response, chosen, secure=request.url.scheme == "https")
    return response


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form; of a repeated one the last.

    Raises:
        BadInput: it is no form, or larger than 16,384 bytes.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _FORM:
        raise BadInput("A form must be sent as %(type)s.", field="form", type=_FORM)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            raise BadInput("The form is larger than %(bound)d bytes.", field="form", bound=MAX_FORM)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        raise BadInput("The form cannot be read.", field="form") from None
    return dict(pairs)


def local_address(text: str | None) -> str:
    """An address of this site; anything else becomes the dashboard's.

    Two slashes, of either kind, name another site, and browsers drop tabs and line ends.
    """
    if not text or not text.startswith("/") or not text.isprintable():
        return "/"
    return "/" if text[1:2] in {"/", "\\"} else text


async def _decide(request: Request, document: str) -> Response:
    """Runs a decision on a held row and goes back; what was wrong stands above the rows."""
    form = await read_form(request)
    context = make_context(request)
    try:
        await run_document(document, {"id": form.get("id", "")}, context)
    except AppError as error:
        if error.code not in _TYPED_WRONG:
            raise
        message = translate_error(error, context.locale)
        if form.get("symbol"):
            return await show_instrument_data(request, form["symbol"], message, status=error.status)
        return await show_data_health(request, message, status=error.status)
    return RedirectResponse(local_address(form.get("back")), 303)


async def _show_wrong(request: Request, typed: dict[str, str]) -> Response:
    """The form again with what was wrong: alone for htmx, else on its page; status 422."""
    if request.headers.get("hx-request") == "true":
        shell = await load_shell(make_context(request))
        data = {"track": track_form(typed, historic=shell.historic)}
        return get_renderer().part(request, "dashboard/_track.html", data, status=422)
    return await show_dashboard(request, typed, status=422)


def _go(request: Request, address: str) -> Response:
    """On to another page, also from a form that would swap itself alone."""
    if request.headers.get("hx-request") != "true":
        return RedirectResponse(address, 303)
    place = {"path": address, "target": "#main", "swap": "innerHTML show:top showTarget:window"}
    return Response(status_code=204, headers={"HX-Location": orjson.dumps(place).decode()})


def _refresh(request: Request, address: str) -> Response:
    """The page anew, from its first byte: `<html>` itself has changed."""
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Refresh": "true"})
    return RedirectResponse(address, 303)
