"""Outcomes: the window they run over, delistings, the market."""

from __future__ import annotations

import dataclasses

import numpy as np

from app.domain.recommend.outcomes import CLOSES_AFTER, compute_outcomes
from tests.panels import random_walks


def test_an_outcome_runs_from_the_next_close_to_that_twenty_sessions_later():
    panel = random_walks(1, 40, 80)
    found = compute_outcomes(panel)
    own = panel.total[31] / panel.total[11] - 1
    np.testing.assert_allclose(found.returns[10], own)
    np.testing.assert_allclose(found.excess[10], own - own.mean())
    np.testing.assert_allclose(found.move[10], panel.close[31] / panel.close[10] - 1)
    np.testing.assert_array_equal(found.beat[10], own > own.mean())
    assert np.isnan(found.returns[80 - CLOSES_AFTER :]).all()


def test_what_was_delisted_is_sold_at_its_last_close_and_stays_in_the_record():
    panel = random_walks(1, 40, 80)
    for table in (panel.close, panel.total):
        table[20:, 0] = np.nan
    found = compute_outcomes(panel)
    assert found.returns[10, 0] == panel.total[19, 0] / panel.total[11, 0] - 1
    assert np.isfinite(found.beat[19, 0])
    assert np.isnan(found.beat[20, 0])


def test_few_are_measured_against_the_benchmark():
    panel = random_walks(1, 5, 80)
    assert panel.benchmark is not None
    found = compute_outcomes(panel)
    assert found.market[10] == panel.benchmark[31] / panel.benchmark[11] - 1
    alone = compute_outcomes(dataclasses.replace(panel, benchmark=None))
    assert alone.market[10] == alone.returns[10].mean()
