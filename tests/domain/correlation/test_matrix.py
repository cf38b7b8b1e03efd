"""Coefficients beside numpy and scipy, and where there is none."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from app.domain.correlation.matrix import (
    CorrelationMethod,
    correlate,
    rank,
    rolling_correlation,
)
from app.errors import BadInput
from tests.comovers import make_returns


@pytest.fixture
def values():
    return 1e-3 * make_returns(np.random.default_rng(1), 400, 8) + 7e-4


def test_pearson_is_numpys(values):
    found = correlate(values)
    np.testing.assert_allclose(found, np.corrcoef(values.T), rtol=0, atol=1e-14)
    assert (found == found.T).all()
    assert (np.diagonal(found) == 1.0).all()


def test_spearman_is_scipys_equal_values_too(values, stats: ModuleType):
    rounded = np.round(values, 3)
    found = correlate(rounded, CorrelationMethod.SPEARMAN)
    np.testing.assert_allclose(found, stats.spearmanr(rounded).statistic, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(rank(rounded), stats.rankdata(rounded, axis=0))


def test_what_does_not_move_has_no_coefficient(values):
    values[:, 2] = 0.1
    found = correlate(values)
    assert np.isnan(found[2]).all()
    assert np.isnan(found[:, 2]).all()
    assert not np.isnan(np.delete(np.delete(found, 2, 0), 2, 1)).any()


def test_levels_of_nothing_seem_to_move_together_and_returns_do_not():
    steps = np.random.default_rng(3).standard_normal((500, 120))
    of = {"returns": correlate(steps), "levels": correlate(np.cumsum(steps, axis=0))}
    upper = np.triu_indices(120, 1)
    large = {name: (np.abs(found[upper]) > 0.5).mean() for name, found in of.items()}
    assert large["returns"] == 0.0
    assert large["levels"] > 0.3


def test_rolling_is_each_window_by_itself(values):
    one, two = values[:, 0], values[:, 1]
    found = rolling_correlation(one, two, 60)
    assert np.isnan(found[:59]).all()
    for row in (59, 60, 200, 399):
        part = slice(row - 59, row + 1)
        assert abs(found[row] - np.corrcoef(one[part], two[part])[0, 1]) < 1e-13


@pytest.mark.parametrize("window", [-1, 0, 2, 401])
def test_a_window_that_cannot_be_is_refused(values, window):
    with pytest.raises(BadInput, match=f"{window} rows is not between 3 and 400"):
        rolling_correlation(values[:, 0], values[:, 1], window)
