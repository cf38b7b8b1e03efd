"""Live prices from a local Yahoo: streamed, or asked for while the stream is down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.adapters.prices import PriceSource
from app.clock import Clock
from app.domain.quotes import Quote, QuoteSource, QuoteState
from app.env import Env
from app.services.feed.publisher import Publisher
from tests.broker import until
from tests.factories import make_bars, make_instrument, make_sessions, weekdays, with_order
from tests.fakes.yahoo import FakeYahoo
from workers.live_feed import LiveFeed

OPEN = datetime(2026, 1, 5, 14, tzinfo=UTC)
NOW = datetime(2026, 1, 5, 15, 30, tzinfo=UTC)
CLOSE = datetime(2026, 1, 5, 21, tzinfo=UTC)
DAYS = weekdays(date(2025, 12, 22), 20)


@pytest.fixture
async def market(env: Env) -> Env:
    """AAPL and MSFT in a session of New York on a Monday, with Friday's closes stored."""
    for symbol, close in (("AAPL", 430.5), ("MSFT", 27.9)):
        await make_instrument(env, symbol)
        await make_bars(env, symbol, [close], start=date(2026, 1, 2), source="yahoo")
    await make_sessions(env, "XNAS", DAYS)
    return replace(env, clock=Clock(start=NOW))


class Counted(LiveFeed):
    """Counts the rounds of questions."""

    begun = ended = 0

    async def _poll_source(self, source: PriceSource, symbols: list[str]) -> float:
        self.begun += 1
        try:
            return await super()._poll_source(source, symbols)
        finally:
            self.ended += 1


@asynccontextmanager
async def feeding(env: Env, *, poll: float = 60.0, stale: float = 60.0) -> AsyncIterator[Counted]:
    feed = Counted(env, Publisher(env.bus), stale=stale, poll=poll)
    await feed.refresh()
    running = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        running.cancel()
        await asyncio.wait({running})


async def until_it_streams(feed: Counted, yahoo: FakeYahoo) -> None:
    """Returns when both are streamed, and the questions asked before that are answered."""
    await until(lambda: yahoo.streams() == [["AAPL", "MSFT"]])
    await until(lambda: 0 < feed.begun == feed.ended)


def price(feed: LiveFeed, symbol: str) -> str:
    return str(feed._publisher.held[symbol].price)


async def test_a_streamed_price_becomes_a_live_quote(market: Env, yahoo: FakeYahoo):
    async with feeding(market) as feed:
        await until_it_streams(feed, yahoo)
        yahoo.tick("AAPL", 431.53, previous_close=430.5, at=market.clock.now())
        await until(lambda: price(feed, "AAPL") == "431.53")
        quote = feed._publisher.held["AAPL"]
        assert (quote.state, quote.day) == (QuoteState.LIVE, date(2026, 1, 5))
        assert (str(quote.previous_close), str(quote.change)) == ("430.5", "1.03")


async def test_before_the_first_tick_the_last_close_is_the_quote(market: Env, yahoo: FakeYahoo):
    yahoo.fault("*", "500")
    async with feeding(market) as feed:
        quote = feed._publisher.held["AAPL"]
        assert (str(quote.price), quote.state) == ("430.5", QuoteState.CLOSED)
        assert quote.at == datetime(2026, 1, 2, 21, tzinfo=UTC)


async def test_without_a_stream_open_markets_are_asked(market: Env, yahoo: FakeYahoo):
    yahoo.fault("stream", "refuse")
    for number, symbol in enumerate(("AAPL", "MSFT")):
        yahoo.tick(symbol, 400.25 + number, previous_close=430.5, at=NOW)
    async with feeding(market, poll=0.1) as feed:
        await until(lambda: price(feed, "AAPL") == "400.25" and price(feed, "MSFT") == "401.25")
        assert feed._publisher.held["AAPL"].state is QuoteState.DELAYED
        yahoo.tick("AAPL", 402.0, previous_close=430.5, at=NOW + timedelta(seconds=5))
        await until(lambda: price(feed, "AAPL") == "402")


async def test_while_the_stream_is_alive_nobody_is_asked(market: Env, yahoo: FakeYahoo):
    async with feeding(market, poll=0.05) as feed:
        await until(lambda: yahoo.streams() == [["AAPL", "MSFT"]])
        yahoo.tick("AAPL", 431.5, at=market.clock.now())
        await until(lambda: feed._stream.alive and feed.begun == feed.ended)
        assert price(feed, "AAPL") == "431.5"
        yahoo.clear_log()
        await asyncio.sleep(0.4)
        assert [e for e in yahoo.log() if e["symbol"] != "stream"] == []


@pytest.mark.parametrize("now", [CLOSE + timedelta(hours=2), OPEN - timedelta(hours=2)])
async def test_out_of_session_nobody_is_asked(market: Env, yahoo: FakeYahoo, now: datetime):
    env = replace(market, clock=Clock(start=now))
    async with feeding(env, poll=0.05, stale=0.1):
        await until(lambda: yahoo.streams() == [["AAPL", "MSFT"]])
        await asyncio.sleep(0.4)
    assert [e["symbol"] for e in yahoo.log()] == ["stream"]  # one subscription, and it stays


async def test_a_silent_stream_is_replaced_by_questions_and_made_anew(
    market: Env, yahoo: FakeYahoo
):
    async with feeding(market, poll=0.2, stale=0.3) as feed:
        await until(lambda: yahoo.streams() == [["AAPL", "MSFT"]])
        yahoo.tick("AAPL", 431.5, at=market.clock.now())
        await until(lambda: price(feed, "AAPL") == "431.5")
        yahoo.clear_log()
        await until(lambda: {"stream", "AAPL", "MSFT"} <= {e["symbol"] for e in yahoo.log()})


async def test_a_rate_limit_is_honoured(market: Env, yahoo: FakeYahoo):
    yahoo.fault("stream", "refuse")
    yahoo.fault("*", "429", retry_after=30)

    def asked() -> list[dict[str, Any]]:
        return [e for e in yahoo.log() if e["symbol"] != "stream"]

    async with feeding(market, poll=0.05):
        await until(lambda: bool(asked()))
        await asyncio.sleep(0.5)  # ten times the time until the next question
    assert len(asked()) <= 2


async def test_a_newly_tracked_instrument_is_subscribed(market: Env, yahoo: FakeYahoo):
    async with feeding(market) as feed:
        await until_it_streams(feed, yahoo)
        await make_instrument(market, "IBM")
        await make_instrument(market, "GOOG", tracked=False)
        await feed.refresh()
        await until(lambda: yahoo.streams() == [["AAPL", "IBM", "MSFT"]])
        yahoo.tick("IBM", 201.5, at=market.clock.now())
        await until(lambda: "IBM" in feed._publisher.held)


async def test_after_the_collection_the_official_close_is_the_quote(market: Env, yahoo: FakeYahoo):
    async with feeding(market) as feed:
        await until_it_streams(feed, yahoo)
        yahoo.tick("AAPL", 431.5, at=market.clock.now())
        await until(lambda: price(feed, "AAPL") == "431.5")
        await make_bars(market, "AAPL", [432.25], start=date(2026, 1, 5), source="yahoo")
        await feed.refresh()
        quote = feed._publisher.held["AAPL"]
        assert (str(quote.price), str(quote.previous_close)) == ("432.25", "430.5")
        assert (quote.state, quote.at) == (QuoteState.CLOSED, CLOSE)


async def test_ticks_that_cannot_be_right_change_nothing(market: Env, yahoo: FakeYahoo):
    async with feeding(market) as feed:
        await until_it_streams(feed, yahoo)
        now = market.clock.now()
        for wrong in (-1.0, 0.0):
            yahoo.tick("AAPL", wrong, previous_close=430.5, at=now)
        yahoo.tick("AAPL", 500.0, previous_close=430.5, at=now + timedelta(minutes=30))
        yahoo.tick("AAPL", 501.0, previous_close=430.5, at=datetime(2025, 12, 31, 15, tzinfo=UTC))
        yahoo.tick("MSFT", 28.5, at=now)
        await until(lambda: price(feed, "MSFT") == "28.5")
        assert price(feed, "AAPL") == "430.5"


async def test_only_what_the_order_allows_is_streamed(market: Env, yahoo: FakeYahoo):
    await make_instrument(market, "IBM", mic="XNYS")
    async with feeding(with_order(market, "XNAS=folder;*=yfinance")):
        await until(lambda: yahoo.streams() == [["IBM"]])


@pytest.mark.parametrize("fault", [None, "refuse"])
async def test_without_yahoo_in_the_order_it_is_never_asked(
    market: Env, yahoo: FakeYahoo, fault: str | None
):
    if fault:
        yahoo.fault("stream", fault)
    async with feeding(with_order(market, "*=folder,krx"), poll=0.05, stale=0.1) as feed:
        await asyncio.sleep(0.5)
        assert feed._publisher.held["AAPL"].state is QuoteState.CLOSED
    assert yahoo.log() == []


async def test_a_quote_left_from_another_order_gives_way_to_the_close(market: Env):
    await make_instrument(market, "IBM", mic="XNYS")
    await make_bars(market, "IBM", [200.5], start=date(2026, 1, 2), source="folder")
    publisher = Publisher(market.bus)
    for symbol in ("IBM", "AAPL"):
        left = (QuoteSource.YAHOO, QuoteState.DELAYED)
        publisher.put(Quote(symbol, Decimal(9), None, NOW, date(2026, 1, 5), *left))
    env = with_order(market, "XNYS=folder;*=yahoo")
    await LiveFeed(env, publisher, stale=60, poll=60).refresh()
    kept, closing = publisher.held["AAPL"], publisher.held["IBM"]
    assert (kept.price, kept.source) == (9, QuoteSource.YAHOO)
    assert (str(closing.price), closing.source) == ("200.5", QuoteSource.FOLDER)
    assert closing.state is QuoteState.CLOSED
