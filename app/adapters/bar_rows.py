"""Rows of an answer parted into bars, halts among them, and rows that are refused with a reason.

A session in which nothing was traded has no open and the volume 0: HALTED. Sources write it with
nulls or with zeros; here it becomes a row of null open, high and low, the close as it was given
(the last price, null for none) and the volume 0. It stays among the bars: who stores them decides.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from app.adapters.prices import BAR_SCHEMA, REFUSED_SCHEMA
from app.domain.bars import PRICES, check_prices

_TRADED: Final = ("open", "high", "low")


def mark_halts(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of prices and volume, those of a halt in the one form that is told above."""
    nothing = pl.col("open").is_null() | (pl.col("open") == 0)
    halted = (pl.col("volume") == 0) & nothing
    closed = pl.when(pl.col("close") > 0).then(pl.col("close"))
    return rows.with_columns(
        *(pl.when(~halted.fill_null(value=False)).then(pl.col(n)).alias(n) for n in _TRADED),
        close=pl.when(halted).then(closed).otherwise(pl.col("close")),
    )


def part_rows(
    rows: pl.DataFrame, *, closes_only: bool = False
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of BAR_SCHEMA → bars and halts (BAR_SCHEMA), and the refused (REFUSED_SCHEMA).

    Bars come with low and high that hold open and close, which differ by the noise of floats.
    `closes_only`: a rate has a close and nothing else; there is no halt.
    """
    if closes_only:
        bare = {name: pl.lit(None, dtype=BAR_SCHEMA[name]) for name in (*_TRADED, "volume")}
        rows = rows.with_columns(**bare)
    else:
        rows = mark_halts(rows)
    halted = pl.col("open").is_null() & (pl.col("volume") == 0) & pl.lit(not closes_only)
    reason = pl.when(~halted.fill_null(value=False)).then(check_prices(closes_only=closes_only))
    rows = rows.with_columns(reason=reason)
    good = pl.col("reason").is_null()
    bars = rows.filter(good).select(BAR_SCHEMA.names())
    if not closes_only:
        whole = pl.col("open").is_not_null()
        bars = bars.with_columns(
            low=pl.when(whole).then(pl.min_horizontal(PRICES)),
            high=pl.when(whole).then(pl.max_horizontal(PRICES)),
        )
    return bars, rows.filter(~good).select(REFUSED_SCHEMA.names()).cast(REFUSED_SCHEMA)
