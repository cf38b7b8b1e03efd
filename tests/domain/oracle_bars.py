"""Bars and TA-Lib's answer to them: what the indicators are compared with."""

from __future__ import annotations

import gzip
import importlib.util
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import talib

from app.domain.indicator_columns import INDICATOR_COLUMNS
from tests.factories import weekdays

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
PRICES = ("open", "high", "low", "close")
DAY = date(2025, 1, 6)


def shared(name: str) -> pl.DataFrame:
    """Real bars from beside the checkout, or a skipped test."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"no real bars at ../shared/data/{name}")
    return pl.read_parquet(path).select(
        pl.col("ticker").alias("symbol"), pl.col("date").alias("day"), *PRICES, "volume"
    )


def shared_adjusted(symbol: str) -> np.ndarray:
    """Closes adjusted for splits and dividends of a real share, or a skipped test."""
    path = SHARED / "small" / "bars.parquet"
    if not path.exists():
        pytest.skip("no real bars at ../shared/data/small/bars.parquet")
    found = pl.read_parquet(path).filter(pl.col("ticker") == symbol).sort("date")
    return found["adj_close"].to_numpy()


@cache
def sample() -> pl.DataFrame:
    """Real bars as traded of five stocks, 2000 to 2013, from the installed package."""
    spec = importlib.util.find_spec("bokeh_sampledata")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    path = Path(spec.submodule_search_locations[0], "_data", "stocks.csv.gz")
    table = pl.read_csv(gzip.decompress(path.read_bytes()), try_parse_dates=True)
    return table.select(
        pl.col("Ticker").alias("symbol"),
        pl.col("Date").alias("day"),
        *(pl.col(name.title()).cast(pl.Float64).alias(name) for name in PRICES),
        pl.col("Volume").alias("volume"),
    ).sort("symbol", "day")


def walk(symbol: str, rows: int, *, seed: int, price: float = 100.0) -> pl.DataFrame:
    """A random walk, 2 % a day."""
    random = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(random.normal(0, 0.02, rows)))
    spread = np.abs(random.normal(0, 0.01, (2, rows)))
    from_day = pl.date(2001, 1, 1)
    return pl.select(
        pl.lit(symbol).alias("symbol"),
        (from_day + pl.duration(days=pl.int_range(rows))).alias("day"),
        pl.Series("open", close),
        pl.Series("high", close * (1 + spread[0])),
        pl.Series("low", close * (1 - spread[1])),
        pl.Series("close", close),
        pl.Series("volume", np.full(rows, 1000)),
    )


def bars_of(closes: list[float | None], symbol: str = "A") -> pl.DataFrame:
    """One bar a weekday, all four prices the same."""
    return pl.DataFrame(
        {
            "symbol": [symbol] * len(closes),
            "day": weekdays(DAY, len(closes)),
            **dict.fromkeys(PRICES, closes),
            "volume": [1000] * len(closes),
        },
        schema_overrides=dict.fromkeys(PRICES, pl.Float64),
    )


def with_gaps(bars: pl.DataFrame, *, seed: int, share: float = 0.05) -> pl.DataFrame:
    """Some sessions without prices: half of them null, half of them NaN."""
    dice = np.random.default_rng(seed).random(bars.height)
    nothing = pl.when(pl.Series(dice < share / 2)).then(None).otherwise(float("nan"))
    return bars.with_columns(
        pl.when(pl.Series(dice < share)).then(nothing).otherwise(pl.col(name)).alias(name)
        for name in PRICES
    )


def shuffled(bars: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """The rows in another order."""
    return bars.sample(fraction=1.0, shuffle=True, seed=seed)


def expected(bars: pl.DataFrame) -> pl.DataFrame:
    """What TA-Lib says, symbol by symbol on the observed rows; its flat windows made null."""
    keyed = bars.with_row_index("row").with_columns(pl.col(PRICES).fill_nan(None))
    frames = [
        _expected_one(one.sort("day"))
        for one in keyed.drop_nulls("close").partition_by("symbol", maintain_order=True)
    ]
    empty = pl.DataFrame(schema={"row": pl.UInt32, **dict.fromkeys(INDICATOR_COLUMNS, pl.Float64)})
    found = pl.concat([empty, *frames])
    return (
        keyed.select("row", "symbol", "day")
        .join(found, on="row", how="left")
        .sort("row")
        .drop("row")
    )


def _expected_one(bars: pl.DataFrame) -> pl.DataFrame:
    # An unknown high or low becomes the close here; its windows become null below.
    known = bars.select(pl.coalesce(name, "close") for name in ("high", "low", "close"))
    high, low, close = (column.to_numpy().copy() for column in known)
    macd, signal, histogram = talib.MACD(close, 12, 26, 9)
    k, d = talib.STOCH(high, low, close, 14, 3, 0, 3, 0)
    upper, middle, lower = talib.BBANDS(close, 20, 2.0, 2.0)
    columns = (
        talib.RSI(close, 14), macd, signal, histogram, k, d,
        *(talib.SMA(close, n) for n in (20, 50, 200)), upper, middle, lower,
    )  # fmt: skip
    frame = pl.DataFrame([bars["row"], *map(pl.Series, INDICATOR_COLUMNS, columns)]).with_columns(
        pl.col(INDICATOR_COLUMNS).fill_nan(None)
    )
    # TA-Lib has 0 where nothing has moved; there we say nothing.
    size = bars["high"].rolling_max(14) - bars["low"].rolling_min(14)
    flat_k = (size == 0).rolling_max(3).cast(pl.Boolean) if bars.height else size == 0
    return frame.with_columns(
        pl.when(bars["close"].diff().abs().cum_sum() != 0).then("rsi_14").alias("rsi_14"),
        pl.when(~flat_k).then("stochastic_k").alias("stochastic_k"),
        pl.when(~flat_k.rolling_max(3).cast(pl.Boolean)).then("stochastic_d").alias("stochastic_d"),
    )


def difference(got: pl.DataFrame, wanted: pl.DataFrame) -> dict[str, float]:
    """The largest absolute difference of each column; infinite where one alone is null."""
    found = {}
    for name in INDICATOR_COLUMNS:
        alone = got[name].is_null() != wanted[name].is_null()
        largest = (got[name] - wanted[name]).abs().max()
        found[name] = float("inf") if alone.any() else float(largest or 0.0)  # type: ignore[arg-type]
    return found
