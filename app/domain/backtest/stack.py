"""A stack: tapes of one instrument each, end to end in memory, for the loops that run many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from app.domain.backtest.engine import compute_sizes
from app.domain.backtest.lines import Key, read_key
from app.domain.backtest.market import find_scene
from app.domain.backtest.setup import Setup
from app.domain.backtest.strategy import Decision
from app.domain.backtest.tape import Tape
from app.domain.kernels import sweeping as kernel
from app.domain.kernels.account import make_room
from app.errors import BadInput

Numbers = np.ndarray[Any, Any]

_WHOLE: Final = (np.empty(0),) * 3
_UNSIZED: Final = Decision(np.empty((0, 1), dtype=np.int8))


class _Layout(NamedTuple):
    """The arrays of all tapes, where each one's lie in them, and its terms."""

    flat: tuple[Numbers, ...]
    spans: kernel.Spans
    agreed: Numbers


@dataclass(frozen=True, eq=False)
class Stack:
    """Tapes of one instrument each; what was put together of them for a setup is kept.

    Raises:
        BadInput: a tape of several instruments.
    """

    tapes: Sequence[Tape]
    kept: dict[str, tuple[Setup, _Layout]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for tape in self.tapes:
            if len(tape.symbols) != 1:
                message = "A tape of a survey has %(count)s instruments; it must have one"
                raise BadInput(message, field="symbols", count=len(tape.symbols))

    def lay(self, setup: Setup) -> _Layout:
        """What the loops need of it under this setup."""
        latest = self.kept.get("latest")
        if latest is None or latest[0] is not setup:
            self.kept["latest"] = latest = (setup, _lay(self.tapes, setup))
        return latest[1]


def run_stack(  # noqa: PLR0913, PLR0917 - where, what, and what is written
    stack: Stack, setup: Setup, keys: Iterable[Key], cells: kernel.Cells, out: Numbers,
    sums: Numbers,
) -> None:  # fmt: skip
    """Runs the cells that look at these lines on every tape of a stack, in one call.

    `out` is tapes x cells x SUMMARY; `sums` as the loop has it.

    Raises:
        BadInput: a line that is not known, or a market that is not.
    """
    kinds, numbers = zip(*map(read_key, keys), strict=True)
    layout = stack.lay(setup)
    sessions = max(len(tape.days) for tape in stack.tapes)
    room = make_room((sessions, 1), max(len(tape.dividends) for tape in stack.tapes))
    lines, side = np.empty((len(kinds), sessions)), np.empty((sessions, 1), dtype=np.int8)
    turns = np.empty(sessions, dtype=np.int64)
    desk = kernel.Desk(lines, np.empty(sessions), side, turns)
    wanted = (np.array(kinds), np.array(numbers)), tuple(cells)
    kernel.run_cells(*layout, *wanted, tuple(room), tuple(desk), out, sums)


def _lay(tapes: Sequence[Tape], setup: Setup) -> _Layout:
    scenes = [find_scene(tape, setup) for tape in tapes]
    whole = [tape.history.whole and not tape.splits for tape in tapes]
    rows = [
        (*scene.world, compute_sizes(tape.history, setup, _UNSIZED),
         *(_WHOLE if own else tape.history.columns[0]))
        for tape, scene, own in zip(tapes, scenes, whole, strict=True)
    ]  # fmt: skip
    joined = [_join(arrays) for arrays in zip(*rows, strict=True)]
    spans = np.stack([where for _, where in joined], axis=1)
    spans[whole, kernel.HIGH :] = -1
    agreed = np.array([scene.terms for scene in scenes])
    return _Layout(tuple(flat for flat, _ in joined), spans, agreed)


def _join(arrays: Sequence[Numbers]) -> tuple[Numbers, Numbers]:
    """Arrays end to end, each of them once; where each begins and ends.

    Those that say the same as the first are not there again: they stay in the caches.
    """
    first = arrays[0]
    parts = [first if np.array_equal(array, first) else array for array in arrays]
    once = {id(part): part for part in parts}
    ends = np.cumsum([len(part) for part in once.values()])
    places = dict(zip(once, ends.tolist(), strict=True))
    spans = [(places[id(part)] - len(part), places[id(part)]) for part in parts]
    return np.concatenate(list(once.values())), np.array(spans)
