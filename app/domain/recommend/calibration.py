"""From a place to the probability of beating the market: Platt's logistic curve, walked forward.

The curve of day t, p = 1 / (1 + exp(-(a + b * place))), is fitted to every outcome that was closed
at t, and to nothing else. The slope is then shrunk by how sure it is, b * max(0, 1 - 1 / t²), t
being that of the daily slopes (Fama and MacBeth, 1973) by Newey and West: an edge that cannot be
told from chance leaves the base rate. No probability is given before twelve windows have closed.
Platt, Probabilistic Outputs for Support Vector Machines (1999).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from app.domain.recommend.outcomes import CLOSES_AFTER, HORIZON
from app.domain.recommend.panel import Flags, Floats, divide
from app.domain.recommend.statistics import t_value

WINDOWS: Final = 12
"""Windows of the horizon, one after the other, below which there is not enough evidence."""

ENOUGH_DAYS: Final = WINDOWS * HORIZON
BINS: Final = 50
STEPS: Final = 8  # of Newton's method

_CENTRES: Final = (np.arange(BINS) + 0.5) / BINS * 2.0 - 1.0


@dataclass(frozen=True)
class Calibration:
    """`probability` is sessions x instruments; `base` the base rate, `slope` the curve's b, by day.

    The base rate is the part of all closed outcomes that beat the market; NaN before there is one.
    """

    probability: Floats
    base: Floats
    slope: Floats


def calibrate(place: Floats, beat: Floats, few: Flags) -> Calibration:
    """The probabilities of every session, from what was closed at it.

    Args:
        place: -1 to 1, sessions x instruments, NaN where there is none.
        beat: 1 or 0, NaN where not known; that of a session counts from CLOSES_AFTER later on.
        few: the sessions with too few instruments to rank: they and the others are judged by
            something else, so each kind has a history of its own.
    """
    many = _calibrate(np.where(few[:, None], np.nan, place), beat)
    if not few.any():
        return many
    sparse = _calibrate(np.where(few[:, None], place, np.nan), beat)
    return Calibration(
        np.where(few[:, None], sparse.probability, many.probability),
        np.where(few, sparse.base, many.base),
        np.where(few, sparse.slope, many.slope),
    )


def _calibrate(place: Floats, beat: Floats) -> Calibration:
    counts, wins = _closed_counts(place, beat)
    n, won = counts.sum(axis=1), wins.sum(axis=1)
    base = divide(won, n)
    level, slope = _fit(counts, wins, base)
    slope = slope * _sureness(place, beat)
    level = _level(counts, won, slope, base)
    probability = 1.0 / (1.0 + np.exp(-(level[:, None] + slope[:, None] * place)))
    return Calibration(probability, base, slope)


def _closed_counts(place: Floats, beat: Floats) -> tuple[Floats, Floats]:
    """Outcomes and those that beat the market, by session at which they are closed and bin."""
    days = len(place)
    known = np.isfinite(place) & np.isfinite(beat)
    row, column = np.nonzero(known)
    bins = np.minimum(((place[row, column] + 1.0) / 2.0 * BINS).astype(np.int64), BINS - 1)
    cell = row * BINS + np.maximum(bins, 0)
    size = days * BINS
    daily = np.bincount(cell, minlength=size).reshape(days, BINS)
    beaten = np.bincount(cell, weights=beat[row, column], minlength=size).reshape(days, BINS)
    return _after(daily.cumsum(axis=0)), _after(beaten.cumsum(axis=0))


def _after(totals: Floats) -> Floats:
    """What was the state CLOSES_AFTER sessions ago."""
    out = np.zeros(totals.shape)
    out[CLOSES_AFTER:] = totals[: len(totals) - CLOSES_AFTER]
    return out


def _fit(counts: Floats, wins: Floats, base: Floats) -> tuple[Floats, Floats]:
    """Level and slope of each session by Newton's method, from the base rate on."""
    level = _logit(base)
    slope = np.zeros(len(level))
    for _ in range(STEPS):
        p = 1.0 / (1.0 + np.exp(-(level[:, None] + slope[:, None] * _CENTRES)))
        error, weight = wins - counts * p, counts * p * (1.0 - p)
        g0, g1 = error.sum(axis=1), error @ _CENTRES
        h00, h01, h11 = weight.sum(axis=1), weight @ _CENTRES, weight @ _CENTRES**2
        h11 = h11 + 1.0  # a prior that keeps the first days from a slope without bound
        determinant = np.maximum(h00 * h11 - h01**2, 1e-12)
        level = level + (h11 * g0 - h01 * g1) / determinant
        slope = slope + (h00 * g1 - h01 * g0) / determinant
    return level, slope


def _level(counts: Floats, won: Floats, slope: Floats, base: Floats) -> Floats:
    """The level at which the mean probability is the base rate, for a slope that is given."""
    level = _logit(base)
    for _ in range(STEPS):
        p = 1.0 / (1.0 + np.exp(-(level[:, None] + slope[:, None] * _CENTRES)))
        weight = (counts * p * (1.0 - p)).sum(axis=1)
        level = level + (won - (counts * p).sum(axis=1)) / np.maximum(weight, 1e-12)
    return level


def _logit(base: Floats) -> Floats:
    kept = np.clip(base, 0.05, 0.95)
    return np.log(kept / (1.0 - kept))


def _sureness(place: Floats, beat: Floats) -> Floats:
    """1 - 1 / t² of the daily slopes closed at each session; NaN before ENOUGH_DAYS of them."""
    known = np.isfinite(place) & np.isfinite(beat)
    x = np.where(known, place, 0.0)
    n = np.maximum(known.sum(axis=1), 1)
    y = np.where(known, beat - (np.where(known, beat, 0.0).sum(axis=1) / n)[:, None], 0.0)
    single = known.sum(axis=1) == 1
    y = np.where(single[:, None] & known, beat - 0.5, y)
    square = (x**2).sum(axis=1)
    has = square > 0
    slopes = np.divide((x * y).sum(axis=1), square, out=np.zeros(len(x)), where=has)
    rows = np.flatnonzero(has)
    out = np.full(len(x), np.nan)
    for day in range(CLOSES_AFTER, len(x)):
        closed = slopes[rows[: np.searchsorted(rows, day - CLOSES_AFTER, side="right")]]
        if len(closed) >= ENOUGH_DAYS:
            t = t_value(closed)
            out[day] = max(0.0, 1.0 - 1.0 / t**2) if np.isfinite(t) and t else 0.0
    return out
