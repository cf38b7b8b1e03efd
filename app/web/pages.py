"""The pages: each runs its document and gives the result to its template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app import __version__
from app.config import resource_dir
from app.errors import BadInput, NotFound, Unavailable
from app.graphql.context import Context
from app.graphql.execute import run_document
from app.web.chart_view import read_view
from app.web.figures import Figure, Translate, list_figures
from app.web.formats import digits
from app.web.fundamental_listing import list_fundamentals
from app.web.graphql_endpoint import make_context
from app.web.libraries import list_libraries
from app.web.listing import (
    find_behind,
    find_other_name,
    group_instruments,
    list_bars,
    list_clocks,
    list_events,
    list_votes,
    sector_word,
    strength_word,
    title_of,
)
from app.web.recommend_pages import find_newest
from app.web.render import get_renderer
from app.web.shell import load_shell, nodes, translator
from app.web.signal_pages import find_strongest
from app.web.trust_listing import source_title

_LONGEST_SEARCH: Final = 60
_SHOWN_PORTFOLIOS: Final = 8


async def dashboard(request: Request) -> Response:
    """`/`: the markets, the watchlist and the chart of the chosen instrument."""
    return await show_dashboard(request, {"symbol": "", "error": None})


async def show_dashboard(
    request: Request, track: Mapping[str, Any], *, status: int = 200
) -> Response:
    """The dashboard with the state of its form: what was typed and what was wrong with it."""
    context = make_context(request)
    shell = await load_shell(context)
    page = await run_document("dashboard/page", None, context.renewed())
    instruments = nodes(page["instruments"])
    lists, watched = await _find_watchlists(context, request.query_params.get("watchlist"))
    shown = watched["instruments"] if watched else instruments
    chosen = _choose([*shown, *instruments], request.query_params.get("symbol"))
    view = read_view("/", chosen["symbol"] if chosen else "", request.query_params, named=True)
    recent = await _find_recent(context, chosen)
    _ = translator(request)
    now = context.env.clock.now()
    data = {
        "behind": find_behind(shown),
        "chosen": chosen,
        "clocks": list_clocks(page["markets"], now, context.locale, _),
        "count": len(shown),
        "figures": _figures(chosen, recent, _, (50, 200)),
        "groups": [{"instruments": shown}] if watched else group_instruments(instruments, _),
        "lists": lists,
        "more": watched is None and page["instruments"]["pageInfo"]["hasNextPage"],
        "newest": await find_newest(context),
        "now": now.isoformat(),
        "portfolios": await _find_portfolios(context),
        "recent": recent,
        "strong": await find_strongest(context, _) if chosen else [],
        "strip": [it for it in instruments if it["kind"] in {"INDEX", "FX"}],
        "track": track_form(track, historic=shell.historic),
        "view": view,
        "watched": watched,
    }
    return get_renderer().page(request, "dashboard/page.html", shell, data, status=status)


async def instrument(request: Request) -> Response:
    """`/instruments/{symbol}`: everything about one instrument.

    Raises:
        NotFound: there is none of that symbol.
    """
    asked = request.path_params["symbol"]
    if asked != asked.upper():
        return RedirectResponse(str(request.url.replace(path=f"/instruments/{asked.upper()}")), 303)
    context = make_context(request)
    shell = await load_shell(context)
    page = await run_document("instrument/page", {"symbol": asked}, context.renewed())
    it = page["instrument"]
    if it is None:
        raise NotFound("There is no instrument %(symbol).40r.", symbol=asked)
    view = read_view(request.url.path, it["symbol"], request.query_params, named=False)
    _ = translator(request)
    signal, told = it["signal"], it["fundamentals"]
    data = {
        "bars": list_bars(it["traded"]),
        "events": list_events(it, context.locale, _),
        "figures": _figures(it, it, _),
        "fundamentals": list_fundamentals(it["fundamentals"], context.locale, _),
        "fundamentals_source": told and source_title(told["source"]),
        "it": it,
        "known": [node["symbol"] for node in nodes(page["instruments"])],
        "other_name": find_other_name(it, context.locale),
        "advice": page["recommendation"],
        "recent": it,
        "sector": sector_word(it["sector"], _),
        "strength": signal and strength_word(signal["strength"], _),
        "title": title_of(it, context.locale),
        "view": view,
        "votes": signal and list_votes(signal, _),
        "lists": (await _find_watchlists(context, None))[0],
    }
    return get_renderer().page(request, "instrument/page.html", shell, data)


async def search(request: Request) -> Response:
    """`/search?q=`: the hits under the search box, or the page that shows them.

    Raises:
        BadInput: the text is longer than a name.
    """
    query = request.query_params.get("q", "").strip()
    if len(query) > _LONGEST_SEARCH:
        message = "q has %(value)d characters; %(bound)d are allowed"
        raise BadInput(message, field="q", value=len(query), bound=_LONGEST_SEARCH)
    context = make_context(request)
    box = request.headers.get("hx-target", "").endswith("#hits")
    document = "search/_hits" if box else "search/page"
    hits: list[dict[str, Any]] = []
    if query:
        found = await run_document(document, {"search": query}, context)
        hits = nodes(found["instruments"])
    data: dict[str, Any] = {"hits": hits, "query": query}
    if box:
        return get_renderer().part(request, "search/_hits.html", data)
    shell = await load_shell(context.renewed())
    data["source"] = await _search_source(query, context) if query else None
    typed = "" if hits else query[:20]
    data["track"] = track_form({"symbol": typed, "error": None}, historic=shell.historic)
    return get_renderer().page(request, "search/page.html", shell, data)


async def jobs(request: Request) -> Response:
    """`/jobs`: how far the collections are, which failed, and how fresh everything is."""
    context = make_context(request)
    shell = await load_shell(context)
    page = await run_document("jobs/page", None, context.renewed())
    progress = page["collectionProgress"]
    busy = progress["running"] + progress["waiting"]
    data = {
        "busy": busy,
        "collections": page["collections"][: 20 if busy < 20 else None],
        "failing": page["failing"],
        "health": page["dataHealth"],
        "progress": progress,
    }
    return get_renderer().page(request, "jobs/page.html", shell, data)


async def about(request: Request) -> Response:
    """`/about`: what this is, its licences and the notice of the charts."""
    shell = await load_shell(make_context(request))
    libraries = list_libraries(resource_dir("static") / "vendor" / "vendor.lock.json")
    data = {"libraries": libraries, "version": __version__}
    return get_renderer().page(request, "about/page.html", shell, data)


async def _search_source(query: str, context: Context) -> dict[str, Any]:
    """What the sources know and is not watched; nothing when they are too slow."""
    try:
        found = await run_document("search/_source", {"search": query}, context.renewed())
    except Unavailable:
        return {"hits": [], "silent": []}
    source: dict[str, Any] = found["searchSource"]
    return source | {"hits": [hit for hit in source["hits"] if not hit["tracked"]]}


def track_form(track: Mapping[str, Any], *, historic: bool) -> dict[str, Any]:
    """The form that adds a symbol, with an example that the source knows."""
    return {**track, "example": "AAPL" if historic else "005930.KS, AAPL"}


def _choose(instruments: list[dict[str, Any]], symbol: str | None) -> dict[str, Any] | None:
    """The instrument that the address names; else the first, None when there is none at all."""
    if symbol:
        wanted = symbol.strip().upper()
        found = next((it for it in instruments if it["symbol"] == wanted), None)
        if found is None:
            raise NotFound("There is no instrument %(symbol).40r.", symbol=symbol)
        return found
    return instruments[0] if instruments else None


async def _find_portfolios(context: Context) -> list[dict[str, Any]]:
    """The portfolios of who has signed in, with their totals: the first of them."""
    if context.identity is None:
        return []
    found = await run_document("dashboard/_portfolios", None, context.renewed())
    return list(found["portfolios"][:_SHOWN_PORTFOLIOS])


async def _find_watchlists(
    context: Context, chosen: str | None
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The lists of who has signed in, and the one that the address names, with its rows.

    Raises:
        Unauthenticated: the address names one, and nobody is signed in.
        NotFound: there is none of that id, or it is somebody else's.
    """
    if context.identity is None and not chosen:
        return [], None
    lists = (await run_document("watchlists/page", None, context.renewed()))["watchlists"]
    if not chosen:
        return lists, None
    found = await run_document("dashboard/_watchlist", {"id": chosen}, context.renewed())
    return lists, found["watchlist"]


async def _find_recent(context: Context, chosen: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the dashboard shows of the chosen instrument alone."""
    if chosen is None:
        return None
    variables = {"symbol": chosen["symbol"]}
    found = await run_document("dashboard/_recent", variables, context.renewed())
    recent: dict[str, Any] = found["instrument"]
    return recent


def _figures(
    it: Mapping[str, Any] | None,
    recent: Mapping[str, Any] | None,
    _: Translate,
    averages: tuple[int, ...] = (20, 50, 200),
) -> list[Figure]:
    """The key figures of an instrument; `recent` has its indicators and last closes."""
    if it is None or recent is None:
        return []
    snapshot = recent["indicators"]
    return list_figures(snapshot, _close_on(recent["recent"], snapshot), digits(it), _, averages)


def _close_on(recent: Mapping[str, Any], snapshot: Mapping[str, Any] | None) -> str | None:
    """The split-adjusted close of the day of the indicators."""
    if snapshot is None or snapshot["day"] not in recent["time"]:
        return None
    close = recent["close"][recent["time"].index(snapshot["day"])]
    return None if close is None else str(close)
