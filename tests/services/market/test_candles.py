"""Chart series: columns of equal length, on the basis and the interval that were asked for."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
import talib
from sqlalchemy import text

from app.db.frames import merge_frame
from app.domain.bars import Interval, PriceBasis
from app.env import Env
from app.errors import BadInput, NotFound, RateLimited, Unavailable
from app.services.market.candles import get_series
from app.services.settings import choose_source, put_setting
from app.services.sources.source_order import Reach, find_reach
from tests.clocks import at
from tests.factories import (
    make_bars,
    make_dividend,
    make_instrument,
    make_split,
    weekdays,
    with_order,
)
from tests.fakes.yahoo import FakeYahoo

MONDAY = date(2025, 1, 6)
CLOSES = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0, 107.0, 108.0, 109.0, 110.0]


@pytest.fixture
async def apple(env: Env) -> Env:
    """AAPL has eleven bars: two weeks from Monday 2025-01-06 and the Monday after."""
    await choose_source(env, "yahoo")
    await make_instrument(env, "AAPL")
    await make_bars(env, "AAPL", CLOSES)
    return env


async def series(env: Env, **arguments: Any) -> dict[str, list[Any]]:
    found = await get_series(env, "AAPL", **arguments)
    assert len({len(column) for column in found.values()}) == 1
    return found


async def make_rates(env: Env, rates: list[float]) -> None:
    await make_instrument(env, "USDKRW=X", kind="FX")
    async with env.db.write() as db:
        for day, rate in zip(weekdays(MONDAY, len(rates)), rates, strict=True):
            insert = "INSERT INTO fx_rate VALUES ('USD', 'KRW', :day, :rate, 'yahoo', now())"
            await db.execute(text(insert), {"day": day, "rate": Decimal(str(rate))})


async def make_indicators(env: Env, **columns: list[float | None]) -> None:
    days = weekdays(MONDAY, len(next(iter(columns.values()))))
    frame = pl.DataFrame({"symbol": "AAPL", "day": days, **columns})
    async with env.db.write() as db:
        await merge_frame(db, "indicator_daily", frame)


async def test_days_are_the_stored_bars(apple):
    found = await series(apple)
    assert list(found) == ["time", "open", "high", "low", "close", "volume"]
    assert found["time"][:3] == ["2025-01-06", "2025-01-07", "2025-01-08"]
    assert found["close"] == CLOSES
    assert (found["open"][1], found["high"][1], found["low"][1]) == (100.0, 102.0, 99.0)
    assert found["volume"] == [1000] * 11


async def test_a_span_includes_both_ends(apple):
    found = await series(apple, start=date(2025, 1, 8), end=date(2025, 1, 10))
    assert found["close"] == [102.0, 103.0, 104.0]


async def test_the_last_bars_before_an_end_can_be_asked_for(apple):
    assert (await series(apple, last=2))["close"] == [109.0, 110.0]
    assert (await series(apple, end=date(2025, 1, 8), last=2))["close"] == [101.0, 102.0]
    assert (await series(apple, start=date(2025, 1, 17), last=9))["close"] == [109.0, 110.0]


async def test_no_bars_are_empty_columns(apple):
    found = await series(apple, start=date(2026, 1, 1), studies=["sma_5"], indicators=["rsi_14"])
    assert found == {
        name: [] for name in ("time", "open", "high", "low", "close", "volume", "rsi_14", "sma_5")
    }


async def test_a_bar_without_prices_is_a_gap(apple):
    await make_instrument(apple, "HALT")
    await make_bars(apple, "HALT", [10.0, None, 12.0, 14.0])
    found = await get_series(apple, "HALT", studies=["sma_2"])
    assert found["close"] == [10.0, None, 12.0, 14.0]
    assert found["open"][1] is None
    assert found["sma_2"] == [None, None, 11.0, 13.0]


async def test_prices_and_volumes_are_adjusted_for_later_splits(apple):
    await make_split(apple, "AAPL", date(2025, 1, 8), 3, 2)
    found = await series(apple, end=date(2025, 1, 9))
    assert found["close"] == pytest.approx([100 / 1.5, 101 / 1.5, 102.0, 103.0], rel=1e-9)
    assert found["volume"] == [1500, 1500, 1000, 1000]
    traded = await series(apple, end=date(2025, 1, 9), basis=PriceBasis.AS_TRADED)
    assert traded["close"] == [100.0, 101.0, 102.0, 103.0]


async def test_total_return_takes_dividends_off_also_those_after_the_end(apple):
    await make_dividend(apple, "AAPL", date(2025, 1, 8), 1.01)
    await make_dividend(apple, "AAPL", date(2025, 1, 15), 1.06)
    whole = await series(apple, basis=PriceBasis.TOTAL_RETURN)
    first, second = 1 - 1.01 / 101, 1 - 1.06 / 106
    assert whole["close"][0] == pytest.approx(100 * first * second)
    assert whole["close"][2] == pytest.approx(102 * second)
    assert whole["close"][7] == 107.0
    part = await series(apple, basis=PriceBasis.TOTAL_RETURN, end=date(2025, 1, 9))
    assert part["close"] == whole["close"][:4]


async def test_weeks_are_labelled_by_their_last_session(apple):
    found = await series(apple, interval=Interval.WEEK)
    assert found["time"] == ["2025-01-10", "2025-01-17", "2025-01-20"]
    assert found["open"] == [100.0, 104.0, 109.0]
    assert found["high"] == [105.0, 110.0, 111.0]
    assert found["low"] == [99.0, 103.0, 108.0]
    assert found["close"] == [104.0, 109.0, 110.0]
    assert found["volume"] == [5000, 5000, 1000]


async def test_the_first_week_of_a_span_is_whole(apple):
    found = await series(apple, interval=Interval.WEEK, start=date(2025, 1, 16))
    assert (found["time"], found["open"]) == (["2025-01-17", "2025-01-20"], [104.0, 109.0])
    last = await series(apple, interval=Interval.WEEK, last=2)
    assert last == found


async def test_months_are_made_of_days(apple):
    await make_instrument(apple, "LONG")
    await make_bars(apple, "LONG", [float(n) for n in range(10, 70)], start=date(2025, 1, 1))
    found = await get_series(apple, "LONG", interval=Interval.MONTH)
    assert found["time"] == ["2025-01-31", "2025-02-28", "2025-03-25"]
    assert found["close"] == [32.0, 52.0, 69.0]


async def test_averages_are_warm_at_the_first_bar_that_is_shown(apple):
    found = await series(apple, start=date(2025, 1, 10), studies=["sma_5", "sma_2", "sma_20"])
    assert found["sma_5"][:2] == [102.0, 103.0]
    assert found["sma_2"][0] == 103.5
    assert found["sma_20"] == [None] * 7
    assert (await series(apple, last=1, studies=["sma_5"]))["sma_5"] == [108.0]
    weekly = await series(apple, interval=Interval.WEEK, last=1, studies=["sma_3"])
    assert weekly["sma_3"] == [pytest.approx((104 + 109 + 110) / 3)]


async def test_averages_stand_on_the_basis_of_the_prices(apple):
    await make_split(apple, "AAPL", date(2025, 1, 8), 2)
    found = await series(apple, end=date(2025, 1, 8), studies=["sma_2"])
    assert found["sma_2"] == [None, 50.25, (50.5 + 102) / 2]


async def test_indicators_are_joined_by_their_day(apple):
    await make_indicators(apple, rsi_14=[None, 55.5, 60.25], macd=[None, None, -0.5])
    found = await series(apple, indicators=["rsi_14", "macd"], end=date(2025, 1, 9))
    assert found["rsi_14"] == [None, 55.5, 60.25, None]
    assert found["macd"] == [None, None, -0.5, None]


async def test_weeks_have_indicators_of_their_own_from_the_whole_history(apple):
    await make_instrument(apple, "LONG")
    closes = [100 + 10 * math.sin(n / 7) + n / 20 for n in range(300)]
    days = await make_bars(apple, "LONG", closes)
    await make_split(apple, "LONG", days[200], 2)
    names = ["rsi_14", "macd_signal", "bollinger_upper"]
    found = await get_series(
        apple, "LONG", interval=Interval.WEEK, indicators=names, last=3, basis=PriceBasis.AS_TRADED
    )
    weekly = np.array([c / 2 if n < 200 else c for n, c in enumerate(closes)])[4::5]
    assert found["close"] == pytest.approx(weekly[-3:])
    assert found["rsi_14"] == pytest.approx(talib.RSI(weekly, 14)[-3:])
    assert found["macd_signal"] == pytest.approx(talib.MACD(weekly, 12, 26, 9)[1][-3:])
    assert found["bollinger_upper"] == pytest.approx(talib.BBANDS(weekly, 20, 2, 2)[0][-3:])


async def test_an_average_takes_the_place_of_the_stored_one(apple):
    await make_indicators(apple, sma_20=[1.0], sma_50=[2.0])
    found = await series(apple, indicators=["sma_20", "sma_50"], studies=["sma_20"], last=11)
    assert (found["sma_20"][0], found["sma_50"][0]) == (None, 2.0)


async def test_a_currency_pair_has_closes_only(apple):
    await make_rates(apple, [1450.5, 1452.5, 1454.5])
    found = await get_series(apple, "USDKRW=X", studies=["sma_2"])
    assert found == {
        "time": ["2025-01-06", "2025-01-07", "2025-01-08"],
        "close": [1450.5, 1452.5, 1454.5],
        "sma_2": [None, 1451.5, 1453.5],
    }
    weekly = await get_series(apple, "USDKRW=X", interval=Interval.WEEK, indicators=["rsi_14"])
    assert weekly == {"time": ["2025-01-08"], "close": [1454.5], "rsi_14": [None]}


async def test_numbers_are_short_enough_to_send(apple):
    await make_split(apple, "AAPL", date(2025, 1, 20), 3)
    assert (await series(apple, last=2))["close"] == [36.33333333, 110.0]


async def test_a_replay_hides_its_own_day_and_what_comes_after(apple):
    await choose_source(apple, "sample")
    await put_setting(apple, "replay", {"day": "2025-01-08", "step": 3})
    assert (await series(apple))["close"] == [100.0, 101.0]
    assert len((await series(apple, end=date(2025, 1, 31)))["close"]) == 11


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"start": date(2025, 1, 9), "end": date(2025, 1, 8)}, "from"),
        ({"indicators": ["rsi_14", "vwap"]}, "indicators"),
        ({"indicators": ["symbol"]}, "indicators"),
        ({"studies": ["sma_0"]}, "studies"),
        ({"studies": ["sma_251"]}, "studies"),
        ({"studies": ["ema_20"]}, "studies"),
        ({"last": 0}, "last"),
    ],
)
async def test_what_cannot_be_drawn_is_refused(apple, arguments, field):
    with pytest.raises(BadInput) as refused:
        await series(apple, **arguments)
    assert refused.value.field == field


async def test_an_unknown_instrument_is_not_found(apple):
    with pytest.raises(NotFound):
        await get_series(apple, "NONE")


def minutes(start: datetime, count: int, step: int) -> list[list[float]]:
    """Rows of the local Yahoo: at, open, high, low, close, volume."""
    first = int(start.timestamp())
    return [
        [first + 60 * step * n, 10.0 + n, 10.5 + n, 9.5 + n, 10.25 + n, 100] for n in range(count)
    ]


@pytest.fixture
async def intraday(apple: Env, yahoo: FakeYahoo) -> Env:
    """Yahoo has 70 bars of five minutes of yesterday's session; the clock stands."""
    apple = at(apple, apple.clock.now())
    opened = (apple.clock.now() - timedelta(days=1)).replace(hour=14, minute=30, second=0)
    yahoo.set("AAPL", intraday=minutes(opened, 70, 5))
    return apple


async def test_minutes_come_from_the_source_with_unix_seconds(intraday):
    found = await series(intraday, interval=Interval.MINUTE_5, studies=["sma_2"])
    opened = (intraday.clock.now() - timedelta(days=1)).replace(hour=14, minute=30, second=0)
    assert found["time"][:2] == [int(opened.timestamp()), int(opened.timestamp()) + 300]
    assert datetime.fromtimestamp(found["time"][-1], UTC) == (
        opened.replace(microsecond=0) + timedelta(minutes=5 * 69)
    )
    assert (found["close"][0], found["volume"][0]) == (10.25, 100)
    assert found["sma_2"][:2] == [None, 10.75]
    assert (await find_reach(intraday, "XNAS")).intraday


async def test_minutes_are_asked_for_once_a_minute(intraday, yahoo):
    first = await series(intraday, interval=Interval.MINUTE_5)
    yahoo.clear_log()
    assert await series(intraday, interval=Interval.MINUTE_5) == first
    assert yahoo.log() == []


async def test_a_source_without_minutes_gives_empty_columns_and_a_reason(sample_env):
    await make_instrument(sample_env, "AAPL")
    found = await series(sample_env, interval=Interval.MINUTE_15, studies=["sma_5"])
    assert found == {
        name: [] for name in ("time", "open", "high", "low", "close", "volume", "sma_5")
    }
    assert await find_reach(sample_env, "XNAS") == Reach(("sample",), intraday=False, live=False)


async def test_minutes_follow_the_order_of_the_exchange(intraday, yahoo):
    env = with_order(intraday, "XNAS=folder,krx;*=yahoo")
    yahoo.clear_log()
    assert (await series(env, interval=Interval.MINUTE_5))["time"] == []
    assert yahoo.log() == []
    assert not (await find_reach(env, "XNAS")).intraday
    after = with_order(intraday, "XNAS=folder,yfinance")
    assert len((await series(after, interval=Interval.MINUTE_5))["time"]) == 70
    assert (await find_reach(after, "XNAS")).intraday


async def test_minutes_that_cannot_be_had_now_are_a_failure(apple, yahoo):
    yahoo.fault("AAPL", "html")
    with pytest.raises(Unavailable, match="Yahoo Finance does not answer"):
        await series(apple, interval=Interval.MINUTE_5)
    yahoo.clear_faults()
    yahoo.fault("AAPL", "429", retry_after=7)
    with pytest.raises(RateLimited) as limited:
        await series(apple, interval=Interval.MINUTE_5)
    assert limited.value.retry_after == pytest.approx(7)
