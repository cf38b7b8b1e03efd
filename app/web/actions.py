"""What forms do: each runs a mutation and answers by going on to a page.

Without JavaScript the answer is a redirect (303). htmx follows it too; where a form swaps itself
alone, or the whole page has to be drawn anew, a header tells it so.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError
from app.graphql.execute import run_document
from app.translations import translate_error
from app.web.data_pages import address_of, show_data_health, show_instrument_data
from app.web.forms import TYPED_WRONG, local_address, read_form
from app.web.graphql_endpoint import make_context
from app.web.pages import show_dashboard, track_form
from app.web.render import get_renderer
from app.web.settings_pages import refresh_page
from app.web.shell import load_shell

SOURCE_WRONG: Final = frozenset({"BAD_INPUT", "CONFLICT", "RATE_LIMITED", "UNAVAILABLE"})
"""What a source may answer that stands beside the choice of it."""


async def track(request: Request) -> Response:
    """`POST /track`: adds an instrument and goes to its page; an error stands at the field."""
    form = await read_form(request)
    typed = form.get("symbol", "").strip()
    context = make_context(request)
    try:
        found = await run_document("dashboard/_track", {"symbol": typed}, context)
    except AppError as error:
        if error.code not in TYPED_WRONG:
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
    return refresh_page(request, "/")


async def use_source(request: Request) -> Response:
    """`POST /data/source`: takes an instrument's prices from another source; says why it cannot."""
    form = await read_form(request)
    context = make_context(request)
    symbol = form.get("symbol", "")
    variables = {"symbol": symbol, "provider": form.get("provider", "")}
    try:
        used = (await run_document("data/_use", variables, context))["useSource"]
    except AppError as error:
        if error.code not in SOURCE_WRONG:
            raise
        message = translate_error(error, context.locale)
        return await show_instrument_data(
            request, symbol, None, source_error=message, status=error.status
        )
    if used["outcome"] in {"HELD", "SUPERSEDED"}:
        return await show_instrument_data(
            request, symbol, None, source_error=used["detail"], status=409
        )
    return RedirectResponse(address_of(symbol), 303)


async def _decide(request: Request, document: str) -> Response:
    """Runs a decision on a held row and goes back; what was wrong stands above the rows."""
    form = await read_form(request)
    context = make_context(request)
    try:
        await run_document(document, {"id": form.get("id", "")}, context)
    except AppError as error:
        if error.code not in TYPED_WRONG:
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
