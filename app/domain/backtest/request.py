"""A request for a backtest: what is to be run, as it is checked, stored and run again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum
from math import prod
from typing import Any

from app.domain.backtest.grid import EXITS, Grid, Plan, check_axes
from app.domain.backtest.parameters import Described, Kind, Parameter, Value, check_values
from app.domain.backtest.setup import Exits, Fill, Setup, Size, Sizing
from app.domain.trading.costs import find_profile
from app.errors import BadInput


class Mode(StrEnum):
    """One run, a run of each cell of a grid, or values chosen on the past and traded afterwards."""

    RUN = "RUN"
    SWEEP = "SWEEP"
    WALK_FORWARD = "WALK_FORWARD"


@dataclass(frozen=True, slots=True)
class Request:
    """`values` are of the strategy; `axes` those that are varied; `plan` makes it a walk-forward.

    `benchmark` is the symbol of a series to compare with. `since`: the first day that is traded;
    the strategy sees the ones before from `first_day` on.
    """

    strategy: str
    symbols: tuple[str, ...]
    first_day: date
    last_day: date
    values: Mapping[str, Value] = field(default_factory=dict)
    setup: Setup = field(default_factory=Setup)
    axes: Grid = field(default_factory=dict)
    plan: Plan | None = None
    benchmark: str | None = None
    since: date | None = None

    @property
    def mode(self) -> Mode:
        """What kind of a run it is."""
        if self.plan is not None:
            return Mode.WALK_FORWARD
        return Mode.SWEEP if self.axes else Mode.RUN

    @property
    def grid(self) -> dict[str, tuple[Value, ...]]:
        """The axes, and each other parameter as an axis of one value."""
        fixed = {name: (value,) for name, value in self.values.items() if name not in self.axes}
        return fixed | {name: tuple(values) for name, values in self.axes.items()}

    @property
    def cells(self) -> int:
        """How many sets of values there are, those that do not go together included."""
        return prod(len(values) for values in self.axes.values())

    def dump(self) -> dict[str, Any]:
        """As JSON has it."""
        setup = {one.name: getattr(self.setup, one.name) for one in fields(Setup)}
        setup |= {
            "cash": str(self.setup.cash),
            "costs": self.setup.costs.key,
            "sizing": asdict(self.setup.sizing),
            "exits": asdict(self.setup.exits),
        }
        stored: dict[str, Any] = {
            "strategy": self.strategy,
            "symbols": list(self.symbols),
            "first_day": self.first_day.isoformat(),
            "last_day": self.last_day.isoformat(),
            "values": dict(self.values),
            "setup": setup,
            "axes": {name: list(values) for name, values in self.axes.items()},
            "plan": None if self.plan is None else asdict(self.plan),
            "benchmark": self.benchmark,
            "since": None if self.since is None else self.since.isoformat(),
        }
        return stored

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> Request:
        """The reverse of `dump`."""
        setup = dict(stored["setup"])
        sizing = setup["sizing"]
        setup |= {
            "cash": Decimal(setup["cash"]),
            "fill": Fill(setup["fill"]),
            "costs": find_profile(setup["costs"]),
            "sizing": Sizing(**{**sizing, "kind": Size(sizing["kind"])}),
            "exits": Exits(**setup["exits"]),
        }
        return cls(
            strategy=stored["strategy"],
            symbols=tuple(stored["symbols"]),
            first_day=date.fromisoformat(stored["first_day"]),
            last_day=date.fromisoformat(stored["last_day"]),
            values=stored["values"],
            setup=Setup(**setup),
            axes={name: tuple(values) for name, values in stored["axes"].items()},
            plan=None if stored["plan"] is None else Plan(**stored["plan"]),
            benchmark=stored["benchmark"],
            since=None if (day := stored.get("since")) is None else date.fromisoformat(day),
        )


def read_choice(strategy: Described, name: str, text: str) -> Value:
    """The value that somebody typed for a parameter, or for an exit.

    Raises:
        BadInput: there is no such parameter, or it cannot take the value.
    """
    known = {one.name: one for one in strategy.parameters}
    if name in known:
        return known[name].read(text)
    if name in EXITS:
        return Parameter(name, Kind.NUMBER, 0.0).read(text)
    message = "%(strategy)s has no parameter %(name)s; it has: %(known)s"
    names = ", ".join((*known, *EXITS))
    raise BadInput(message, field=name, strategy=strategy.name, name=name, known=names)


def check_choice(strategy: Described, values: Mapping[str, Value], axes: Grid) -> None:
    """Refuses values and axes that the strategy cannot take.

    Raises:
        BadInput: a value or an axis that cannot be, or something that is both.
    """
    check_axes(strategy, axes)
    both = sorted(set(values) & set(axes))
    if both:
        message = "%(name)s has a value and is varied; it can be one of both"
        raise BadInput(message, field=both[0], name=both[0])
    ends = {name: axis[0] for name, axis in axes.items() if name not in EXITS}
    if not any(name in axes for pair in strategy.ordered for name in pair):
        check_values(strategy, {**values, **ends})
        return
    for name, value in values.items():
        known = {one.name: one for one in strategy.parameters}
        if name not in known:
            check_values(strategy, {name: value})
        known[name].check(value)
