"""Signals: three votes on one day's indicators, and what they come to together.

A vote to buy: RSI(14) below 30, slow %K below 20, MACD crossed above its signal line within the
last three bars; to sell: above 70, above 80, crossed below. Two votes of a kind make it STRONG.
This counts votes; it says nothing of how likely the price is to move, and tested on many stocks
the default rules were worth nothing measurable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

RSI_LOW: Final = 30.0
RSI_HIGH: Final = 70.0
STOCHASTIC_LOW: Final = 20.0
STOCHASTIC_HIGH: Final = 80.0
CROSS_BARS: Final = 3
"""A cross counts on its own bar and on the two after it."""


class VoteDirection(StrEnum):
    """What one indicator says; NEUTRAL is no vote either way."""

    BUY = "BUY"
    SELL = "SELL"
    NEUTRAL = "NEUTRAL"


class SignalStrength(StrEnum):
    """What the three votes come to."""

    STRONG_BUY = "STRONG_BUY"
    BUY = "BUY"
    HOLD = "HOLD"
    SELL = "SELL"
    STRONG_SELL = "STRONG_SELL"


class VoteIndicator(StrEnum):
    """Who votes."""

    RSI = "RSI"
    STOCHASTIC = "STOCHASTIC"
    MACD_CROSS = "MACD_CROSS"


@dataclass(frozen=True, slots=True)
class Vote:
    """One indicator's say: its value, and the threshold it passed (None when it passed none)."""

    indicator: VoteIndicator
    direction: VoteDirection
    value: float
    threshold: float | None


@dataclass(frozen=True, slots=True)
class Signal:
    """The fused strength and all three votes, the dissenting one too."""

    strength: SignalStrength
    votes: tuple[Vote, Vote, Vote]


def compute_signal(
    rsi: float | None, slow_k: float | None, histograms: Sequence[float | None]
) -> Signal | None:
    """The signal of a day; None when any input is unknown: no guess stands in for it.

    Args:
        rsi: RSI(14) of the day, 0 to 100.
        slow_k: slow %K (14, 3) of the day, 0 to 100.
        histograms: MACD minus its signal line, oldest first, the day's own last: four bars.
    """
    recent = histograms[-CROSS_BARS - 1 :]
    known = [value for value in recent if value is not None]
    if rsi is None or slow_k is None or len(known) <= CROSS_BARS:
        return None
    votes = (
        _band(VoteIndicator.RSI, rsi, RSI_LOW, RSI_HIGH),
        _band(VoteIndicator.STOCHASTIC, slow_k, STOCHASTIC_LOW, STOCHASTIC_HIGH),
        _cross(known),
    )
    return Signal(fuse(vote.direction for vote in votes), votes)


def fuse(directions: Iterable[VoteDirection]) -> SignalStrength:
    """Two or more of three: STRONG; else whichever has more; equal: HOLD."""
    count = Counter(directions)
    buys, sells = count[VoteDirection.BUY], count[VoteDirection.SELL]
    if buys >= 2:
        return SignalStrength.STRONG_BUY
    if sells >= 2:
        return SignalStrength.STRONG_SELL
    if buys == sells:
        return SignalStrength.HOLD
    return SignalStrength.BUY if buys > sells else SignalStrength.SELL


def _band(indicator: VoteIndicator, value: float, low: float, high: float) -> Vote:
    if value < low:
        return Vote(indicator, VoteDirection.BUY, value, low)
    if value > high:
        return Vote(indicator, VoteDirection.SELL, value, high)
    return Vote(indicator, VoteDirection.NEUTRAL, value, None)


def _cross(histograms: Sequence[float]) -> Vote:
    """The newest change of side among these bars; touching zero and turning back is no cross."""
    direction = VoteDirection.NEUTRAL
    side = 0
    for value in histograms:
        now = (value > 0) - (value < 0)
        if side and now == -side:
            direction = VoteDirection.BUY if now > 0 else VoteDirection.SELL
        side = now or side
    threshold = None if direction is VoteDirection.NEUTRAL else 0.0
    return Vote(VoteIndicator.MACD_CROSS, direction, histograms[-1], threshold)
