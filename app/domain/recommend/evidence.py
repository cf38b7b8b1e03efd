"""Evidence: what the record of an engine in a market was worth on a day.

Over the last five years of outcomes that were closed then:

    PROVEN  the mean IC has t ≥ 2 (Newey and West), the Brier skill is above zero, the IC is above
            those of 12-1 momentum and of volatility in either sign, the deflated Sharpe ratio of
            the purchases' excess is at least .95, and that excess is more than the purchases cost
    WEAK    the first two
    NONE    not both of them, or fewer than twelve windows

IC of a day: the correlation of the places with those of the outcomes; where there are too few
instruments to rank, the cosine of places and outcomes in units of volatility.

The Sharpe ratio of a window is t / √n: the mean over all days by its deviation (Newey and West), n
windows that do not overlap. To take one day in twenty would throw the other nineteen away, and let
the day on which one begins decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from app.domain.backtest.overfitting import expected_best, psr_of
from app.domain.recommend.calibration import ENOUGH_DAYS
from app.domain.recommend.outcomes import CLOSES_AFTER, HORIZON
from app.domain.recommend.panel import Flags, Floats, divide
from app.domain.recommend.statistics import t_value

TRAILING: Final = 1260  # sessions
T_NEEDED: Final = 2.0
DSR_NEEDED: Final = 0.95


class Evidence(StrEnum):
    """What a record is worth."""

    NONE = "NONE"
    WEAK = "WEAK"
    PROVEN = "PROVEN"


@dataclass(frozen=True)
class Daily:
    """The record by session, NaN where there is none: what `judge` reads.

    `few` are the sessions of few instruments: a day is judged by those of its own kind.
    `hurdles` are the ICs of the baselines to beat; `brier` and `brier_base` are means of the day;
    `bought` is the mean excess of the purchases and `net` what costs left of it, 0 without one.
    """

    few: Flags
    ic: Floats
    hurdles: dict[str, Floats]
    brier: Floats
    brier_base: Floats
    bought: Floats
    net: Floats


@dataclass(frozen=True, slots=True)
class Standing:
    """The evidence and the figures behind it; None where there is no number."""

    evidence: Evidence
    windows: int
    ic: float | None = None
    t: float | None = None
    skill: float | None = None
    hurdle: float | None = None
    dsr: float | None = None
    net: float | None = None


def judge(daily: Daily, day: int, trials: int) -> Standing:
    """The standing at the close of session `day`, by what was closed then."""
    stop = day - CLOSES_AFTER + 1
    start = max(0, stop - TRAILING)
    if stop <= 0:
        return Standing(Evidence.NONE, 0)
    span = slice(start, stop)
    known = np.isfinite(daily.brier[span]) & np.isfinite(daily.ic[span])
    known &= daily.few[span] == daily.few[day]
    windows = int(known.sum()) // HORIZON
    if known.sum() < ENOUGH_DAYS:
        return Standing(Evidence.NONE, windows)
    ic = daily.ic[span][known]
    t = t_value(ic)
    skill = 1.0 - float(daily.brier[span][known].sum() / daily.brier_base[span][known].sum())
    hurdles = [
        _mean(series[span][known], both_signs=name == "VOLATILITY")
        for name, series in daily.hurdles.items()
    ]
    hurdle = max(hurdles, default=0.0)
    dsr = _deflate(daily.bought[span][known], windows, trials)
    net = float(daily.net[span][known].mean())
    weak = bool(t >= T_NEEDED and skill > 0)
    ahead = float(ic.mean()) > hurdle and net > 0
    proven = weak and ahead and dsr is not None and dsr >= DSR_NEEDED
    evidence = Evidence.PROVEN if proven else Evidence.WEAK if weak else Evidence.NONE
    finite_t = float(t) if np.isfinite(t) else None
    return Standing(evidence, windows, float(ic.mean()), finite_t, skill, hurdle, dsr, net)


def correlate(place: Floats, outcome: Floats) -> Floats:
    """The cosine of both in each row, over what is known of both; NaN where one is all zero."""
    known = np.isfinite(place) & np.isfinite(outcome)
    x, y = np.where(known, place, 0.0), np.where(known, outcome, 0.0)
    size = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    return divide((x * y).sum(axis=1), size)


def _deflate(excess: Floats, windows: int, trials: int) -> float | None:
    """The deflated Sharpe ratio of days whose windows overlap; None where nothing varies."""
    about = excess - excess.mean()
    variance = float((about**2).mean())
    if not variance > 0:
        return None
    skewness, kurtosis = (float((about**k).mean()) / variance ** (k / 2) for k in (3, 4))
    ratio = float(t_value(excess)) / windows**0.5
    return psr_of(ratio, windows, skewness, kurtosis, expected_best(trials, 1.0 / windows))


def _mean(values: Floats, *, both_signs: bool) -> float:
    found = values[np.isfinite(values)]
    mean = float(found.mean()) if len(found) else 0.0
    return abs(mean) if both_signs else mean
