"""Lines of one series of observed prices, compiled: averages and oscillators of any length.

Formulas and seeds are TA-Lib's, as in `kernels.indicators`; NaN in warm-up and in flat windows.
Each writes a whole line into `out`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from app.domain.kernels.compiled import compiled_bare

compiled = compiled_bare()

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]

LEVEL, CLOSE, SMA, EMA, RSI, MACD, MACD_SIGNAL, DEVIATION, SLOW_K = range(9)
"""Kinds of lines."""
NUMBERS: Final = 3  # that a line has at most


@compiled
def write_line(  # noqa: PLR0913, PLR0917 - what is looked at, what is written
    kind: int, numbers: Floats, high: Floats, low: Floats, close: Floats, out: Floats, spare: Floats
) -> None:
    """Writes the line of that kind with these NUMBERS; all arrays are as long as `close`."""
    one, two, three = int(numbers[0]), int(numbers[1]), int(numbers[2])
    if kind == LEVEL:
        out[:] = numbers[0]
    elif kind == CLOSE:
        for i in range(len(close)):
            out[i] = close[i]
    elif kind == SMA:
        _sma(close, one, out)
    elif kind == EMA:
        _ema(close, one, 0, out)
    elif kind == RSI:
        _rsi(close, one, out)
    elif kind == MACD:
        _macd(close, one, two, out, spare)
    elif kind == MACD_SIGNAL:
        _macd(close, one, two, spare, out)
        first = max(one, two) - 1
        out[:first] = np.nan
        _ema(spare[first:], three, 0, out[first:])
    elif kind == DEVIATION:
        _deviation(close, one, out)
    else:
        _fast_k(high, low, close, one, spare)
        _mean(spare, two, out)


@compiled
def _sma(x: Floats, n: int, out: Floats) -> None:
    """The mean of the last n."""
    total = 0.0
    for i in range(len(x)):
        total += x[i]
        if i >= n - 1:
            out[i] = total / n
            total -= x[i - n + 1]
        else:
            out[i] = np.nan


@compiled
def _mean(x: Floats, n: int, out: Floats) -> None:
    """The mean of the last n, each by itself: one that is not known spoils n means, not all."""
    for i in range(len(x)):
        total = 0.0 if i >= n - 1 else np.nan
        for j in range(max(i - n + 1, 0), i + 1):
            total += x[j]
        out[i] = total / n


@compiled
def _ema(x: Floats, n: int, start: int, out: Floats) -> None:
    """Exponential average, k = 2 / (n + 1), from the mean of x[start : start + n] on."""
    value, seeded = 0.0, start + n - 1
    for i in range(len(x)):
        if i > seeded:
            value = (x[i] - value) * (2.0 / (n + 1.0)) + value
        elif i >= start:
            value += x[i]
            if i == seeded:
                value /= n
        out[i] = value if i >= seeded else np.nan


@compiled
def _macd(x: Floats, fast: int, slow: int, out: Floats, spare: Floats) -> None:
    """As TA-Lib: the fast average begins where the slow one does."""
    _ema(x, fast, max(slow - fast, 0), out)
    _ema(x, slow, max(fast - slow, 0), spare)
    for i in range(len(x)):
        out[i] -= spare[i]


@compiled
def _rsi(x: Floats, n: int, out: Floats) -> None:
    """Wilder's relative strength index of n changes; NaN before the first change."""
    up = down = 0.0
    for i in range(len(x)):
        change = x[i] - x[i - 1] if i else 0.0
        rise, fall = max(change, 0.0), max(-change, 0.0)
        if i <= n:
            up += rise / n
            down += fall / n
        else:
            up += (rise - up) / n
            down += (fall - down) / n
        out[i] = 100.0 * up / (up + down) if i >= n and up + down > 0.0 else np.nan


@compiled
def _deviation(x: Floats, n: int, out: Floats) -> None:
    """(x - mean) / deviation of the last n, the population's; NaN where nothing varies."""
    out[: n - 1] = np.nan
    for i in range(n - 1, len(x)):
        mean = square = 0.0
        for j in range(i - n + 1, i + 1):
            mean += x[j]
        mean /= n
        for j in range(i - n + 1, i + 1):
            square += (x[j] - mean) ** 2
        size = np.sqrt(square / n)
        out[i] = (x[i] - mean) / size if size > 1e-12 * abs(mean) else np.nan


@compiled
def _fast_k(high: Floats, low: Floats, close: Floats, n: int, out: Floats) -> None:
    """100 * (close - lowest) / (highest - lowest) of n; NaN where there is no range."""
    out[: n - 1] = np.nan
    for i in range(n - 1, len(close)):
        top, bottom = high[i], low[i]
        for j in range(i - n + 1, i):
            top, bottom = max(top, high[j]), min(bottom, low[j])
        out[i] = 100.0 * (close[i] - bottom) / (top - bottom) if top > bottom else np.nan
