"""Lines that strategies look at, by name: ("sma", 20), ("rsi", 14); one table for a history.

A session without a close is not observed: it is skipped, and its line there is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np

from app.domain.backtest.history import History
from app.domain.kernels import lines as kernel

Table = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Key = tuple[str | float, ...]

ZERO: Final[Key] = ("level", 0.0)
"""The line to compare with nothing."""


def compute_line(history: History, key: Key) -> Table:
    """The line of every instrument: sessions x instruments, NaN where there is no value."""
    name, *numbers = key
    if name == "level":
        return history.fill(float(numbers[0]))
    make = _LINES[str(name)]
    made = [make(*columns, *numbers) for columns in history.columns]
    if len(made) == 1 and history.whole:
        line: Table = made[0].reshape(-1, 1)
        return line
    out = np.full(history.shape, np.nan)
    for k, one in enumerate(made):
        out[history.seen[:, k], k] = one
    return out


@cache
def show_key(key: Key) -> str:
    """sma(20)."""
    name, *numbers = key
    return (
        f"{name}({', '.join(f'{number:g}' for number in numbers if not isinstance(number, str))})"
    )


def _macd(close: Any, fast: int, slow: int) -> Any:
    """As TA-Lib: the fast average begins where the slow one does."""
    return kernel.ema(close, fast, max(slow - fast, 0)) - kernel.ema(
        close, slow, max(fast - slow, 0)
    )


def _macd_signal(close: Any, fast: int, slow: int, signal: int) -> Any:
    line = _macd(close, fast, slow)
    out = np.full(len(close), np.nan)
    first = max(fast, slow) - 1
    out[first:] = kernel.ema(line[first:], signal, 0)
    return out


def _slow_k(high: Any, low: Any, close: Any, n: int, smoothing: int) -> Any:
    """Means of the fast %K; a window that holds none of it has none."""
    fast = kernel.fast_k(high, low, close, n)
    out = np.full(len(close), np.nan)
    if len(fast) >= smoothing:
        windows = np.lib.stride_tricks.sliding_window_view(fast, smoothing)
        out[smoothing - 1 :] = windows.mean(axis=1)
    return out


_LINES: Final[dict[str, Callable[..., Any]]] = {
    "close": lambda _h, _l, close: close.copy(),
    "sma": lambda _h, _l, close, n: kernel.sma(close, n),
    "ema": lambda _h, _l, close, n: kernel.ema(close, n, 0),
    "rsi": lambda _h, _l, close, n: kernel.rsi(close, n),
    "macd": lambda _h, _l, close, fast, slow: _macd(close, fast, slow),
    "macd_signal": lambda _h, _l, close, fast, slow, n: _macd_signal(close, fast, slow, n),
    "deviation": lambda _h, _l, close, n: kernel.deviation(close, n),
    "slow_k": _slow_k,
}
