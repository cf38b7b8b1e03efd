"""Target and stop: what eight of ten moves stayed within, in units of the instrument's volatility.

A move of 21 sessions is divided by volatility * √21. The 10 % and 90 % quantiles of those that
were closed on the day, over three years of days and within the instrument's fifth by volatility,
times its own volatility, are the band (days with too few instruments to rank are a group of their
own). It is a forecast of the spread, none of the direction, and
says nothing of what the price touches on its way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from app.domain.recommend.calibration import ENOUGH_DAYS
from app.domain.recommend.features import compute_volatility
from app.domain.recommend.outcomes import CLOSES_AFTER
from app.domain.recommend.panel import Floats, Panel, carry_forward
from app.domain.recommend.ranking import rank_rows

Counts = np.ndarray[tuple[int, ...], np.dtype[np.int32]]

LOW, HIGH = 0.10, 0.90
SESSIONS: Final = 756
FIFTHS: Final = 5
GROUPS: Final = FIFTHS + 1
"""Fifths by volatility, and one group of the days with too few instruments."""

EDGE: Final = 8.0  # moves beyond so many deviations count as that many
STEP: Final = 0.02
CELLS: Final = int(2 * EDGE / STEP)


@dataclass(frozen=True)
class Bands:
    """The moves that bound the band, sessions x instruments; `group` the fifth by volatility."""

    low: Floats
    high: Floats
    group: Floats


def compute_bands(panel: Panel, move: Floats) -> Bands:
    """The bands of every session, from moves that were closed at it; NaN before ENOUGH_DAYS."""
    scale = forecast_volatility(panel) * np.sqrt(CLOSES_AFTER)
    group = np.floor((rank_rows(scale) + 1.0) / 2.0 * FIFTHS)
    group = np.where(panel.few[:, None] & np.isfinite(scale), FIFTHS, group)
    known = np.isfinite(group)
    low, high = _find_quantiles(move / scale, np.where(known, group, -1))
    column = np.where(known, group, 0).astype(np.int64)
    rows = np.arange(len(scale))[:, None]
    return Bands(
        np.where(known, low[rows, column] * scale, np.nan),
        np.where(known, high[rows, column] * scale, np.nan),
        group,
    )


def forecast_volatility(panel: Panel) -> Floats:
    """The volatility of a session where the instrument traded: that of its last 20 returns."""
    prices = carry_forward(panel.close)
    near = compute_volatility(prices)
    return np.where(np.isfinite(panel.close) & (near > 0), near, np.nan)


def _find_quantiles(scaled: Floats, group: Floats) -> Floats:
    """Both quantiles of the moves closed at each session and within SESSIONS, by group."""
    made = np.full((2, len(scaled), GROUPS), np.nan)
    for number in np.unique(group[group >= 0]).astype(int).tolist():
        counts = _closed_cells(np.where(group == number, scaled, np.nan))
        made[:, :, number] = [_quantile(counts, part) for part in (LOW, HIGH)]
    return made


def _closed_cells(scaled: Floats) -> Counts:
    """How many moves closed at each session and within SESSIONS are of each size or smaller."""
    days = len(scaled)
    row, column = np.nonzero(np.isfinite(scaled))
    size = np.clip((scaled[row, column] + EDGE) / STEP, 0, CELLS - 1).astype(np.int64)
    daily = np.bincount(row * CELLS + size, minlength=days * CELLS).reshape(days, CELLS)
    totals = daily.astype(np.int32)
    totals.cumsum(axis=0, out=totals).cumsum(axis=1, out=totals)
    out = np.zeros_like(totals)
    out[CLOSES_AFTER:] = totals[: days - CLOSES_AFTER]
    late = SESSIONS + CLOSES_AFTER
    out[late:] -= totals[: max(days - late, 0)]
    out[: ENOUGH_DAYS + CLOSES_AFTER] = 0
    return out


def _quantile(counts: Counts, part: float) -> Floats:
    """The size below which that part of each session's moves lie, within a cell by share."""
    wanted = part * counts[:, -1]
    cell = (counts >= wanted[:, None]).argmax(axis=1)
    rows = np.arange(len(counts))
    at = counts[rows, cell]
    own = at - np.where(cell > 0, counts[rows, cell - 1], 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        within = 1.0 - (at - wanted) / own
    return np.where(own > 0, (cell + within) * STEP - EDGE, np.nan)
