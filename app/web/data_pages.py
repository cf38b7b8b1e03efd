"""The pages on data: the state of all that is stored, and what is stored of one instrument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import BadInput, NotFound
from app.graphql.context import Context
from app.graphql.execute import run_document
from app.web.graphql_endpoint import make_context
from app.web.listing import find_other_name, list_bars, title_of
from app.web.render import get_renderer
from app.web.shell import load_shell, nodes, translator
from app.web.trust_listing import (
    list_checks,
    list_held,
    list_price_events,
    list_revisions,
    source_title,
)

STATES: Final = (
    "QUARANTINED",
    "LATE",
    "RATE_LIMITED",
    "PARTIAL",
    "UNKNOWN",
    "HALTED",
    "HOLIDAY",
    "ON_TIME",
    "HISTORIC",
)
ROWS: Final = ("HELD", "RELEASED", "DROPPED", "MENDED")
CURSORS: Final = {"after": "instruments", "rows-after": "quarantine"} | {
    "revisions-after": "revisions",
    "checks-after": "crossChecks",
}
"""Where each list goes on, in the address: parameter → the list in the answer."""


async def data_health(request: Request) -> Response:
    """`/data`: freshness, quarantine, revisions, comparisons."""
    return await show_data_health(request, None)


async def show_data_health(request: Request, error: str | None, *, status: int = 200) -> Response:
    """The page, with what was wrong with a decision."""
    params = request.query_params if request.method == "GET" else {}
    state = _choice(params, "state", STATES)
    rows = _choice(params, "rows", ROWS)
    context = make_context(request)
    shell = await load_shell(context)
    variables = {
        "state": state,
        "rows": rows or "HELD",
        **{name.replace("-after", "After"): params.get(name) for name in CURSORS},
    }
    page = await run_document("data/page", variables, context.renewed())
    health = page["dataHealth"]
    lists = page | {"instruments": health["instruments"]}
    names = await _find_names(context, *(lists[name] for name in ("quarantine", "revisions")))
    names |= await _find_names(context, lists["crossChecks"])
    _ = translator(request)
    data = {
        "back": "/data",
        "checks": list_checks(nodes(page["crossChecks"]), names),
        "error": error,
        "held": list_held(nodes(page["quarantine"]), names, _),
        "health": health,
        "instruments": nodes(health["instruments"]),
        "more": {name: _next_page(params, name, lists[key]) for name, key in CURSORS.items()},
        "params": dict(params),
        "revisions": list_revisions(nodes(page["revisions"]), names, _),
        "rows": rows or "HELD",
        "state": state,
        "symbol": None,
        "total": {name: lists[key]["totalCount"] for name, key in CURSORS.items()},
        "version": page["dataVersion"],
    }
    return get_renderer().page(request, "data/page.html", shell, data, status=status)


async def instrument_data(request: Request) -> Response:
    """`/instruments/{symbol}/data`: events, revisions, held rows and bars of one instrument.

    Raises:
        NotFound: there is none of that symbol.
    """
    symbol = request.path_params["symbol"]
    if symbol != symbol.upper():
        return RedirectResponse(str(request.url.replace(path=address_of(symbol.upper()))), 303)
    return await show_instrument_data(request, symbol, None)


async def show_instrument_data(
    request: Request,
    symbol: str,
    error: str | None,
    *,
    source_error: str | None = None,
    status: int = 200,
) -> Response:
    """The page, with what was wrong with a decision, or with the change of the source."""
    params = request.query_params if request.method == "GET" else {}
    context = make_context(request)
    shell = await load_shell(context)
    cursors = {"events-after": "events", "revisions-after": "revisions"}
    cursors |= {"rows-after": "quarantine"}
    variables = {name.replace("-after", "After"): params.get(name) for name in cursors}
    page = await run_document("data/instrument", {"symbol": symbol, **variables}, context.renewed())
    it = page["instrument"]
    if it is None:
        raise NotFound("There is no instrument %(symbol).40r.", symbol=symbol)
    _ = translator(request)
    names = {it["symbol"]: it}
    source = it["stored"]["source"]
    data = {
        "back": address_of(it["symbol"]),
        "bars": list_bars(it["traded"]),
        "checks": list_checks(nodes(page["crossChecks"]), names),
        "error": error,
        "events": list_price_events(nodes(it["events"]), it, _),
        "held": list_held(nodes(it["quarantine"]), names, _),
        "it": it,
        "more": {name: _next_page(params, name, it[key]) for name, key in cursors.items()},
        "other_name": find_other_name(it, context.locale),
        "others": [_provider(name) for name in it["providers"] if name != source],
        "params": dict(params),
        "revisions": list_revisions(nodes(it["revisions"]), names, _),
        "rows": None,
        "sector": None,
        "source": source and source_title(source),
        "source_error": source_error,
        "symbol": it["symbol"],
        "title": title_of(it, context.locale),
        "total": {name: it[key]["totalCount"] for name, key in cursors.items()},
        "version": page["dataVersion"],
    }
    return get_renderer().page(request, "data/instrument.html", shell, data, status=status)


def _provider(name: str) -> dict[str, str]:
    return {"name": name, "title": source_title(name)}


def address_of(symbol: str) -> str:
    """The address of an instrument's data."""
    return f"/instruments/{quote(symbol)}/data"


async def _find_names(context: Context, *connections: Mapping[str, Any]) -> dict[str, Any]:
    """Names, kinds and currencies of the instruments in these lists, by symbol."""
    symbols = {row["symbol"] for connection in connections for row in nodes(dict(connection))}
    if not symbols:
        return {}
    found = await run_document("data/_names", {"symbols": sorted(symbols)}, context.renewed())
    return {it["symbol"]: it for it in nodes(found["instruments"])}


def _choice(params: Mapping[str, str], name: str, known: Iterable[str]) -> str | None:
    """One of the words that an address may name; None without any.

    Raises:
        BadInput: another word.
    """
    value = params.get(name) or None
    if value is not None and value not in known:
        message = "%(name)s is %(value).20r; it must be one of %(known)s"
        raise BadInput(message, field=name, name=name, value=value, known=", ".join(known))
    return value


def _next_page(params: Mapping[str, str], name: str, page: Mapping[str, Any]) -> str | None:
    """The query of the next page of one list, the others left where they are."""
    info = page["pageInfo"]
    return urlencode({**params, name: info["endCursor"]}) if info["hasNextPage"] else None
