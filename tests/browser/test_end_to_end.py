"""The whole chain: source → collector → PostgreSQL → indicators → GraphQL → page in Chromium → tick.

The processes of `sise up` collect from the local Yahoo with 200 ms of latency. What the pages show
is compared with the source's own listings, which the product never sees but through the wire.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import httpx
import numpy as np
import pytest
import talib
from playwright.async_api import Browser, Page

from tests.broker import until
from tests.browser.conftest import MONDAY_CLOCK
from tests.browser.visiting import Choices, go, visiting
from tests.fakes.listings import Listing, load_listings
from tests.fakes.yahoo import FakeYahoo
from tests.sites import Site

LISTINGS = load_listings("sample")
DEFAULTS = [
    "005930.KS",
    "000660.KS",
    "035420.KS",
    "AAPL",
    "NVDA",
    "TSLA",
    "MSFT",
    "SPY",
    "069500.KS",
    "^KS11",
    "^KQ11",
    "^GSPC",
    "^IXIC",
    "USDKRW=X",
]
PRICES = """() => [...document.querySelectorAll('#main [data-q][data-f="price"]')]
  .map((cell) => [cell.dataset.q, cell.textContent.trim()])"""
ROWS = """() => [...document.querySelectorAll('table.bars tbody tr')]
  .map((row) => [...row.cells].map((cell) => cell.textContent.trim()))"""


def shown(listing: Listing, price: float) -> str:
    """A price as a reader expects it: won without decimals, the rest with two."""
    whole = listing.currency == "KRW" and listing.kind not in {"INDEX", "CURRENCY"}
    step = Decimal(1) if whole else Decimal("0.01")
    return f"{Decimal(repr(price)).quantize(step, ROUND_HALF_UP):,}"


def last(listing: Listing) -> float:
    return float(listing.bars["close"].drop_nulls()[-1])


async def wait_for_bars(site: Site) -> None:
    """The start has collected everything: the page is served after that."""
    query = (
        "{ instruments(first: 50) { totalCount edges { node { symbol freshness { lastDay } } } } }"
    )
    async with httpx.AsyncClient(base_url=site.url) as client:
        answer = (await client.post("/graphql", json={"query": query})).json()
    nodes = [edge["node"] for edge in answer["data"]["instruments"]["edges"]]
    assert [n["symbol"] for n in nodes] == DEFAULTS
    for node in nodes:
        assert node["freshness"]["lastDay"] == str(LISTINGS[node["symbol"]].bars["day"][-1]), node


async def prices(page: Page) -> list[tuple[str, str]]:
    return [(symbol, text) for symbol, text in await page.evaluate(PRICES)]


@pytest.mark.parametrize("locale", ["ko", "en"])
async def test_every_price_of_the_dashboard_is_the_source_s(
    browser: Browser, yahoo_site: Site, locale: str
) -> None:
    await wait_for_bars(yahoo_site)
    async with visiting(browser, yahoo_site.url, Choices(locale)) as (page, watch):
        await go(page, "/")
        seen = await prices(page)
        assert {symbol for symbol, _ in seen} == set(DEFAULTS)
        for symbol, text in seen:
            assert text == shown(LISTINGS[symbol], last(LISTINGS[symbol])), symbol
        names = await page.inner_text("#watchlist")
        assert ("삼성전자" if locale == "ko" else "Samsung") in names
        assert watch.faults == []


@pytest.mark.parametrize("locale", ["ko", "en"])
@pytest.mark.parametrize("symbol", ["005930.KS", "AAPL", "^KS11", "USDKRW=X", "MSFT"])
async def test_every_price_of_an_instrument_is_the_source_s(
    browser: Browser, yahoo_site: Site, symbol: str, locale: str
) -> None:
    listing = LISTINGS[symbol]
    async with visiting(browser, yahoo_site.url, Choices(locale)) as (page, watch):
        await go(page, f"/instruments/{symbol}")
        for name, text in await prices(page):
            assert text == shown(LISTINGS[name], last(LISTINGS[name])), name
        rows = await page.evaluate(ROWS)
        assert len(rows) >= 10
        newest = listing.bars.tail(len(rows)).reverse()
        for row, bar in zip(rows, newest.iter_rows(named=True), strict=True):
            wanted = [bar["close"]]
            if listing.kind != "CURRENCY":
                wanted = [bar[name] for name in ("open", "high", "low", "close")]
            assert row[: len(wanted) + 1] == [str(bar["day"]), *(shown(listing, p) for p in wanted)]
        assert watch.faults == []


async def test_the_stored_indicators_are_those_of_the_source_s_prices(yahoo_site: Site) -> None:
    query = """{ instrument(symbol: "AAPL") { indicators {
        day rsi14 macd sma200 bollingerUpper stochasticK } } }"""
    async with httpx.AsyncClient(base_url=yahoo_site.url) as client:
        answer = (await client.post("/graphql", json={"query": query})).json()
    found: dict[str, Any] = answer["data"]["instrument"]["indicators"]
    bars = LISTINGS["AAPL"].bars
    factor = np.array([LISTINGS["AAPL"].split_factor(day) for day in bars["day"]])
    high, low, close = (bars[name].to_numpy() / factor for name in ("high", "low", "close"))
    assert found["day"] == str(bars["day"][-1])
    assert found["rsi14"] == pytest.approx(talib.RSI(close, 14)[-1], abs=1e-9)
    assert found["macd"] == pytest.approx(talib.MACD(close, 12, 26, 9)[0][-1], abs=1e-9)
    assert found["sma200"] == pytest.approx(talib.SMA(close, 200)[-1], abs=1e-9)
    assert found["bollingerUpper"] == pytest.approx(talib.BBANDS(close, 20)[0][-1], abs=1e-9)
    slow = talib.STOCH(high, low, close, 14, 3, 0, 3, 0)[0][-1]
    assert found["stochasticK"] == pytest.approx(slow, abs=1e-9)


async def test_a_tick_changes_the_page(
    browser: Browser, yahoo_site: Site, yahoo_peer: FakeYahoo
) -> None:
    before = last(LISTINGS["MSFT"])
    async with visiting(browser, yahoo_site.url, Choices("ko")) as (page, _):
        await go(page, "/instruments/MSFT")
        await page.wait_for_function(
            "() => document.getElementById('connection').dataset.state === 'live'"
        )
        price = round(before * 1.0123, 2)
        wanted = [
            shown(LISTINGS["MSFT"], price),
            f"{Decimal(repr(price)) - Decimal(repr(before)):+.2f}",
            f"{100 * (price / before - 1):+.2f}%",
        ]
        await until(lambda: any("MSFT" in symbols for symbols in yahoo_peer.streams()))
        assert yahoo_peer.tick("MSFT", price, before, at=MONDAY_CLOCK.now()) > 0
        await page.wait_for_function(
            """([price, change, percent]) => {
              const of = (f) => [...document.querySelectorAll(`[data-q="MSFT"][data-f="${f}"]`)]
                .map((cell) => cell.textContent.trim());
              return of('price').every((t) => t === price) && of('change').every((t) => t === change)
                && of('changePercent').every((t) => t === percent)
                && of('day').every((t) => t === '2013-03-04');
            }""",
            arg=wanted,
        )
    assert MONDAY_CLOCK.now() < datetime(2013, 3, 4, 21, tzinfo=UTC) - timedelta(hours=1)
    assert LISTINGS["MSFT"].bars["day"][-1] == date(2013, 3, 1)
