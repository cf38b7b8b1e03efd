"""A signal in words: what three votes came to, who agrees and who does not."""

from __future__ import annotations

from itertools import product

import pytest

from app.domain.signals import (
    STRENGTHS,
    SignalStrength,
    VoteDirection,
    VoteIndicator,
    make_signal,
)
from tests.domain.plain_signals import plain_level

EVERY = list(product((1, 0, -1), repeat=3))


@pytest.mark.parametrize("votes", EVERY)
def test_every_combination_of_votes_says_who_agrees_and_who_does_not(votes):
    level = plain_level(votes)
    signal = make_signal(level, (10.0, 90.0, 0.5), votes, VoteIndicator.MACD_CROSS)
    assert signal.strength.level == level
    assert [v.direction.value for v in signal.votes] == [
        {1: "BUY", 0: "NEUTRAL", -1: "SELL"}[vote] for vote in votes
    ]
    side = (level > 0) - (level < 0)
    assert signal.agreeing == votes.count(side)
    assert [signal.dissents(v) for v in signal.votes] == [vote not in {0, side} for vote in votes]
    assert sum(signal.dissents(v) for v in signal.votes) == (1 if side else 2) * (
        1 in votes and -1 in votes
    )


def test_a_strength_has_its_level_and_its_direction():
    assert [strength.level for strength in SignalStrength] == [2, 1, 0, -1, -2]
    assert [STRENGTHS[level] for level in (2, 1, 0, -1, -2)] == list(SignalStrength)
    assert SignalStrength.STRONG_SELL.direction is VoteDirection.SELL
    assert SignalStrength.HOLD.direction is VoteDirection.NEUTRAL


@pytest.mark.parametrize("macd", [VoteIndicator.MACD_CROSS, VoteIndicator.MACD_STATE])
def test_a_vote_tells_who_it_is_its_value_and_the_threshold_it_passed(macd):
    signal = make_signal(2, (29.0, 81.0, 1.0), (1, -1, 1), macd)
    assert [(v.indicator, v.value, v.threshold) for v in signal.votes] == [
        (VoteIndicator.RSI, 29.0, 30.0),
        (VoteIndicator.STOCHASTIC, 81.0, 80.0),
        (macd, 1.0, 0.0),
    ]
    assert make_signal(-1, (71.0, 50.0, 1.0), (-1, 0, 0), macd).votes[0].threshold == 70.0
    assert make_signal(0, (50.0, 50.0, 1.0), (0, 0, 0), macd).votes[2].threshold is None
