"""`/screener`: instruments by their newest figures, as page and as CSV; screens that one keeps."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any, Final

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError
from app.graphql.context import Context
from app.graphql.execute import run_document
from app.translations import translate_error
from app.web.forms import TYPED_WRONG, Form, read_form, refuse
from app.web.graphql_endpoint import make_context
from app.web.listing import strength_word
from app.web.render import get_renderer
from app.web.screen_cells import list_columns, show_cell
from app.web.screen_view import (
    PERCENT,
    ScreenView,
    read_screen_form,
    read_screen_view,
    view_of,
)
from app.web.screen_words import name_fields, name_presets, name_words
from app.web.shell import load_shell, nodes, translator

_MOST_EXPORTED: Final = 20_000  # hits
_NOTHING: Final = {"name": "", "sector": None, "currency": "", "exchange": {"mic": ""}}


async def screener(request: Request) -> Response:
    """`GET`: hits of what the address says; the form of the page leads to that address."""
    if "form" in request.query_params:
        query = read_screen_form(request.query_params).query()
        return RedirectResponse(f"/screener?{query}" if query else "/screener", 303)
    return await _show(request, read_screen_view(request.query_params), Form())


async def save(request: Request) -> Response:
    """`POST /screener/save`: keeps a screen under a name and goes back to it."""
    typed = await read_form(request)
    view = read_screen_view(_params(typed.get("query", "")))
    context = make_context(request)
    try:
        variables = view.variables() | {"name": typed.get("name", "")}
        variables.pop("after")
        await run_document("screener/_save", variables, context)
    except AppError as error:
        return await _show(request, view, refuse(error, typed, context.locale, field="name"))
    return RedirectResponse(f"/screener?{view.query()}", 303)


async def delete(request: Request) -> Response:
    """`POST /screener/delete`: forgets a screen."""
    typed = await read_form(request)
    await run_document("screener/_delete", {"id": typed.get("id", "")}, make_context(request))
    query = read_screen_view(_params(typed.get("query", ""))).query()
    return RedirectResponse(f"/screener?{query}" if query else "/screener", 303)


async def export(request: Request) -> Response:
    """`GET /screener.csv`: all hits with all their figures, as plain numbers.

    Raises:
        BadInput: what the address asks for cannot be.
    """
    view = read_screen_view(request.query_params)
    context = make_context(request)
    out = io.StringIO()
    lines = csv.writer(out)
    variables, count = view.variables(), 0
    while count < _MOST_EXPORTED:
        page = (await run_document("screener/export", variables, context.renewed()))["screen"]
        for hit in nodes(page):
            row = _flatten(hit)
            if not count:
                lines.writerow(row)
            lines.writerow("" if value is None else value for value in row.values())
            count += 1
        if not page["pageInfo"]["hasNextPage"]:
            break
        variables["after"] = page["pageInfo"]["endCursor"]
    headers = {
        "Content-Disposition": 'attachment; filename="sise-screen.csv"',
        "Cache-Control": "no-store",
    }
    return Response(out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


async def _show(request: Request, view: ScreenView, form: Form) -> Response:
    """The page; what cannot be asked for stands above the rows, and nothing is hit."""
    context = make_context(request)
    shell = await load_shell(context)
    _ = translator(request)
    names = name_fields(_)
    titles = {key: title for group in names.values() for key, title in group.items()}
    found, wrong = await _find(view, titles, context.renewed())
    offered = await run_document("screener/_fields", None, context.renewed())
    exchanges = {one["mic"]: one["name"] for one in offered["markets"]}
    name_word = name_words(_, exchanges)
    rows = nodes(found) if found else []
    for hit in rows:
        hit["strength"] = hit["signal"] and strength_word(hit["signal"], _)
    more = found["pageInfo"] if found else {"hasNextPage": False}
    data = {
        "columns": list_columns(view),
        "count": found["totalCount"] if found else 0,
        "fields": {field["key"]: field for field in offered["screenFields"]},
        "form": form,
        "hits": rows,
        "name_word": name_word,
        "names": names,
        "next": view.query(after=more["endCursor"]) if more["hasNextPage"] else None,
        "percents": PERCENT,
        "presets": name_presets(_),
        "saved": await _list_saved(context),
        "show": lambda hit, key: show_cell(hit, key, context.locale),
        "titles": titles,
        "view": view,
        "wrong": wrong,
    }
    status = 422 if wrong else form.status
    return get_renderer().page(request, "screener/page.html", shell, data, status=status)


async def _find(
    view: ScreenView, titles: Mapping[str, str], context: Context
) -> tuple[dict[str, Any] | None, str | None]:
    """The page of hits, or what was wrong with the question: figures are called as on the page."""
    try:
        page = await run_document("screener/page", view.variables(), context)
    except AppError as error:
        if error.code not in TYPED_WRONG:
            raise
        key = error.values.get("key", "")
        said = {"key": titles[key]} if key in titles else {}
        return None, translate_error(error, context.locale, **said)
    return page["screen"], None


async def _list_saved(context: Context) -> list[dict[str, Any]] | None:
    """One's own screens, each with its address; None for who has not signed in."""
    if context.identity is None:
        return None
    page = await run_document("screener/_saved", None, context.renewed())
    return [one | {"query": view_of(one).query()} for one in page["savedScreens"]]


def _params(query: str) -> QueryParams:
    return QueryParams(query)


def _flatten(hit: dict[str, Any]) -> dict[str, Any]:
    """A line of the CSV: names first, then every figure; text never begins as a formula does."""
    it = hit.pop("instrument") or {
        "name": "",
        "sector": None,
        "currency": "",
        "exchange": {"mic": ""},
    }
    named = {
        "symbol": hit.pop("symbol"),
        "name": it["name"],
        "exchange": it["exchange"]["mic"],
        "currency": it["currency"],
        "sector": it["sector"],
    }
    texts = {name: _harmless(text) for name, text in named.items()}
    return texts | hit


def _harmless(text: str | None) -> str | None:
    return f"'{text}" if text and text[0] in "=+-@\t\r" else text
