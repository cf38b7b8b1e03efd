"""Bars: the price bases, weeks and months, and what a row has to be to be a bar.

A frame of bars holds one instrument: `day` and floats `open`, `high`, `low`, `close`, `volume`;
Decimal columns are taken too. The split factor of day d is the product of numerator / denominator
over the splits with day > d: shares of today for one share of d. Then

    SPLIT_ADJUSTED(d) = as traded(d) / split factor(d);  volume * split factor(d)
    TOTAL_RETURN(d) = SPLIT_ADJUSTED(d) * Π (1 - amount / close before)

over the dividends with ex-day > d (the method of CRSP and Yahoo); amount and close before stand on
one basis, also when a split falls between them. `to_as_traded` turns the prices of a source that
adjusts for splits back. No money is computed here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np
import polars as pl

from app.errors import BadInput

PRICES: Final = ("open", "high", "low", "close")
COLUMNS: Final = ("day", *PRICES, "volume")
NOISE: Final = 1e-6  # relative; several times the step of a 32-bit float

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class PriceBasis(StrEnum):
    """What a price is adjusted for."""

    AS_TRADED = "AS_TRADED"
    SPLIT_ADJUSTED = "SPLIT_ADJUSTED"
    TOTAL_RETURN = "TOTAL_RETURN"


class Interval(StrEnum):
    """How long one bar is."""

    MINUTE_5 = "MINUTE_5"
    MINUTE_15 = "MINUTE_15"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"

    @property
    def minutes(self) -> int | None:
        """Minutes of a bar within a day, None for a day and longer."""
        return {Interval.MINUTE_5: 5, Interval.MINUTE_15: 15}.get(self)


def adjust(
    bars: pl.DataFrame, splits: pl.DataFrame, dividends: pl.DataFrame, basis: PriceBasis
) -> pl.DataFrame:
    """Bars as traded → the basis: COLUMNS in order of day, null where a price is null.

    `splits`: day, numerator, denominator; `dividends`: day (ex-date), amount per share as traded.
    A dividend counts when its ex-date is not after the last bar and it is below the close before.
    """
    bars = _floats(bars).sort("day")
    if basis is PriceBasis.AS_TRADED:
        return bars
    divisor = split_factors(bars["day"], splits)
    volume = bars["volume"] * pl.Series(divisor)
    if basis is PriceBasis.TOTAL_RETURN:
        divisor /= _dividend_factors(bars, splits, dividends)
    return bars.with_columns(
        *(pl.col(name) / pl.Series(divisor) for name in PRICES),
        volume.round().cast(pl.Int64).alias("volume"),
    )


def adjust_closes(
    closes: pl.DataFrame, splits: pl.DataFrame, dividends: pl.DataFrame
) -> pl.DataFrame:
    """`day` and `close` as traded, by day → `close` split-adjusted and `total`, total return.

    Splits and dividends as for `adjust`.
    """
    factor = split_factors(closes["day"], splits)
    adjusted = closes["close"].cast(pl.Float64) / pl.Series(factor)
    total = adjusted * pl.Series(_dividend_factors(closes, splits, dividends))
    return pl.DataFrame({"close": adjusted, "total": total})


def split_factors(days: pl.Series, splits: pl.DataFrame) -> Floats:
    """Shares of today for one share of each day: the product of the ratios of later splits."""
    splits = splits.sort("day")
    ratio = splits["numerator"].cast(pl.Float64) / splits["denominator"].cast(pl.Float64)
    return _products_after(days, splits["day"], ratio.to_numpy())


def to_as_traded(bars: pl.DataFrame, splits: pl.DataFrame, *, digits: int = 4) -> pl.DataFrame:
    """Split-adjusted bars → as traded, by all splits known now, the later ones included.

    Prices are rounded to `digits` decimals (0: whole won). What was multiplied and lies as near to
    a cent as a 32-bit float can tell becomes that cent. Columns beside COLUMNS stay as they are.
    """
    factor = split_factors(bars["day"], splits)
    return bars.with_columns(
        *(pl.Series(n, restore(bars[n], factor, digits)).fill_nan(None) for n in PRICES),
        (bars["volume"] / pl.Series(factor)).round().cast(pl.Int64).alias("volume"),
    )


def restore(values: pl.Series, factor: Floats, digits: int, coarse: int = 2) -> Floats:
    """Values times factor without the noise of the source's floats (null: NaN).

    A number that is exactly a 32-bit float means its shortest decimal: 123.45999908447266 means
    123.46. What was multiplied is rounded to `coarse` decimals where it lies that near, else to
    `digits`.
    """
    given = values.cast(pl.Float64).to_numpy()
    single = given.astype(np.float32)
    shortest = single.astype(np.str_).astype(np.float64)
    exact = np.where(single.astype(np.float64) == given, shortest, given) * factor
    fine = exact.round(digits)
    if coarse >= digits:
        return fine
    rough = exact.round(coarse)
    near = np.abs(exact - rough) <= np.abs(exact) * 1.2e-7 + factor * 5e-7
    return np.where(near & (factor != 1.0), rough, fine)


def resample(bars: pl.DataFrame, interval: Interval) -> pl.DataFrame:
    """Daily bars → weeks (from Monday) or months, each labelled by its last session's day.

    Open: the first there is; high: the highest; low: the lowest; close: the last there is;
    volume: the sum. DAY gives the bars in order of day.

    Raises:
        BadInput: minutes cannot be made of days.
    """
    if interval.minutes is not None:
        message = "Bars of %(interval)s cannot be made from daily bars"
        raise BadInput(message, field="interval", interval=interval.value)
    bars = _floats(bars).sort("day")
    if interval is Interval.DAY:
        return bars
    period = pl.col("day").dt.truncate("1w" if interval is Interval.WEEK else "1mo")
    return (
        bars.group_by(period.alias("period"), maintain_order=True)
        .agg(
            pl.col("day").last(),
            pl.col("open").drop_nulls().first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").drop_nulls().last(),
            pl.when(pl.col("volume").count() > 0).then(pl.col("volume").sum()).alias("volume"),
        )
        .select(COLUMNS)
    )


def check_prices(*, closes_only: bool = False) -> pl.Expr:
    """The reason why a row of open, high, low, close and volume is no bar; null when it is one."""
    needed = ("close",) if closes_only else PRICES
    prices = [pl.col(name) for name in needed]
    low, high = pl.min_horizontal(PRICES), pl.max_horizontal(PRICES)
    halted = pl.col("open").is_null() & (pl.col("volume") == 0) & pl.lit(not closes_only)
    return (
        pl.when(halted)
        .then(pl.lit("halted: no open and no volume"))
        .when(pl.any_horizontal(p.is_null() for p in prices))
        .then(pl.lit("incomplete: a price is missing"))
        .when(~pl.all_horizontal(p.is_finite() for p in prices) | (low <= 0))
        .then(pl.lit("a price is not a number above zero"))
        .when(low < pl.col("low") * (1 - NOISE))
        .then(pl.lit("the low is above another price"))
        .when(high > pl.col("high") * (1 + NOISE))
        .then(pl.lit("the high is below another price"))
        .when(pl.col("volume") < 0)
        .then(pl.lit("the volume is below zero"))
    )


def _floats(bars: pl.DataFrame) -> pl.DataFrame:
    return bars.select(
        pl.col("day"), pl.col(PRICES).cast(pl.Float64), pl.col("volume").cast(pl.Int64)
    )


def _products_after(days: pl.Series, event_days: pl.Series, factors: Floats) -> Floats:
    """For each day the product of the factors of later events; the events are in order of day."""
    after = np.append(np.cumprod(factors[::-1])[::-1], 1.0)
    return after[np.searchsorted(event_days.to_numpy(), days.to_numpy(), side="right")]


def _dividend_factors(bars: pl.DataFrame, splits: pl.DataFrame, dividends: pl.DataFrame) -> Floats:
    """For each bar the product of 1 - amount / close before over the dividends after it."""
    closes = bars.select("day", pl.col("close") / pl.Series(split_factors(bars["day"], splits)))
    last = pl.lit(bars["day"].max(), dtype=pl.Date)
    dividends = dividends.sort("day").filter(pl.col("day") <= last)
    amount = dividends["amount"].cast(pl.Float64).to_numpy()
    amount = amount / split_factors(dividends["day"], splits)
    before = dividends.select("day").join_asof(
        closes.drop_nulls(), on="day", strategy="backward", allow_exact_matches=False
    )
    factor = 1.0 - amount / before["close"].to_numpy()
    factor = np.where(np.isfinite(factor) & (factor > 0), factor, 1.0)
    return _products_after(bars["day"], dividends["day"], factor)
