"""Lines that strategies look at, by name: ("sma", 20), ("rsi", 14); one table for a history.

A session without a close is not observed: it is skipped, and its line there is NaN.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from app.domain.backtest.history import Floats, History, lock
from app.domain.kernels import lines as kernel
from app.errors import BadInput

Table = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Key = tuple[str | float, ...]

ZERO: Final[Key] = ("level", 0.0)
"""The line to compare with nothing."""

_KINDS: Final = {
    "level": (kernel.LEVEL, 1),
    "close": (kernel.CLOSE, 0),
    "sma": (kernel.SMA, 1),
    "ema": (kernel.EMA, 1),
    "rsi": (kernel.RSI, 1),
    "macd": (kernel.MACD, 2),
    "macd_signal": (kernel.MACD_SIGNAL, 3),
    "deviation": (kernel.DEVIATION, 1),
    "slow_k": (kernel.SLOW_K, 2),
}
"""By name what the loops call it, and how many numbers it has."""


@cache
def read_key(key: Key) -> tuple[int, Floats]:
    """The kind of a line and its numbers, as the compiled loops take them.

    Raises:
        BadInput: no such line, or another count of numbers.
    """
    name, *given = key
    kind, count = _KINDS.get(str(name), (-1, -1))
    if len(given) != count:
        message = "There is no line %(line)s of %(count)s numbers; there are: %(known)s"
        known = ", ".join(f"{name} ({n})" for name, (_, n) in _KINDS.items())
        raise BadInput(message, field="strategy", line=name, count=len(given), known=known)
    numbers = np.zeros(kernel.NUMBERS)
    numbers[:count] = given
    return kind, lock(numbers)


def compute_line(history: History, key: Key) -> Table:
    """The line of every instrument: sessions x instruments, NaN where there is no value.

    Raises:
        BadInput: as `read_key`.
    """
    kind, numbers = read_key(key)
    if kind == kernel.LEVEL:
        return history.fill(float(numbers[0]))
    out = np.full(history.shape, np.nan)
    for k, prices in enumerate(history.columns):
        line, spare = np.empty((2, len(prices[-1])))
        kernel.write_line(kind, numbers, *prices, line, spare)
        if history.shape[1] == 1 and history.whole:
            return line.reshape(-1, 1)
        out[history.seen[:, k], k] = line
    return out


@cache
def show_key(key: Key) -> str:
    """sma(20)."""
    name, *numbers = key
    return (
        f"{name}({', '.join(f'{number:g}' for number in numbers if not isinstance(number, str))})"
    )
