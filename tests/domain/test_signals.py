"""Signals: every combination of votes, thresholds on the edge, and unknown inputs."""

from __future__ import annotations

from itertools import product

import pytest

from app.domain.signals import (
    Signal,
    SignalStrength,
    VoteDirection,
    VoteIndicator,
    compute_signal,
    fuse,
)

BUY, SELL, NEUTRAL = VoteDirection.BUY, VoteDirection.SELL, VoteDirection.NEUTRAL
RSI = {BUY: 29.9, SELL: 70.1, NEUTRAL: 50.0}
SLOW_K = {BUY: 19.9, SELL: 80.1, NEUTRAL: 50.0}
HISTOGRAM = {
    BUY: [-1.0, -0.5, 0.5, 1.0],
    SELL: [1.0, 0.5, -0.5, -1.0],
    NEUTRAL: [1.0, 2.0, 1.5, 1.0],
}

# buys, sells → strength; the rest of the three votes is neutral
TABLE = {
    (3, 0): "STRONG_BUY",
    (2, 0): "STRONG_BUY",
    (2, 1): "STRONG_BUY",
    (1, 0): "BUY",
    (0, 0): "HOLD",
    (1, 1): "HOLD",
    (0, 1): "SELL",
    (1, 2): "STRONG_SELL",
    (0, 2): "STRONG_SELL",
    (0, 3): "STRONG_SELL",
}


@pytest.mark.parametrize("votes", list(product(VoteDirection, repeat=3)), ids="-".join)
def test_every_combination_of_votes_has_its_strength(votes):
    expected = TABLE[votes.count(BUY), votes.count(SELL)]
    assert fuse(votes) == expected
    signal = compute_signal(RSI[votes[0]], SLOW_K[votes[1]], HISTOGRAM[votes[2]])
    assert signal is not None
    assert signal.strength == expected
    assert tuple(vote.direction for vote in signal.votes) == votes


def test_the_table_covers_all_27_combinations():
    met = {(v.count(BUY), v.count(SELL)) for v in product(VoteDirection, repeat=3)}
    assert met == set(TABLE)


@pytest.mark.parametrize(
    ("rsi", "slow_k"), [(30.0, 20.0), (70.0, 80.0)], ids=["lower edge", "upper edge"]
)
def test_a_value_on_the_threshold_does_not_vote(rsi, slow_k):
    signal = _signal(rsi, slow_k, HISTOGRAM[NEUTRAL])
    assert [vote.direction for vote in signal.votes] == [NEUTRAL] * 3
    assert [vote.threshold for vote in signal.votes] == [None] * 3


@pytest.mark.parametrize(
    ("histograms", "direction"),
    [
        ([-1.0, 1.0, 1.0, 1.0], BUY),  # crossed three bars ago, the last bar that counts
        ([1.0, 1.0, 1.0, -1.0], SELL),
        ([-1.0, 1.0, -1.0, -1.0], SELL),  # the newest cross decides
        ([-1.0, 0.0, 1.0, 1.0], BUY),  # through zero
        ([1.0, 0.0, 1.0, 1.0], NEUTRAL),  # touched zero and turned back
        ([0.0, 0.0, 0.0, 1.0], NEUTRAL),  # it was never below
        ([1.0, 1.0, 1.0, 0.0], NEUTRAL),
    ],
)
def test_macd_votes_by_its_newest_cross_of_the_last_three_bars(histograms, direction):
    vote = _signal(50.0, 50.0, histograms).votes[2]
    assert vote.indicator is VoteIndicator.MACD_CROSS
    assert vote.direction is direction
    assert vote.value == histograms[-1]


def test_an_older_cross_does_not_vote():
    assert _signal(50.0, 50.0, [-1.0, 1.0, 1.0, 1.0, 1.0]).votes[2].direction is NEUTRAL


@pytest.mark.parametrize(
    ("rsi", "slow_k", "histograms"),
    [
        (None, 10.0, HISTOGRAM[BUY]),
        (10.0, None, HISTOGRAM[BUY]),
        (10.0, 10.0, [-1.0, None, 1.0, 1.0]),
        (10.0, 10.0, [-1.0, 1.0, 1.0]),
        (10.0, 10.0, []),
    ],
)
def test_an_unknown_input_gives_no_signal(rsi, slow_k, histograms):
    assert compute_signal(rsi, slow_k, histograms) is None


def test_a_vote_tells_its_value_and_the_threshold_it_passed():
    signal = _signal(29.0, 81.0, HISTOGRAM[BUY])
    assert [(v.indicator, v.value, v.threshold) for v in signal.votes] == [
        (VoteIndicator.RSI, 29.0, 30.0),
        (VoteIndicator.STOCHASTIC, 81.0, 80.0),
        (VoteIndicator.MACD_CROSS, 1.0, 0.0),
    ]
    assert signal.strength is SignalStrength.STRONG_BUY


def _signal(rsi: float, slow_k: float, histograms: list[float]) -> Signal:
    signal = compute_signal(rsi, slow_k, histograms)
    assert signal is not None
    return signal
