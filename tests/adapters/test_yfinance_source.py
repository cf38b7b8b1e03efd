"""yfinance as a source: it reads from the same answers what our own reader does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import yfinance

from app.adapters.politeness import Politeness
from app.adapters.prices import (
    BadPayload,
    History,
    Intraday,
    NoData,
    NotListed,
    Profile,
    RateLimited,
    SourceDown,
)
from app.adapters.yahoo import YahooSource
from app.adapters.yfinance_source import YFinanceSource
from app.domain.fundamentals import Fundamentals
from tests.fakes.yahoo import FakeYahoo

pytestmark = pytest.mark.filterwarnings("ignore:.*:Warning:yfinance")


def now() -> datetime:
    return datetime(2013, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def host() -> Politeness:
    return Politeness(now=now, pause=0.001)


@pytest.fixture
async def theirs(
    yahoo: FakeYahoo, host: Politeness, tmp_path: Path
) -> AsyncIterator[YFinanceSource]:
    source = YFinanceSource(yahoo.url, now=now, host=host, cache=tmp_path, timeout=30)
    yield source
    await source.close()


@pytest.fixture
async def ours(yahoo: FakeYahoo, host: Politeness) -> AsyncIterator[YahooSource]:
    source = YahooSource(yahoo.url, now=now, host=host)
    yield source
    await source.close()


@pytest.mark.parametrize("symbol", ["AAPL", "MSFT", "005930.KS", "^KS11", "SPY", "USDKRW=X"])
async def test_both_readers_of_one_answer_agree_in_everything(
    theirs: YFinanceSource, ours: YahooSource, symbol: str
) -> None:
    one, other = await theirs.history(symbol), await ours.history(symbol)
    assert isinstance(one, History)
    assert isinstance(other, History)
    assert one.info == other.info
    for name in ("bars", "splits", "dividends", "refused"):
        assert getattr(one, name).equals(getattr(other, name)), name


async def test_a_part_is_multiplied_by_the_splits_after_it(theirs: YFinanceSource) -> None:
    found = await theirs.history("AAPL", start=date(2000, 6, 19), end=date(2000, 6, 20))
    assert isinstance(found, History)
    assert found.bars["close"].to_list() == [96.62, 101.25]
    assert found.splits.is_empty()


async def test_an_old_answer_is_not_given_again(theirs: YFinanceSource, yahoo: FakeYahoo) -> None:
    span = {"start": date(2013, 2, 28), "end": date(2013, 3, 1)}
    await theirs.history("IBM", **span)
    yahoo.set("IBM", bars=[["2013-02-28", 200, 205, 199, 204, 7]])
    found = await theirs.history("IBM", **span)
    assert isinstance(found, History)
    assert found.bars["close"].to_list()[0] == 204


async def test_its_first_429_is_asked_again_and_its_second_is_an_answer(
    theirs: YFinanceSource, yahoo: FakeYahoo
) -> None:
    await theirs.history("IBM", start=date(2013, 2, 20))
    yahoo.fault("IBM", "429", times=1)
    assert isinstance(await theirs.history("IBM", start=date(2013, 2, 20)), History)
    yahoo.fault("IBM", "429", times=2)
    assert await theirs.history("IBM", start=date(2013, 2, 20)) == RateLimited(60)
    assert theirs.state().limited


async def test_both_readers_share_the_manners(
    theirs: YFinanceSource, ours: YahooSource, yahoo: FakeYahoo
) -> None:
    yahoo.fault("IBM", "429", retry_after=40)
    assert await ours.history("IBM") == RateLimited(40)
    assert isinstance(await theirs.history("AAPL"), RateLimited)


async def test_bars_within_the_day_agree(
    theirs: YFinanceSource, ours: YahooSource, yahoo: FakeYahoo
) -> None:
    first = int(datetime(2013, 2, 28, 14, 30, tzinfo=UTC).timestamp())
    rows = [[first + 300 * n, 10.25, 10.5, 10.125, 10.375 + n / 8, 100] for n in range(3)]
    yahoo.set("AAPL", intraday=rows)
    one = await theirs.intraday("AAPL", minutes=5, days=2)
    other = await ours.intraday("AAPL", minutes=5, days=2)
    assert isinstance(one, Intraday)
    assert isinstance(other, Intraday)
    assert one.bars.equals(other.bars)
    assert one.info == other.info


async def test_quotes_agree(theirs: YFinanceSource, ours: YahooSource, yahoo: FakeYahoo) -> None:
    yahoo.tick("AAPL", 423.31, previous_close=430.47, at=now(), volume=1234)
    symbols = ["AAPL", "005930.KS", "NOPE"]
    assert await theirs.quotes(symbols) == await ours.quotes(symbols)


async def test_a_profile_has_sector_and_industry(theirs: YFinanceSource, ours: YahooSource) -> None:
    found = await theirs.profile("005930.KS")
    assert isinstance(found, Profile)
    assert (found.sector, found.industry) == ("Technology", "Consumer Electronics")
    assert found == await ours.profile("005930.KS")
    assert await theirs.profile("NOPE") == NotListed("NOPE")


async def test_fundamentals_are_read_in_our_units(theirs: YFinanceSource) -> None:
    apple = await theirs.fundamentals("AAPL")
    assert apple == Fundamentals(
        currency="USD",
        statement_currency="USD",
        market_cap=Decimal(3012345678912),
        total_debt=Decimal(112377000000),
        trailing_pe=31.25,
        forward_pe=27.5,
        price_to_book=45.6,
        return_on_equity=1.4994,
        dividend_yield=0.0038,
        gross_margin=0.46678,
        operating_margin=0.31647,
        net_margin=0.26915,
        debt_to_equity=1.54486,
    )
    loss = await theirs.fundamentals("IBM")
    assert isinstance(loss, Fundamentals)
    assert (loss.trailing_pe, loss.forward_pe, loss.refused) == (None, -12.5, ())


async def test_a_yield_in_percent_alone_becomes_a_fraction(
    theirs: YFinanceSource, yahoo: FakeYahoo
) -> None:
    yahoo.tell("AAPL", trailingAnnualDividendYield=None)
    found = await theirs.fundamentals("AAPL")
    assert isinstance(found, Fundamentals)
    assert found.dividend_yield == pytest.approx(0.0041, rel=1e-12)


async def test_impossible_figures_are_refused_one_by_one(
    theirs: YFinanceSource, yahoo: FakeYahoo
) -> None:
    yahoo.tell("AAPL", marketCap=-5, trailingPE="Infinity", returnOnEquity=1e9, totalDebt=-1)
    found = await theirs.fundamentals("AAPL")
    assert isinstance(found, Fundamentals)
    assert set(found.refused) == {"market_cap", "trailing_pe", "return_on_equity", "total_debt"}
    assert (found.market_cap, found.price_to_book) == (None, 45.6)


async def test_without_figures_there_is_no_answer(theirs: YFinanceSource, yahoo: FakeYahoo) -> None:
    assert await theirs.fundamentals("NOPE") == NotListed("NOPE")
    yahoo.tell("MSFT", currency="USD")
    assert isinstance(await theirs.fundamentals("MSFT"), NoData)
    for broken in ({"currency": "GBp"}, {"currency": "USD", "returnOnEquity": "nan"}):
        yahoo.tell("AAPL", **broken)
        assert isinstance(await theirs.fundamentals("AAPL"), BadPayload)


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("429", RateLimited),
        ("500", SourceDown),
        ("cut", SourceDown),
        ("html", SourceDown),
        ("401", SourceDown),
        ("truncated", BadPayload),
        ("empty", BadPayload),
        ("null", BadPayload),
    ],
)
async def test_every_fault_of_fundamentals_is_a_failure_of_its_kind(
    theirs: YFinanceSource, yahoo: FakeYahoo, kind: str, failure: type
) -> None:
    yahoo.fault("AAPL", kind)
    assert isinstance(await theirs.fundamentals("AAPL"), failure)


async def test_a_question_about_a_company_costs_what_it_takes(
    theirs: YFinanceSource, host: Politeness, yahoo: FakeYahoo
) -> None:
    before = host.state().tokens
    await theirs.fundamentals("AAPL")
    assert host.state().tokens == before - 3


async def test_a_search_finds_the_same(theirs: YFinanceSource, ours: YahooSource) -> None:
    assert await theirs.search("samsung") == await ours.search("samsung")


async def test_faults_are_shown_and_the_library_does_not_retry_by_itself(
    theirs: YFinanceSource,
) -> None:
    assert theirs.name == "yfinance"
    known = json.loads(repr(yfinance.config))
    assert known["debug"]["hide_exceptions"] is False
    assert known["network"]["retries"] == 0
