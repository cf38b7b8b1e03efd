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
    return _spread(_observed(close).rolling_mean(n), close)


def cutler_rsi(close: pl.Series, n: int = 14) -> pl.Series:
    """Cutler's RSI: 100 * rises / (rises + falls), sums of the last `n` changes; 0 to 100.

    Not Wilder's, which signals use: this one forgets a change after `n` bars, so the two differ by
    tens of points. Null in warm-up, where unobserved, and when none of the `n` changes is one.

    Raises:
        BadInput: `n` is not from 2 to 1,000.
    """
    if not 2 <= n <= 1000:
        raise BadInput("Cutler's RSI takes %(n)s bars; 2 to 1000 are possible", field="n", n=n)
    change = _observed(close).diff()
    rises = change.clip(lower_bound=0).rolling_sum(n)
    falls = (-change).clip(lower_bound=0).rolling_sum(n)
    moved = change.abs().rolling_max(n) > 0
    rsi = 100 * rises / (rises + falls)
    return _spread(rsi.zip_with(moved, pl.Series([None], dtype=pl.Float64)), close)


def _observed(close: pl.Series) -> pl.Series:
    return close.drop_nulls().cast(pl.Float64)


def _spread(values: pl.Series, close: pl.Series) -> pl.Series:
    """The values of the observed closes, in the rows of these."""
    nothing = pl.Series(close.name, [None], dtype=pl.Float64).new_from_index(0, len(close))
    return nothing.scatter(close.is_not_null().arg_true(), values)
