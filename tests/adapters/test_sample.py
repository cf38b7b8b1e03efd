"""The installed sample: prices, events read from the adjustment factor, the reference rate."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from currency_converter import CurrencyConverter

from app.adapters.prices import BAR_SCHEMA, History, NoData, NotListed, Tick
from app.adapters.sample import SAMPLE_SYMBOLS, SampleSource, find_ratio
from app.domain.acceptance import Yardstick, examine
from app.domain.bars import PriceBasis, adjust
from app.domain.market import Kind

REAL = Path(__file__).resolve().parents[3] / "shared" / "data"


async def history(symbol: str, **span: date) -> History:
    """A history that must be there."""
    answer = await SampleSource().history(symbol, **span)
    assert isinstance(answer, History)
    return answer


@pytest.mark.parametrize(
    ("symbol", "mic", "bars", "first"),
    [
        ("AAPL", "XNAS", 3270, date(2000, 3, 1)),
        ("FB", "XNAS", 196, date(2012, 5, 18)),
        ("GOOG", "XNAS", 2148, date(2004, 8, 19)),
        ("IBM", "XNYS", 3270, date(2000, 3, 1)),
        ("MSFT", "XNAS", 3270, date(2000, 3, 1)),
    ],
)
async def test_five_stocks_are_there_until_march_2013(
    symbol: str, mic: str, bars: int, first: date
) -> None:
    found = await history(symbol)
    assert (found.info.symbol, found.info.mic, found.info.currency) == (symbol, mic, "USD")
    assert found.bars.schema == BAR_SCHEMA
    assert len(found.bars) == bars
    assert (found.bars["day"][0], found.bars["day"][-1]) == (first, date(2013, 3, 1))
    judged = Yardstick(mic, Kind.EQUITY, finished=date(2013, 3, 1))
    assert examine(found.bars, found.splits, judged).held == []


async def test_prices_are_as_traded() -> None:
    """Apple's last days before and first day after the split of 2005."""
    found = await history("AAPL", start=date(2005, 2, 24), end=date(2005, 2, 28))
    assert found.bars["close"].to_list() == [88.93, 88.99, 44.86]


async def test_the_splits_are_those_that_took_place() -> None:
    found = {symbol: (await history(symbol)).splits.rows() for symbol in SAMPLE_SYMBOLS}
    assert found == {
        "AAPL": [(date(2000, 6, 21), 2, 1), (date(2005, 2, 28), 2, 1)],
        "FB": [],
        "GOOG": [],
        "IBM": [],
        "MSFT": [(date(2003, 2, 18), 2, 1)],
        "USDKRW=X": [],
    }


async def test_the_dividends_are_those_that_were_paid() -> None:
    apple = (await history("AAPL")).dividends
    assert apple["day"].to_list() == [date(2012, 8, 9), date(2012, 11, 7), date(2013, 2, 7)]
    assert apple["amount"].to_list() == [2.65, 2.65, 2.65]
    microsoft = dict((await history("MSFT")).dividends.iter_rows())
    assert len(microsoft) == 37
    assert microsoft[date(2004, 11, 15)] == 3.08  # the special dividend of $3 and 8 cents
    assert microsoft[date(2013, 2, 19)] == 0.23
    ibm = (await history("IBM")).dividends
    assert len(ibm) == 52  # four a year
    assert ibm["amount"].is_sorted()  # raised every year
    assert ibm["amount"].round(2).equals(ibm["amount"])
    assert (await history("GOOG")).dividends.is_empty()
    assert (await history("FB")).dividends.is_empty()


@pytest.mark.parametrize("symbol", ["AAPL", "FB", "GOOG", "IBM", "MSFT"])
async def test_the_events_explain_the_adjusted_close(symbol: str) -> None:
    """The vendor's method (1 + amount / close on the ex-date) differs from ours by 2e-3 at most."""
    found = await history(symbol)
    ours = adjust(found.bars, found.splits, found.dividends, PriceBasis.TOTAL_RETURN)
    assert found.bars["adj_close"][-1] == found.bars["close"][-1]
    assert (ours["close"] / found.bars["adj_close"] - 1).abs().max() < 2e-3


@pytest.mark.parametrize(
    ("step", "ratio"),
    [
        (2.0000001, (2, 1)), (1.5, (3, 2)), (0.1, (1, 10)), (7.0, (7, 1)), (1.25, (5, 4)),
        (1.0042, None), (1.1125, None), (1.11245, None), (1.1, None), (0.997, None), (1.2345, None),
    ],
)  # fmt: skip
def test_a_step_near_a_small_ratio_is_a_split(step: float, ratio: tuple[int, int] | None) -> None:
    found = find_ratio(step)
    assert (found and found.as_integer_ratio()) == ratio


async def test_the_rate_is_the_cross_of_the_reference_rates() -> None:
    found = await history("USDKRW=X")
    assert (found.info.kind, found.info.mic, found.info.currency) == ("FX", "CCY", "KRW")
    assert found.bars["day"][0] == date(1999, 1, 4)
    assert found.bars["open"].null_count() == found.bars["volume"].null_count() == len(found.bars)
    converter = CurrencyConverter()
    for row in found.bars.sample(25, seed=5).iter_rows(named=True):
        theirs = converter.convert(1, "USD", "KRW", date=row["day"])
        assert row["close"] == pytest.approx(theirs, abs=5e-5)


@pytest.mark.skipif(not REAL.is_dir(), reason="NO REAL PRICES: ../shared/data is absent")
async def test_the_rate_is_that_of_another_reading_of_the_same_file() -> None:
    theirs = pl.read_parquet(REAL / "wide/fx.parquet").rename({"date": "day"})
    both = (await history("USDKRW=X")).bars.join(theirs, on="day")
    assert len(both) > 2700
    assert (both["close"] - both["USDKRW"]).abs().max() < 1e-4


async def test_a_span_includes_both_ends_and_its_events_alone() -> None:
    found = await history("AAPL", start=date(2005, 2, 28), end=date(2012, 8, 9))
    assert (found.bars["day"][0], found.bars["day"][-1]) == (date(2005, 2, 28), date(2012, 8, 9))
    assert len(found.splits) == len(found.dividends) == 1


async def test_what_is_not_there_is_said() -> None:
    source = SampleSource()
    assert await source.history("NVDA") == NotListed("NVDA")
    assert await source.intraday("NVDA", minutes=5, days=1) == NotListed("NVDA")
    late = await source.history("FB", start=date(2014, 1, 1))
    assert late == NoData("the sample has FB from 2012-05-18 to 2013-03-01")
    within = await source.intraday("AAPL", minutes=5, days=1)
    assert within == NoData("the sample has daily prices only")


async def test_quotes_are_the_last_closes() -> None:
    source = SampleSource()
    found = await source.quotes(["AAPL", "NVDA"])
    await source.close()
    at = datetime(2013, 3, 1, 21, tzinfo=UTC)
    assert found == {
        "AAPL": Tick("AAPL", 430.47, at, previous_close=441.4, volume=19730300),
        "NVDA": NotListed("NVDA"),
    }


def test_reading_the_sample_imports_neither_package() -> None:
    code = (
        "import asyncio, sys; from app.adapters.sample import SampleSource;"
        "asyncio.run(SampleSource().quotes(['AAPL', 'USDKRW=X']));"
        "print({'pandas', 'bokeh_sampledata', 'currency_converter'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "set()"
