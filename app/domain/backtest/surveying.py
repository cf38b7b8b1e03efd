"""A survey: one choice of values on many instruments, each by itself with all of the cash.

A `LineStrategy` runs compiled, as in a sweep; anything else instrument by instrument.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from app.domain.backtest.engine import run
from app.domain.backtest.lines import Key
from app.domain.backtest.setup import Setup
from app.domain.backtest.strategy import LineStrategy, Strategy, Value, Values, check_values
from app.domain.backtest.sweeping import Desk, make_cells, run_lines, summarise, tell
from app.domain.backtest.tape import Tape
from app.domain.kernels.sweeping import SUMMARY
from app.errors import BadInput


def survey(
    tapes: Sequence[Tape],
    strategy: Strategy,
    values: Values | None = None,
    setup: Setup | None = None,
) -> pl.DataFrame:
    """A row an instrument, in the order of the tapes: `symbol`, `sessions`, the figures of a cell.

    Each is what `run` says of that tape alone. Every account begins with the setup's cash, in the
    currency of its instrument.

    Raises:
        BadInput: a tape of several instruments, or as `run`.
    """
    checked, setup = check_values(strategy, values), setup or Setup()
    symbols = [_only_symbol(tape) for tape in tapes]
    out, sums = np.zeros((len(tapes), SUMMARY)), np.zeros((1, 1, 2))
    if isinstance(strategy, LineStrategy):
        lines: dict[Key, int] = {}
        axes: dict[str, tuple[Value, ...]] = {name: (one,) for name, one in checked.items()}
        cells = make_cells(strategy, axes, np.zeros((1, len(axes)), dtype=np.int32), setup, lines)
        desk = None
        for i, tape in enumerate(tapes):
            desk = Desk.fit(tape, len(lines), desk)
            run_lines(tape, setup, lines, cells, desk, out[i : i + 1], sums)
    else:
        for i, tape in enumerate(tapes):
            out[i] = summarise(run(tape, strategy, checked, setup), sums[0])
    sessions = np.array([len(tape.days) for tape in tapes])
    figures = tell(out, float(setup.cash), sessions)
    return pl.DataFrame({"symbol": symbols, "sessions": sessions} | figures)


def _only_symbol(tape: Tape) -> str:
    if len(tape.symbols) != 1:
        message = "A tape of a survey has %(count)s instruments; it must have one"
        raise BadInput(message, field="symbols", count=len(tape.symbols))
    return tape.symbols[0]
