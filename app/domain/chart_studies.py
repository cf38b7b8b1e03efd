"""Studies of one series for charts, in plain Polars: the web process may import this.

A null close is not observed: it is skipped, and its row stays null.
"""

from __future__ import annotations

import polars as pl

from app.errors import BadInput


def sma(close: pl.Series, n: int) -> pl.Series:
    """Simple moving average of the last `n` observed closes; null in warm-up and where unobserved.

    Raises:
        BadInput: `n` is not from 1 to 1,000.
    """
    if not 1 <= n <= 1000:
        raise BadInput("A moving average takes %(n)s bars; 1 to 1000 are possible", field="n", n=n)
    seen = close.cast(pl.Float64).is_not_null().fill_null(value=False)
    means = close.drop_nulls().cast(pl.Float64).rolling_mean(n)
    places = seen.arg_true()
    return (
        pl.Series(close.name, [None], dtype=pl.Float64)
        .new_from_index(0, len(close))
        .scatter(places, means)
    )
