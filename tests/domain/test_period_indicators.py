"""Indicators of weeks and months: TA-Lib's, on bars of a longer period."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import talib

from app.domain.indicator_columns import INDICATOR_COLUMNS
from app.domain.period_indicators import compute_period_indicators


def walk(count: int, *, seed: int = 1) -> pl.DataFrame:
    """Weekly bars of a random walk."""
    generator = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.03, count)))
    high = close * (1 + generator.uniform(0, 0.03, count))
    low = close * (1 - generator.uniform(0, 0.03, count))
    days = [date(2000, 1, 7) + timedelta(weeks=n) for n in range(count)]
    return pl.DataFrame({"day": days, "high": high, "low": low, "close": close})


def expected(bars: pl.DataFrame) -> dict[str, np.ndarray]:
    """The same by TA-Lib."""
    high, low, close = (bars[name].to_numpy() for name in ("high", "low", "close"))
    macd = talib.MACD(close, 12, 26, 9)
    bands = talib.BBANDS(close, 20, 2, 2)
    return {
        "rsi_14": talib.RSI(close, 14),
        **dict(zip(("macd", "macd_signal", "macd_histogram"), macd, strict=True)),
        **dict(
            zip(
                ("stochastic_k", "stochastic_d"),
                talib.STOCH(high, low, close, 14, 3, 0, 3, 0),
                strict=True,
            )
        ),
        **{f"sma_{n}": talib.SMA(close, n) for n in (20, 50, 200)},
        "bollinger_upper": bands[0],
        "bollinger_middle": bands[1],
        "bollinger_lower": bands[2],
    }


@pytest.mark.parametrize("count", [260, 700])
def test_every_column_is_that_of_talib(count):
    bars = walk(count, seed=count)
    made = compute_period_indicators(bars, INDICATOR_COLUMNS)
    for name, values in expected(bars).items():
        np.testing.assert_allclose(made[name].to_numpy(), values, rtol=0, atol=1e-9, err_msg=name)


def test_the_columns_come_in_the_order_asked_for():
    made = compute_period_indicators(walk(40), ["bollinger_lower", "rsi_14", "sma_20"])
    assert made.columns == ["bollinger_lower", "rsi_14", "sma_20"]
    assert made.height == 40


@pytest.mark.parametrize("count", [0, 1, 13, 14, 15, 25, 26, 33, 34])
def test_short_histories_are_warm_up(count):
    bars = walk(count)
    made = compute_period_indicators(bars, INDICATOR_COLUMNS)
    assert made.height == count
    assert made["rsi_14"].count() == max(count - 14, 0)
    assert made["macd"].count() == made["macd_histogram"].count() == max(count - 33, 0)
    assert made["stochastic_k"].count() == max(count - 17, 0)


def test_flat_windows_are_null():
    bars = walk(60).with_columns(high=pl.lit(10.0), low=pl.lit(10.0), close=pl.lit(10.0))
    made = compute_period_indicators(bars, ["rsi_14", "stochastic_k", "bollinger_upper"])
    assert made["rsi_14"].null_count() == made["stochastic_k"].null_count() == 60
    assert made["bollinger_upper"][-1] == 10.0


def test_a_bar_without_a_close_is_skipped():
    whole = walk(60)
    gap = pl.DataFrame(
        {
            "day": [whole["day"][30] + timedelta(days=1)],
            "high": [None],
            "low": [None],
            "close": [None],
        },
        schema=whole.schema,
    )
    with_gap = pl.concat([whole, gap]).sort("day")
    made = compute_period_indicators(with_gap, ["rsi_14"])
    assert made["rsi_14"][31] is None
    without = made.filter(pl.int_range(pl.len()) != 31)
    assert without.equals(compute_period_indicators(whole, ["rsi_14"]))
