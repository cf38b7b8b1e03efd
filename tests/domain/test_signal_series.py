"""Signals as arrays: every combination of votes and unknown inputs, edges, and real prices."""

from __future__ import annotations

from itertools import product

import numpy as np
import polars as pl
import pytest

from app.domain.bars import PriceBasis, adjust
from app.domain.indicators import compute_daily
from app.domain.signal_series import INPUTS, SIGNAL_COLUMNS, compute_signals, vote_cross
from app.domain.signals import VoteIndicator
from tests.domain.oracle_bars import sample
from tests.domain.plain_signals import plain_level, plain_votes

CROSS, STATE = VoteIndicator.MACD_CROSS, VoteIndicator.MACD_STATE
RSI = {1: 29.9, -1: 70.1, 0: 50.0, None: None}
SLOW_K = {1: 19.9, -1: 80.1, 0: 50.0, None: None}
HISTOGRAMS = {
    1: [-1.0, -0.5, 0.5, 1.0],
    -1: [1.0, 0.5, -0.5, -1.0],
    0: [1.0, 2.0, 1.5, 1.0],
    None: [1.0, 2.0, 1.5, None],
}

# votes to buy, votes to sell → level; the rest of the three is neutral
TABLE = {
    (3, 0): 2,
    (2, 0): 2,
    (2, 1): 2,
    (1, 0): 1,
    (0, 0): 0,
    (1, 1): 0,
    (0, 1): -1,
    (1, 2): -2,
    (0, 2): -2,
    (0, 3): -2,
}


def signals_of(rsi, slow_k, histogram, macd=CROSS):
    """Columns of inputs, of one bar a row."""
    columns = dict(zip(INPUTS, (rsi, slow_k, histogram), strict=True))
    daily = pl.DataFrame(columns, schema=dict.fromkeys(INPUTS, pl.Float64))
    return compute_signals(daily, macd)


def last_of(rsi, slow_k, histograms, macd=CROSS):
    """The signal of the last bar, whose RSI and slow %K are given."""
    before = [50.0] * (len(histograms) - 1)
    return signals_of([*before, rsi], [*before, slow_k], histograms, macd).row(-1)


@pytest.mark.parametrize("votes", list(product((1, 0, -1, None), repeat=3)))
def test_every_combination_of_votes_and_unknowns_has_its_strength(votes):
    got = last_of(RSI[votes[0]], SLOW_K[votes[1]], HISTOGRAMS[votes[2]])
    if None in votes:
        assert got == (None, None, None, None)
    else:
        assert got == (TABLE[votes.count(1), votes.count(-1)], *votes)


def test_the_table_covers_all_27_combinations():
    met = {(v.count(1), v.count(-1)) for v in product((1, 0, -1), repeat=3)}
    assert met == set(TABLE)


@pytest.mark.parametrize(("rsi", "slow_k"), [(30.0, 20.0), (70.0, 80.0)])
def test_a_value_on_the_threshold_does_not_vote(rsi, slow_k):
    assert last_of(rsi, slow_k, HISTOGRAMS[0]) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("histograms", "vote"),
    [
        ([-1.0, 1.0, 1.0, 1.0], 1),  # crossed three bars ago, the last bar that counts
        ([1.0, 1.0, 1.0, -1.0], -1),
        ([-1.0, 1.0, -1.0, -1.0], -1),  # the newest cross decides
        ([-1.0, 0.0, 1.0, 1.0], 1),  # through zero
        ([1.0, 0.0, 1.0, 1.0], 0),  # touched zero and turned back
        ([0.0, 0.0, 0.0, 1.0], 0),  # it was never below
        ([1.0, 1.0, 1.0, 0.0], 0),
        ([-1.0, 1.0, 1.0, 1.0, 1.0], 0),  # an older cross
    ],
)
def test_macd_votes_by_its_newest_cross_of_the_last_three_bars(histograms, vote):
    assert last_of(50.0, 50.0, histograms)[3] == vote


def test_by_its_state_macd_votes_by_the_side_of_its_signal_line():
    got = signals_of([50.0] * 4, [50.0] * 4, [0.5, -0.5, 0.0, None], STATE)
    assert got["macd_vote"].to_list() == [1, -1, 0, None]
    assert got["strength"].to_list() == [1, -1, 0, None]


def test_three_bars_have_no_cross_and_a_day_without_a_close_is_no_bar():
    assert np.isnan(vote_cross(np.array([1.0, -1.0, 1.0]))).all()
    halted = [-1.0, 1.0, None, 1.0, 1.0]  # the cross is of the third bar before the last one
    got = signals_of([50.0] * 5, [50.0] * 5, halted)
    assert got["macd_vote"].to_list() == [None, None, None, None, 1]


@pytest.mark.parametrize("macd", [CROSS, STATE])
def test_real_prices_have_the_signals_that_the_plain_rule_gives(macd):
    daily = compute_daily(sample().filter(pl.col("symbol") == "IBM"))
    got = compute_signals(daily, macd)
    assert got.columns == list(SIGNAL_COLUMNS)
    rsi, slow_k, histogram = (daily[name].to_list() for name in INPUTS)
    for t, row in enumerate(got.iter_rows()):
        votes = plain_votes(rsi[t], slow_k[t], histogram[: t + 1], macd)
        assert row == (plain_level(votes), *(votes or (None,) * 3)), t
    assert set(got["strength"]) == {None, -2, -1, 0, 1, 2}


@pytest.mark.parametrize("macd", [CROSS, STATE])
def test_a_history_cut_off_at_any_day_has_the_same_signals_up_to_there(macd):
    bars = sample().filter(pl.col("symbol") == "AAPL")
    rng = np.random.default_rng(11)
    # splits that are known only once they have come
    days = bars["day"].gather(sorted(rng.choice(bars.height, 3, replace=False)))
    splits = pl.DataFrame({"day": days, "numerator": [2.0, 3.0, 7.0], "denominator": [1.0] * 3})
    nothing = pl.DataFrame(schema={"day": pl.Date, "amount": pl.Float64})

    def signals(rows: int) -> pl.DataFrame:
        known = splits.filter(pl.col("day") <= bars["day"][rows - 1])
        adjusted = adjust(bars.head(rows), known, nothing, PriceBasis.SPLIT_ADJUSTED)
        return compute_signals(compute_daily(adjusted.with_columns(symbol=pl.lit("A"))), macd)

    whole = signals(bars.height)
    cuts = rng.integers(40, bars.height, 60).tolist()
    changed = [cut for cut in cuts if not signals(cut).equals(whole.head(cut))]
    assert changed == []
