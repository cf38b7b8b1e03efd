"""Many backtests of one instrument in one call, compiled: sides from lines, the account, a summary.

A line is a series of the instrument (an average, an oscillator), computed once for all cells that
look at it. A cell looks at v = sign * (one line - another): it is long from v > enter until
v < leave, and, if it may, short from v < -enter until v > -leave. Where v is unknown or neither,
the side stays.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from app.domain.kernels import account as ledger
from app.domain.kernels import trading
from app.domain.kernels.account import (
    EXPOSED,
    FEES,
    TAXES,
    TRADED,
    TRIPS,
    Flags,
    Floats,
    Ints,
    Plan,
    Room,
    Sides,
    Table,
    Terms,
    World,
)  # fmt: skip
from app.domain.kernels.compiled import compiled_bare

FINAL, ROUND_TRIPS, COSTS, EXPOSURE, VALUE, SHARPE, DRAWDOWN = range(7)
"""Columns of a summary: the last equity; how many; fees and taxes; sessions with a position; value
traded; mean / deviation of a session's returns; the deepest drawdown."""
SUMMARY: Final = 7

compiled = compiled_bare(ledger, trading)


class Cells(NamedTuple):
    """What each backtest looks at and does."""

    plus: Ints  # lines
    minus: Ints
    sign: Floats
    enter: Floats
    leave: Floats
    short: Flags
    exits: Table  # cells x 3: stop, target, trailing stop


@compiled
def follow(  # noqa: PLR0913, PLR0917 - what a cell is
    plus: Floats, minus: Floats, sign: float, enter: float, leave: float, short: int, side: Sides
) -> None:
    """Writes the sides (sessions x 1) of one cell."""
    state, sides = 0, side.reshape(len(plus))
    for t in range(len(plus)):
        value = sign * (plus[t] - minus[t])
        if state > 0:
            if value < leave:
                state = 0
        elif state < 0 and value > -leave:
            state = 0
        if state == 0:
            if value > enter:
                state = 1
            elif short != 0 and value < -enter:
                state = -1
        sides[t] = state


@compiled
def measure(equity: Floats, start: float, sums: Table) -> tuple[float, float]:
    """Mean / deviation (ddof 1) of returns, and the deepest drawdown.

    `sums` (blocks x 2) gets the sums of returns and of their squares in blocks of equal length.
    """
    n, blocks = len(equity), len(sums)
    before = peak = low = top = start  # the deepest drawdown so far is low / top - 1
    total = squares = 0.0
    for b in range(blocks):
        one = two = 0.0
        for t in range(b * n // blocks, (b + 1) * n // blocks):
            now = equity[t]
            if now != before:
                r = now / before - 1.0
                one += r
                two += r * r
                peak = max(peak, now)
                if now * top < low * peak:
                    low, top = now, peak
                before = now
        sums[b, 0], sums[b, 1] = one, two
        total += one
        squares += two
    variance = (squares - total * total / n) / (n - 1) if n > 1 else np.nan
    return total / n / np.sqrt(variance) if variance > 0.0 else np.nan, low / top - 1.0


@compiled
def run_cells(  # noqa: PLR0913, PLR0917 - a world, what is wanted of it, what is written
    on: tuple[Any, ...],
    agreed: tuple[float, ...],
    lines: Table,
    wanted: tuple[Any, ...],
    fraction: Table,
    side: Sides,
    space: tuple[Any, ...],
    out: Table,
    sums: np.ndarray[tuple[int, int, int], np.dtype[np.float64]],
) -> None:
    """Runs all cells; `out` is cells x SUMMARY, `sums` either so many or one x blocks x 2.

    What is named in the loops comes without its names, as in `trade_once`: `World`, `Terms`,
    `Cells` and `Room`.
    """
    world, terms, cells, room = World(*on), Terms(*agreed), Cells(*wanted), Room(*space)
    plan, account = Plan(side, fraction), room.account
    for i in range(len(cells.plus)):
        follow(
            lines[cells.plus[i]], lines[cells.minus[i]], cells.sign[i], cells.enter[i],
            cells.leave[i], cells.short[i], side,
        )  # fmt: skip
        for j in range(3):
            room.exits[j] = cells.exits[i, j]
        trading.trade(world, terms, plan, room)
        ratio, deepest = measure(room.equity, terms.cash, sums[i % len(sums)])
        row = out[i]
        row[FINAL], row[ROUND_TRIPS] = room.equity[-1], account[TRIPS]
        row[COSTS], row[EXPOSURE] = account[FEES] + account[TAXES], account[EXPOSED]
        row[VALUE], row[SHARPE], row[DRAWDOWN] = account[TRADED], ratio, deepest
