"""The grid of a sweep and the plan of a walk-forward, checked before anything is run.

Axes are parameters of the strategy, and `stop`, `target`, `trailing` of the setup's exits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Final

from app.domain.backtest.parameters import Described, Value
from app.domain.backtest.setup import Setup
from app.errors import BadInput

Grid = Mapping[str, Sequence[Value]]

EXITS: Final = ("stop", "target", "trailing")
MOST: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """Sessions of training, of testing, and between them; `anchored`: training from the start."""

    train: int = 504
    test: int = 126
    embargo: int = 5
    anchored: bool = False


def check_axes(strategy: Described, grid: Grid) -> dict[str, tuple[Value, ...]]:
    """The axes with their values as their kinds.

    Raises:
        BadInput: an axis that is no parameter, or is empty; a value that cannot be; too many cells.
    """
    parameters = {one.name: one for one in strategy.parameters}
    axes: dict[str, tuple[Value, ...]] = {}
    for name, values in grid.items():
        if name not in parameters and name not in EXITS:
            message = "%(strategy)s has no parameter %(name)s; it has: %(known)s"
            known = ", ".join((*parameters, *EXITS))
            raise BadInput(message, field=name, strategy=strategy.name, name=name, known=known)
        if not len(values):
            message = "The axis %(name)s has no values"
            raise BadInput(message, field=name, name=name)
        if name in EXITS:
            for value in values:
                setup_of(Setup(), {name: value})
        axes[name] = tuple(parameters[name].check(v) if name in parameters else v for v in values)
    count = prod(len(values) for values in axes.values())
    if count > MOST:
        message = "The grid has %(count)s cells; %(most)s are possible"
        raise BadInput(message, field="grid", count=count, most=MOST)
    return axes


def setup_of(setup: Setup, values: Mapping[str, Value]) -> Setup:
    """The setup of a cell: its exits are those of the axes."""
    exits = {name: float(values[name]) for name in EXITS if name in values}
    return replace(setup, exits=replace(setup.exits, **exits)) if exits else setup
