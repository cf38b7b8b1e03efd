"""Walk-forward: what is chosen knows nothing of what it trades."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from app.domain.backtest.engine import run
from app.domain.backtest.setup import Setup
from app.domain.backtest.strategies import SmaCross
from app.domain.backtest.sweeping import sweep
from app.domain.backtest.tape import prepare
from app.domain.backtest.walking import Plan, walk_forward
from app.errors import BadInput
from tests.domain.oracle_bars import sample

SETUP = Setup(cash=Decimal(100_000))
BARS = sample().filter(pl.col("symbol") == "IBM")[-900:]
GRID = {"fast": [3, 5, 10, 20], "slow": [30, 60]}
PLAN = Plan(train=300, test=100, embargo=5)


def test_folds_follow_one_another_and_choose_on_their_own_past() -> None:
    tape = prepare(BARS)
    got = walk_forward(tape, SmaCross(), GRID, SETUP, PLAN)
    assert len(got.folds) == 6
    assert got.folds[0].first == tape.days[305]
    assert got.folds[-1].last == tape.days[-1]
    assert len(got.result.equity) == 900 - 305
    for number, fold in enumerate(got.folds):
        start = 305 + number * 100
        past = sweep(tape.window(start - 305, start - 5), SmaCross(), GRID, SETUP)
        best = past.best()
        assert {n: fold.values[n] for n in GRID} == past.values(best)
        assert fold.in_sample == past.frame["sharpe_ratio"][best]


def test_later_prices_change_no_earlier_fold() -> None:
    whole = walk_forward(prepare(BARS), SmaCross(), GRID, SETUP, PLAN)
    short = walk_forward(prepare(BARS[:705]), SmaCross(), GRID, SETUP, PLAN)
    assert short.folds == whole.folds[: len(short.folds)]
    assert (short.result.equity == whole.result.equity[: len(short.result.equity)]).all()


def test_one_cell_is_the_same_as_a_run_of_those_sessions() -> None:
    tape = prepare(BARS)
    grid = {"fast": [5], "slow": [30]}
    got = walk_forward(tape, SmaCross(), grid, SETUP, Plan(300, 100, 0, anchored=True))
    alone = run(tape, SmaCross(), {"fast": 5, "slow": 30}, SETUP)
    bought = got.result.fills.filter(pl.col("quantity") > 0)["day"].to_list()
    later = [d for d in alone.fills.filter(pl.col("quantity") > 0)["day"] if d > tape.days[301]]
    assert bought[-len(later) :] == later


@pytest.mark.parametrize(
    ("grid", "plan", "words"),
    [
        (GRID, Plan(train=900), "900 sessions; a fold of this plan needs 1031"),
        (GRID, Plan(train=1, test=10), "a fold of this plan"),
        ({"stop": [0.1]}, PLAN, "stop cannot be chosen anew"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(
    grid: dict[str, list[float]], plan: Plan, words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        walk_forward(prepare(BARS), SmaCross(), grid, SETUP, plan)
