"""Platt's curve, walked forward."""

from __future__ import annotations

import numpy as np

from app.domain.recommend.calibration import ENOUGH_DAYS, calibrate
from app.domain.recommend.outcomes import CLOSES_AFTER
from app.domain.recommend.ranking import rank_rows

DAYS, SYMBOLS = 700, 50
NONE_FEW = np.zeros(DAYS, dtype=bool)


def market(slope: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    place = rank_rows(random.normal(size=(DAYS, SYMBOLS)))
    truth = 1 / (1 + np.exp(0.2 - slope * place))
    return place, (random.random(place.shape) < truth).astype(float)


def test_the_curve_finds_the_slope_that_there_is_and_none_where_there_is_none():
    place, beat = market(0.4)
    found = calibrate(place, beat, NONE_FEW)
    assert abs(found.slope[-1] - 0.4) < 0.06
    assert abs(found.base[-1] - 0.45) < 0.01
    p = found.probability[-1]
    np.testing.assert_allclose(p, 1 / (1 + np.exp(0.2 - 0.4 * place[-1])), atol=0.02)
    slopes = [calibrate(*market(0.0, seed), NONE_FEW).slope[-1] for seed in range(8)]
    assert np.abs(slopes).max() < 0.05
    assert 0.0 in slopes


def test_nothing_is_said_before_twelve_windows_are_closed():
    found = calibrate(*market(0.4), NONE_FEW)
    first = ENOUGH_DAYS - 1 + CLOSES_AFTER
    assert np.isnan(found.probability[:first]).all()
    assert np.isfinite(found.probability[first:]).all()
    assert np.isnan(found.base[:CLOSES_AFTER]).all()
    assert np.isfinite(found.base[CLOSES_AFTER:]).all()


def test_an_outcome_counts_on_the_day_it_is_closed_and_not_before():
    place, beat = market(0.4)
    other = beat.copy()
    other[500] = 1 - other[500]
    one, two = calibrate(place, beat, NONE_FEW), calibrate(place, other, NONE_FEW)
    until = 500 + CLOSES_AFTER
    np.testing.assert_array_equal(one.probability[:until], two.probability[:until])
    assert (one.probability[until:] != two.probability[until:]).all()


def test_days_of_few_instruments_have_a_history_of_their_own():
    place, beat = market(0.4)
    few = np.arange(DAYS) < 350
    beat[few] = 1.0
    found = calibrate(place, beat, few)
    assert found.base[340] == 1.0
    assert abs(found.base[-1] - 0.45) < 0.02


def test_shuffled_outcomes_leave_the_base_rate():
    place, beat = market(0.4)
    dealt = np.random.default_rng(9).permuted(beat, axis=1)
    spread = [np.ptp(calibrate(place, rows, NONE_FEW).probability[-1]) for rows in (beat, dealt)]
    assert spread[1] < 0.15 * spread[0]
