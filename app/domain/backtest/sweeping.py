"""A sweep: one strategy over a grid of values, a summary of each cell, and the cells around one.

Axes are parameters of the strategy, and `stop`, `target`, `trailing` of the setup's exits. A
`LineStrategy` of one instrument runs compiled, each distinct line computed once; anything else runs
cell by cell. Cells whose values do not go together (a fast average that is slower) are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl

from app.domain.backtest.engine import run
from app.domain.backtest.grid import EXITS, Grid, check_axes, setup_of
from app.domain.backtest.lines import Key
from app.domain.backtest.result import BacktestResult
from app.domain.backtest.setup import Setup
from app.domain.backtest.stack import Stack, run_stack
from app.domain.backtest.strategies import STRATEGIES
from app.domain.backtest.strategy import LineRule, LineStrategy, Strategy, Value
from app.domain.backtest.tape import Tape, prepare
from app.domain.kernels import account as kernel
from app.domain.kernels import lines as lines_kernel
from app.domain.kernels import sweeping as cells_kernel
from app.domain.kernels import trading as trading_kernel
from app.domain.kernels.compiled import are_on_disk
from app.domain.performance import ENOUGH
from app.errors import BadInput

Numbers = np.ndarray[Any, Any]

METRICS: Final = ("sharpe_ratio", "final_equity", "max_drawdown")
_YEAR: Final = 252


@dataclass(frozen=True, eq=False)
class Sweep:
    """The cells of a grid: `places` (cells x axes) are places on the axes.

    `summary` has a row a cell; `sums` (cells x blocks x 2) the sums of returns and of their squares
    in blocks of sessions, where blocks were asked for.
    """

    axes: dict[str, tuple[Value, ...]]
    places: Numbers
    summary: Numbers
    sums: Numbers
    cash: float
    sessions: int
    left_out: int

    @cached_property
    def frame(self) -> pl.DataFrame:
        """A row a cell: its values and figures; the Sharpe ratio a year, as everywhere."""
        columns: dict[str, Any] = {
            name: pl.Series(name, values).gather(self.places[:, i])
            for i, (name, values) in enumerate(self.axes.items())
        }
        return pl.DataFrame(columns | tell(self.summary, self.cash, self.sessions))

    def best(self, metric: str = "sharpe_ratio") -> int:
        """The number of the cell with the highest figure.

        Raises:
            BadInput: no such figure, or no cell has it.
        """
        _check_metric(metric)
        values = self.frame[metric]
        if values.null_count() == len(values):
            message = "No cell of the sweep has a %(metric)s: nothing was traded"
            raise BadInput(message, field="metric", metric=metric)
        return int(values.arg_max() or 0)

    def values(self, cell: int) -> dict[str, Value]:
        """The values of a cell."""
        places = self.places[cell].tolist()
        return {
            name: values[i] for (name, values), i in zip(self.axes.items(), places, strict=True)
        }

    def neighbours(self, cell: int) -> pl.DataFrame:
        """The cells at most one place away on every axis: a peak alone among them is chance."""
        near = (np.abs(self.places - self.places[cell]) <= 1).all(axis=1)
        near[cell] = False
        return self.frame.filter(pl.Series(near))


def sweep(  # noqa: PLR0913 - what and how
    bars: pl.DataFrame | Tape,
    strategy: Strategy,
    grid: Grid,
    setup: Setup | None = None,
    *,
    blocks: int = 0,
    part: tuple[int, int] | None = None,
) -> Sweep:
    """Runs every cell of the grid; `part` only those from one number to another.

    `blocks` asks for sums by so many blocks of sessions (for `overfitting.compute_pbo`).

    Raises:
        BadInput: an axis that is no parameter, or is empty; a value that cannot be; too many cells.
    """
    tape = bars if isinstance(bars, Tape) else prepare(bars)
    setup = setup or Setup()
    axes = check_axes(strategy, grid)
    places, left_out = _places(strategy, axes)
    if part is not None:
        places = places[part[0] : part[1]]
    compiled = isinstance(strategy, LineStrategy) and len(tape.symbols) == 1
    sums = np.zeros((len(places) if blocks else 1, max(blocks, 1), 2))
    args = (tape, strategy, axes, places, setup, sums)
    summary = _run_compiled(*args) if compiled else _run_each(*args)  # type: ignore[arg-type]
    kept = sums if blocks else sums[:0]
    return Sweep(axes, places, summary, kept, float(setup.cash), len(tape.days), left_out)


def tell(summary: Numbers, cash: float, sessions: int | Numbers) -> dict[str, Any]:
    """The figures of summaries as columns; `sessions` of all of them, or of each."""
    found = summary.T
    ratio = np.where(np.asarray(sessions) < ENOUGH, np.nan, found[cells_kernel.SHARPE])
    return {
        "final_equity": found[cells_kernel.FINAL],
        "roi": found[cells_kernel.FINAL] / cash - 1.0,
        "sharpe_ratio": pl.Series(ratio * np.sqrt(_YEAR)).fill_nan(None),
        "max_drawdown": found[cells_kernel.DRAWDOWN],
        "round_trips": found[cells_kernel.ROUND_TRIPS].astype(np.int64),
        "costs": found[cells_kernel.COSTS],
        "exposure": found[cells_kernel.EXPOSURE] / sessions,
    }


def warm_up() -> None:
    """Compiles all loops, or reads them from disk: for the start of a worker."""
    days = pl.date_range(date(2024, 1, 2), date(2024, 1, 12), eager=True)
    prices = (pl.lit(10.0).alias(name) for name in ("open", "high", "low", "close", "volume"))
    bars = pl.DataFrame({"symbol": "A", "day": days}).with_columns(*prices)
    strategy = STRATEGIES["sma_cross"]
    sweep(bars, strategy, {})
    run(bars, strategy)


def is_warm() -> bool:
    """Whether all loops are on disk already."""
    return are_on_disk(kernel, cells_kernel, lines_kernel, trading_kernel)


def _places(strategy: Strategy, axes: dict[str, tuple[Value, ...]]) -> tuple[Numbers, int]:
    """Places on the axes of all cells whose values go together."""
    shape = [len(values) for values in axes.values()]
    count = int(np.prod(shape)) if shape else 1
    grid = (
        np.stack(np.unravel_index(np.arange(count), shape), axis=1) if shape else np.zeros((1, 0))
    )
    places = grid.astype(np.int32)
    kept = np.ones(count, dtype=bool)
    columns = {
        name: np.asarray(values)[places[:, i]] for i, (name, values) in enumerate(axes.items())
    }
    defaults = {one.name: one.default for one in strategy.parameters}
    for low, high in strategy.ordered:
        first, second = (np.asarray(columns.get(n, defaults[n])) for n in (low, high))
        kept &= first < second
    return places[kept], count - int(kept.sum())


def _run_each(  # noqa: PLR0913, PLR0917 - what a sweep is made of
    tape: Tape, strategy: Strategy, axes: dict[str, tuple[Value, ...]], places: Numbers,
    setup: Setup, sums: Numbers,
) -> Numbers:  # fmt: skip
    """Cell by cell, as `run` does."""
    out = np.zeros((len(places), cells_kernel.SUMMARY))
    for i, row in enumerate(places.tolist()):
        values = {name: axis[j] for (name, axis), j in zip(axes.items(), row, strict=True)}
        own = {name: value for name, value in values.items() if name not in EXITS}
        got = run(tape, strategy, own, setup_of(setup, values))
        out[i] = summarise(got, sums[i % len(sums)])
    return out


def summarise(got: BacktestResult, sums: Numbers) -> tuple[float, ...]:
    """The summary of a result; `sums` (blocks x 2) gets the sums of its returns."""
    account = got.account
    ratio, deepest = cells_kernel.measure(got.equity, float(got.setup.cash), sums)
    costs = account[kernel.FEES] + account[kernel.TAXES]
    return (got.final_equity, account[kernel.TRIPS], costs, account[kernel.EXPOSED],
            account[kernel.TRADED], ratio, deepest)  # fmt: skip


def _run_compiled(  # noqa: PLR0913, PLR0917 - what a sweep is made of
    tape: Tape, strategy: LineStrategy, axes: dict[str, tuple[Value, ...]], places: Numbers,
    setup: Setup, sums: Numbers,
) -> Numbers:  # fmt: skip
    """All cells in one call."""
    lines: dict[Key, int] = {}
    cells = make_cells(strategy, axes, places, setup, lines)
    out = np.zeros((len(places), cells_kernel.SUMMARY))
    run_stack(Stack([tape]), setup, lines, cells, out[None], sums)
    return out


def make_cells(
    strategy: LineStrategy, axes: dict[str, tuple[Value, ...]], places: Numbers, setup: Setup,
    lines: dict[Key, int],
) -> cells_kernel.Cells:  # fmt: skip
    """The rule of each cell; a part of it is asked once for each choice of what it depends on."""

    def column(part: str, kind: type) -> Numbers:
        depends = [name for name in strategy.depends.get(part, tuple(axes)) if name in axes]
        chosen = [list(axes).index(name) for name in depends]
        shape = [len(axes[name]) for name in depends]
        made: Numbers = np.empty(int(np.prod(shape, dtype=np.int64)), dtype=kind)
        for i, place in enumerate(np.ndindex(*shape)):
            given = {name: axes[name][j] for name, j in zip(depends, place, strict=True)}
            value = getattr(_rule(strategy, given), part)
            made[i] = lines.setdefault(value, len(lines)) if part in {"plus", "minus"} else value
        if not depends:
            return np.full(len(places), made[0])
        return made[np.ravel_multi_index(tuple(places[:, c] for c in chosen), shape)]

    exits = np.tile(setup.exits.numbers, (len(places), 1))
    for i, name in enumerate(EXITS):
        if name in axes:
            exits[:, i] = np.asarray(axes[name], dtype=float)[places[:, list(axes).index(name)]]
    return cells_kernel.Cells(
        column("plus", np.int64), column("minus", np.int64), column("sign", np.float64),
        column("enter", np.float64), column("leave", np.float64), column("short", np.uint8), exits,
    )  # fmt: skip


def _rule(strategy: LineStrategy, given: Mapping[str, Value]) -> LineRule:
    """The rule for these values, the others being defaults, whether they go together or not."""
    defaults = {one.name: one.default for one in strategy.parameters}
    return strategy.rule(defaults | {k: v for k, v in given.items() if k not in EXITS})


def _check_metric(metric: str) -> None:
    if metric not in METRICS:
        message = "%(name)s is %(value)s; it must be %(bound)s"
        bound = ", ".join(METRICS)
        raise BadInput(message, field="metric", name="metric", value=metric, bound=bound)
