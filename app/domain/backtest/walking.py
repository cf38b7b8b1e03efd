"""Walk-forward: values chosen on the past, traded on what follows, again and again.

Each fold sweeps its training sessions and takes the best cell; between training and testing lie
`embargo` sessions that neither sees. The testing sessions follow one another, and one account goes
through them: what the chosen values wanted is stitched together and traded once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from app.domain.backtest.engine import cut_decision, play
from app.domain.backtest.grid import EXITS, Grid, Plan
from app.domain.backtest.result import BacktestResult
from app.domain.backtest.setup import Setup
from app.domain.backtest.strategy import Decision, Strategy, Value, check_values
from app.domain.backtest.sweeping import sweep
from app.domain.backtest.tape import Tape, prepare
from app.domain.performance import sharpe_ratio
from app.errors import BadInput


@dataclass(frozen=True, slots=True)
class Fold:
    """One step: what was chosen on the past, and its Sharpe ratios a year there and afterwards."""

    first: date
    last: date
    values: Mapping[str, Value]
    in_sample: float | None
    out_of_sample: float | None


@dataclass(frozen=True, slots=True)
class WalkForward:
    """The folds, and the account that went through all testing sessions."""

    folds: tuple[Fold, ...]
    result: BacktestResult


def walk_forward(  # noqa: PLR0913 - what, how, and who watches
    bars: pl.DataFrame | Tape,
    strategy: Strategy,
    grid: Grid,
    setup: Setup | None = None,
    plan: Plan | None = None,
    *,
    watch: Callable[[float], None] | None = None,
) -> WalkForward:
    """Chooses by Sharpe ratio on each past and trades each future.

    `watch` is told how much is done, from 0 to 1, before each fold.

    Raises:
        BadInput: too few sessions for one fold, exits on the grid (they cannot change while a
            position is open), or what `sweep` refuses.
    """
    tape = bars if isinstance(bars, Tape) else prepare(bars)
    setup, plan = setup or Setup(), plan or Plan()
    _check(tape, grid, plan)
    begin = plan.train + plan.embargo
    parts, chosen = [], []
    for start in range(begin, len(tape.days), plan.test):
        if watch is not None:
            watch((start - begin) / (len(tape.days) - begin))
        stop = min(start + plan.test, len(tape.days))
        past = tape.window(0 if plan.anchored else start - begin, start - plan.embargo)
        found = sweep(past, strategy, grid, setup)
        best = found.best() if found.frame["sharpe_ratio"].count() else 0
        values = check_values(strategy, found.values(best))
        decision = strategy.decide(tape.history.until(stop), values)
        parts.append(cut_decision(decision, start, stop))
        chosen.append((start - begin, stop - begin, values, found.frame["sharpe_ratio"][best]))
    future = tape.window(begin, len(tape.days))
    result = play(future, strategy.key, {}, setup, _join(parts))
    folds = tuple(_fold(result, *one) for one in chosen)
    return WalkForward(folds, result)


def _check(tape: Tape, grid: Grid, plan: Plan) -> None:
    needed = plan.train + plan.embargo + plan.test
    if min(plan.train, plan.test) < 2 or plan.embargo < 0 or len(tape.days) < needed:
        message = "There are %(sessions)s sessions; a fold of this plan needs %(needed)s"
        raise BadInput(message, field="plan", sessions=len(tape.days), needed=needed)
    for name in EXITS:
        if name in grid:
            message = "%(name)s cannot be chosen anew while a position is open: give it one value"
            raise BadInput(message, field=name, name=name)


def _join(parts: list[Decision]) -> Decision:
    sizes = [part.size for part in parts if part.size is not None]
    size: Any = np.concatenate(sizes) if len(sizes) == len(parts) else None
    return Decision(np.concatenate([part.side for part in parts]), {}, size, parts[-1].slots)


def _fold(
    result: BacktestResult, start: int, stop: int, values: Mapping[str, Value], inside: float | None
) -> Fold:
    ratio = sharpe_ratio(result.returns[start:stop])
    outside = float(ratio) if np.isfinite(ratio) else None
    return Fold(result.days[start], result.days[stop - 1], values, inside, outside)
