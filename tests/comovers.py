"""Made-up panels of returns: heavy tails, a common factor, volatility that comes in spells."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from app.domain.correlation.lead_lag import Panel
from app.domain.correlation.returns import Returns

Numbers = np.ndarray[Any, np.dtype[np.float64]]
START = date(2016, 1, 4)


def make_returns(
    generator: np.random.Generator, days: int, count: int, *, factor: float = 0.6
) -> Numbers:
    """Days by instruments, each with variance 1: a factor of all, and Student's t(4) of its own.

    Nothing precedes anything: only the size of the moves has a memory.
    """
    calm = np.empty(days)
    level = 0.0
    for day, shock in enumerate(generator.normal(0.0, 0.12, days)):
        level = 0.95 * level + shock
        calm[day] = level
    size = np.exp(calm - np.log(np.mean(np.exp(2 * calm))) / 2)[:, None]
    own = generator.standard_t(4, (days, count)) / np.sqrt(2.0)
    common = generator.standard_t(4, (days, 1)) / np.sqrt(2.0)
    return size * (factor * common + np.sqrt(1.0 - factor**2) * own)


def plant(values: Numbers, arrows: list[tuple[int, int]], r: float) -> Numbers:
    """The same with effects that follow their causes by a day, with correlation r."""
    found = values.copy()
    for cause, effect in arrows:
        found[1:, effect] = np.sqrt(1.0 - r**2) * values[1:, effect] + r * values[:-1, cause]
    return found


def make_panel(values: Numbers) -> Panel:
    """All against all, on one market's sessions."""
    symbols = tuple(f"S{number:02d}" for number in range(values.shape[1]))
    days = tuple(START + timedelta(days=number) for number in range(len(values)))
    return Panel(Returns(symbols, days, values), symbols)
