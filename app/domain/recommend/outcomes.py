"""What became of each day: bought at the next close, sold 20 sessions later, against the market.

The return of day t runs from the close of session t + 1 to that of t + 21, for nobody buys at the
close that made the signal; it is known ("closed") at t + 21. An instrument that stopped trading
before then is sold at its last close: nothing that fell out of the market falls out of the record.
The move of the price, which the band is about, runs from the close of t itself to t + 21.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from app.domain.recommend.features import market_return
from app.domain.recommend.panel import Floats, Panel, carry_forward

HORIZON: Final = 20
"""Sessions that a recommendation is for."""

CLOSES_AFTER: Final = HORIZON + 1
"""Sessions after its day at which its outcome is known."""


@dataclass(frozen=True)
class Outcomes:
    """Sessions x instruments, NaN where not known yet.

    By session: `market` is what the market returned, `held` the benchmark in any case.
    """

    returns: Floats
    market: Floats
    move: Floats
    held: Floats

    @property
    def excess(self) -> Floats:
        """What an instrument returned more than its market."""
        return self.returns - self.market[:, None]

    @property
    def beat(self) -> Floats:
        """1 where it beat its market, 0 where it did not."""
        return np.where(np.isfinite(self.excess), self.excess > 0, np.nan)


def compute_outcomes(panel: Panel) -> Outcomes:
    """The outcome of each day and instrument that traded on it."""
    traded = np.isfinite(panel.close)
    returns = np.where(traded, _ahead(carry_forward(panel.total), 1), np.nan)
    theirs = None if panel.benchmark is None else _ahead(panel.benchmark, 1)
    market = market_return(panel, returns, theirs)
    move = np.where(traded, _ahead(carry_forward(panel.close), 0), np.nan)
    held = np.full(len(returns), np.nan) if theirs is None else theirs
    return Outcomes(returns, market, move, held)


def _ahead(prices: Floats, start: int) -> Floats:
    """The return from `start` sessions after each day to CLOSES_AFTER."""
    out = np.full(prices.shape, np.nan)
    rows = len(prices) - CLOSES_AFTER
    if rows > 0:
        out[:rows] = prices[CLOSES_AFTER:] / prices[start : start + rows] - 1.0
    return out
