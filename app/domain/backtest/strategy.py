"""A strategy: named, with typed parameters, from a history to the side wanted at each close.

The simplest is a class of its own:

    class Turtle(Strategy):
        key, name, description = "turtle", "Turtle", "Long above the highest close before."
        parameters = (Parameter("days", Kind.INTEGER, 55, 2, 400),)

        def decide(self, history, values):
            highest = ...
            return Decision(side, {"highest": highest})

A `LineStrategy` only names the lines that it compares: it is the one that a sweep runs compiled.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

import numpy as np

from app.domain.backtest.history import History
from app.domain.backtest.lines import ZERO, Key, compute_line, show_key
from app.domain.kernels import sweeping as kernel
from app.errors import BadInput

Table = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Sides = np.ndarray[tuple[int, int], np.dtype[np.int8]]
Value = float | str | bool
Values = Mapping[str, Value]


class Kind(StrEnum):
    """What a parameter is."""

    INTEGER = "INTEGER"
    NUMBER = "NUMBER"
    FLAG = "FLAG"
    CHOICE = "CHOICE"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One field of a strategy's form: bounds of a number, or the words to choose from."""

    name: str
    kind: Kind
    default: Value
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()

    def check(self, value: Value) -> Value:
        """The value as its kind.

        Raises:
            BadInput: of another kind, or outside of the bounds.
        """
        if self.kind is Kind.FLAG and isinstance(value, bool):
            return value
        if self.kind is Kind.CHOICE and value in self.choices:
            return value
        if self.kind in {Kind.INTEGER, Kind.NUMBER} and self._holds(value):
            return int(value) if self.kind is Kind.INTEGER else float(value)
        message = "%(name)s is %(value)s; it must be %(bound)s"
        raise BadInput(message, field=self.name, name=self.name, value=value, bound=self._bound())

    def _holds(self, value: Value) -> bool:
        if isinstance(value, bool | str) or not np.isfinite(value):
            return False
        whole = self.kind is Kind.NUMBER or float(value).is_integer()
        low = -np.inf if self.least is None else self.least
        return bool(whole and low <= value <= (np.inf if self.most is None else self.most))

    def _bound(self) -> str:
        if self.choices:
            return ", ".join(self.choices)
        return (
            self.kind.value
            if self.least is None
            else f"{self.kind.value} {self.least:g}..{self.most:g}"
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """What is wanted at each close: -1, 0 or 1, sessions x instruments.

    `inputs` are what it was decided from, by name, of the same shape: the certificate names the one
    that looks ahead. `size`: the part of equity of a position opened then; None leaves it to the
    setup. `slots`: how many positions there are at most.
    """

    side: Sides
    inputs: Mapping[str, Table] = field(default_factory=dict)
    size: Table | None = None
    slots: int | None = None


class Strategy(ABC):
    """Named rules with parameters."""

    key: ClassVar[str]
    name: ClassVar[str]
    description: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    ordered: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Pairs of parameters of which the first has to be below the second."""

    @abstractmethod
    def decide(self, history: History, values: Values) -> Decision:
        """The decision at the close of every session, from nothing later than that close."""


@dataclass(frozen=True, slots=True)
class LineRule:
    """Long from v > enter until v < leave, where v = sign * (plus - minus); short the other way."""

    plus: Key
    minus: Key = ZERO
    sign: float = 1.0
    enter: float = 0.0
    leave: float = 0.0
    short: bool = False


class LineStrategy(Strategy):
    """A strategy of one comparison of two lines of the instrument."""

    depends: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Which parameters a part of the rule depends on: all, where nothing is said."""

    @abstractmethod
    def rule(self, values: Values) -> LineRule:
        """The comparison for these values."""

    def decide(self, history: History, values: Values) -> Decision:
        """Follows the rule for every instrument."""
        rule = self.rule(values)
        plus, minus = compute_line(history, rule.plus), compute_line(history, rule.minus)
        side = np.zeros(history.shape, dtype=np.int8)
        one = np.zeros((len(history.days), 1), dtype=np.int8)
        for k in range(history.shape[1]):
            columns = np.ascontiguousarray(plus[:, k]), np.ascontiguousarray(minus[:, k])
            kernel.follow(*columns, rule.sign, rule.enter, rule.leave, int(rule.short), one)
            side[:, k] = one[:, 0]
        lines = ((rule.plus, plus), (rule.minus, minus))
        return Decision(side, {show_key(key): line for key, line in lines if key[0] != "level"})


def check_values(strategy: Strategy, given: Values | None) -> dict[str, Value]:
    """All parameters of a strategy: as given, else their defaults.

    Raises:
        BadInput: a name that the strategy does not have, or a value that it cannot take.
    """
    given = given or {}
    known = {parameter.name: parameter for parameter in strategy.parameters}
    for name in given:
        if name not in known:
            message = "%(strategy)s has no parameter %(name)s; it has: %(known)s"
            names = ", ".join(known) or "-"
            raise BadInput(message, field=name, strategy=strategy.name, name=name, known=names)
    values = {name: one.check(given.get(name, one.default)) for name, one in known.items()}
    for low, high in strategy.ordered:
        if values[low] >= values[high]:  # type: ignore[operator]
            message = "%(name)s is %(value)s; it must be below %(bound)s"
            bound = f"{high} ({values[high]})"
            raise BadInput(message, field=low, name=low, value=values[low], bound=bound)
    return values
