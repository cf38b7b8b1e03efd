"""A backtest beside the portfolio that it shadows: the same trades, one by one, and what differs.

Trades of an instrument and side are paired in order; two that lie more than APART sessions from one
another are two trades. Fills of one session are one trade.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from itertools import groupby
from typing import Any, Final

import numpy as np

from app.domain.backtest.market import find_scene
from app.domain.backtest.result import BacktestResult
from app.domain.backtest.why import Why
from app.domain.transactions import Entry, TransactionKind, standing

APART: Final = 5
NOISE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Traded:
    """Shares of an instrument in one session: bought, or below zero sold; `price` is the mean."""

    symbol: str
    day: date
    quantity: float
    price: float
    costs: float


@dataclass(frozen=True, slots=True)
class Compared:
    """A trade of the portfolio beside that of the backtest; one of both may be missing."""

    symbol: str
    day: date
    paper: Traded | None
    twin: Traded | None
    why: Why


def compare_trades(entries: Iterable[Entry], result: BacktestResult) -> list[Compared]:
    """The portfolio's trades of these instruments beside the backtest's, by day."""
    found = []
    paper, twin = _by_kind(_of_entries(entries, result)), _by_kind(_of_result(result))
    for key in sorted(paper.keys() | twin.keys()):
        for pair in _pair(paper.get(key, []), twin.get(key, []), result):
            day = min(one.day for one in pair if one is not None)
            found.append(Compared(key[0], day, *pair, _why(*pair, result)))
    return sorted(found, key=lambda one: (one.day, one.symbol))


def dump_compared(found: Iterable[Compared]) -> list[dict[str, Any]]:
    """As JSON has it, but for its days, which are written as texts by who writes JSON."""
    return [asdict(one) for one in found]


def _of_entries(entries: Iterable[Entry], result: BacktestResult) -> Iterator[Traded]:
    first, last = result.days[0], result.days[-1]
    for one in standing(entries):
        if one.symbol in result.tape.symbols and first <= one.day <= last:
            sign = {TransactionKind.BUY: 1, TransactionKind.SELL: -1}.get(one.kind)
            if sign is not None and one.quantity is not None and one.price is not None:
                costs = float(one.fee + one.tax)
                size = sign * float(one.quantity)
                yield Traded(one.symbol, one.day, size, float(one.price), costs)


def _of_result(result: BacktestResult) -> Iterator[Traded]:
    for row in result.fills.iter_rows(named=True):
        costs = row["fee"] + row["tax"]
        yield Traded(row["symbol"], row["day"], row["quantity"], row["price"], costs)


def _by_kind(trades: Iterable[Traded]) -> dict[tuple[str, bool], list[Traded]]:
    """By instrument and side, in order of days, those of one session as one."""

    def kind(one: Traded) -> tuple[str, bool]:
        return one.symbol, one.quantity > 0

    listed = sorted(trades, key=lambda one: (*kind(one), one.day))
    made: dict[tuple[str, bool], list[Traded]] = {}
    for (which, day), group in groupby(listed, key=lambda one: (kind(one), one.day)):
        parts = list(group)
        size = sum(one.quantity for one in parts)
        price = sum(one.quantity * one.price for one in parts) / size
        costs = sum(one.costs for one in parts)
        made.setdefault(which, []).append(Traded(which[0], day, size, price, costs))
    return made


def _pair(
    paper: list[Traded], twin: list[Traded], result: BacktestResult
) -> Iterator[tuple[Traded | None, Traded | None]]:
    """In order: the two next ones, or the earlier one alone where they lie too far apart."""
    i = j = 0
    while i < len(paper) or j < len(twin):
        if i == len(paper):
            gap = APART + 1
        elif j == len(twin):
            gap = -APART - 1
        else:
            gap = _session(result, paper[i].day) - _session(result, twin[j].day)
        yield (paper[i] if gap <= APART else None), (twin[j] if gap >= -APART else None)
        i += gap <= APART
        j += gap >= -APART


def _why(paper: Traded | None, twin: Traded | None, result: BacktestResult) -> Why:
    if paper is not None and twin is not None:
        same = paper.day == twin.day and all(
            abs(a - b) <= NOISE * max(abs(a), abs(b))
            for a, b in zip(_numbers(paper), _numbers(twin), strict=True)
        )
        return Why.SAME if same else Why.DIFFERENT
    if paper is None:
        return Why.NOT_DONE
    return _why_alone(paper, result)


def _numbers(one: Traded) -> tuple[float, float, float]:
    return one.quantity, one.price, one.costs


def _why_alone(paper: Traded, result: BacktestResult) -> Why:
    """Why the backtest could not trade in that session, or did not want to."""
    t, k = _session(result, paper.day), result.tape.symbols.index(paper.symbol)
    world = find_scene(result.tape, result.setup).world
    if result.days[t] != paper.day or np.isnan(world.close[t, k]):
        return Why.NO_BAR
    if np.isnan(world.open[t, k]) or world.volume[t, k] == 0:
        return Why.NOT_TRADED
    if len(world.upper):
        bought = paper.quantity > 0
        locked = (
            world.low[t, k] >= world.upper[t, k]
            if bought
            else world.high[t, k] <= world.lower[t, k]
        )
        if locked:
            return Why.AT_LIMIT
    return Why.NO_SIGNAL


def _session(result: BacktestResult, day: date) -> int:
    """The number of the session of a day, or of the one after it."""
    found = np.searchsorted(result.days.to_numpy(), np.datetime64(day))
    return min(int(found), len(result.days) - 1)
