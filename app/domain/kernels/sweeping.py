"""Many backtests in one call, compiled: lines, sides from them, the account, a summary.

Instruments are traded one after the other, each by itself; they lie end to end in memory.

A line is a series of the instrument (an average, an oscillator), computed once for all cells that
look at it. A cell looks at v = sign * (one line - another): it is long from v > enter until
v < leave, and, if it may, short from v < -enter until v > -leave. Where v is unknown or neither,
the side stays.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from app.domain.kernels import account as ledger
from app.domain.kernels import lines as written
from app.domain.kernels import trading
from app.domain.kernels.account import (
    EXPOSED,
    FEES,
    TAXES,
    TRADED,
    TRIPS,
    Cube,
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

compiled = compiled_bare(ledger, trading, written)


class Cells(NamedTuple):
    """What each backtest looks at and does."""

    plus: Ints  # lines
    minus: Ints
    sign: Floats
    enter: Floats
    leave: Floats
    short: Flags
    exits: Table  # cells x 3: stop, target, trailing stop


class Desk(NamedTuple):
    """What cells are computed on: lines x sessions, room for one more, sides, where they change."""

    lines: Table
    spare: Floats
    side: Sides
    turns: Ints


Bounds = np.ndarray[tuple[int, int], np.dtype[np.int64]]
Spans = np.ndarray[tuple[int, int, int], np.dtype[np.int64]]

FRACTION, HIGH, LOW, CLOSE = range(len(World._fields), len(World._fields) + 4)
"""Where a stack has what is no part of a world: fractions, highs, lows and closes as seen."""


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
def fetch(world: World, side: Sides, turns: Ints) -> float:
    """Reads what the orders of an instrument are filled at, all at once, into the caches.

    The bar loop would wait for the memory at each order. The sum is there so that no read is left
    out; `turns` is room for a number a session.
    """
    n, count = len(side), 0
    sides, opens, volumes = side.reshape(n), world.open.reshape(n), world.volume.reshape(n)
    for t in range(1, n - 1):
        turns[count] = t + 1
        count += sides[t] != sides[t - 1]
    total = 0.0
    for i in range(count):
        total += opens[turns[i]] + volumes[turns[i]]
    return total


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
def run_cells(  # noqa: PLR0913, PLR0917 - a stack, what is wanted of it, what is written
    flat: tuple[Any, ...],
    spans: Spans,
    agreed: Table,
    keys: tuple[Ints, Table],
    wanted: tuple[Any, ...],
    room: tuple[Any, ...],
    desk: tuple[Any, ...],
    out: Cube,
    sums: Cube,
) -> None:
    """Runs all cells on every instrument; `out` is instruments x cells x SUMMARY.

    `flat` are the arrays of all instruments end to end: those of a `World`, the fraction of a
    `Plan`, and highs, lows and closes as lines see them; `spans` (instruments x arrays x 2) are
    where each one's begin and end. `sums` is cells x blocks x 2, or one for all. What is named in
    the loops comes without its names, as in `trade_once`: `Cells`, `Room` and `Desk`.
    """
    cells = Cells(*wanted)
    for i in range(len(spans)):
        world, terms, own = _world(flat, spans[i]), _terms(agreed[i]), Desk(*desk)
        n = len(world.close)
        here, side = _narrow(Room(*room), n), own.side[:n]
        _write_lines(flat, spans[i], world, keys, own)
        plan = Plan(side, flat[FRACTION][_of(spans[i][FRACTION])])
        for c in range(len(cells.plus)):
            follow(
                own.lines[cells.plus[c], :n], own.lines[cells.minus[c], :n], cells.sign[c],
                cells.enter[c], cells.leave[c], cells.short[c], side,
            )  # fmt: skip
            if c == 0:
                own.spare[0] = fetch(world, side, own.turns)
            for j in range(3):
                here.exits[j] = cells.exits[c, j]
            trading.trade(world, terms, plan, here)
            ratio, deepest = measure(here.equity, terms.cash, sums[c % len(sums)])
            row, account = out[i, c], here.account
            row[FINAL], row[ROUND_TRIPS] = here.equity[-1], account[TRIPS]
            row[COSTS], row[EXPOSURE] = account[FEES] + account[TAXES], account[EXPOSED]
            row[VALUE], row[SHARPE], row[DRAWDOWN] = account[TRADED], ratio, deepest


@compiled
def _write_lines(
    flat: tuple[Any, ...], span: Bounds, world: World, keys: tuple[Ints, Table], desk: Desk
) -> None:
    """All lines of an instrument; NaN in sessions without a close, which are skipped."""
    kinds, numbers = keys
    n = len(world.close)
    high, low, close = world.high.reshape(n), world.low.reshape(n), world.close.reshape(n)
    if span[HIGH, 0] >= 0:
        high, low = flat[HIGH][_of(span[HIGH])], flat[LOW][_of(span[LOW])]
        close = flat[CLOSE][_of(span[CLOSE])]
    m = len(close)
    for k in range(len(kinds)):
        line = desk.lines[k, :n]
        if kinds[k] == written.LEVEL:
            line[:] = numbers[k, 0]
            continue
        written.write_line(kinds[k], numbers[k], high, low, close, line[:m], desk.spare[:m])
        last = m - 1
        for t in range(n - 1, -1 if m < n else n - 1, -1):
            seen = not np.isnan(world.close[t, 0])
            line[t] = line[last] if seen else np.nan
            last -= seen


@compiled
def _of(bounds: Ints) -> slice:
    return slice(bounds[0], bounds[1])


@compiled
def _world(flat: tuple[Any, ...], s: Bounds) -> World:
    """The arrays of one instrument."""
    return World(
        flat[0][_of(s[0])], flat[1][_of(s[1])], flat[2][_of(s[2])], flat[3][_of(s[3])],
        flat[4][_of(s[4])], flat[5][_of(s[5])], flat[6][_of(s[6])], flat[7][_of(s[7])],
        flat[8][_of(s[8])], flat[9][_of(s[9])], flat[10][_of(s[10])], flat[11][_of(s[11])],
        flat[12][_of(s[12])], flat[13][_of(s[13])], flat[14][_of(s[14])], flat[15][_of(s[15])],
        flat[16][_of(s[16])], flat[17][_of(s[17])], flat[18][_of(s[18])], flat[19][_of(s[19])],
    )  # fmt: skip


@compiled
def _terms(a: Floats) -> Terms:
    return Terms(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10])


@compiled
def _narrow(room: Room, n: int) -> Room:
    """Room for so many sessions."""
    return Room(
        room.account, room.book, room.exits, room.busy[:n], room.claims, room.equity[:n],
        room.fills, room.trips,
    )  # fmt: skip
