"""The worth of signals: returns after them, hits, base rate, and an interval by date."""

from __future__ import annotations

import numpy as np
import pytest

from app.domain.signal_worth import ENOUGH, UNKNOWN, assess, forward_return

DAYS, COUNT = 400, 12


def panel(seed: int = 7, *, edge: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Levels and 5-session returns; after a STRONG_BUY prices rise by `edge` more."""
    rng = np.random.default_rng(seed)
    levels = rng.choice([2, 1, 0, -1, -2, UNKNOWN], (DAYS, COUNT)).astype(np.int8)
    returns = rng.normal(0, 0.05, (DAYS, COUNT)) + rng.normal(0, 0.02, (DAYS, 1))
    returns[levels == 2] += edge
    returns[-6:] = np.nan
    return levels, returns.astype(np.float32)


def test_a_signal_is_entered_at_the_close_after_it_and_left_after_the_horizon():
    closes = np.array([100.0, 110.0, 121.0, 110.0, 132.0])
    assert forward_return(closes, 2) == pytest.approx(
        [0.0, 132 / 121 - 1] + [np.nan] * 3, nan_ok=True
    )
    assert np.isnan(forward_return(closes, 4)).all()
    assert np.isnan(forward_return(closes[:1], 5)).all()


def test_hits_excess_and_base_rate_are_those_of_a_plain_count():
    levels, returns = panel()
    known = (levels != UNKNOWN) & np.isfinite(returns)
    outcomes = [
        (levels[d, k], returns[d, k] - returns[d][known[d]].mean(dtype=float))
        for d in range(DAYS)
        if known[d].sum() >= 4
        for k in range(COUNT)
        if known[d, k]
    ]
    base = np.mean([excess > 0 for _, excess in outcomes])
    found = assess(levels, returns, 5)
    assert [worth.level for worth in found] == [2, 1, 0, -1, -2]
    for worth in found:
        own = np.array([excess for level, excess in outcomes if level == worth.level])
        assert worth.count == len(own)
        assert worth.hits.mean == pytest.approx((own > 0).mean())
        assert worth.excess.mean == pytest.approx(own.mean(), abs=1e-8)
        assert worth.base_rate == pytest.approx(base)
        assert worth.horizon == 5


def test_the_interval_weighs_every_two_outcomes_by_how_near_their_days_are():
    levels, returns = panel()
    known = (levels != UNKNOWN) & np.isfinite(returns)
    means = np.where(known, returns, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    chosen = known & (levels == 2)
    days, _ = np.nonzero(chosen)
    outcomes = (returns - means[:, None])[chosen].astype(float)
    rest = outcomes - outcomes.mean()
    near = np.clip(1 - np.abs(days[:, None] - days) / 11, 0, None)  # 10 sessions for one of 5
    half = 1.96 * np.sqrt(rest @ near @ rest) / len(rest)
    found = assess(levels, returns, 5)[0].excess
    assert found.mean == pytest.approx(outcomes.mean(), abs=1e-7)
    assert found.high - found.mean == pytest.approx(half, rel=1e-3)
    assert found.mean - found.low == pytest.approx(half, rel=1e-3)


def test_clones_of_an_instrument_make_no_interval_narrower():
    levels, returns = panel()
    one = assess(levels, returns, 5)[0]
    many = assess(np.repeat(levels, 40, axis=1), np.repeat(returns, 40, axis=1), 5)[0]
    assert many.count == 40 * one.count
    assert many.excess.high - many.excess.low == pytest.approx(
        one.excess.high - one.excess.low, rel=1e-4
    )


def test_a_planted_edge_is_seen_and_chance_is_not():
    for edge, seen in ((0.02, 1.0), (0.0, 0.05)):
        found = [assess(*panel(seed, edge=edge), 5)[0] for seed in range(40)]
        outside = [not worth.hits.low <= worth.base_rate <= worth.hits.high for worth in found]
        assert np.mean(outside) == pytest.approx(seen, abs=0.1)


def test_too_few_windows_give_no_interval_and_too_few_instruments_no_worth():
    levels, returns = panel()
    levels[:] = 0
    levels[: ENOUGH * 5 - 5, 0] = 2
    worth = assess(levels, returns, 5)[0]
    assert worth.windows == ENOUGH - 1
    assert (worth.hits.low, worth.excess.high) == (None, None)
    levels[ENOUGH * 5 - 5, 0] = 2
    assert assess(levels, returns, 5)[0].windows == ENOUGH
    assert assess(levels, returns, 5)[0].hits.low is not None
    assert assess(levels[:, :3], returns[:, :3], 5) == []
