"""The fused signal of whole columns: the votes of `domain.signals` as numbers from -2 to 2.

2 is STRONG_BUY, 1 BUY, 0 HOLD, -1 SELL, -2 STRONG_SELL, null where any input is unknown. A test
compares every combination of votes with `compute_signal`.
"""

from __future__ import annotations

import polars as pl

from app.domain.signals import CROSS_BARS, RSI_HIGH, RSI_LOW, STOCHASTIC_HIGH, STOCHASTIC_LOW


def signal_column() -> pl.Expr:
    """`signal` from `rsi_14`, `stochastic_k` and `macd_histogram`, each symbol's rows by day."""
    votes = [
        _band("rsi_14", RSI_LOW, RSI_HIGH),
        _band("stochastic_k", STOCHASTIC_LOW, STOCHASTIC_HIGH),
        _cross(),
    ]
    buys = pl.sum_horizontal(vote == 1 for vote in votes)
    sells = pl.sum_horizontal(vote == -1 for vote in votes)
    fused = (
        pl.when(buys >= 2)
        .then(2)
        .when(sells >= 2)
        .then(-2)
        .otherwise(buys.cast(pl.Int32) - sells.cast(pl.Int32))
    )
    known = pl.all_horizontal(vote.is_not_null() for vote in votes)
    return pl.when(known).then(fused).cast(pl.Float64).alias("signal")


def _band(name: str, low: float, high: float) -> pl.Expr:
    value = pl.col(name)
    return (
        pl.when(value < low).then(1).when(value > high).then(-1).when(value.is_not_null()).then(0)
    )


def _cross() -> pl.Expr:
    """The newest change of side of the histogram within the last bars; zero is no side."""
    bars = [pl.col("macd_histogram").shift(n).over("symbol") for n in range(CROSS_BARS, -1, -1)]
    side = pl.lit(0.0)
    direction = pl.lit(0.0)
    for bar in bars:
        now = bar.sign()
        direction = pl.when((now != 0) & (side == -now)).then(now).otherwise(direction)
        side = pl.when(now != 0).then(now).otherwise(side)
    known = pl.all_horizontal(bar.is_not_null() for bar in bars)
    return pl.when(known).then(direction)
