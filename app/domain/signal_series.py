"""Signals of many days at once, as arrays: votes of 1 to buy, -1 to sell and 0, and their strength.

The rule is that of `signals`. Arrays are of shape (sessions,) or (sessions, instruments), oldest
first, NaN where a value is unknown; a day with an unknown input has no signal. Nothing of a day
depends on later ones. A session without a close is no bar: leave it out before.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl

from app.domain.signals import (
    CROSS_BARS,
    RSI_HIGH,
    RSI_LOW,
    STOCHASTIC_HIGH,
    STOCHASTIC_LOW,
    MacdVote,
    VoteIndicator,
)

VOTE_COLUMNS: Final = ("rsi_vote", "stochastic_vote", "macd_vote")
SIGNAL_COLUMNS: Final = ("strength", *VOTE_COLUMNS)
"""What is stored of a signal; its values are the indicators of its day."""

INPUTS: Final = ("rsi_14", "stochastic_k", "macd_histogram")
"""The indicators that vote, in the order of their votes."""


def compute_signals(daily: pl.DataFrame, macd: MacdVote) -> pl.DataFrame:
    """The signals of one instrument's indicators, a row each; null where there is no signal.

    Args:
        daily: INPUTS of each day, oldest first, null where unknown.
        macd: how MACD votes.
    """
    rsi, slow_k, histogram = (daily[name].to_numpy() for name in INPUTS)
    votes = np.zeros((3, daily.height))
    votes[0], votes[1] = vote_rsi(rsi), vote_stochastic(slow_k)
    seen = np.isfinite(histogram)
    votes[2] = np.nan
    votes[2, seen] = vote_macd(histogram[seen], macd)
    columns = np.vstack([fuse(votes), votes])
    columns[:, ~np.isfinite(columns).all(axis=0)] = np.nan
    return pl.DataFrame(
        [
            pl.Series(name, values, nan_to_null=True).cast(pl.Int8)
            for name, values in zip(SIGNAL_COLUMNS, columns, strict=True)
        ]
    )


def vote_rsi(values: Any) -> Any:
    """Votes of RSI(14)."""
    return _vote_band(values, RSI_LOW, RSI_HIGH)


def vote_stochastic(values: Any) -> Any:
    """Votes of slow %K."""
    return _vote_band(values, STOCHASTIC_LOW, STOCHASTIC_HIGH)


def vote_macd(histograms: Any, macd: MacdVote) -> Any:
    """Votes of MACD minus its signal line, of one instrument."""
    if macd is VoteIndicator.MACD_STATE:
        return np.sign(histograms)
    return vote_cross(histograms)


def vote_cross(histograms: Any) -> Any:
    """The newest change of side within the last three bars, of one instrument.

    Touching zero and turning back is no cross. NaN for the first three, and where one of the four
    bars is unknown.
    """
    out = np.full(len(histograms), np.nan)
    if len(histograms) <= CROSS_BARS:
        return out
    recent = np.lib.stride_tricks.sliding_window_view(np.sign(histograms), CROSS_BARS + 1).T
    vote, side = np.zeros(recent.shape[1]), recent[0]
    for now in recent[1:]:
        vote = np.where((side != 0) & (now == -side), now, vote)
        side = np.where(now != 0, now, side)
    out[CROSS_BARS:] = np.where(np.isfinite(recent).all(axis=0), vote, np.nan)
    return out


def fuse(votes: Any) -> Any:
    """The level of three votes, along the first axis; NaN where one of them is.

    Two or more of three: 2 or -2, STRONG; else whichever has more: 1 or -1; equal: 0.
    """
    buys, sells = (votes == 1).sum(axis=0), (votes == -1).sum(axis=0)
    level = np.where(buys >= 2, 2, np.where(sells >= 2, -2, buys - sells))
    return np.where(np.isfinite(votes).all(axis=0), level, np.nan)


def _vote_band(values: Any, low: float, high: float) -> Any:
    vote = np.where(values < low, 1.0, np.where(values > high, -1.0, 0.0))
    return np.where(np.isfinite(values), vote, np.nan)
