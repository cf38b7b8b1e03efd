"""Over-fitting: how much of a Sharpe ratio is left when it is known how many were tried.

- PSR(SR0) = Φ((SR - SR0) * √(n - 1) / √(1 - g * SR + (k - 1) / 4 * SR²)), SR of a period, with
  skewness g and kurtosis k.
- DSR = PSR at SR0 = √V * ((1 - c) * Φ⁻¹(1 - 1 / N) + c * Φ⁻¹(1 - 1 / (N * e))), c = 0.5772...,
  N trials whose Sharpe ratios have the variance V (1 / n where it is not known).
- PBO: of all ways to take half of the blocks of sessions, in how many the cell that was best in
  them is no better than the median in the other half (combinatorially symmetric cross-validation).

Bailey and López de Prado, The Sharpe Ratio Efficient Frontier (2012), The Deflated Sharpe Ratio
(2014); with Borwein and Zhu, The Probability of Backtest Overfitting (2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import e, isfinite, sqrt
from statistics import NormalDist
from typing import Any, Final

import numpy as np

from app.errors import BadInput

Numbers = np.ndarray[Any, Any]

EULER: Final = 0.5772156649015329
BLOCKS: Final = 10
"""Blocks of sessions: 252 ways to take half of them."""

_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Overfitting:
    """What stands beside a Sharpe ratio; None where there is no number."""

    trials: int
    psr: float | None  # against zero
    dsr: float | None  # against the best of so many by chance
    pbo: float | None = None  # of the sweep it was chosen from


def probabilistic_sharpe(returns: Numbers, benchmark: float = 0.0) -> float | None:
    """The probability that the Sharpe ratio of a period lies above `benchmark` (of a period)."""
    if len(returns) < 3 or not returns.std() > 0:
        return None
    about = (returns - returns.mean()) / returns.std()
    ratio = float(returns.mean() / returns.std(ddof=1))
    return psr_of(
        ratio, len(returns), float((about**3).mean()), float((about**4).mean()), benchmark
    )


def psr_of(
    ratio: float, n: int, skewness: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0
) -> float | None:
    """PSR from the moments of n returns; kurtosis is 3 for the normal distribution."""
    spread = 1.0 - skewness * ratio + (kurtosis - 1.0) / 4.0 * ratio**2
    if n < 2 or spread <= 0.0 or not isfinite(ratio):
        return None
    return _NORMAL.cdf((ratio - benchmark) * sqrt(n - 1) / sqrt(spread))


def expected_best(trials: int, variance: float) -> float:
    """The highest Sharpe ratio of a period to be expected of so many worthless trials.

    Raises:
        BadInput: fewer than one trial.
    """
    if trials < 1:
        message = "There were %(trials)s trials; it must be one at least"
        raise BadInput(message, field="trials", trials=trials)
    if trials == 1:
        return 0.0
    high = _NORMAL.inv_cdf(1.0 - 1.0 / trials)
    higher = _NORMAL.inv_cdf(1.0 - 1.0 / (trials * e))
    return sqrt(variance) * ((1.0 - EULER) * high + EULER * higher)


def assess(
    returns: Numbers, trials: int, *, variance: float | None = None, sums: Numbers | None = None
) -> Overfitting:
    """PSR and DSR of returns that were the best of `trials`, and PBO where there was a sweep.

    Raises:
        BadInput: fewer than one trial, or sums as `compute_pbo` refuses them.
    """
    best = expected_best(trials, 1.0 / max(len(returns), 1) if variance is None else variance)
    psr, dsr = probabilistic_sharpe(returns), probabilistic_sharpe(returns, best)
    return Overfitting(trials, psr, dsr, None if sums is None else compute_pbo(sums))


def compute_pbo(sums: Numbers) -> float | None:
    """The probability of over-fitting from sums of returns and squares (cells x blocks x 2).

    Blocks are taken as equally long. None for fewer than two cells that traded.

    Raises:
        BadInput: an odd number of blocks, fewer than four, or more than 16.
    """
    blocks = sums.shape[1]
    if blocks % 2 or not 4 <= blocks <= 16:
        message = "There are %(blocks)s blocks; an even number from 4 to 16 is needed"
        raise BadInput(message, field="blocks", blocks=blocks)
    traded = sums[sums[:, :, 1].sum(axis=1) > 0]
    if len(traded) < 2:
        return None
    halves = np.array(list(combinations(range(blocks), blocks // 2)))
    chosen = np.zeros((blocks, len(halves)))
    chosen[halves.T, np.arange(len(halves))] = 1.0
    inside, outside = _ratios(traded, chosen), _ratios(traded, 1.0 - chosen)
    best = inside.argmax(axis=0)
    theirs = outside[best, np.arange(len(halves))]
    below = (outside < theirs).sum(axis=0) + ((outside == theirs).sum(axis=0) + 1) / 2
    rank = below / (len(traded) + 1)
    return float((rank <= 0.5).mean())


def _ratios(sums: Numbers, chosen: Numbers) -> Numbers:
    """Mean / deviation of each cell in each half, up to one factor for all."""
    mean, square = sums[:, :, 0] @ chosen, sums[:, :, 1] @ chosen
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: Numbers = np.nan_to_num(mean / np.sqrt(square), nan=0.0)
    return ratios
