"""The band: coverage, and the quantiles it is made of."""

from __future__ import annotations

import numpy as np

from app.domain.recommend.bands import FIFTHS, compute_bands
from app.domain.recommend.calibration import ENOUGH_DAYS
from app.domain.recommend.outcomes import CLOSES_AFTER, compute_outcomes
from tests.panels import random_walks


def test_eight_of_ten_moves_stay_within_overall_and_in_each_fifth_by_volatility():
    panel = random_walks(1, 60, 1_400)
    move = compute_outcomes(panel).move
    bands = compute_bands(panel, move)
    known = np.isfinite(bands.low) & np.isfinite(move)
    inside = (move >= bands.low) & (move <= bands.high)
    assert 0.77 < inside[known].mean() < 0.83
    for fifth in range(FIFTHS):
        assert 0.74 < inside[known & (bands.group == fifth)].mean() < 0.86
    assert (bands.low[known] < 0).all()
    assert (bands.high[known] > 0).all()


def test_the_bounds_are_the_quantiles_of_the_moves_that_were_closed():
    panel = random_walks(2, 5, 700)
    move = compute_outcomes(panel).move
    bands = compute_bands(panel, move)
    returns = panel.close[1:] / panel.close[:-1] - 1
    scale = np.array([returns[day - 20 : day].std(axis=0, ddof=1) for day in range(20, 700)])
    scaled = (move[20:] / scale / np.sqrt(CLOSES_AFTER))[: 650 - CLOSES_AFTER + 1 - 20]
    for bound, part in ((bands.low, 0.1), (bands.high, 0.9)):
        expected = np.quantile(scaled, part) * scale[630] * np.sqrt(CLOSES_AFTER)
        np.testing.assert_allclose(bound[650], expected, rtol=0.03)


def test_there_is_no_band_before_twelve_windows_nor_for_what_does_not_move():
    panel = random_walks(3, 40, 400)
    panel.close[:, 0] = 10.0
    bands = compute_bands(panel, compute_outcomes(panel).move)
    assert np.isnan(bands.low[: ENOUGH_DAYS + CLOSES_AFTER]).all()
    assert np.isnan(bands.low[:, 0]).all()
    assert np.isfinite(bands.low[-1, 1:]).all()
