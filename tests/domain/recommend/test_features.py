"""Features against the definitions, on seeded prices."""

from __future__ import annotations

import dataclasses

import numpy as np

from app.domain.recommend.features import (
    Feature,
    compute_features,
    compute_volatility,
    market_return,
    past_return,
)
from tests.panels import planted, random_walks


def test_momentum_is_the_return_between_two_closes():
    prices = np.arange(1.0, 301.0)[:, None]
    assert past_return(prices, 5)[9, 0] == 10 / 5 - 1
    twelve = past_return(prices, 252, 21)
    assert twelve[260, 0] == prices[239, 0] / prices[8, 0] - 1
    assert np.isnan(twelve[251, 0])
    assert np.isnan(past_return(prices[:4], 5)).all()


def test_performance_is_against_the_others_or_where_few_against_the_benchmark():
    many, few = random_walks(1, 40, 90), random_walks(1, 5, 90)
    relative = compute_features(many)[Feature.RELATIVE]
    np.testing.assert_allclose(np.nanmean(relative[70]), 0.0, atol=1e-12)
    assert few.benchmark is not None
    index = few.benchmark[70] / few.benchmark[7] - 1
    own = few.total[70] / few.total[7] - 1
    np.testing.assert_allclose(compute_features(few)[Feature.RELATIVE][70], own - index)
    alone = dataclasses.replace(few, benchmark=None)
    np.testing.assert_allclose(compute_features(alone)[Feature.RELATIVE][70], own - own.mean())
    assert market_return(alone, alone.total, None)[3] == alone.total[3].mean()


def test_value_is_the_inverse_of_a_multiple_and_none_of_a_loss():
    panel = planted(1, 40, 60)
    table = panel.fundamentals["trailing_pe"].copy()
    table[50, 0] = -3.0
    changed = dataclasses.replace(panel, fundamentals={"trailing_pe": table})
    found = compute_features(changed)[Feature.EARNINGS_YIELD]
    assert np.isnan(found[50, 0])
    np.testing.assert_allclose(found[50, 1:], 1 / table[50, 1:])


def test_who_did_not_trade_has_no_figures_that_day():
    panel = random_walks(2, 40, 300)
    panel.close[280, 3] = panel.total[280, 3] = np.nan
    found = compute_features(panel)
    assert all(np.isnan(table[280, 3]) for table in found.values())
    assert np.isfinite(found[Feature.MOMENTUM_12_1][281, 3])


def test_volatility_is_the_deviation_of_the_last_returns():
    prices = random_walks(3, 4, 60).close
    returns = prices[1:] / prices[:-1] - 1
    found = compute_volatility(prices)
    np.testing.assert_allclose(found[45], returns[25:45].std(axis=0, ddof=1))
    assert np.isnan(found[19]).all()
    assert np.isnan(compute_volatility(prices[:10])).all()
