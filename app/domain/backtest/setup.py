"""The setup of a backtest: cash, costs, when orders are filled, their size, what ends them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import StrEnum
from math import nan
from typing import Final

from app.domain.trading.costs import PROFILES, CostProfile
from app.domain.trading.listings import find_listing
from app.errors import BadInput


class Fill(StrEnum):
    """When a signal of a close is traded."""

    NEXT_OPEN = "NEXT_OPEN"
    SAME_CLOSE = "SAME_CLOSE"


class Size(StrEnum):
    """How much of the equity a position gets when it is opened."""

    EQUAL = "EQUAL"
    FRACTION = "FRACTION"
    VOLATILITY = "VOLATILITY"


@dataclass(frozen=True, slots=True)
class Sizing:
    """The part of equity of one position.

    EQUAL: 1 / slots. FRACTION: `fraction`. VOLATILITY: `fraction` / (yearly volatility of the last
    `window` returns) / slots, at most 1 / slots. `slots` is how many positions there may be: as
    many as instruments where neither this nor the strategy says so.
    """

    kind: Size = Size.EQUAL
    fraction: float = 1.0
    window: int = 20
    slots: int | None = None


@dataclass(frozen=True, slots=True)
class Exits:
    """Stop and target as parts of the entry price, trailing stop of the best price since."""

    stop: float | None = None
    target: float | None = None
    trailing: float | None = None

    @property
    def numbers(self) -> tuple[float, float, float]:
        """The three; NaN for none."""
        stop, target, trailing = self.stop, self.target, self.trailing
        return (
            nan if stop is None else stop,
            nan if target is None else target,
            nan if trailing is None else trailing,
        )


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything about a backtest that is not its strategy. Rates are yearly, by calendar days.

    `taxed`: taxes and fees of states and exchanges are taken; `rounded`: costs are rounded as a
    broker does; `ticks`, `limits`: prices keep to the exchange's; `whole`: whole shares only.
    `volume_cap` is the part of a session's volume that can be traded, None for any quantity.

    Raises:
        BadInput: a number lies outside of what is possible.
    """

    cash: Decimal = Decimal(10_000_000)
    fill: Fill = Fill.NEXT_OPEN
    costs: CostProfile = field(default_factory=lambda: PROFILES["online"])
    slippage: float = 0.0
    sizing: Sizing = Sizing()
    exits: Exits = Exits()
    interest: float = 0.0
    borrowing: float = 0.0
    volume_cap: float | None = 0.1
    shorts: bool = False
    taxed: bool = True
    rounded: bool = True
    ticks: bool = True
    limits: bool = True
    whole: bool = True

    def __post_init__(self) -> None:
        _check("cash", float(self.cash), above=0.0, most=1e15)
        _check("slippage", self.slippage, least=0.0, most=0.2)
        _check("interest", self.interest, least=0.0, most=1.0)
        _check("borrowing", self.borrowing, least=0.0, most=1.0)
        _check("volumeCap", self.volume_cap, above=0.0, most=1.0)
        for one in fields(self.exits):
            _check(one.name, getattr(self.exits, one.name), above=0.0, most=_WIDEST[one.name])
        _check("fraction", self.sizing.fraction, above=0.0, most=1.0)
        _check("window", self.sizing.window, least=2, most=1_000)
        _check("slots", self.sizing.slots, least=1, most=10_000)


USUAL_CASH: Final = {"KRW": Decimal(10_000_000), "USD": Decimal(10_000)}


def usual_cash(symbols: Sequence[str]) -> Decimal:
    """What a backtest begins with where nothing is said, in the currency of the first symbol."""
    first = symbols[0].strip().upper() if symbols else ".KS"
    return USUAL_CASH[find_listing(first).currency]


_WIDEST: Final = {"stop": 0.99, "target": 100.0, "trailing": 0.99}

FILL_RULES: Final = {
    Fill.NEXT_OPEN: "A signal at the close is filled at the next open.",
    Fill.SAME_CLOSE: "A signal at the close is filled at that same close, which nobody can do for"
    " certain: the close is known when trading is over.",
}


def _check(
    name: str,
    value: float | None,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float,
) -> None:
    if value is None:
        return
    low = least if least is not None else above
    inside = value >= least if least is not None else above is None or value > above
    if not (inside and value <= most):
        message = "%(name)s is %(value)s; it must be between %(low)s and %(most)s"
        if least is None:
            message = "%(name)s is %(value)s; it must be above %(low)s and at most %(most)s"
        facts = {"value": value, "low": low or 0.0, "most": most}
        whole = {key: int(one) for key, one in facts.items() if float(one).is_integer()}
        raise BadInput(message, field=name, name=name, **facts | whole)
