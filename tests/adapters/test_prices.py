"""The contract of a price source, kept by both, and the reading of the same answer by yfinance."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import pytest
import yfinance
from curl_cffi.requests import Session

from app.adapters.prices import (
    BAR_SCHEMA,
    DIVIDEND_SCHEMA,
    SPLIT_SCHEMA,
    BadPayload,
    Failure,
    History,
    NoData,
    NotListed,
    PriceSource,
    RateLimited,
    SourceDown,
    Tick,
    describe,
)
from app.adapters.sample import SampleSource
from app.adapters.yahoo import YahooSource
from app.domain.bars import split_factors
from tests.fakes.yahoo import FakeYahoo

FIRST, LAST = date(2005, 2, 25), date(2012, 8, 9)


@pytest.fixture(params=["yahoo", "sample"])
async def source(yahoo: FakeYahoo, request: pytest.FixtureRequest) -> AsyncIterator[PriceSource]:
    """Each source in turn."""
    sources: dict[str, PriceSource] = {
        "yahoo": YahooSource(yahoo.url, now=lambda: datetime(2013, 3, 4, tzinfo=UTC)),
        "sample": SampleSource(),
    }
    chosen = sources[request.param]
    yield chosen
    await chosen.close()


async def test_a_history_has_these_columns_and_this_span(source: PriceSource) -> None:
    found = await source.history("AAPL", start=FIRST, end=LAST)
    assert isinstance(found, History)
    assert found.info.symbol == "AAPL"
    assert found.info.name == "Apple Inc."
    assert found.info.name_local == "애플"
    assert found.bars.schema == BAR_SCHEMA
    assert found.splits.schema == SPLIT_SCHEMA
    assert found.dividends.schema == DIVIDEND_SCHEMA
    assert found.bars["day"].is_sorted()
    assert found.bars["day"].is_unique().all()
    assert (found.bars["day"][0], found.bars["day"][-1]) == (FIRST, LAST)
    assert found.splits.rows() == [(date(2005, 2, 28), 2, 1)]
    assert found.dividends.rows() == [(date(2012, 8, 9), 2.65)]
    assert found.bars["close"].head(2).to_list() == [88.99, 44.86]


async def test_a_rate_has_closes_alone(source: PriceSource) -> None:
    found = await source.history("USDKRW=X", start=date(2013, 2, 1), end=date(2013, 3, 1))
    assert isinstance(found, History)
    assert (found.info.kind, found.info.mic, found.info.currency) == ("FX", "CCY", "KRW")
    assert found.bars["close"].null_count() == 0
    for name in ("open", "high", "low", "volume"):
        assert found.bars[name].null_count() == len(found.bars)


async def test_an_unknown_symbol_is_not_listed_whatever_is_asked(source: PriceSource) -> None:
    assert await source.history("NOPE") == NotListed("NOPE")
    assert await source.intraday("NOPE", minutes=5, days=1) == NotListed("NOPE")
    assert await source.quotes(["NOPE"]) == {"NOPE": NotListed("NOPE")}


async def test_a_span_without_sessions_is_no_data(source: PriceSource) -> None:
    assert isinstance(await source.history("AAPL", start=date(2013, 3, 2)), NoData)
    assert isinstance(await source.intraday("AAPL", minutes=5, days=1), NoData)


async def test_there_is_one_answer_for_each_symbol(source: PriceSource) -> None:
    symbols = ["IBM", "NOPE", "AAPL"]
    answers: dict[str, Tick | Failure] = await source.quotes(symbols)
    assert list(answers) == symbols
    assert isinstance(answers["AAPL"], Tick)
    assert answers["AAPL"].price == 430.47
    assert answers["AAPL"].at == datetime(2013, 3, 1, 21, tzinfo=UTC)
    assert await source.quotes([]) == {}


class _Redirected(Session):  # type: ignore[type-arg]
    """Every request of yfinance goes to the local server, its host as the first part of the path."""

    def __init__(self, base: str) -> None:
        super().__init__(impersonate="chrome")
        self._server = base

    def request(self, method: Any, url: str, **options: Any) -> Any:
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return super().request(
            method, f"{self._server}/{parts.hostname}{parts.path}{query}", **options
        )


# pandas and yfinance warn about their own use of each other
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("symbol", ["AAPL", "MSFT", "005930.KS"])
async def test_yfinance_reads_the_same_from_the_same_answer(
    yahoo: FakeYahoo, tmp_path: Path, symbol: str
) -> None:
    """Its Close (split-adjusted) times the later splits is our close; events and days are equal."""

    def read() -> Any:
        yfinance.set_tz_cache_location(str(tmp_path))
        session = _Redirected(yahoo.url)
        try:
            ticker = yfinance.Ticker(symbol, session=session)
            return ticker.history(start="2000-01-03", end="2013-03-05", auto_adjust=False)
        finally:
            session.close()

    theirs = await asyncio.to_thread(read)
    source = YahooSource(yahoo.url, now=lambda: datetime(2013, 3, 4, tzinfo=UTC))
    ours = await source.history(symbol)
    await source.close()
    assert isinstance(ours, History)
    days = pl.Series([at.date() for at in theirs.index])
    assert days.to_list() == ours.bars["day"].to_list()
    factor = pl.Series(split_factors(days, ours.splits))
    for name in ("open", "high", "low", "close"):
        traded = pl.Series(theirs[name.capitalize()].to_numpy()) * factor
        assert (traded / ours.bars[name] - 1).abs().max() < 1e-6
    adjusted = pl.Series(theirs["Adj Close"].to_numpy())
    assert (adjusted - ours.bars["adj_close"]).abs().max() < 1e-5
    volume = pl.Series(theirs["Volume"].to_numpy()) / factor
    assert (volume.round().cast(pl.Int64) == ours.bars["volume"]).all()
    paid = pl.Series(theirs["Dividends"].to_numpy()) * factor
    assert paid.filter(paid > 0).to_list() == pytest.approx(ours.dividends["amount"].to_list())
    split = pl.Series(theirs["Stock Splits"].to_numpy())
    assert split.filter(split > 0).to_list() == ours.splits["numerator"].to_list()


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (NotListed("NOPE"), "NOPE is not known there"),
        (NoData("daily prices only"), "daily prices only"),
        (RateLimited(61.4), "asked again after 61 s"),
        (BadPayload("no timestamps"), "no timestamps"),
        (SourceDown("connection refused"), "connection refused"),
    ],
)
def test_a_failure_is_described_in_words(failure: Failure, words: str) -> None:
    assert words in describe(failure)
