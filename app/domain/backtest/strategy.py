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
from typing import ClassVar

import numpy as np

from app.domain.backtest.history import History
from app.domain.backtest.lines import ZERO, Key, compute_line, show_key
from app.domain.backtest.parameters import (
    Kind,
    Parameter,
    StrategyInfo,
    Value,
    Values,
    check_values,
)
from app.domain.kernels import sweeping as kernel

Table = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Sides = np.ndarray[tuple[int, int], np.dtype[np.int8]]

__all__ = [
    "Decision",
    "Kind",
    "LineRule",
    "LineStrategy",
    "Parameter",
    "Sides",
    "Strategy",
    "Table",
    "Value",
    "Values",
    "check_values",
]


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
    compiled: ClassVar[bool] = False
    """Whether a sweep over one instrument runs it compiled."""

    @property
    def info(self) -> StrategyInfo:
        """Its description, for who cannot run it."""
        words = (self.key, self.name, self.description)
        return StrategyInfo(*words, self.parameters, self.ordered, self.compiled)

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
    compiled: ClassVar[bool] = True

    @abstractmethod
    def rule(self, values: Values) -> LineRule:
        """The comparison for these values."""

    def decide(self, history: History, values: Values) -> Decision:
        """Follows the rule for every instrument."""
        rule = self.rule(values)
        plus, minus = compute_line(history, rule.plus), compute_line(history, rule.minus)
        one = np.empty((len(plus), 1), dtype=np.int8)
        side = one if plus.shape[1] == 1 else np.empty(plus.shape, dtype=np.int8)
        for k in range(plus.shape[1]):
            columns = np.ascontiguousarray(plus[:, k]), np.ascontiguousarray(minus[:, k])
            kernel.follow(*columns, rule.sign, rule.enter, rule.leave, int(rule.short), one)
            if side is not one:
                side[:, k] = one[:, 0]
        lines = ((rule.plus, plus), (rule.minus, minus))
        return Decision(side, {show_key(key): line for key, line in lines if key[0] != "level"})
