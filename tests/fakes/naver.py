"""A local Naver: charts of Korean shares as XML in EUC-KR, search and listings as JSON.

    with start_fake_naver() as naver:       # in a thread of this process
        naver.url                           # what KrxSource is pointed at
        naver.fault("005930.KS", "429", retry_after=30)
        naver.set(listing)                  # a tests.fakes.listings.Listing

Prices are those of today's shares (divided by all later splits, whole won), a session without a
trade has zeros and the last close, an unknown code has no name and no rows: as Naver sends them.
Faults are those of the local Yahoo; `search` and `listing` are symbols, too.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.domain.korean_names import find_korean_name
from tests.fakes.faults import broken, reset
from tests.fakes.listings import Listing, load_listings
from tests.fakes.running import run_app

CODES = {"KOSPI": "^KS11", "KOSDAQ": "^KQ11"}
BOARDS = {"KSC": "KOSPI", "KOE": "KOSDAQ"}


class FakeNaver:
    """The server's listings, faults and log of requests (symbol, query)."""

    def __init__(self) -> None:
        self.url = ""
        listed = load_listings("sample")
        self._pristine = {s: x for s, x in listed.items() if x.exchange in BOARDS}
        self.reset()

    def reset(self) -> None:
        """No faults, no log, the listings as at the start."""
        self.listings = dict(self._pristine)
        self.log: list[tuple[str, dict[str, str]]] = []
        self._faults: dict[str, dict[str, Any]] = {}

    def set(self, listing: Listing) -> None:
        """Lists it, or changes it."""
        self.listings[listing.symbol] = listing

    def fault(self, symbol: str, kind: str, **options: Any) -> None:
        """From now on that symbol answers with a fault."""
        self._faults[symbol] = {"kind": kind, **options}

    def clear_faults(self) -> None:
        """All is well again."""
        self._faults.clear()

    async def answer(self, request: Request, symbol: str) -> Response | None:
        """Notes the request; the fault that is set for the symbol."""
        self.log.append((symbol, dict(request.query_params)))
        fault = self._faults.get(symbol, {"kind": "ok"})
        if fault["kind"] == "slow":
            await asyncio.sleep(fault.get("delay", 5.0))
        if fault["kind"] == "reset":
            return reset(request.receive)
        if fault["kind"] == "truncated":
            return Response('<protocol><chartdata symbol="')
        return broken(str(fault["kind"]), fault)

    def find(self, code: str) -> Listing | None:
        """What is listed under a code of Naver."""
        for symbol, listing in self.listings.items():
            if symbol.partition(".")[0] == code or CODES.get(code) == symbol:
                return listing
        return None


def name_of(listing: Listing) -> str:
    """The Korean name, if there is one."""
    return find_korean_name(listing.symbol) or listing.name


def _rows(listing: Listing, count: int) -> Iterator[str]:
    for day, *prices, volume in listing.bars.tail(count).iter_rows():
        factor = listing.split_factor(day)
        shares = "null" if volume is None else str(round(volume * factor))
        whole = [str(round(p / factor)) if p else "0" for p in prices]
        if listing.kind == "INDEX":
            whole = [f"{p:.2f}" if p else "0" for p in prices]
        yield f'<item data="{"|".join([f"{day:%Y%m%d}", *whole, shares])}" />'


def build_app(naver: FakeNaver) -> Starlette:
    """The server as an ASGI app; a path begins with the host."""

    async def chart(request: Request) -> Response:
        code = request.query_params["symbol"]
        listing = naver.find(code)
        fault = await naver.answer(request, listing.symbol if listing else code)
        if fault is not None:
            return fault
        rows, name = [], ""
        if listing is not None:
            rows = list(_rows(listing, int(request.query_params["count"])))
            name = html.escape(name_of(listing))
        head = f'<chartdata symbol="{code}" name="{name}" count="{len(rows)}" timeframe="day">'
        text = f'<?xml version="1.0" encoding="EUC-KR" ?>\n<protocol>\n{head}\n'
        text += "\n".join([*rows, "</chartdata>", "</protocol>"])
        return Response(text.encode("cp949"), media_type="text/xml")

    async def search(request: Request) -> Response:
        fault = await naver.answer(request, "search")
        if fault is not None:
            return fault
        words = request.query_params["q"].casefold()
        foreign = {"code": "SSNLF", "name": "X", "typeCode": "OTC", "nationCode": "USA"}
        hits = [
            {
                "code": x.symbol.partition(".")[0],
                "name": name_of(x),
                "typeCode": BOARDS[x.exchange],
                "nationCode": "KOR",
                "category": "stock",
            }
            for x in naver.listings.values()
            if x.kind != "INDEX" and words in f"{name_of(x)} {x.name} {x.symbol}".casefold()
        ]
        return JSONResponse({"query": words, "items": [foreign, *hits]})

    async def listed(request: Request) -> Response:
        fault = await naver.answer(request, "listing")
        if fault is not None:
            return fault
        board = request.path_params["board"]
        size, page = (int(request.query_params[name]) for name in ("pageSize", "page"))
        stocks = [
            {
                "itemCode": x.symbol.partition(".")[0],
                "stockName": name_of(x),
                "stockEndType": "etf" if x.kind == "ETF" else "stock",
            }
            for x in naver.listings.values()
            if x.kind != "INDEX" and BOARDS[x.exchange] == board
        ]
        part = stocks[(page - 1) * size : page * size]
        return JSONResponse({"stocks": part, "totalCount": len(stocks)})

    return Starlette(
        routes=[
            Route("/fchart.stock.naver.com/sise.nhn", chart),
            Route("/ac.stock.naver.com/ac", search),
            Route("/m.stock.naver.com/api/stocks/marketValue/{board}", listed),
        ]
    )


@contextmanager
def start_fake_naver() -> Iterator[FakeNaver]:
    """Runs the server in a thread until the block ends."""
    naver = FakeNaver()
    with run_app(build_app(naver)) as url:
        naver.url = url
        yield naver
