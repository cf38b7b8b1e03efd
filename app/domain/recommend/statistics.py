"""Means of days that overlap, and how good a probability is.

Outcomes of 20 sessions overlap, and the instruments of a day share its fate: so each day is one
value, and the deviation of a mean of days is that of Newey and West (1987) with 40 lags,

    v = (g0 + 2 * Σ (1 - l / 41) * gl) / n,  gl the autocovariance at lag l.

Five hundred copies of a stock are then worth as much as one. Brier skill = 1 - Brier / Brier of the
base rate. ECE: the mean distance between probability and frequency in ten bins of equal count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from app.domain.recommend.panel import Floats

LAGS: Final = 40
NORMAL_95: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean of days with its 95 % interval; `windows` are those that do not overlap.

    One day alone has no interval.
    """

    value: float
    low: float | None
    high: float | None
    windows: int


def newey_west(values: Floats, lags: int = LAGS) -> float:
    """The deviation of the mean of a series without gaps; NaN for fewer than two values."""
    n = len(values)
    if n < 2:
        return np.nan
    about = values - values.mean()
    variance = float(about @ about)
    for lag in range(1, min(lags, n - 1) + 1):
        variance += 2.0 * (1.0 - lag / (lags + 1)) * float(about[lag:] @ about[:-lag])
    return float(np.sqrt(max(variance, 0.0)) / n)


def t_value(values: Floats, lags: int = LAGS) -> float:
    """Mean by its deviation; NaN where nothing varies."""
    deviation = newey_west(values, lags)
    return float(values.mean() / deviation) if deviation > 0 else np.nan


def cluster_mean(totals: Floats, counts: Floats, *, step: int, horizon: int) -> Mean:
    """The mean of all outcomes with an interval over days.

    Args:
        totals: the sum of the outcomes of each day, in order.
        counts: how many outcomes each day has, above zero.
        step: sessions from one of these days to the next.
        horizon: sessions that an outcome spans: that many overlap.
    """
    value = float(totals.sum() / counts.sum())
    about = (totals - value * counts) / counts.mean()
    deviation = newey_west(about, max(1, 2 * horizon // step))
    windows = len(totals) * step // horizon
    if not np.isfinite(deviation):
        return Mean(value, None, None, windows)
    span = NORMAL_95 * deviation
    return Mean(value, value - span, value + span, windows)


def brier_skill(probability: Floats, base: Floats, beat: Floats) -> float:
    """How much nearer than the base rate the probabilities are; 0 is no better, 1 is perfect."""
    return 1.0 - float(((probability - beat) ** 2).mean() / ((base - beat) ** 2).mean())


def reliability(probability: Floats, beat: Floats, bins: int = 10) -> Floats:
    """The calibration curve, bins x 3: mean probability, frequency, count; bins of equal count."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return np.array([(probability[p].mean(), beat[p].mean(), len(p)) for p in parts])


def calibration_error(curve: Floats) -> float:
    """ECE of a calibration curve."""
    return float((np.abs(curve[:, 0] - curve[:, 1]) * curve[:, 2]).sum() / curve[:, 2].sum())
