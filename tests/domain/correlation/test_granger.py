"""Granger's test of all pairs beside statsmodels, pair by pair; golden cases G43 and G44."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from app.domain.correlation.granger import compare, prepare
from tests.comovers import make_returns


@pytest.mark.parametrize("lags", [1, 2, 5])
def test_every_pair_is_the_one_of_statsmodels(lags, stattools: ModuleType):
    values = make_returns(np.random.default_rng(1), 700, 5)
    found = compare(prepare(values, lags), values)
    for cause in range(5):
        for effect in range(5):
            if cause == effect:
                assert np.isnan(found.p[cause, effect])
                continue
            peer = stattools.grangercausalitytests(values[:, [effect, cause]], [lags])[lags][0]
            f, p, free, _ = peer["ssr_ftest"]
            assert found.free == free
            assert abs(found.f[cause, effect] - f) <= 1e-10 * f
            assert abs(found.p[cause, effect] - p) <= 1e-10


def test_the_arrow_points_from_the_cause_to_the_effect():  # G43
    generator = np.random.default_rng(0)
    x = generator.standard_normal(600)
    y = np.zeros(600)
    y[1:] = 0.8 * x[:-1] + 0.3 * generator.standard_normal(599)
    found = compare(prepare(np.column_stack([x, y]), 1), np.column_stack([x, y]))
    assert found.p[0, 1] < 1e-200
    assert found.p[1, 0] > 0.01
    assert found.strength[0, 1] > 0.9


def test_levels_find_leads_in_nothing_and_returns_do_not():  # G44
    generator = np.random.default_rng(2)
    steps = generator.standard_normal((500, 600))
    walks = np.cumsum(steps, axis=0)
    false = {}
    for name, values in (("returns", steps), ("levels", walks)):
        found = compare(prepare(values[:, :300], 1), values[:, 300:])
        false[name] = float((np.diagonal(found.p) < 0.05).mean())
    assert false["returns"] < 0.08
    assert false["levels"] > 0.14


def test_what_does_not_move_and_what_repeats_another_cannot_be_tested():
    values = make_returns(np.random.default_rng(3), 300, 3)
    values[:, 1] = 0.01
    values[:, 2] = 2.0 * values[:, 0]
    found = compare(prepare(values, 2), values)
    assert np.isnan(found.p[:, 1]).all()
    assert np.isnan(found.p[1]).all()
    assert np.isnan(found.p[0, 2])
    assert np.isnan(found.robust_p).sum() == 9


def test_the_robust_test_is_whites_score():
    """Beside the same number by plain least squares of one pair."""
    values = make_returns(np.random.default_rng(4), 400, 2)
    found = compare(prepare(values[:, :1], 2), values[:, 1:])
    x, y = values.T
    own = np.column_stack([np.ones(398), y[1:-1], y[:-2]])
    past = np.column_stack([x[1:-1], x[:-2]])
    free = past - own @ np.linalg.lstsq(own, past, rcond=None)[0]
    rest = y[2:] - own @ np.linalg.lstsq(own, y[2:], rcond=None)[0]
    b = free.T @ rest
    spread = (free * (rest**2)[:, None]).T @ free
    assert abs(found.robust[0, 0] - b @ np.linalg.solve(spread, b) / 2) < 1e-9


def test_spells_of_large_moves_fool_f_and_not_the_robust_one():
    false = np.zeros(2)
    for seed in range(6):
        generator = np.random.default_rng(seed)
        spells = np.exp(0.9 * np.repeat(generator.standard_normal(50), 20))[:, None]
        values = spells * generator.standard_normal((1000, 12))
        found = compare(prepare(values, 1), values)
        off = ~np.eye(12, dtype=bool)
        false += [(found.p[off] < 0.01).mean() / 6, (found.robust_p[off] < 0.01).mean() / 6]
    assert false[0] > 0.03
    assert false[1] < 0.015
