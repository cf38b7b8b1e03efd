"""What the rule says of a place, and what that would mean for a position that one holds.

The bounds were set before any history was looked at. An action is what the rule says; what its
record is worth stands in the evidence beside it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np

from app.domain.recommend.panel import Floats

BUY_FROM: Final = 80.0
HOLD_FROM: Final = 40.0
REDUCE_FROM: Final = 20.0
"""Ranks from which on: the best fifth, the next two fifths, the next one; below it SELL."""


class Action(StrEnum):
    """What the rule says."""

    BUY = "BUY"
    HOLD = "HOLD"
    REDUCE = "REDUCE"
    SELL = "SELL"


class Advice(StrEnum):
    """What it would do with a position."""

    KEEP = "KEEP"
    SELL_HALF = "SELL_HALF"
    SELL_ALL = "SELL_ALL"


ADVICE: Final = {
    Action.BUY: Advice.KEEP,
    Action.HOLD: Advice.KEEP,
    Action.REDUCE: Advice.SELL_HALF,
    Action.SELL: Advice.SELL_ALL,
}


def to_rank(place: Floats) -> Floats:
    """A place from -1 to 1 as a rank from 0 to 100."""
    return 50.0 + 50.0 * np.clip(place, -1.0, 1.0)


def choose_action(rank: float) -> Action:
    """The action of a rank from 0 to 100."""
    if rank >= BUY_FROM:
        return Action.BUY
    if rank >= HOLD_FROM:
        return Action.HOLD
    return Action.REDUCE if rank >= REDUCE_FROM else Action.SELL
