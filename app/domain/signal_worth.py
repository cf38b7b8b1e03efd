"""What signals were worth: how often, and by how much, prices beat their market after them.

A signal of a close is entered at the close after it and left h sessions later. Excess is that
return minus the mean return of all instruments of the market with a signal of the same day; a hit
is an excess above zero, and the base rate is the share of hits of all days, whatever the signal.

Outcomes of one day are not independent, nor are those of overlapping windows: intervals (95 %) are
of sums by day, with the weights of Newey and West over 2 h sessions. Fewer than ENOUGH windows that
do not overlap give no interval. Costs are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from app.domain.signals import STRENGTHS

HORIZONS: Final = (5, 20)
"""Sessions from the entry to the exit."""

ENTRY: Final = 1
"""Sessions from the signal to the entry."""

FEWEST: Final = 4
"""Instruments that a market has to have on a day, to be compared with."""

ENOUGH: Final = 12
"""Windows that do not overlap."""

UNKNOWN: Final = -128
"""The level of a day without a signal."""

_Z: Final = 1.959964  # of 95 %


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and its interval, which is None below ENOUGH windows."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Worth:
    """Of one strength's `count` outcomes on `days` days: rates are shares of one, returns too.

    `windows` of the days do not overlap.
    """

    level: int
    horizon: int
    count: int
    days: int
    windows: int
    hits: Estimate
    excess: Estimate
    base_rate: float


def forward_return(closes: Any, horizon: int) -> Any:
    """The return of each session's signal, NaN where its exit lies ahead. Closes: one instrument's.

    They are of its own sessions, on the total-return basis.
    """
    out = np.full(len(closes), np.nan, dtype=np.float32)
    last = len(closes) - ENTRY - horizon
    if last > 0:
        entry = closes[ENTRY : ENTRY + last]
        out[:last] = closes[ENTRY + horizon :] / entry - 1.0
    return out


def assess(levels: Any, returns: Any, horizon: int) -> list[Worth]:
    """The worth of each strength that has outcomes, the strongest purchase first.

    Args:
        levels: days x instruments of one market, UNKNOWN where there is no signal.
        returns: the same of `forward_return`, NaN where unknown.
        horizon: of these returns, in sessions.
    """
    known = (levels != UNKNOWN) & np.isfinite(returns)
    known &= (known.sum(axis=1) >= FEWEST)[:, None]
    if not known.any():
        return []
    sums = np.where(known, returns, 0.0).sum(axis=1, dtype=np.float64)
    means = sums / np.maximum(known.sum(axis=1), 1)
    excess = (returns - means[:, None]).astype(np.float32)
    hits = excess > 0
    base_rate = float(hits[known].mean())
    found = []
    for level in STRENGTHS:
        chosen = known & (levels == level)
        counts = chosen.sum(axis=1)
        count, days = int(counts.sum()), np.flatnonzero(counts)
        if not count:
            continue
        windows = _count_windows(days, horizon)
        of_hits, of_excess = (
            _estimate(
                np.where(chosen, values, 0).sum(axis=1, dtype=np.float64),
                counts,
                horizon,
                enough=windows >= ENOUGH,
            )
            for values in (hits, excess)
        )
        found.append(
            Worth(level, horizon, count, len(days), windows, of_hits, of_excess, base_rate)
        )
    return found


def _count_windows(days: Any, horizon: int) -> int:
    """How many of these days, from the first on, lie `horizon` or more sessions apart."""
    windows, free = 0, -1
    for day in days:
        if day >= free:
            windows, free = windows + 1, day + horizon
    return windows


def _estimate(sums: Any, counts: Any, horizon: int, *, enough: bool) -> Estimate:
    """The mean of outcomes from their sum and number on each session, with its interval."""
    count = counts.sum()
    mean = float(sums.sum() / count)
    if not enough:
        return Estimate(mean, None, None)
    rest = sums - counts * mean
    lags = min(2 * horizon, len(rest) - 1)
    variance = rest @ rest
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * (rest[lag:] @ rest[:-lag])
    half = _Z * float(np.sqrt(max(variance, 0.0))) / int(count)
    return Estimate(mean, mean - half, mean + half)
