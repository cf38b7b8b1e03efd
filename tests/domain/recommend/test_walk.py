"""The walk forward: no look-ahead, a planted edge, noise, few instruments, copies."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.domain.recommend.actions import Action
from app.domain.recommend.costs import round_trip_costs
from app.domain.recommend.engine import RuleEngine
from app.domain.recommend.evidence import Evidence
from app.domain.recommend.panel import Panel
from app.domain.recommend.statistics import brier_skill, calibration_error, reliability
from app.domain.recommend.walk import Walk, compared_with, recommend, stand, walk_forward
from tests.panels import clones, planted, random_walks


def walk_of(panel: Panel) -> Walk:
    return walk_forward(panel, RuleEngine(), round_trip_costs(panel.days, "USD"))


@pytest.fixture(scope="module")
def edge() -> Walk:
    return walk_of(planted(7, 80, 1_200, strength=0.06))


def test_no_cut_of_the_history_changes_a_recommendation_before_it(edge):
    random = np.random.default_rng(11)
    panels = [planted(7, 40, 420), random_walks(8, 6, 420)]
    for panel in panels:
        panel.close[200:230, 1] = panel.total[200:230, 1] = np.nan  # a halt
        panel.close[300:, 2] = panel.total[300:, 2] = np.nan  # a delisting
        whole = walk_of(panel)
        for cut in random.integers(30, 420, 30):
            short = walk_of(panel.until(int(cut)))
            for day in {int(cut) - 1, int(random.integers(0, cut))}:
                assert recommend(short, day) == recommend(whole, day)
                assert stand(short, day) == stand(whole, day)
    assert recommend(whole, 419)


def test_a_planted_edge_is_found_calibrated_and_proven(edge):
    p, beat = edge.calibration.probability, edge.outcomes.beat
    known = np.isfinite(p) & np.isfinite(beat)
    base = np.broadcast_to(edge.calibration.base[:, None], p.shape)[known]
    assert brier_skill(p[known], base, beat[known]) > 0.002
    assert calibration_error(reliability(p[known], beat[known])) < 0.03
    assert stand(edge, 1_199).evidence is Evidence.PROVEN
    assert stand(edge, 400).evidence is Evidence.NONE


def test_random_walks_prove_nothing():
    found = [stand(walk_of(random_walks(seed, 40, 600)), 599).evidence for seed in range(5)]
    assert Evidence.PROVEN not in found


def test_a_day_s_recommendations_are_those_of_the_rule_best_first(edge):
    found = recommend(edge, 1_199)
    ranks = [one.rank for one in found]
    assert ranks == sorted(ranks, reverse=True)
    assert len(found) == 80
    actions = [one.action for one in found]
    counts = [actions.count(action) for action in Action]
    np.testing.assert_allclose(counts, [16, 32, 16, 16], atol=1)  # two may share a place
    best = found[0]
    assert best.probability is not None
    assert best.probability > edge.calibration.base[1_199] > (found[-1].probability or 1)
    assert best.low is not None
    assert best.high is not None
    assert best.low < 0 < best.high
    assert best.value is not None
    assert best.reasons[0].push > 0
    assert compared_with(edge, 1_199) is None


def test_few_instruments_are_compared_with_the_benchmark_and_it_is_said():
    walk = walk_of(random_walks(2, 5, 600))
    assert compared_with(walk, 599) == "MARKET"
    assert len(recommend(walk, 599)) == 5
    alone = dataclasses.replace(walk.panel, benchmark=None)
    assert compared_with(walk_of(alone), 599) is None


def test_nothing_is_recommended_before_a_base_rate_is_known():
    assert recommend(walk_of(random_walks(2, 40, 70)), 69) == []
    early = recommend(walk_of(random_walks(2, 40, 200)), 199)
    assert early
    assert all(one.probability is None and one.low is None for one in early)


def test_copies_of_a_stock_share_their_probability():
    source = random_walks(3, 1, 600)
    one, many = walk_of(source), walk_of(clones(source, 0, 20))
    assert [r.rank for r in recommend(many, 599)] == [recommend(one, 599)[0].rank] * 20
