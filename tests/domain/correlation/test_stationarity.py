"""The Dickey-Fuller test beside statsmodels; returns pass it and prices do not."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from app.domain.correlation.stationarity import dickey_fuller, is_stationary
from tests.comovers import make_returns


@pytest.mark.parametrize("lags", [0, 1, 4])
def test_the_statistic_and_the_critical_value_are_those_of_statsmodels(lags, stattools: ModuleType):
    returns = make_returns(np.random.default_rng(1), 300, 1)[:, 0]
    for series in (returns, np.cumsum(returns)):
        peer = stattools.adfuller(series, maxlag=lags, autolag=None, result_object=False)
        assert abs(dickey_fuller(series, lags) - peer[0]) < 1e-9
        assert is_stationary(series, lags) is bool(peer[0] < peer[4]["1%"])


def test_returns_come_back_and_prices_wander():
    values = make_returns(np.random.default_rng(2), 500, 30)
    assert all(is_stationary(column) for column in values.T)
    assert sum(is_stationary(column) for column in np.cumsum(values, axis=0).T) <= 2


def test_what_does_not_move_is_not_stationary():
    assert np.isnan(dickey_fuller(np.ones(100)))
    assert not is_stationary(np.ones(100))
