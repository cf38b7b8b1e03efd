"""The parameters of a strategy, and its description without its rules: all that a form needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite
from typing import Any, Final, Protocol, TypeVar

from app.errors import BadInput

Value = float | str | bool
Values = Mapping[str, Value]
T = TypeVar("T")


_FLAGS: Final = {"true": True, "on": True, "false": False, "": False}


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
        raise self._refusal(value)

    def read(self, text: str) -> Value:
        """The value that somebody typed.

        Raises:
            BadInput: no value of this kind, or outside of the bounds.
        """
        plain = text.strip()
        value: Value = plain
        if self.kind is Kind.FLAG:
            value = _FLAGS.get(plain.lower(), plain)
        elif self.kind is not Kind.CHOICE:
            try:
                value = float(plain)
            except ValueError:
                value = plain
        return self.check(value)

    def _holds(self, value: Value) -> bool:
        if isinstance(value, bool | str) or not isfinite(value):
            return False
        whole = self.kind is Kind.NUMBER or float(value).is_integer()
        low = -inf if self.least is None else self.least
        return whole and low <= value <= (inf if self.most is None else self.most)

    def _refusal(self, value: Value) -> BadInput:
        told = f"{value:.10g}" if type(value) is float else value
        facts: dict[str, Any] = {"name": self.name, "value": told}
        if self.kind is Kind.FLAG:
            message = "%(name)s is %(value)s; it must be true or false"
        elif self.kind is Kind.CHOICE:
            message = "%(name)s is %(value)s; it must be %(bound)s"
            facts["bound"] = ", ".join(self.choices)
        elif self.least is None:
            message = "%(name)s is %(value)s; it must be a finite number"
            if self.kind is Kind.INTEGER:
                message = "%(name)s is %(value).40r; it must be a whole number"
        else:
            facts |= {"low": f"{self.least:g}", "high": f"{self.most:g}"}
            message = "%(name)s is %(value)s; it must be from %(low)s to %(high)s"
            if self.kind is Kind.INTEGER:
                message = (
                    "%(name)s is %(value)s; it must be a whole number from %(low)s to %(high)s"
                )
        return BadInput(message, field=self.name, **facts)


class Described(Protocol):
    """What has parameters: a strategy, or its description."""

    @property
    def name(self) -> str:
        """For the reader."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """In the order of the form."""

    @property
    def ordered(self) -> tuple[tuple[str, str], ...]:
        """Pairs of which the first has to be below the second."""


@dataclass(frozen=True, slots=True)
class StrategyInfo:
    """The description of a strategy; `compiled`: a sweep over one instrument runs it compiled."""

    key: str
    name: str
    description: str
    parameters: tuple[Parameter, ...] = ()
    ordered: tuple[tuple[str, str], ...] = ()
    compiled: bool = False

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> StrategyInfo:
        """From what `dataclasses.asdict` and JSON have made of one."""
        parameters = tuple(
            Parameter(**{**one, "kind": Kind(one["kind"]), "choices": tuple(one["choices"])})
            for one in stored["parameters"]
        )
        ordered = tuple((low, high) for low, high in stored["ordered"])
        words = (stored["key"], stored["name"], stored["description"])
        return cls(*words, parameters, ordered, stored["compiled"])


def choose_strategy(known: Mapping[str, T], key: str) -> T:
    """The strategy of that key, or its description: whatever is known by keys.

    Raises:
        BadInput: there is none, or none any more.
    """
    if key not in known:
        message = "There is no strategy %(key).60r; there are: %(known)s"
        raise BadInput(message, field="strategy", key=key, known=", ".join(known) or "-")
    return known[key]


def check_values(strategy: Described, given: Values | None) -> dict[str, Value]:
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
            message = "%(name)s is %(value)s; it must be below %(other)s, which is %(bound)s"
            facts = {"name": low, "value": values[low], "other": high, "bound": values[high]}
            raise BadInput(message, field=low, **facts)
    return values
