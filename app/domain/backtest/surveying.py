"""A survey: one choice of values on many instruments, each by itself with all of the cash.

A `LineStrategy` runs compiled on a `Stack`, as in a sweep; anything else instrument by instrument:
to put a stack together for one question takes longer than the question.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from app.domain.backtest.engine import run
from app.domain.backtest.lines import Key
from app.domain.backtest.setup import Setup
from app.domain.backtest.stack import Stack, run_stack
from app.domain.backtest.strategy import LineStrategy, Strategy, Value, Values, check_values
from app.domain.backtest.sweeping import make_cells, summarise, tell
from app.domain.backtest.tape import Tape
from app.domain.kernels.sweeping import SUMMARY


def survey(
    tapes: Stack | Sequence[Tape],
    strategy: Strategy,
    values: Values | None = None,
    setup: Setup | None = None,
) -> pl.DataFrame:
    """A row an instrument, in the order of the tapes: `symbol`, `sessions`, the figures of a cell.

    Each is what `run` says of that tape alone; a `Stack` of them is for who asks several times.
    Every account begins with the setup's cash, in the currency of its instrument.

    Raises:
        BadInput: a tape of several instruments, or as `run`.
    """
    checked, setup = check_values(strategy, values), setup or Setup()
    stack = tapes if isinstance(tapes, Stack) else Stack(tapes)
    out, sums = np.zeros((len(stack.tapes), 1, SUMMARY)), np.zeros((1, 1, 2))
    if tapes is stack and isinstance(strategy, LineStrategy) and stack.tapes:
        lines: dict[Key, int] = {}
        axes: dict[str, tuple[Value, ...]] = {name: (one,) for name, one in checked.items()}
        cells = make_cells(strategy, axes, np.zeros((1, len(axes)), dtype=np.int32), setup, lines)
        run_stack(stack, setup, lines, cells, out, sums)
    else:
        for i, tape in enumerate(stack.tapes):
            out[i] = summarise(run(tape, strategy, checked, setup), sums[0])
    symbols = [tape.symbols[0] for tape in stack.tapes]
    sessions = np.array([len(tape.days) for tape in stack.tapes])
    figures = tell(out[:, 0], float(setup.cash), sessions)
    return pl.DataFrame({"symbol": symbols, "sessions": sessions} | figures)
