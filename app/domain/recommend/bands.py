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
    totals = _closed_cells(move / scale, group)
    low, high = (_quantile(totals, part) for part in (LOW, HIGH))
    known = np.isfinite(group)
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


def _closed_cells(scaled: Floats, group: Floats) -> Counts:
    """Counts of the moves closed at each session and within SESSIONS, by group and size."""
    days = len(scaled)
    known = np.isfinite(scaled) & np.isfinite(group)
    row, column = np.nonzero(known)
    size = np.clip((scaled[row, column] + EDGE) / STEP, 0, CELLS - 1).astype(np.int64)
    place = (row * GROUPS + group[row, column].astype(np.int64)) * CELLS + size
    shape = (days, GROUPS, CELLS)
    daily = np.bincount(place, minlength=days * GROUPS * CELLS).reshape(shape)
    totals = daily.astype(np.int32).cumsum(axis=0, dtype=np.int32)
    out = np.zeros(shape, dtype=np.int32)
    out[CLOSES_AFTER:] = totals[: days - CLOSES_AFTER]
    late = SESSIONS + CLOSES_AFTER
    out[late:] -= totals[: max(days - late, 0)]
    out[: ENOUGH_DAYS + CLOSES_AFTER] = 0
    return out


def _quantile(counts: Counts, part: float) -> Floats:
    """The size below which that part of each group's moves lie, within a cell by share."""
    running = counts.cumsum(axis=2)
    wanted = part * running[:, :, -1]
    cell = (running >= wanted[:, :, None]).argmax(axis=2)
    at = np.take_along_axis(running, cell[:, :, None], axis=2)[:, :, 0]
    own = np.take_along_axis(counts, cell[:, :, None], axis=2)[:, :, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        within = 1.0 - (at - wanted) / own
    return np.where(own > 0, (cell + within) * STEP - EDGE, np.nan)
