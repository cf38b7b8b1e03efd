"""Each support that evidence stands on."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.domain.recommend.evidence import Daily, Evidence, correlate, judge

DAYS = 700


def record(**changed: object) -> Daily:
    """A record that is proven: each test takes one support away."""
    random = np.random.default_rng(1)
    good = Daily(
        few=np.zeros(DAYS, dtype=bool),
        ic=random.normal(0.05, 0.1, DAYS),
        hurdles={
            "MOMENTUM_12_1": random.normal(0.0, 0.01, DAYS),
            "VOLATILITY": random.normal(-0.01, 0.01, DAYS),
        },
        brier=np.full(DAYS, 0.24),
        brier_base=np.full(DAYS, 0.25),
        bought=random.normal(0.02, 0.01, DAYS),
        net=random.normal(0.015, 0.01, DAYS),
    )
    return dataclasses.replace(good, **changed)


@pytest.mark.parametrize(
    ("changed", "evidence"),
    [
        ({}, Evidence.PROVEN),
        ({"hurdles": {"MOMENTUM_12_1": np.full(DAYS, 0.06)}}, Evidence.WEAK),
        ({"hurdles": {"VOLATILITY": np.full(DAYS, -0.06)}}, Evidence.WEAK),
        ({"hurdles": {"MOMENTUM_12_1": np.full(DAYS, -0.06)}}, Evidence.PROVEN),
        ({"bought": np.random.default_rng(2).normal(0.0, 0.01, DAYS)}, Evidence.WEAK),
        ({"net": np.full(DAYS, -0.001)}, Evidence.WEAK),
        ({"brier": np.full(DAYS, 0.251)}, Evidence.NONE),
        ({"ic": np.random.default_rng(2).normal(0.0, 0.1, DAYS)}, Evidence.NONE),
        ({"ic": np.random.default_rng(2).normal(-0.05, 0.1, DAYS)}, Evidence.NONE),
    ],
)
def test_each_support_of_the_evidence_counts(changed, evidence):
    assert judge(record(**changed), DAYS - 1, 6).evidence is evidence


def test_fewer_than_twelve_windows_are_not_enough():
    early = judge(record(), 240 + 19, 6)
    assert (early.evidence, early.windows, early.ic) == (Evidence.NONE, 11, None)
    assert judge(record(), 240 + 20, 6).windows == 12
    assert judge(record(), 5, 6).windows == 0


def test_what_is_not_closed_is_not_known():
    later = record()
    for table in (later.ic, later.brier, later.bought, later.net):
        table[600 - 20 :] = np.nan
    assert judge(record(), 600, 6) == judge(later, 600, 6)


def test_many_trials_take_the_proof_away():
    bought = np.random.default_rng(8).normal(0.002, 0.01, DAYS)
    found = [judge(record(bought=bought), DAYS - 1, trials).dsr or 0.0 for trials in (1, 6, 200)]
    assert found[0] > found[1] > found[2]


def overlapping(seed: int, edge: float, days: int = 1_260) -> np.ndarray:
    """Excesses of 20 sessions by day: what they share, and what each day's choice has of its own."""
    random = np.random.default_rng(seed)
    sums = np.convolve(random.normal(0.0, 0.005, days + 19), np.ones(20), "valid")
    return edge + sums + random.normal(0.0, 0.02, days)


def dsr_of(bought: np.ndarray, trials: int) -> float:
    ic = np.random.default_rng(1).normal(0.05, 0.1, len(bought))
    ones = np.ones(len(bought))
    few = np.zeros(len(bought), dtype=bool)
    daily = Daily(few, ic, {}, 0.24 * ones, 0.25 * ones, bought, bought)
    return judge(daily, len(bought) - 1, trials).dsr or 0.0


def test_the_day_on_which_windows_begin_decides_nothing():
    bought = overlapping(5, 0.006, 1_300)
    found = [dsr_of(bought[: 1_280 + n], 6) for n in range(20)]
    assert max(found) - min(found) < 0.05
    assert min(found) > 0.9


def test_purchases_without_an_edge_are_seldom_proven_however_they_overlap():
    found = np.array([[dsr_of(overlapping(seed, 0.0), n) for n in (1, 6)] for seed in range(200)])
    one, six = (found >= 0.95).mean(axis=0)
    assert one <= 0.1  # one in twenty by its name
    assert six <= 0.02


def test_days_of_few_instruments_do_not_speak_for_the_others():
    few = np.zeros(DAYS, dtype=bool)
    few[300:] = True
    assert judge(record(few=few), DAYS - 1, 6).windows == (DAYS - 21 - 300) // 20


def test_the_ic_of_places_is_the_rank_correlation():
    random = np.random.default_rng(3)
    x, y = random.permutation(21) - 10.0, random.permutation(21) - 10.0
    found = correlate(np.array([x]), np.array([y]))[0]
    assert abs(found - np.corrcoef(x, y)[0, 1]) < 1e-12
    assert np.isnan(correlate(np.zeros((1, 3)), np.ones((1, 3)))[0])
