"""`/correlation`: a heatmap of what is chosen, one pair of it in detail, and what precedes what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from app.errors import AppError, BadInput
from app.graphql.context import Context
from app.graphql.execute import run_document
from app.web.chart_view import first_day, one_of
from app.web.correlation_listing import draw_rolling, draw_scatter, list_cells
from app.web.forms import Form, refuse
from app.web.graphql_endpoint import make_context
from app.web.listing import title_of
from app.web.render import get_renderer
from app.web.shell import load_shell, newest_day, nodes

RANGES: Final = ("1Y", "5Y", "MAX")
METHODS: Final = ("PEARSON", "SPEARMAN")
AT_FIRST: Final = 12
"""Instruments that are compared when none is named."""
YEAR: Final = timedelta(days=365)
SHOWN_LEADS: Final = 20
MOST_LEADS: Final = 30


async def correlation(request: Request) -> Response:
    """`GET /correlation?symbols=&range=&method=&one=&two=&leads=1`.

    Raises:
        Unavailable: no source has been chosen yet, or the database does not answer.
    """
    context = make_context(request)
    shell = await load_shell(context)
    query = request.query_params
    followed = nodes(
        (await run_document("correlation/_followed", None, context.renewed()))["instruments"]
    )
    comparable = [it for it in followed if it["kind"] != "FX"]
    default = " ".join(_choose(comparable))
    typed = {
        "symbols": query.get("symbols", default),
        "range": query.get("range", "5Y"),
        "method": query.get("method", "PEARSON"),
    }
    names = {it["symbol"]: title_of(it, context.locale) for it in comparable}
    local = "nameLocal" if context.locale == "ko" else "name"
    data: dict[str, Any] = {
        "form": Form(typed=typed),
        "names": names,
        "markets": {it["exchange"]["mic"]: it["exchange"][local] for it in comparable},
        "ranges": RANGES,
        "few": False,
        "rows": None,
        "pair": None,
        "leads": None,
    }
    words = typed["symbols"].replace(",", " ").split()
    if len(comparable) < 2 and "symbols" not in query:
        return get_renderer().page(request, "correlation/page.html", shell, data | {"few": True})
    try:
        range_ = one_of(query, "range", RANGES, "5Y")
        start = first_day(range_, newest_day(context, shell))
        window = {"from": start.isoformat() if start else None, "to": None}
        asked = {"symbols": words, "method": one_of(query, "method", METHODS, "PEARSON")} | window
        data |= await _load(context, query, asked, window)
    except AppError as error:
        form = refuse(_at_symbols(error), typed, context.locale, field="symbols")
        answer = get_renderer().page(
            request, "correlation/page.html", shell, data | {"form": form}, status=form.status
        )
        return form.complete(answer)
    return get_renderer().page(request, "correlation/page.html", shell, data)


def _choose(comparable: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is compared at first: what still trades and has a year of prices, or whatever there is.

    All must have a return on a day for it to count: a new one would leave none.
    """
    stored = [it for it in comparable if it["lastSeen"] and not it["delistedAt"]]
    newest = max((date.fromisoformat(it["lastSeen"]) for it in stored), default=date.max)
    since = (newest - YEAR).isoformat()
    lasting = [it["symbol"] for it in stored if it["firstSeen"] <= since]
    every = [it["symbol"] for it in comparable]
    return (lasting if len(lasting) > 1 else every)[:AT_FIRST]


async def _load(
    context: Context, query: Mapping[str, str], asked: dict[str, Any], window: dict[str, Any]
) -> dict[str, Any]:
    """The matrix, and the pair and the leads where the address asks for them."""
    found = await run_document("correlation/page", asked, context.renewed())
    matrix = found["correlation"]
    kept = {name: query[name] for name in ("symbols", "range", "method") if name in query}
    shown: dict[str, Any] = {
        "rows": list_cells(matrix),
        "first": matrix["span"][0],
        "last": matrix["span"][1],
        "observations": matrix["observations"][0],
        "base": matrix["base"][0],
        "address": "/correlation?" + urlencode(kept),
        "leadable": len(matrix["rows"]) <= MOST_LEADS,
        "most_leads": MOST_LEADS,
    }
    if one := query.get("one"):
        pair = {"one": one, "two": query.get("two", "")} | window
        found = await run_document("correlation/_pair", pair, context.renewed())
        series = found["pairCorrelation"]["series"]
        shown["pair"] = found["pairCorrelation"] | pair
        shown["scatter"], shown["rolling"] = draw_scatter(series), draw_rolling(series)
    if query.get("leads"):
        wanted = {"symbols": asked["symbols"], "first": SHOWN_LEADS} | window
        found = await run_document("correlation/_leads", wanted, context.renewed())
        count = len(matrix["rows"])
        shown["leads"], shown["tested"] = found["leadLag"], count * (count - 1)
    return shown


def _at_symbols(error: AppError) -> AppError:
    """What is wrong with the window or a symbol, at the field that is there to be mended."""
    if isinstance(error, BadInput) and error.field not in {"symbols", "range", "method"}:
        return BadInput(error.message, field="symbols", **error.values)
    return error
