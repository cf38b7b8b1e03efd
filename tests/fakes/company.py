"""What the local Yahoo says of companies: cookie, crumb, search, quoteSummary and quotes."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.fakes import figures
from tests.fakes.faults import broken
from tests.fakes.listings import Listing

SECTORS = {
    "AAPL": ("Technology", "Consumer Electronics"),
    "IBM": ("Technology", "Information Technology Services"),
    "005930.KS": ("Technology", "Consumer Electronics"),
}


def _hit(listing: Listing) -> dict[str, Any]:
    sector, industry = SECTORS.get(listing.symbol, (None, None))
    hit = {
        "exchange": listing.exchange,
        "shortname": listing.name[:30],
        "longname": listing.name,
        "quoteType": listing.kind,
        "symbol": listing.symbol,
        "index": "quotes",
        "score": 20000.0,
        "isYahooFinance": True,
    }
    return hit if sector is None else hit | {"sector": sector, "industry": industry}


async def _fault(request: Request, symbol: str) -> Response | None:
    state: Any = request.app.state.yahoo
    query = dict(request.query_params)
    entry = {"at": time.monotonic(), "symbol": symbol, "path": request.url.path, "query": query}
    state.log.append(entry)
    fault = state.take_fault(symbol)
    entry["fault"] = fault["kind"]
    await asyncio.sleep(fault.get("delay", 5.0) if fault["kind"] == "slow" else 0)
    return broken(str(fault["kind"]), fault)


async def _search(request: Request) -> Response:
    """Hits by code or name; a company that is not listed and a foreign share are among them."""
    fault = await _fault(request, "search")
    if fault is not None:
        return fault
    listings: dict[str, Listing] = request.app.state.yahoo.listings
    words = request.query_params.get("q", "").casefold()
    if not words.isascii():
        error = {"code": "Bad Request", "description": "Invalid Search Query"}
        return JSONResponse({"finance": {"result": None, "error": error}}, 400)
    count = int(request.query_params.get("quotesCount", 8))
    hits = [_hit(x) for x in listings.values() if words in f"{x.symbol}\n{x.name}".casefold()]
    foreign = {"symbol": "APC.F", "exchange": "FRA", "quoteType": "EQUITY", "shortname": "X"}
    private = {"index": "private", "name": "Unlisted", "permalink": "unlisted"}
    quotes = [private, foreign, *hits][: count + 2] if hits else []
    return JSONResponse({"explains": [], "count": len(quotes), "quotes": quotes, "news": []})


async def _summary(request: Request) -> Response:
    symbol = request.path_params["symbol"].upper()
    fault = await _fault(request, symbol)
    if fault is not None:
        return fault
    listing = request.app.state.yahoo.listings.get(symbol)
    if listing is None:
        error = {"code": "Not Found", "description": f"Quote not found for symbol: {symbol}"}
        return JSONResponse({"quoteSummary": {"result": None, "error": error}}, 404)
    hit = _hit(listing)
    kind = {
        "symbol": symbol,
        "exchange": listing.exchange,
        "quoteType": listing.kind,
        "shortName": hit["shortname"],
        "longName": hit["longname"],
        "timeZoneFullName": listing.zone,
    }
    profile = {name: hit.get(name) for name in ("sector", "industry")}
    told = request.app.state.yahoo.figures.told(symbol)
    asked = request.query_params.get("modules", "").split(",")
    known = {"quoteType": kind, "assetProfile": profile}
    result = {name: known.get(name) or figures.summarise(name, told) for name in asked}
    return _json({"quoteSummary": {"result": [result], "error": None}})


def _json(answer: dict[str, Any]) -> Response:
    """As Yahoo writes it: NaN stands bare, which is no JSON."""
    return Response(json.dumps(answer), media_type="application/json")


async def _quote(request: Request) -> Response:
    """Refused without a crumb, as the real one."""
    if "crumb" not in request.query_params:
        error = {"code": "Unauthorized", "description": "Invalid Crumb"}
        return JSONResponse({"finance": {"result": None, "error": error}}, 401)
    listings: dict[str, Listing] = request.app.state.yahoo.listings
    symbols = request.query_params.get("symbols", "").upper().split(",")
    rows = [
        {
            "symbol": symbol,
            "exchange": listings[symbol].exchange,
            "quoteType": listings[symbol].kind,
            "currency": listings[symbol].currency,
            "longName": listings[symbol].name,
            **figures.quote(request.app.state.yahoo.figures.told(symbol)),
        }
        for symbol in symbols
        if symbol in listings
    ]
    return _json({"quoteResponse": {"result": rows, "error": None}})


async def _fundamentals(request: Request) -> Response:
    return JSONResponse({"timeseries": {"result": [], "error": None}})


async def _crumb(request: Request) -> Response:
    """What yfinance asks for before anything else."""
    return PlainTextResponse("fakeCrumb.12")


async def _cookie(request: Request) -> Response:
    response = PlainTextResponse("Not Found", 404)
    response.set_cookie("A3", "d=fake", max_age=31_536_000)
    return response


ROUTES = [
    Route("/{host}/v1/test/getcrumb", _crumb),
    Route("/fc.yahoo.com/{rest:path}", _cookie),
    Route("/fc.yahoo.com", _cookie),
    Route("/v1/finance/search", _search),
    Route("/{host}/v1/finance/search", _search),
    Route("/{host}/v7/finance/quote", _quote),
    Route("/{host}/v10/finance/quoteSummary/{symbol}", _summary),
    Route("/{host}/ws/fundamentals-timeseries/v1/finance/timeseries/{symbol}", _fundamentals),
]
