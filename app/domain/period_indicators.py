"""Indicators of weekly and monthly bars, in plain Polars: the web process may import this.

The definitions and seeds are those of the daily ones (TA-Lib's), on bars of a longer period, from
the first bar on: RSI(14) by Wilder, MACD(12, 26, 9), slow stochastic (14, 3, 3), averages over 20,
50 and 200 bars, Bollinger bands (20, two population standard deviations). Null in warm-up and in
flat windows; a bar without a close is skipped. Meant for a few hundred bars, whole histories.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import polars as pl

from app.domain.chart_studies import sma

_RSI, _STOCHASTIC, _SLOWING, _BAND = 14, 14, 3, 20
_FAST, _SLOW, _SIGNAL = 12, 26, 9


def compute_period_indicators(bars: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The indicators named, by row of `bars` (day, high, low, close, in order of day)."""
    seen = bars.select("day", pl.col("high", "low", "close").cast(pl.Float64)).drop_nulls()
    made: dict[str, pl.Series] = {}
    for names, compute in _GROUPS.items():
        if not set(names).isdisjoint(columns):
            made |= dict(zip(names, compute(seen), strict=True))
    indicators = seen.select("day", **{name: made[name] for name in columns})
    joined = bars.select("day").join(indicators, on="day", how="left", maintain_order="left")
    return joined.drop("day")


def _rsi(bars: pl.DataFrame) -> list[pl.Series]:
    change = bars["close"].diff().slice(1)
    rises = _smoothed(change.clip(lower_bound=0), _RSI, 1 / _RSI)
    falls = _smoothed((-change).clip(lower_bound=0), _RSI, 1 / _RSI)
    moved = rises + falls
    rsi = pl.select(pl.when(moved > 0).then(100 * rises / moved)).to_series()
    return [_padded(rsi, len(bars))]


def _macd(bars: pl.DataFrame) -> list[pl.Series]:
    """Both averages begin at the 26th close: the fast one with the mean of the 12 up to it."""
    close = bars["close"]
    slow = _smoothed(close, _SLOW, 2 / (_SLOW + 1)).slice(_SLOW - 1)
    fast = _smoothed(close.slice(_SLOW - _FAST), _FAST, 2 / (_FAST + 1)).slice(_FAST - 1)
    macd = fast - slow
    signal = _smoothed(macd, _SIGNAL, 2 / (_SIGNAL + 1))
    shown = pl.select(pl.when(signal.is_not_null()).then(macd)).to_series()
    return [_padded(column, len(bars)) for column in (shown, signal, shown - signal)]


def _stochastic(bars: pl.DataFrame) -> list[pl.Series]:
    """%K shows from the first %D on, as TA-Lib has it."""
    low, high = bars["low"].rolling_min(_STOCHASTIC), bars["high"].rolling_max(_STOCHASTIC)
    width = high - low
    fast = pl.select(pl.when(width > 0).then(100 * (bars["close"] - low) / width)).to_series()
    slow = fast.rolling_mean(_SLOWING)
    warm = pl.int_range(len(bars), eager=True) >= _STOCHASTIC + 2 * _SLOWING - 3
    return [
        pl.select(pl.when(warm).then(column)).to_series()
        for column in (slow, slow.rolling_mean(_SLOWING))
    ]


def _averages(bars: pl.DataFrame) -> list[pl.Series]:
    return [sma(bars["close"], window) for window in (20, 50, 200)]


def _bands(bars: pl.DataFrame) -> list[pl.Series]:
    middle = sma(bars["close"], _BAND)
    width = 2 * bars["close"].rolling_std(_BAND, ddof=0)
    return [middle + width, middle, middle - width]


def _smoothed(values: pl.Series, seed: int, alpha: float) -> pl.Series:
    """An exponential average that begins with the mean of the first `seed` values."""
    if len(values) < seed:
        return pl.Series([None] * len(values), dtype=pl.Float64)
    first = pl.Series([values.head(seed).mean()], dtype=pl.Float64)
    smooth = first.append(values.slice(seed)).ewm_mean(alpha=alpha, adjust=False)
    return _padded(smooth, len(values))


def _padded(values: pl.Series, length: int) -> pl.Series:
    """The values at the end of a column of that length, nulls before them."""
    nulls = pl.Series([None] * max(length - len(values), 0), dtype=pl.Float64)
    return nulls.append(values.head(length))


_GROUPS: Final[dict[tuple[str, ...], Callable[[pl.DataFrame], list[pl.Series]]]] = {
    ("rsi_14",): _rsi,
    ("macd", "macd_signal", "macd_histogram"): _macd,
    ("stochastic_k", "stochastic_d"): _stochastic,
    ("sma_20", "sma_50", "sma_200"): _averages,
    ("bollinger_upper", "bollinger_middle", "bollinger_lower"): _bands,
}
