"""A whole study of a request: its cells in parts, the run that is shown, and what stands beside it.

The parts of a sweep may be computed anywhere and in any order; `conclude` takes them together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

import numpy as np
import polars as pl

from app.domain.backtest.certificate import Certificate, certify
from app.domain.backtest.engine import run
from app.domain.backtest.grid import EXITS, Grid, setup_of
from app.domain.backtest.overfitting import BLOCKS, assess
from app.domain.backtest.report import dump_overfitting, list_figures, report
from app.domain.backtest.request import Mode, Request
from app.domain.backtest.result import BacktestResult
from app.domain.backtest.setup import Setup
from app.domain.backtest.strategy import Strategy, Value
from app.domain.backtest.surveying import survey
from app.domain.backtest.sweeping import sweep
from app.domain.backtest.tape import Tape
from app.domain.backtest.walking import walk_forward

Watch = Callable[[float], None]
"""Is told how much is done, from 0 to 1; it may raise to end the work."""

AT_ONCE: Final = 30_000  # compiled cells between two looks at the watch
JUDGED: Final = 2_000  # cells, evenly spaced, that the probability of over-fitting is computed of
_YEAR: Final = 252
_METRIC: Final = "sharpe_ratio"


@dataclass(frozen=True, eq=False)
class Cells:
    """A part of a sweep: a row a cell, and the sums by blocks of those that are judged."""

    frame: pl.DataFrame
    sums: np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Study:
    """What is shown of a request; its certificate is that of the run of `values` and `setup`."""

    report: dict[str, Any]
    result: BacktestResult
    values: Mapping[str, Value]
    setup: Setup


def run_cells(
    tape: Tape, strategy: Strategy, request: Request, part: tuple[int, int], watch: Watch
) -> Cells:
    """The cells from one number to another, counted without those that do not go together.

    Raises:
        BadInput: as `sweep`.
    """
    step = AT_ONCE if strategy.compiled and len(tape.symbols) == 1 else 1
    stride = -(-request.cells // JUDGED)
    frames, sums = [], []
    start, stop = part
    for begin in range(start, stop, step):
        watch((begin - start) / (stop - start))
        end = min(begin + step, stop)
        found = sweep(tape, strategy, request.grid, request.setup, blocks=BLOCKS, part=(begin, end))
        frames.append(found.frame)
        sums.append(found.sums[(np.arange(begin, begin + len(found.sums)) % stride) == 0])
        if not found.frame.height:
            break
    return Cells(pl.concat(frames), np.concatenate(sums))


def join_cells(parts: list[Cells]) -> Cells:
    """The parts of a sweep, in their order, as one."""
    frame = pl.concat([part.frame for part in parts], how="vertical_relaxed")
    return Cells(frame, np.concatenate([part.sums for part in parts]))


def conclude(  # noqa: PLR0913 - what was asked, and what is known
    tape: Tape,
    strategy: Strategy,
    request: Request,
    *,
    cells: Cells | None = None,
    tried: int = 0,
    reference: pl.DataFrame | None = None,
    watch: Watch,
) -> Study:
    """The run that is shown, with all that is told of it but its certificate.

    `tried`: sets of values that the same person has tried on these prices before.

    Raises:
        BadInput: as `run`, or `walk_forward`.
    """
    if request.mode is Mode.WALK_FORWARD:
        return _walk(tape, strategy, request, tried, reference, watch)
    values, setup = request.values, request.setup
    more: dict[str, Any] = {}
    variance, sums, trials = None, None, tried + 1
    if cells is not None:
        best = _best(cells.frame)
        chosen = {name: cells.frame[name][best] for name in request.grid}
        values = {name: value for name, value in chosen.items() if name not in EXITS}
        setup = setup_of(setup, chosen)
        more["sweep"] = _tell_sweep(cells, request, best)
        variance, sums, trials = _variance(cells.frame), cells.sums, tried + cells.frame.height
    if strategy.compiled and len(tape.symbols) > 1 and request.since is None:
        alone = [tape.alone(symbol) for symbol in tape.symbols]
        more["each"] = survey(alone, strategy, values, setup).to_dict(as_series=False)
    result = run(tape, strategy, values, setup, since=request.since)
    judged = assess(result.returns, trials, variance=variance, sums=sums)
    told = report(result, reference) | {"overfitting": dump_overfitting(judged)} | more
    return Study(told | {"values": dict(result.values)}, result, result.values, setup)


def certify_study(
    tape: Tape, strategy: Strategy, request: Request, study: Study, watch: Watch
) -> Certificate:
    """The certificate of the run; its cuts are the same whenever the same request is certified."""
    seed = crc32(repr(request.dump()).encode())
    return certify(tape, strategy, study.values, study.setup, seed=seed, watch=watch)


def _walk(  # noqa: PLR0913, PLR0917 - as `conclude`
    tape: Tape,
    strategy: Strategy,
    request: Request,
    tried: int,
    reference: pl.DataFrame | None,
    watch: Watch,
) -> Study:
    found = walk_forward(tape, strategy, request.grid, request.setup, request.plan, watch=watch)
    result = found.result
    judged = assess(result.returns, tried + request.cells)
    last = found.folds[-1].values
    inside = run(tape, strategy, last, request.setup)
    folds = {
        "first": [fold.first.isoformat() for fold in found.folds],
        "last": [fold.last.isoformat() for fold in found.folds],
        "in_sample": [fold.in_sample for fold in found.folds],
        "out_of_sample": [fold.out_of_sample for fold in found.folds],
        "values": [dict(fold.values) for fold in found.folds],
    }
    told = report(result, reference) | {
        "overfitting": dump_overfitting(judged),
        "walk_forward": {"folds": folds, "in_sample": list_figures(inside)},
        "values": dict(last),
    }
    return Study(told, result, last, request.setup)


def _best(frame: pl.DataFrame) -> int:
    """The cell with the highest Sharpe ratio, the first of equals; the first where none has one."""
    return int(frame[_METRIC].arg_max() or 0)


def _variance(frame: pl.DataFrame) -> float | None:
    """That of the cells' Sharpe ratios of a session."""
    found = (frame[_METRIC] / np.sqrt(_YEAR)).var()
    return float(found) if isinstance(found, float) and found > 0 else None


def _tell_sweep(cells: Cells, request: Request, best: int) -> dict[str, Any]:
    near = _near(cells.frame, request.axes, best)
    return {
        "axes": {name: list(values) for name, values in request.axes.items()},
        "cells": cells.frame.height,
        "left_out": request.cells - cells.frame.height,
        "best": cells.frame.row(best, named=True),
        "neighbours": near.to_dict(as_series=False),
        "median": cells.frame[_METRIC].median(),
    }


def _near(frame: pl.DataFrame, axes: Grid, best: int) -> pl.DataFrame:
    """The cells at most one place away on every axis, the chosen one left out."""
    close, same = pl.lit(value=True), pl.lit(value=True)
    for name, values in axes.items():
        place = list(values).index(frame[name][best])
        close &= pl.col(name).is_in(list(values[max(place - 1, 0) : place + 2]))
        same &= pl.col(name) == frame[name][best]
    return frame.filter(close & ~same)
