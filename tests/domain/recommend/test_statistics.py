"""Newey-West, clustered intervals, Brier skill and ECE."""

from __future__ import annotations

import numpy as np

from app.domain.recommend.statistics import (
    brier_skill,
    calibration_error,
    cluster_mean,
    newey_west,
    reliability,
    t_value,
)


def slow_newey_west(values: np.ndarray, lags: int) -> float:
    about = values - values.mean()
    n = len(values)
    total = sum(
        max(0.0, 1 - abs(i - j) / (lags + 1)) * about[i] * about[j]
        for i in range(n)
        for j in range(n)
    )
    return float(np.sqrt(total) / n)


def test_the_deviation_of_a_mean_is_that_of_the_double_sum():
    values = np.random.default_rng(1).normal(size=60).cumsum()
    np.testing.assert_allclose(newey_west(values, 7), slow_newey_west(values, 7))
    np.testing.assert_allclose(newey_west(values, 0), values.std() / np.sqrt(60))
    assert np.isnan(newey_west(np.array([1.0])))
    assert np.isnan(t_value(np.ones(30)))


def test_overlapping_outcomes_are_not_counted_as_independent():
    random = np.random.default_rng(3)
    own = random.normal(size=3_020)
    overlapping = np.convolve(own, np.ones(20) / 20, "valid")
    naive = overlapping.std() / np.sqrt(len(overlapping))
    assert 3 < newey_west(overlapping) / naive < 6  # √20 is 4.5


def test_five_hundred_copies_are_worth_as_much_as_one():
    hits = (np.random.default_rng(1).random(400) < 0.5).astype(float)
    ones = cluster_mean(hits, np.ones(400), step=1, horizon=20)
    copies = cluster_mean(hits * 500, np.full(400, 500.0), step=1, horizon=20)
    assert copies == ones
    assert ones.windows == 20
    assert ones.low is not None
    assert ones.high is not None
    assert ones.low < ones.value < ones.high


def test_a_day_counts_by_its_outcomes():
    mean = cluster_mean(np.array([3.0, 0.0]), np.array([3.0, 1.0]), step=20, horizon=20)
    assert mean.value == 0.75
    alone = cluster_mean(np.array([3.0]), np.array([3.0]), step=1, horizon=20)
    assert (alone.value, alone.low, alone.windows) == (1.0, None, 0)


def test_skill_and_error_of_forecasts_that_are_right_and_that_are_not():
    random = np.random.default_rng(4)
    truth = random.uniform(0.3, 0.7, 200_000)
    beat = (random.random(len(truth)) < truth).astype(float)
    base = np.full(len(truth), 0.5)
    assert abs(brier_skill(truth, base, beat) - 4 * truth.var()) < 0.005
    assert brier_skill(base, base, beat) == 0
    assert brier_skill(1 - truth, base, beat) < -0.1
    assert calibration_error(reliability(truth, beat)) < 0.006
    assert calibration_error(reliability(1 - truth, beat)) > 0.15
    assert reliability(truth, beat)[:, 2].sum() == len(truth)
