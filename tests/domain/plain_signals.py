"""The rule of signals in plain words, one day at a time: what the arrays have to agree with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from app.domain.signals import VoteIndicator


def plain_votes(
    rsi: float | None,
    slow_k: float | None,
    histograms: Sequence[float | None],
    macd: VoteIndicator = VoteIndicator.MACD_CROSS,
) -> tuple[int, int, int] | None:
    """The three votes of a day, None where an input is unknown; histograms end with the day's."""
    wanted = 1 if macd is VoteIndicator.MACD_STATE else 4
    recent = list(histograms[-wanted:])
    if rsi is None or slow_k is None or None in recent or len(recent) < wanted:
        return None
    first = 1 if rsi < 30 else -1 if rsi > 70 else 0
    second = 1 if slow_k < 20 else -1 if slow_k > 80 else 0
    if macd is VoteIndicator.MACD_STATE:
        third = 1 if recent[0] > 0 else -1 if recent[0] < 0 else 0
    else:
        sides = [value for value in recent if value]
        third = 0
        for before, after in pairwise(sides):
            if before < 0 < after:
                third = 1
            elif after < 0 < before:
                third = -1
    return first, second, third


def plain_level(votes: Sequence[int] | None) -> int | None:
    """What the votes come to."""
    if votes is None:
        return None
    buys, sells = list(votes).count(1), list(votes).count(-1)
    if buys >= 2:
        return 2
    if sells >= 2:
        return -2
    return (buys > sells) - (buys < sells)
