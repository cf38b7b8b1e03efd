"""One backtest: a strategy decides, the account trades, the result keeps what happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from app.domain.backtest.history import History
from app.domain.backtest.market import Scene, find_scene
from app.domain.backtest.result import BacktestResult
from app.domain.backtest.setup import Exits, Setup, Size, Sizing
from app.domain.backtest.strategies import BuyAndHold
from app.domain.backtest.strategy import Decision, Sides, Strategy, Value, Values, check_values
from app.domain.backtest.tape import Tape, prepare
from app.domain.kernels import account as kernel
from app.domain.kernels.trading import trade_once
from app.errors import BadInput

Table = np.ndarray[tuple[int, int], np.dtype[np.float64]]
SESSIONS_A_YEAR: Final = 252
_EQUAL, _VOLATILITY = Size.EQUAL, Size.VOLATILITY  # asking an enum takes a tenth of a microsecond
_RECORDS: Final = 512  # fills that most runs stay below


def run(
    bars: pl.DataFrame | Tape,
    strategy: Strategy,
    values: Values | None = None,
    setup: Setup | None = None,
    *,
    since: date | None = None,
) -> BacktestResult:
    """Runs a strategy over bars as traded; a `Tape` of them saves preparing them again.

    `since`: nothing is traded or told of before that day, which the strategy looks back upon.

    Raises:
        BadInput: bars, values or setup that cannot be, two currencies, no session since that day,
            or sides that a strategy returned in another shape.
    """
    tape = bars if isinstance(bars, Tape) else prepare(bars)
    setup = setup or Setup()
    checked = check_values(strategy, values)
    decision = strategy.decide(tape.history, checked)
    if since is not None and since > tape.days[0]:
        tape, decision = _from_day(tape, strategy.key, setup, decision, since)
    return play(tape, strategy.key, checked, setup, decision)


def _from_day(
    tape: Tape, key: str, setup: Setup, decision: Decision, since: date
) -> tuple[Tape, Decision]:
    """The sessions from a day on, with what was decided for them knowing those before."""
    _check_sides(key, decision, tape.history.shape)
    start, stop = int(np.searchsorted(tape.days.to_numpy(), np.datetime64(since))), len(tape.days)
    if start == stop:
        message = "There are no prices since %(day)s"
        raise BadInput(message, field="from", day=since)
    sized = replace(decision, size=compute_sizes(tape.history, setup, decision))
    return tape.window(start, stop), cut_decision(sized, start, stop)


def cut_decision(decision: Decision, start: int, stop: int) -> Decision:
    """What was decided in sessions start..stop, without what it was decided from."""
    size = None if decision.size is None else decision.size[start:stop]
    return replace(decision, side=decision.side[start:stop], inputs={}, size=size)


def play(
    tape: Tape, key: str, values: dict[str, Value], setup: Setup, decision: Decision
) -> BacktestResult:
    """Trades a decision.

    Raises:
        BadInput: sides of another shape than the tape, or a market that is not known.
    """
    _check_sides(key, decision, tape.history.shape)
    scene = find_scene(tape, setup)
    size = compute_sizes(tape.history, setup, decision)
    side = np.ascontiguousarray(decision.side, dtype=np.int8)
    room, fills = _trade(scene, (side, size), len(tape.dividends))
    trips = int(room.account[kernel.TRIPS])
    return BacktestResult(
        key, values, setup, scene.currency, tape, decision, size, room.equity,
        room.fills[:fills], room.trips[:trips], room.account, scene.shortable,
    )  # fmt: skip


def _trade(scene: Scene, plan: tuple[Sides, Table], claims: int) -> tuple[kernel.Room, int]:
    """The account over all sessions, again with more room where there were more fills; how many."""
    records = _RECORDS
    while True:
        room = kernel.make_room(plan[0].shape, claims, records, scene.exits)
        trade_once(*scene.bare, plan, tuple(room))
        needed = int(room.account[kernel.FILLS])
        if needed <= records:
            return room, needed
        records = needed


def compute_sizes(history: History, setup: Setup, decision: Decision) -> Table:
    """The part of equity that a position opened at each close would get."""
    if decision.size is not None:
        return np.ascontiguousarray(decision.size, dtype=np.float64)
    sizing = setup.sizing
    slots = sizing.slots or decision.slots or history.shape[1]
    if sizing.kind is not _VOLATILITY:
        return history.fill(1.0 / slots if sizing.kind is _EQUAL else sizing.fraction)
    with np.errstate(divide="ignore"):
        wanted = sizing.fraction / _volatility(history.close, sizing.window)
    return np.ascontiguousarray(np.minimum(np.nan_to_num(wanted, nan=0.0), 1.0) / slots)


def _volatility(close: Table, window: int) -> Table:
    """Yearly deviation of the last `window` log returns between closes there are."""
    out = np.full(close.shape, np.nan)
    for k in range(close.shape[1]):
        seen = np.flatnonzero(np.isfinite(close[:, k]))
        change = np.diff(np.log(close[seen, k]))
        if len(change) >= window:
            windows = np.lib.stride_tricks.sliding_window_view(change, window)
            out[seen[window:], k] = windows.std(axis=1, ddof=1) * np.sqrt(SESSIONS_A_YEAR)
    return out


def run_benchmarks(tape: Tape, setup: Setup) -> BacktestResult:
    """Buy and hold, of equal weights where there are many: what stands beside every result.

    It has the cash, costs and rules of the setup; who holds has no stop and buys all of it.
    """
    held = replace(setup, sizing=Sizing(), exits=Exits())
    return run(tape, BuyAndHold(), None, held)


def _check_sides(key: str, decision: Decision, shape: tuple[int, int]) -> None:
    if decision.side.shape == shape and (decision.size is None or decision.size.shape == shape):
        return
    for name, table in (("side", decision.side), ("size", decision.size)):
        if table is not None and table.shape != shape:
            message = (
                "The strategy %(key)s returned a %(name)s of shape %(given)s; it must be %(shape)s"
            )
            raise BadInput(
                message, field="strategy", key=key, name=name, given=table.shape, shape=shape
            )
