"""What a rule looks at: the signal, momentum, performance against the market, and value.

Each figure of day t is made of closes up to t alone:

- SIGNAL: the fused vote, -2 to 2.
- MOMENTUM_5: the return of the last 5 sessions.
- MOMENTUM_12_1: of the 231 sessions up to 21 sessions ago (Jegadeesh and Titman, 1993).
- RELATIVE: the return of the last 63 sessions less the market's.
- EARNINGS_YIELD = 1 / P/E, BOOK_YIELD = 1 / P/B (both only where above zero), RETURN_ON_EQUITY,
  DIVIDEND_YIELD: as known that day; higher is cheaper or better.

Volatility is the deviation (ddof 1) of the returns of 20 sessions, of one session.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np

from app.domain.recommend.panel import Floats, Panel, carry_forward, divide, mean_rows

WINDOW: Final = 20
"""Sessions of the volatility."""


class Feature(StrEnum):
    """What a rule looks at."""

    SIGNAL = "SIGNAL"
    MOMENTUM_5 = "MOMENTUM_5"
    MOMENTUM_12_1 = "MOMENTUM_12_1"
    RELATIVE = "RELATIVE"
    EARNINGS_YIELD = "EARNINGS_YIELD"
    BOOK_YIELD = "BOOK_YIELD"
    RETURN_ON_EQUITY = "RETURN_ON_EQUITY"
    DIVIDEND_YIELD = "DIVIDEND_YIELD"


TECHNICAL: Final = (
    Feature.SIGNAL,
    Feature.MOMENTUM_5,
    Feature.MOMENTUM_12_1,
    Feature.RELATIVE,
)
SPANS: Final = {
    Feature.MOMENTUM_5: (5, 0),
    Feature.MOMENTUM_12_1: (252, 21),
    Feature.RELATIVE: (63, 0),
}
"""Sessions ago at which a return begins and ends."""

VALUE: Final = {
    Feature.EARNINGS_YIELD: "trailing_pe",
    Feature.BOOK_YIELD: "price_to_book",
    Feature.RETURN_ON_EQUITY: "return_on_equity",
    Feature.DIVIDEND_YIELD: "dividend_yield",
}
"""The fundamental that each is made of."""

_INVERSE: Final = frozenset({Feature.EARNINGS_YIELD, Feature.BOOK_YIELD})


def compute_features(panel: Panel) -> dict[Feature, Floats]:
    """The features by name, sessions x instruments; NaN where not known or not traded that day."""
    prices = carry_forward(panel.total)
    found = {Feature.SIGNAL: panel.signal}
    for feature, (begin, end) in SPANS.items():
        found[feature] = past_return(prices, begin, end)
    market = market_past(panel, found[Feature.RELATIVE], *SPANS[Feature.RELATIVE])
    found[Feature.RELATIVE] = found[Feature.RELATIVE] - market[:, None]
    for feature, name in VALUE.items():
        if (table := panel.fundamentals.get(name)) is not None:
            found[feature] = divide(np.ones(1), table) if feature in _INVERSE else table
    traded = np.isfinite(panel.close)
    return {feature: np.where(traded, table, np.nan) for feature, table in found.items()}


def past_return(prices: Floats, begin: int, end: int = 0) -> Floats:
    """The return from `begin` to `end` sessions ago, NaN where either price is not known."""
    out = np.full(prices.shape, np.nan)
    if len(prices) > begin:
        newer = prices[begin - end : len(prices) - end]
        out[begin:] = newer / prices[: len(prices) - begin] - 1.0
    return out


def market_return(panel: Panel, own: Floats, benchmark: Floats | None) -> Floats:
    """The market's return of each day: the mean of its instruments', the benchmark's where few.

    Where there are few and no benchmark is known the mean of the few stands in.
    """
    mean = mean_rows(np.where(np.isfinite(panel.close), own, np.nan))
    if benchmark is None:
        return mean
    return np.where(panel.few & np.isfinite(benchmark), benchmark, mean)


def market_past(panel: Panel, own: Floats, begin: int, end: int) -> Floats:
    """`market_return` from `begin` to `end` sessions ago."""
    known = panel.benchmark
    return market_return(panel, own, None if known is None else past_return(known, begin, end))


def compute_volatility(prices: Floats, window: int = WINDOW) -> Floats:
    """The deviation of the last `window` returns; NaN before there are as many.

    Each window is summed by itself: running sums would leave the rounding of a crash behind.
    """
    out = np.full(prices.shape, np.nan)
    if len(prices) <= window:
        return out
    returns = prices[1:] / prices[:-1] - 1.0
    rows = len(returns) - window + 1
    mean = sum(returns[i : i + rows] for i in range(window)) / window
    squares = sum((returns[i : i + rows] - mean) ** 2 for i in range(window))
    out[window:] = np.sqrt(squares / (window - 1))
    return out
