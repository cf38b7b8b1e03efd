"""Correlation and lead-lag: how long they take beside statsmodels, and what they find in nothing.

`python -m benchmarks.lead_lag` prints each figure with its goal and ends with 1 when one is missed:
a matrix of 500 instruments over ten years, all ordered pairs of 379 beside statsmodels pair by pair
(a sample of pairs, in the same run), 20 panels without any lead and 20 with five planted ones
(r = .15 a day later, heavy tails, a common factor).
"""

from __future__ import annotations

import sys
import time

import numpy as np
from rich.console import Console
from rich.table import Table
from statsmodels.tsa.stattools import grangercausalitytests

from app.domain.correlation.granger import compare, prepare
from app.domain.correlation.lead_lag import find_lead_lags
from app.domain.correlation.matrix import CorrelationMethod, correlate
from tests.comovers import make_panel, make_returns, plant

DAYS = 2520
ARROWS = [(0, 5), (1, 6), (2, 7), (3, 8), (4, 9)]
SAMPLE = 60


def measure_matrix(method: CorrelationMethod) -> float:
    """Seconds of the best of three for 500 instruments."""
    values = make_returns(np.random.default_rng(0), DAYS, 500)
    best = float("inf")
    for _ in range(3):
        begin = time.perf_counter()
        correlate(values, method)
        best = min(best, time.perf_counter() - begin)
    return best


def measure_granger() -> tuple[float, float, float]:
    """Our microseconds for a pair, how many times statsmodels takes that, the largest |Δp|."""
    values = make_returns(np.random.default_rng(1), DAYS, 379)
    compare(prepare(values[:, :50], 2), values[:, :50])
    begin = time.perf_counter()
    found = compare(prepare(values, 2), values)
    ours = (time.perf_counter() - begin) / (379 * 378)
    generator = np.random.default_rng(2)
    apart, begin = 0.0, time.perf_counter()
    for cause, effect in generator.choice(379, (SAMPLE, 2), replace=True):
        if cause == effect:
            continue
        peer = grangercausalitytests(values[:, [effect, cause]], [2])[2][0]["ssr_ftest"]
        apart = max(apart, abs(found.p[cause, effect] - peer[1]))
    theirs = (time.perf_counter() - begin) / SAMPLE
    return ours * 1e6, theirs / ours, apart


def count_false() -> int:
    """Panels of twenty in which something is found where there is nothing."""
    panels = (make_panel(make_returns(np.random.default_rng(s), DAYS, 20)) for s in range(20))
    results = (find_lead_lags([panel], seed=seed) for seed, panel in enumerate(panels))
    return sum(any(pair.found for pair in result.pairs) for result in results)


def measure_power() -> tuple[float, int]:
    """The share of planted arrows that is found, and how many were found the wrong way round."""
    hits = turned = 0
    for seed in range(20):
        values = plant(make_returns(np.random.default_rng(100 + seed), DAYS, 20), ARROWS, 0.15)
        result = find_lead_lags([make_panel(values)], seed=seed)
        found = {(int(p.cause[1:]), int(p.effect[1:])) for p in result.pairs if p.found}
        hits += len(found & set(ARROWS))
        turned += len(found & {(effect, cause) for cause, effect in ARROWS})
    return hits / (20 * len(ARROWS)), turned


def main() -> None:
    """Prints the table; ends with 1 when a goal is missed."""
    pearson, spearman = (measure_matrix(method) for method in CorrelationMethod)
    ours, ratio, apart = measure_granger()
    false = count_false()
    power, turned = measure_power()
    rows = [
        ("Pearson, 500 by 500, ten years, seconds", f"{pearson:.3f}", "< 1", pearson < 1),
        ("Spearman, the same", f"{spearman:.3f}", "< 1", spearman < 1),
        ("Granger, microseconds a pair", f"{ours:.1f}", "", True),
        ("times statsmodels pair by pair", f"{ratio:.0f}", "≥ 300", ratio >= 300),
        ("largest difference of p", f"{apart:.1e}", "≤ 1e-10", apart <= 1e-10),
        ("panels of 20 with a find in nothing", f"{false}", "≤ 2", false <= 2),
        ("planted arrows found", f"{power:.0%}", "≥ 80 %", power >= 0.8),
        ("found the wrong way round", f"{turned}", "0", turned == 0),
    ]
    table = Table("figure", "value", "goal", "")
    for name, value, goal, met in rows:
        table.add_row(name, value, goal, ("met" if met else "missed") if goal else "")
    Console(width=100).print(table)
    sys.exit(not all(met for *_, met in rows))


if __name__ == "__main__":
    main()
