"""Every cell of a sweep is the run of its values; grids that cannot be are refused."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from app.domain.backtest.engine import run
from app.domain.backtest.grid import EXITS, Grid
from app.domain.backtest.setup import Exits, Setup
from app.domain.backtest.strategies import STRATEGIES, FusedSignal, SmaCross
from app.domain.backtest.strategy import LineStrategy, Value
from app.domain.backtest.sweeping import is_warm, sweep, warm_up
from app.domain.backtest.tape import Tape, prepare
from app.domain.kernels import sweeping as kernel
from app.errors import BadInput
from tests.domain.oracle_bars import sample

SETUP = Setup(cash=Decimal(100_000), slippage=0.0005)
IBM = prepare(sample().filter(pl.col("symbol") == "IBM")[-700:])
GRIDS: dict[str, Grid] = {
    "sma_cross": {"fast": [3, 10], "slow": [10, 40], "stop": [0.03, 0.1], "short": [False, True]},
    "ema_cross": {"fast": [5], "slow": [20, 60]},
    "rsi_reversion": {"window": [2, 14], "buy_below": [20.0, 35.0], "target": [0.02, 0.5]},
    "macd": {"fast": [6, 12], "slow": [12, 26], "signal": [4, 9]},
    "bollinger_breakout": {"window": [10, 20], "width": [0.5, 2.0], "trailing": [0.05]},
    "bollinger_reversion": {"width": [1.0, 2.0], "window": [20]},
    "stochastic": {"smoothing": [1, 3], "sell_above": [60.0, 80.0]},
}


def assert_cells_are_runs(tape: Tape, key: str, grid: Grid, setup: Setup) -> None:
    found = sweep(tape, STRATEGIES[key], grid, setup, blocks=4)
    assert found.summary.shape[0] == len(found.places) > 0
    for cell, row in enumerate(found.frame.rows(named=True)):
        values = found.values(cell)
        own: dict[str, Value] = {n: v for n, v in values.items() if n not in EXITS}
        exits: Any = {n: v for n, v in values.items() if n in EXITS}
        got = run(tape, STRATEGIES[key], own, replace(setup, exits=Exits(**exits)))
        assert row["final_equity"] == got.final_equity
        assert row["round_trips"] == len(got.trip_rows)
        assert row["costs"] == pytest.approx(got.fees + got.taxes)
        assert row["max_drawdown"] == pytest.approx(
            got.performance.max_drawdown, rel=1e-9, abs=1e-12
        )
        assert row["exposure"] == got.exposure
        wanted = got.performance.sharpe_ratio
        assert row["sharpe_ratio"] == (None if wanted is None else pytest.approx(wanted, rel=1e-9))
        assert found.sums[cell, :, 0].sum() == pytest.approx(got.returns.sum(), abs=1e-12)


@pytest.mark.parametrize("key", GRIDS)
def test_every_cell_is_the_run_of_its_values(key: str) -> None:
    assert_cells_are_runs(IBM, key, GRIDS[key], SETUP)


def test_all_strategies_of_lines_are_swept_here() -> None:
    assert set(GRIDS) == {k for k, s in STRATEGIES.items() if isinstance(s, LineStrategy)}


def test_what_is_not_made_of_lines_runs_cell_by_cell() -> None:
    assert_cells_are_runs(
        IBM, "fused_signal", {"strong_only": [False, True], "stop": [0.05]}, SETUP
    )
    both = prepare(sample().filter(pl.col("symbol").is_in(["IBM", "MSFT"]))[-900:])
    assert_cells_are_runs(both, "momentum", {"window": [40, 80], "top": [1, 2]}, SETUP)


def test_values_that_do_not_go_together_are_left_out() -> None:
    found = sweep(IBM, SmaCross(), {"fast": [5, 20, 50], "slow": [20, 50]}, SETUP)
    pairs = found.frame.select("fast", "slow").rows()
    assert pairs == [(5, 20), (5, 50), (20, 50)]
    assert found.left_out == 3


def test_parts_make_the_whole() -> None:
    grid = {"fast": [5, 10, 20], "slow": [30, 60]}
    whole = sweep(IBM, SmaCross(), grid, SETUP).frame
    parts = [sweep(IBM, SmaCross(), grid, SETUP, part=part).frame for part in ((0, 4), (4, 6))]
    assert pl.concat(parts).equals(whole)


def test_the_best_cell_and_those_around_it() -> None:
    found = sweep(IBM, SmaCross(), {"fast": [5, 10, 15, 20], "slow": [30, 60, 90]}, SETUP)
    best = found.best("final_equity")
    assert found.frame["final_equity"][best] == found.frame["final_equity"].max()
    around = found.neighbours(4)  # 10, 60
    assert sorted(around.select("fast", "slow").rows()) == [
        (f, s) for f in (5, 10, 15) for s in (30, 60, 90) if (f, s) != (10, 60)
    ]


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ({"fats": [1]}, "no parameter fats"),
        ({"fast": []}, "axis fast has no values"),
        ({"fast": [0]}, "fast is 0"),
        ({"stop": [1.5]}, "stop is 1.5"),
        ({"fast": range(1, 1001), "slow": range(1, 1001), "short": [True] * 11}, "11000000 cells"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(grid: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        sweep(IBM, SmaCross(), grid, SETUP)


def test_the_best_of_nothing_is_an_error() -> None:
    found = sweep(IBM, SmaCross(), {"fast": [900], "slow": [999]}, SETUP)
    with pytest.raises(BadInput, match="nothing was traded"):
        found.best()
    with pytest.raises(BadInput, match="metric is beauty"):
        found.best("beauty")


def test_a_fused_signal_has_no_lines() -> None:
    assert not isinstance(FusedSignal(), LineStrategy)
    assert np.isfinite(sweep(IBM, FusedSignal(), {}, SETUP).summary[0, 0])


def test_loops_are_on_disk_once_they_were_warmed_up(monkeypatch):
    warm_up()
    assert is_warm()
    monkeypatch.setattr(kernel.run_cells._cache._cache_file, "_source_stamp", (0.0, 0))
    assert not is_warm()
