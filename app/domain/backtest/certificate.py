"""The look-ahead certificate: the same strategy on shorter histories decides the same.

At a cut everything after it is taken away, prices, events and series of other markets alike, and
the strategy decides anew. What it says about the sessions before must not change: its inputs, its
sides, its sizes and the fills that follow. Cuts are at random sessions, at every session of a
decision that was filled and of its fill, and at the last five. An input may differ by the noise
of a float; a side, a size and a fill not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from app.domain.backtest.engine import play, run
from app.domain.backtest.result import BacktestResult
from app.domain.backtest.setup import Setup
from app.domain.backtest.strategy import Strategy, Values
from app.domain.backtest.tape import Tape

CUTS: Final = 50
LAST: Final = 5
NOISE: Final = 1e-9  # relative

SIDES: Final = "sides"
SIZES: Final = "sizes"
FILLS: Final = "fills"


@dataclass(frozen=True, slots=True)
class Leak:
    """What changed: an input by its name, or `sides`, `sizes`, `fills`.

    `day` is the first session about which something else was said, `cut` the last that was known.
    """

    name: str
    day: date
    cut: date


@dataclass(frozen=True, slots=True)
class Certificate:
    """How many cuts were made, at how many something changed, and the first case of each leak."""

    cuts: int
    changed: int
    leaks: tuple[Leak, ...]

    @property
    def clean(self) -> bool:
        """Nothing changed at any cut."""
        return not self.changed


def certify(  # noqa: PLR0913 - a run, and how often to cut it
    tape: Tape,
    strategy: Strategy,
    values: Values | None,
    setup: Setup,
    *,
    seed: int,
    cuts: int = CUTS,
    watch: Callable[[float], None] | None = None,
) -> Certificate:
    """Cuts the history and compares, at `cuts` random sessions at least.

    `watch` is told how much is done, from 0 to 1, before each cut.

    Raises:
        BadInput: as `run`.
    """
    whole = run(tape, strategy, values, setup)
    leaks: dict[str, Leak] = {}
    changed = 0
    chosen = _choose(whole, seed, cuts)
    for number, stop in enumerate(chosen):
        if watch is not None:
            watch(number / len(chosen))
        found = list(_compare(whole, tape.until(stop), strategy, stop))
        changed += bool(found)
        for name, bar in found:
            leaks.setdefault(name, Leak(name, tape.days[bar], tape.days[stop - 1]))
    return Certificate(len(chosen), changed, tuple(leaks.values()))


def _choose(whole: BacktestResult, seed: int, cuts: int) -> list[int]:
    """How many sessions are known, for each cut."""
    n = len(whole.days)
    if n < 2:
        return []
    random = np.random.default_rng(seed).permutation(np.arange(1, n))[:cuts]
    filled = whole.fill_rows[:, 0].astype(int)
    trading = np.concatenate([filled, filled + 1])
    last = np.arange(max(1, n - LAST), n)
    return sorted({int(stop) for stop in (*random, *trading, *last) if 0 < stop < n})


def _compare(
    whole: BacktestResult, past: Tape, strategy: Strategy, stop: int
) -> Iterator[tuple[str, int]]:
    """What differs on the sessions before the cut, with the first of them; causes alone."""
    decision = strategy.decide(past.history, whole.values)
    leaking = False
    for name, table in whole.decision.inputs.items():
        bar = _first_difference(table[:stop], decision.inputs.get(name), NOISE)
        if bar is not None:
            leaking = True
            yield name, bar
    if leaking:
        return
    bar = _first_difference(whole.decision.side[:stop], decision.side, 0.0)
    if bar is not None:
        yield SIDES, bar
        return
    again = play(past, strategy.key, dict(whole.values), whole.setup, decision)
    bar = _first_difference(whole.size[:stop], again.size, 0.0)
    if bar is not None:
        yield SIZES, bar
        return
    fills = whole.fill_rows[whole.fill_rows[:, 0] < stop]
    if fills.shape != again.fill_rows.shape or not np.array_equal(fills, again.fill_rows):
        yield FILLS, stop - 1


def _first_difference(whole: Any, past: Any, noise: float) -> int | None:
    """The first row that differs; row 0 where there is nothing of the same shape."""
    if past is None or past.shape != whole.shape:
        return 0
    with np.errstate(invalid="ignore"):
        gap = np.abs(whole - past)
        same = np.isfinite(gap) & (gap <= noise * np.maximum(np.abs(whole), np.abs(past)))
    same |= (whole == past) | (np.isnan(whole) & np.isnan(past))
    rows = np.flatnonzero(~same.all(axis=1))
    return int(rows[0]) if len(rows) else None
