"""Readings: the newest indicators on or before a day, and the votes on them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import insert

from app.db.models import IndicatorDaily, Signal
from app.domain.signal_series import SIGNAL_COLUMNS
from app.domain.signals import SignalStrength, VoteIndicator
from app.env import Env
from app.services.signals.readings import list_readings
from tests.factories import make_bars, make_instrument, weekdays

START = date(2025, 1, 6)


async def make_indicators(
    env: Env, symbol: str, *, rsi: list, k: list, histogram: list
) -> list[date]:
    """One row a weekday from START on."""
    days = weekdays(START, len(rsi))
    rows = [
        {
            "symbol": symbol,
            "day": day,
            "rsi_14": rsi[i],
            "stochastic_k": k[i],
            "macd_histogram": histogram[i],
            "sma_20": 100.0 + i,
        }
        for i, day in enumerate(days)
    ]
    async with env.db.write() as db:
        await db.execute(insert(IndicatorDaily), rows)
    return days


async def make_signal(env: Env, symbol: str, day: date, *levels: int) -> None:
    """A stored signal: its strength and its three votes."""
    values = dict(zip(SIGNAL_COLUMNS, levels, strict=True))
    async with env.db.write() as db:
        await db.execute(insert(Signal).values(symbol=symbol, day=day, **values))


async def test_the_newest_reading_has_its_indicators_and_its_signal(env):
    await make_instrument(env, "AAPL")
    await make_instrument(env, "MSFT")
    days = await make_indicators(
        env, "AAPL", rsi=[50, 50, 50, 25], k=[50] * 4, histogram=[-1, -1, 1, 1]
    )
    await make_signal(env, "AAPL", days[-1], 2, 1, 0, 1)
    readings = await list_readings(env, ["AAPL", "MSFT", "NONE"])
    assert list(readings) == ["AAPL"]
    reading = readings["AAPL"]
    assert reading.day == days[-1]
    assert reading.indicators["rsi_14"] == 25
    assert reading.indicators["sma_20"] == 103
    assert reading.indicators["macd"] is None
    assert reading.signal.strength is SignalStrength.STRONG_BUY
    assert [(v.indicator, v.value, v.threshold) for v in reading.signal.votes] == [
        (VoteIndicator.RSI, 25.0, 30.0),
        (VoteIndicator.STOCHASTIC, 50.0, None),
        (VoteIndicator.MACD_CROSS, 1.0, 0.0),
    ]


async def test_who_does_not_trade_has_the_reading_of_the_last_session(env):
    await make_instrument(env, "AAPL")
    days = await make_bars(env, "AAPL", [100.0, 101.0, None, None], start=START)
    await make_indicators(env, "AAPL", rsi=[50, 25, None, None], k=[50] * 4, histogram=[1] * 4)
    await make_signal(env, "AAPL", days[1], 2, 1, 0, 1)
    reading = (await list_readings(env, ["AAPL"]))["AAPL"]
    assert (reading.day, reading.indicators["rsi_14"]) == (days[1], 25)
    assert reading.signal.strength is SignalStrength.STRONG_BUY
    assert [vote.value for vote in reading.signal.votes] == [25.0, 50.0, 1.0]


async def test_a_day_in_the_past_is_read_as_it_was_then(env):
    await make_instrument(env, "AAPL")
    days = await make_indicators(
        env, "AAPL", rsi=[80, 80, 80, 80, 50], k=[90] * 4 + [50], histogram=[1, 1, 1, 1, 1]
    )
    await make_signal(env, "AAPL", days[3], -2, -1, -1, 0)
    await make_signal(env, "AAPL", days[4], 0, 0, 0, 0)
    then = (await list_readings(env, ["AAPL"], days[3]))["AAPL"]
    assert (then.day, then.signal.strength) == (days[3], SignalStrength.STRONG_SELL)
    now = (await list_readings(env, ["AAPL"], days[4]))["AAPL"]
    assert now.signal.strength is SignalStrength.HOLD
    assert await list_readings(env, ["AAPL"], date(2024, 1, 1)) == {}


async def test_an_unknown_input_leaves_the_indicators_and_takes_the_signal(env):
    await make_instrument(env, "AAPL")
    await make_indicators(env, "AAPL", rsi=[None] * 4, k=[50] * 4, histogram=[1] * 4)
    reading = (await list_readings(env, ["AAPL"]))["AAPL"]
    assert reading.indicators["stochastic_k"] == 50
    assert reading.signal is None


async def test_with_the_sample_nothing_is_read_of_the_replayed_day(sample_env):
    await make_instrument(sample_env, "AAPL")
    await make_bars(sample_env, "AAPL", [100.0] * 5, start=START)
    days = await make_indicators(sample_env, "AAPL", rsi=[50] * 5, k=[50] * 5, histogram=[1] * 5)
    reading = (await list_readings(sample_env, ["AAPL"])).get("AAPL")
    assert reading is None or reading.day < days[-1]
