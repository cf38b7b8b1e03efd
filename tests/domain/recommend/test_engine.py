"""The rule: its views, its parts, many and few instruments."""

from __future__ import annotations

import dataclasses

import numpy as np

from app.domain.recommend.engine import RuleEngine, View
from app.domain.recommend.features import TECHNICAL, VALUE, Feature
from tests.panels import planted, random_walks


def test_the_parts_of_a_score_add_up_to_the_mean_of_its_views():
    scores = RuleEngine().score(planted(1, 40, 300))
    views = [scores.views[View.TECHNICAL], scores.views[View.VALUE]]
    whole = sum(np.nan_to_num(part) for part in scores.parts.values())
    known = np.isfinite(scores.place)
    assert known[260:].all()
    np.testing.assert_allclose(whole[known], (views[0] + views[1])[known] / 2, atol=1e-9)


def test_without_fundamentals_the_technical_view_stands_alone():
    scores = RuleEngine().score(random_walks(1, 40, 300))
    assert np.isnan(scores.views[View.VALUE]).all()
    whole = sum(np.nan_to_num(scores.parts[f]) for f in TECHNICAL)
    known = np.isfinite(scores.place)
    np.testing.assert_allclose(whole[known], scores.views[View.TECHNICAL][known], atol=1e-9)
    assert not set(VALUE) & set(scores.parts)


def test_places_of_many_are_spread_evenly_and_those_of_few_are_the_score_itself():
    many = RuleEngine().score(random_walks(1, 40, 300)).place[299]
    np.testing.assert_allclose(np.sort(many), (2 * np.arange(40) + 1) / 40 - 1, atol=0.03)
    few = RuleEngine().score(random_walks(1, 5, 300))
    np.testing.assert_array_equal(few.place, few.views[View.TECHNICAL])
    assert np.nanmax(np.abs(few.place)) <= 1


def test_a_single_stock_is_judged_by_its_lead_over_the_benchmark():
    panel = random_walks(4, 1, 300)
    risen = panel.close * np.exp(0.01 * np.arange(300))[:, None]
    leader = dataclasses.replace(panel, close=risen, total=risen)
    parts = RuleEngine().score(leader).parts
    assert parts[Feature.MOMENTUM_12_1][299, 0] > 0.2
    assert parts[Feature.RELATIVE][299, 0] > 0.2


def test_a_stock_without_a_move_has_no_score_instead_of_a_broken_one():
    panel = random_walks(5, 5, 300)
    flat = panel.close.copy()
    flat[:, 2] = 50.0
    place = RuleEngine().score(dataclasses.replace(panel, close=flat, total=flat)).place
    assert np.isnan(place[299, 2])
    assert np.isfinite(np.delete(place[299], 2)).all()
