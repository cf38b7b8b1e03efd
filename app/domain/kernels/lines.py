"""Lines of one series of observed prices, compiled: averages and oscillators of any length.

Formulas and seeds are TA-Lib's, as in `kernels.indicators`; NaN in warm-up and in flat windows.
"""

from __future__ import annotations

import numpy as np

from app.domain.kernels.compiled import compiled

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


@compiled
def sma(x: Floats, n: int) -> Floats:
    """The mean of the last n."""
    out = np.full(len(x), np.nan)
    total = 0.0
    for i in range(len(x)):
        total += x[i]
        if i >= n - 1:
            out[i] = total / n
            total -= x[i - n + 1]
    return out


@compiled
def ema(x: Floats, n: int, start: int) -> Floats:
    """Exponential average, k = 2 / (n + 1), from the mean of x[start : start + n] on."""
    out = np.full(len(x), np.nan)
    if len(x) < start + n:
        return out
    value = 0.0
    for i in range(start, start + n):
        value += x[i]
    value /= n
    out[start + n - 1] = value
    for i in range(start + n, len(x)):
        value = (x[i] - value) * (2.0 / (n + 1.0)) + value
        out[i] = value
    return out


@compiled
def rsi(x: Floats, n: int) -> Floats:
    """Wilder's relative strength index of n changes; NaN before the first change."""
    out = np.full(len(x), np.nan)
    up = down = 0.0
    for i in range(1, len(x)):
        change = x[i] - x[i - 1]
        rise, fall = max(change, 0.0), max(-change, 0.0)
        if i <= n:
            up += rise / n
            down += fall / n
        else:
            up += (rise - up) / n
            down += (fall - down) / n
        if i >= n and up + down > 0.0:
            out[i] = 100.0 * up / (up + down)
    return out


@compiled
def deviation(x: Floats, n: int) -> Floats:
    """(x - mean) / deviation of the last n, the population's; NaN where nothing varies."""
    out = np.full(len(x), np.nan)
    for i in range(n - 1, len(x)):
        mean = square = 0.0
        for j in range(i - n + 1, i + 1):
            mean += x[j]
        mean /= n
        for j in range(i - n + 1, i + 1):
            square += (x[j] - mean) ** 2
        size = np.sqrt(square / n)
        if size > 1e-12 * abs(mean):
            out[i] = (x[i] - mean) / size
    return out


@compiled
def fast_k(high: Floats, low: Floats, close: Floats, n: int) -> Floats:
    """100 * (close - lowest) / (highest - lowest) of n; NaN where there is no range."""
    out = np.full(len(close), np.nan)
    for i in range(n - 1, len(close)):
        top, bottom = high[i], low[i]
        for j in range(i - n + 1, i):
            top, bottom = max(top, high[j]), min(bottom, low[j])
        if top > bottom:
            out[i] = 100.0 * (close[i] - bottom) / (top - bottom)
    return out
