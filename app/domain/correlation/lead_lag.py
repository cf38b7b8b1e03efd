"""What precedes what, statistically: Granger's test, a null that keeps the market, a second look.

The F test's own p is too small on prices (heavy tails, spells of large moves, a common factor), so
corrections of it do not keep their promise. Here returns become normal scores of their ranks, which
no wild day can rule, the test is the robust one, and the null is made from the data: all effects
are rotated in time by one common step against the causes, which breaks every lead and keeps what
the series have in common on a day. The q of a pair is how many pairs of a rotation have a p as
small, on average, for each pair of the truth that has. That is the first half of the days; a pair
is confirmed when the later half, which had no say, has the same sign at p < 5 %.

Each effect is tested on the sessions of its own market, beside what was known of the others at each
close: a cause's last return has ended before the effect's begins, so that no lead comes from one
market closing before another. Rotating each series by a step of its own, or taking the mean of the
market away first, finds leads where there are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np

from app.domain.correlation.granger import compare, prepare
from app.domain.correlation.matrix import rank
from app.domain.correlation.returns import Returns
from app.domain.correlation.stationarity import is_stationary
from app.errors import BadInput

Numbers = np.ndarray[Any, np.dtype[np.float64]]

RUNS: Final = 199
LEVEL: Final = 0.05
FEWEST: Final = 120
"""Rows below which two halves say nothing."""
MOST_LAGS: Final = 10


@dataclass(frozen=True)
class Panel:
    """The effects of one market beside all causes, on that market's sessions."""

    returns: Returns
    effects: tuple[str, ...]

    def columns(self, symbols: Sequence[str]) -> Numbers:
        """The returns of these symbols: rows by symbols."""
        places = [self.returns.symbols.index(symbol) for symbol in symbols]
        return self.returns.values[:, places]


@dataclass(frozen=True)
class LeadLag:
    """One ordered pair: what the cause's past tells of the effect beyond the effect's own."""

    cause: str
    effect: str
    lags: int
    rows: int  # of the first half
    f: float
    p: float  # of the F test of the returns alone: too small on prices
    robust_p: float
    q: float  # against the rotations, for all pairs together
    strength: float  # partial correlation of the scores in the first half
    later_p: float  # robust
    later_strength: float
    found: bool
    """q ≤ 5 % in the first half, confirmed in the later one."""


@dataclass(frozen=True)
class LeadLags:
    """All ordered pairs, the surest first, and who was left out because it wanders."""

    pairs: tuple[LeadLag, ...]
    lags: int
    runs: int
    wandering: tuple[str, ...]


def find_lead_lags(
    panels: Sequence[Panel], *, max_lag: int = 5, runs: int = RUNS, seed: int = 0
) -> LeadLags:
    """Every ordered pair of the panels' causes and effects; `seed` makes the rotations.

    The number of lags is one for all: the one of the smallest BIC in the first half.

    Raises:
        BadInput: too few days, or a number of lags outside 1 to `MOST_LAGS`.
    """
    if not 1 <= max_lag <= MOST_LAGS:
        message = "%(lags)d lags are not between 1 and %(most)d"
        raise BadInput(message, field="maxLag", lags=max_lag, most=MOST_LAGS)
    shortest = min(len(panel.returns) for panel in panels)
    if shortest < FEWEST:
        message = "The window has %(days)d common days; what precedes what needs %(fewest)d"
        raise BadInput(message, field="from", days=shortest, fewest=FEWEST)
    symbols = panels[0].returns.symbols
    wandering = tuple(s for s in symbols if not all(_returns_to_mean(p, s) for p in panels))
    causes = [symbol for symbol in symbols if symbol not in wandering]
    sides = [_Side(panel, causes) for panel in panels if set(panel.effects) & set(causes)]
    if len(causes) < 2:
        return LeadLags((), 1, runs, wandering)

    lags = (
        int(np.argmin([sum(s.bic(n, max_lag) for s in sides) for n in range(1, max_lag + 1)])) + 1
    )
    halves = [_Halves(side, lags) for side in sides]
    rows = min(half.rows for half in halves)
    steps = np.random.default_rng(seed).integers(rows // 10, rows - rows // 10, size=runs)
    null = np.sort(np.concatenate([half.list_p(step) for step in steps for half in halves]))
    truth = np.sort(np.concatenate([half.list_p() for half in halves]))
    q = _false_share(truth, null, runs)
    pairs = [pair for half in halves for pair in half.list_pairs(causes, truth, q)]
    pairs.sort(key=lambda pair: (not pair.found, pair.robust_p))
    return LeadLags(tuple(pairs), lags, runs, wandering)


def score(values: Numbers) -> Numbers:
    """Normal scores: each value as the normal quantile of its rank in the column (Blom 1958)."""
    rows = len(values)
    normal = NormalDist()
    quantiles = [
        normal.inv_cdf((half / 2 - 0.375) / (rows + 0.25)) for half in range(2, 2 * rows + 1)
    ]
    doubled = (2 * rank(values)).astype(np.int64)
    return np.array(quantiles)[doubled - 2]


def _false_share(truth: Numbers, null: Numbers, runs: int) -> Numbers:
    """The q of each p of `truth`: never smaller for a larger p. Both ascending."""
    by_chance = (np.searchsorted(null, truth, side="right") + 1) / runs
    shares = by_chance / np.arange(1, len(truth) + 1)
    return np.minimum(np.minimum.accumulate(shares[::-1])[::-1], 1.0)


def _returns_to_mean(panel: Panel, symbol: str) -> bool:
    return is_stationary(panel.columns([symbol])[:, 0])


class _Side:
    """The columns of a panel that are tested."""

    def __init__(self, panel: Panel, causes: Sequence[str]) -> None:
        self.names = [symbol for symbol in panel.effects if symbol in causes]
        self.causes, self.effects = panel.columns(causes), panel.columns(self.names)
        self.half = len(self.causes) // 2

    def bic(self, lags: int, most: int) -> float:
        """Of all pairs of the first half, on the rows that any number of lags up to `most` has."""
        causes, effects = score(self.causes[: self.half]), score(self.effects[: self.half])
        return compare(prepare(causes, lags, most), effects).bic


class _Halves:
    """Half of the days proposes, the other confirms."""

    def __init__(self, side: _Side, lags: int) -> None:
        first, later = slice(side.half), slice(side.half, None)
        self.names, self.rows, self.lags = side.names, side.half, lags
        self.plain = compare(prepare(side.causes[first], lags), side.effects[first])
        self.causes, self.effects = (
            prepare(score(side.causes[first]), lags),
            score(side.effects[first]),
        )
        self.first = compare(self.causes, self.effects)
        self.later = compare(prepare(score(side.causes[later]), lags), score(side.effects[later]))

    def list_p(self, step: int = 0) -> Numbers:
        """The robust p of all pairs of the first half, the effects rotated by so many rows.

        A series can be tested against itself when it is rotated; those pairs are no pairs.
        """
        turned = compare(self.causes, np.roll(self.effects, step, axis=0)) if step else self.first
        p: Numbers = turned.robust_p[~np.isnan(self.first.robust_p)]
        return p[~np.isnan(p)]

    def list_pairs(self, causes: Sequence[str], truth: Numbers, q: Numbers) -> list[LeadLag]:
        """All pairs that can be tested; `q` belongs to the p of `truth`, ascending."""
        robust_p, later_p = self.first.robust_p, self.later.robust_p
        found: list[LeadLag] = []
        for row, column in zip(*np.nonzero(~np.isnan(robust_p)), strict=True):
            at = (row, column)
            own = float(q[np.searchsorted(truth, robust_p[at])])
            same_sign = self.first.strength[at] * self.later.strength[at] > 0.0
            found.append(
                LeadLag(
                    cause=causes[row],
                    effect=self.names[column],
                    lags=self.lags,
                    rows=self.first.rows,
                    f=float(self.plain.f[at]),
                    p=float(self.plain.p[at]),
                    robust_p=float(robust_p[at]),
                    q=own,
                    strength=float(self.first.strength[at]),
                    later_p=float(later_p[at]),
                    later_strength=float(self.later.strength[at]),
                    found=bool(own <= LEVEL and later_p[at] <= LEVEL and same_sign),
                )
            )
        return found
