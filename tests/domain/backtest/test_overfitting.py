"""PSR, DSR and PBO: golden case G51, the formulas, and sweeps of nothing but noise."""

from __future__ import annotations

from itertools import combinations
from math import sqrt
from types import ModuleType

import numpy as np
import pytest

from app.domain.backtest.overfitting import (
    assess,
    compute_pbo,
    expected_best,
    probabilistic_sharpe,
    psr_of,
)
from app.errors import BadInput


@pytest.mark.parametrize(
    ("trials", "expected"), [(1, 0.984), (10, 0.747), (50, 0.503), (200, 0.327)]
)
def test_g51_what_is_left_when_trials_are_counted(trials: int, expected: float) -> None:
    n, ratio = 287, 0.47 / sqrt(12)
    got = psr_of(ratio, n, benchmark=expected_best(trials, 1 / n))
    assert got == pytest.approx(expected, abs=0.02)


def test_psr_is_the_formula_with_the_moments_of_scipy(stats: ModuleType) -> None:
    returns = np.random.default_rng(1).standard_t(4, 300) * 0.01 + 0.001
    ratio = returns.mean() / returns.std(ddof=1)
    skewness, kurtosis = stats.skew(returns), stats.kurtosis(returns, fisher=False)
    z = ratio * sqrt(299) / sqrt(1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2)
    assert probabilistic_sharpe(returns) == pytest.approx(stats.norm.cdf(z), rel=1e-9)


def test_no_number_where_nothing_varies() -> None:
    assert probabilistic_sharpe(np.zeros(50)) is None
    assert probabilistic_sharpe(np.array([0.1, 0.2])) is None
    assert assess(np.zeros(50), 3).dsr is None


def test_more_trials_leave_less() -> None:
    returns = np.random.default_rng(2).normal(0.0007, 0.01, 1_000)
    left = [assess(returns, trials).dsr or 0.0 for trials in (1, 10, 1_000)]
    assert left == sorted(left, reverse=True)
    assert assess(returns, 1).dsr == assess(returns, 1).psr
    with pytest.raises(BadInput, match="one at least"):
        assess(returns, 0)


def sums_of(returns: np.ndarray, blocks: int) -> np.ndarray:
    parts = returns.reshape(len(returns), blocks, -1)
    return np.stack([parts.sum(axis=2), (parts**2).sum(axis=2)], axis=2)


def test_pbo_of_noise_is_a_half_and_of_one_good_cell_nothing() -> None:
    noise = np.random.default_rng(3).normal(0, 0.01, (200, 1_000))
    many = [compute_pbo(sums_of(noise[i::4], 10)) or 0.0 for i in range(4)]
    assert np.mean(many) == pytest.approx(0.5, abs=0.15)
    noise[7] += 0.005
    assert compute_pbo(sums_of(noise, 10)) == 0.0


def test_pbo_is_what_counting_gives(stats: ModuleType) -> None:
    returns = np.random.default_rng(4).normal(0.0003, 0.01, (6, 240))
    parts, worse = returns.reshape(6, 4, 60), 0
    for half in combinations(range(4), 2):
        rest = [b for b in range(4) if b not in half]

        def ratio(blocks: tuple[int, ...] | list[int]) -> np.ndarray:
            chosen = parts[:, list(blocks)].reshape(6, -1)
            return chosen.mean(axis=1) / np.sqrt((chosen**2).mean(axis=1))

        best = int(ratio(half).argmax())
        place = stats.rankdata(ratio(rest))[best] / 7
        worse += place <= 0.5
    assert compute_pbo(sums_of(returns, 4)) == pytest.approx(worse / 6)


@pytest.mark.parametrize("blocks", [2, 5, 18])
def test_blocks_are_even_and_few(blocks: int) -> None:
    with pytest.raises(BadInput, match=f"{blocks} blocks"):
        compute_pbo(np.ones((3, blocks, 2)))


def test_one_cell_has_no_pbo() -> None:
    assert compute_pbo(np.ones((1, 4, 2))) is None
