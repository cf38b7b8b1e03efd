"""Signals: three votes on one day's indicators, and what they come to together.

A vote to buy: RSI(14) below 30, slow %K below 20, MACD crossed above its signal line within the
last three bars; to sell: above 70, above 80, crossed below. By choice MACD votes by its state
instead: above its signal line, or below. Two votes of a kind make it STRONG.
This counts votes; it says nothing of how likely the price is to move, and tested on many stocks
the default rules were worth nothing measurable. `signal_series` computes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, TypeAlias

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

    @property
    def level(self) -> int:
        """From 2, STRONG_BUY, to -2, STRONG_SELL: what is stored."""
        return _LEVELS[self]

    @property
    def direction(self) -> VoteDirection:
        """The vote that it stands for."""
        return DIRECTIONS[(self.level > 0) - (self.level < 0)]


class VoteIndicator(StrEnum):
    """Who votes: MACD by a cross of the last three sessions, or by its state."""

    RSI = "RSI"
    STOCHASTIC = "STOCHASTIC"
    MACD_CROSS = "MACD_CROSS"
    MACD_STATE = "MACD_STATE"


MacdVote: TypeAlias = Literal[VoteIndicator.MACD_CROSS, VoteIndicator.MACD_STATE]

DIRECTIONS: Final = {1: VoteDirection.BUY, 0: VoteDirection.NEUTRAL, -1: VoteDirection.SELL}
"""Votes as numbers, in columns and in tables."""

STRENGTHS: Final = dict(zip(range(2, -3, -1), SignalStrength, strict=True))
"""Strengths by their level."""

_LEVELS: Final = {strength: level for level, strength in STRENGTHS.items()}
_THRESHOLDS: Final = {
    VoteIndicator.RSI: {1: RSI_LOW, -1: RSI_HIGH},
    VoteIndicator.STOCHASTIC: {1: STOCHASTIC_LOW, -1: STOCHASTIC_HIGH},
    VoteIndicator.MACD_CROSS: {1: 0.0, -1: 0.0},
    VoteIndicator.MACD_STATE: {1: 0.0, -1: 0.0},
}


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

    @property
    def agreeing(self) -> int:
        """How many of the three say what they come to together; for HOLD those without a say."""
        return sum(vote.direction == self.strength.direction for vote in self.votes)

    def dissents(self, vote: Vote) -> bool:
        """Whether a vote says buy or sell and the whole does not."""
        return vote.direction not in {VoteDirection.NEUTRAL, self.strength.direction}


def make_signal(
    level: int, values: Sequence[float], votes: Sequence[int], macd: MacdVote
) -> Signal:
    """A signal in words, from what is stored of it.

    Args:
        level: of its strength.
        values: RSI(14), slow %K and MACD minus its signal line of the day.
        votes: those of the three, in that order: 1 to buy, -1 to sell, 0 for none.
        macd: how the third of them votes.
    """
    voters = (VoteIndicator.RSI, VoteIndicator.STOCHASTIC, macd)
    rsi, stochastic, third = (
        Vote(voter, DIRECTIONS[vote], value, _THRESHOLDS[voter].get(vote))
        for voter, value, vote in zip(voters, values, votes, strict=True)
    )
    return Signal(STRENGTHS[level], (rsi, stochastic, third))
