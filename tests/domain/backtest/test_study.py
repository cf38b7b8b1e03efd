"""A study: the parts of a sweep make the whole, the best cell is run again, and all of it is told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from app.domain.backtest.engine import run
from app.domain.backtest.grid import Plan
from app.domain.backtest.request import Mode, Request, check_choice
from app.domain.backtest.setup import Exits, Fill, Setup, Size, Sizing
from app.domain.backtest.strategies import STRATEGIES
from app.domain.backtest.study import certify_study, conclude, join_cells, run_cells
from app.domain.backtest.sweeping import sweep
from app.domain.backtest.tape import Tape, prepare
from app.domain.trading.costs import PROFILES
from app.errors import BadInput
from tests.backtests import wave
from tests.domain.oracle_bars import walk
from tests.factories import weekdays

CROSS = STRATEGIES["sma_cross"]
AXES = {"fast": (2, 3, 4, 5), "slow": (4, 8, 12)}


def make_tape(*symbols: str) -> Tape:
    frames = []
    for number, symbol in enumerate(symbols or ("AAPL",)):
        close = pl.Series("close", wave(phase=number))
        opened = close.shift(1).fill_null(close[0])
        columns = {
            "high": pl.Series([max(p) for p in zip(opened, close, strict=True)]) + 1,
            "low": pl.Series([min(p) for p in zip(opened, close, strict=True)]) - 1,
        }
        frames.append(pl.DataFrame({"symbol": symbol, "day": weekdays(date(2020, 1, 6), len(close)),
                                    "open": opened, "close": close, "volume": 1e7} | columns))  # fmt: skip
    return prepare(pl.concat(frames))


def request(**more: Any) -> Request:
    days = {"first_day": date(2020, 1, 6), "last_day": date(2021, 1, 1)}
    return Request("sma_cross", ("AAPL",), **days, setup=Setup(cash=Decimal(100_000)), **more)


def ignore(_share: float) -> None:
    pass


def test_a_request_is_the_same_after_it_was_stored():
    setup = Setup(Decimal("12.5"), Fill.SAME_CLOSE, PROFILES["branch"], 0.001,
                  Sizing(Size.VOLATILITY, 0.2, 30, 2), Exits(0.1, None, 0.2), shorts=True)  # fmt: skip
    for one in (
        Request("x", ("A", "B"), date(2020, 1, 1), date(2021, 1, 1), {"n": 3, "f": True}, setup),
        request(axes={"fast": (1, 2), "stop": (0.1, 0.2)}, benchmark="^GSPC"),
        request(axes=AXES, plan=Plan(50, 20, 0, anchored=True)),
    ):
        assert Request.load(json.loads(json.dumps(one.dump()))) == one
    assert request().mode is Mode.RUN
    assert request(axes=AXES).mode is Mode.SWEEP
    assert request(plan=Plan()).mode is Mode.WALK_FORWARD


@pytest.mark.parametrize(
    ("values", "axes", "field"),
    [
        ({"fast": 9, "slow": 3}, {}, "fast"),
        ({"fast": 0}, {}, "fast"),
        ({"none": 1}, {}, "none"),
        ({"fast": 3}, {"fast": (2, 3)}, "fast"),
        ({"none": 3}, {"fast": (2, 3)}, "none"),
        ({}, {"none": (2, 3)}, "none"),
        ({}, {"stop": (2.0,)}, "stop"),
        ({}, {"fast": ()}, "fast"),
    ],
)
def test_what_a_strategy_cannot_take_is_refused_by_its_field(values, axes, field):
    with pytest.raises(BadInput) as refused:
        check_choice(CROSS, values, axes)
    assert refused.value.field == field


def test_parts_of_a_sweep_are_the_whole_wherever_it_is_cut():
    tape, wanted = make_tape(), request(axes=AXES, values={"short": False})
    whole = sweep(tape, CROSS, wanted.grid, wanted.setup, blocks=10)
    for cuts in ((0, 12), (0, 5, 12), (0, 1, 2, 11, 12)):
        spans = pairwise(cuts)
        cells = join_cells([run_cells(tape, CROSS, wanted, span, ignore) for span in spans])
        assert_frame_equal(cells.frame, whole.frame)
        assert (cells.sums == whole.sums).all()


def test_the_best_cell_is_run_and_stands_beside_its_neighbours():
    tape, wanted = make_tape(), request(axes=AXES)
    cells = run_cells(tape, CROSS, wanted, (0, wanted.cells), ignore)
    study = conclude(tape, CROSS, wanted, cells=cells, tried=30, watch=ignore)
    told = study.report
    best = max(cells.frame.rows(named=True), key=lambda row: row["sharpe_ratio"] or -9)
    assert (best["fast"], best["slow"]) == (told["values"]["fast"], told["values"]["slow"])
    again = run(tape, CROSS, {"fast": best["fast"], "slow": best["slow"]}, wanted.setup)
    assert told["figures"]["final_equity"] == again.final_equity
    assert told["sweep"]["cells"] + told["sweep"]["left_out"] == wanted.cells
    assert told["overfitting"]["trials"] == 30 + cells.frame.height
    near = pl.DataFrame(told["sweep"]["neighbours"])
    assert 0 < near.height <= 8
    assert not near.filter(fast=best["fast"], slow=best["slow"]).height
    assert told["overfitting"]["dsr"] < told["overfitting"]["psr"]
    json.dumps(told, allow_nan=False)


def test_dsr_and_pbo_are_those_of_the_cells_run_one_by_one(stats):
    tape, wanted = make_tape(), request(axes=AXES)
    cells = run_cells(tape, CROSS, wanted, (0, wanted.cells), ignore)
    told = conclude(tape, CROSS, wanted, cells=cells, tried=30, watch=ignore).report["overfitting"]
    runs = [{name: row[name] for name in AXES} for row in cells.frame.rows(named=True)]
    returns = np.stack([run(tape, CROSS, values, wanted.setup).returns for values in runs])
    ratios = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    best, trials = returns[ratios.argmax()], 30 + len(runs)
    chance = np.sqrt(ratios.var(ddof=1)) * (
        (1 - np.euler_gamma) * stats.norm.ppf(1 - 1 / trials)
        + np.euler_gamma * stats.norm.ppf(1 - 1 / (trials * np.e))
    )
    skewness, kurtosis = stats.skew(best), stats.kurtosis(best, fisher=False)
    spread = 1 - skewness * ratios.max() + (kurtosis - 1) / 4 * ratios.max() ** 2
    z = (ratios.max() - chance) * np.sqrt((len(best) - 1) / spread)
    assert told["dsr"] == pytest.approx(stats.norm.cdf(z), rel=1e-9)
    blocks, worse = np.split(returns, 10, axis=1), []
    for half in combinations(range(10), 5):
        inside = np.concatenate([blocks[b] for b in half], axis=1)
        outside = np.concatenate([blocks[b] for b in range(10) if b not in half], axis=1)
        chosen = (inside.mean(axis=1) / inside.std(axis=1)).argmax()
        places = stats.rankdata(outside.mean(axis=1) / outside.std(axis=1))
        worse.append(places[chosen] / (len(runs) + 1) <= 0.5)
    assert told["pbo"] == pytest.approx(np.mean(worse))


def test_what_is_held_of_one_that_was_delisted_is_told():
    bars = pl.concat([walk("AAPL", 260, seed=1), walk("MSFT", 260, seed=2)[:200]])
    both, held = prepare(bars), STRATEGIES["buy_and_hold"]
    wanted = request(values={})
    told = conclude(both, held, wanted, watch=ignore).report
    assert told["ended"] == {"MSFT": both.days[199].isoformat()}
    assert told["columns"]["equity"][-1] > 0
    gone = prepare(pl.concat([walk("AAPL", 260, seed=1), walk("MSFT", 260, seed=2)[:60]]))
    later = replace(wanted, plan=Plan(train=100, test=40, embargo=2))
    assert conclude(gone, held, later, watch=ignore).report["ended"] == {}
    early = Setup(cash=Decimal(100_000), exits=Exits(target=0.0001, stop=0.0001))
    assert conclude(both, held, replace(wanted, setup=early), watch=ignore).report["ended"] == {}


def test_exits_on_an_axis_belong_to_the_run_that_is_shown():
    tape, wanted = make_tape(), request(axes={"stop": (0.01, 0.5)}, values={"fast": 3, "slow": 9})
    cells = run_cells(tape, CROSS, wanted, (0, 2), ignore)
    study = conclude(tape, CROSS, wanted, cells=cells, watch=ignore)
    assert study.setup.exits.stop == study.report["sweep"]["best"]["stop"]
    found = certify_study(tape, CROSS, wanted, study, ignore)
    assert found.clean
    assert found.cuts > 50


def test_a_run_of_two_stands_beside_holding_equal_weights_and_a_series():
    tape = make_tape("AAPL", "MSFT")
    days = tape.days
    reference = pl.DataFrame({"day": days[10:], "close": pl.Series(range(10, 260)) * 1.0})
    told = conclude(
        tape, STRATEGIES["momentum"], request(values={"window": 20, "skip": 2}),
        reference=reference, watch=ignore,
    ).report  # fmt: skip
    assert set(told["benchmarks"]) == {"buy_and_hold", "equal_weight", "benchmark"}
    close = tape.prices["close"]
    mean = 1.0
    for before, after in pairwise(close):
        mean *= sum(after / before) / 2
    assert told["benchmarks"]["equal_weight"]["final_equity"] == pytest.approx(100_000 * mean)
    assert told["benchmarks"]["benchmark"]["roi"] == pytest.approx(24.9)
    assert all(len(column) == 260 for column in told["columns"].values())


def test_several_are_told_each_by_itself_too():
    tape, wanted = make_tape("AAPL", "MSFT"), request(values={"fast": 3, "slow": 9})
    told = conclude(tape, CROSS, wanted, watch=ignore).report
    for place, symbol in enumerate(("AAPL", "MSFT")):
        alone = run(tape.alone(symbol), CROSS, wanted.values, wanted.setup)
        assert told["each"]["symbol"][place] == symbol
        assert told["each"]["final_equity"][place] == alone.final_equity
    json.dumps(told, allow_nan=False)
    assert "each" not in conclude(make_tape(), CROSS, wanted, watch=ignore).report
    assert "each" not in conclude(tape, STRATEGIES["momentum"], request(), watch=ignore).report


def test_a_walk_forward_tells_its_folds_and_the_figure_inside():
    wanted = request(axes={"fast": (2, 4), "slow": (8, 12)}, plan=Plan(100, 40, 2))
    tape = make_tape()
    seen: list[float] = []
    study = conclude(tape, CROSS, wanted, watch=seen.append)
    folds = study.report["walk_forward"]["folds"]
    assert len(folds["values"]) == len(seen) == 4
    assert study.report["figures"]["sessions"] == 260 - 102
    assert study.report["walk_forward"]["in_sample"]["sessions"] == 260
    assert study.report["overfitting"]["trials"] == 4
    json.dumps(study.report, allow_nan=False)


def test_a_watch_that_raises_ends_the_work():
    def stop(_share: float) -> None:
        raise KeyboardInterrupt

    tape, wanted = make_tape(), request(axes=AXES)
    with pytest.raises(KeyboardInterrupt):
        run_cells(tape, CROSS, wanted, (0, 12), stop)
    study = conclude(tape, CROSS, request(), watch=ignore)
    with pytest.raises(KeyboardInterrupt):
        certify_study(tape, CROSS, request(), study, stop)
