"""The plain rules, against a count of what is better, one instrument after the other."""

from __future__ import annotations

import numpy as np
import pytest

from app.domain.recommend.baselines import Baseline, choose_plainly
from app.domain.recommend.features import Feature


def best_fifth(row: list[float]) -> list[bool]:
    """By counting: a place is the number of those below, half of the equals, and half of itself."""
    known = [value for value in row if value == value]  # noqa: PLR0124 - NaN is not itself
    chosen = []
    for value in row:
        below = sum(other < value for other in known)
        equal = sum(other == value for other in known)
        chosen.append(equal > 0 and (below + equal / 2) / len(known) >= 0.8)
    return chosen


@pytest.mark.parametrize("instruments", [1, 4, 7, 60])
def test_the_best_fifth_and_the_buying_signals_of_what_was_issued(instruments):
    random = np.random.default_rng(instruments)
    shape = (40, instruments)
    issued = random.random(shape) < 0.8
    returns = np.round(random.normal(size=shape), 1)  # rounded: some are equal
    returns[random.random(shape) < 0.1] = np.nan
    votes = random.integers(-2, 3, shape).astype(float)
    values = {Feature.SIGNAL: votes, Feature.MOMENTUM_5: returns, Feature.MOMENTUM_12_1: -returns}
    chosen = choose_plainly(values, issued)
    assert set(chosen) == set(Baseline)
    assert (chosen[Baseline.SIGNAL] == (issued & (votes >= 1))).all()
    for baseline, table in ((Baseline.MOMENTUM_5, returns), (Baseline.MOMENTUM_12_1, -returns)):
        rows = np.where(issued, table, np.nan).tolist()
        assert chosen[baseline].tolist() == [best_fifth(row) for row in rows]
    assert instruments == 1 or chosen[Baseline.MOMENTUM_5].any()
