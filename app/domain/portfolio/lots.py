"""Lots: what was bought when and for how much, and what a sale takes of it.

A lot holds totals, never an average, in the instrument's currency and in the portfolio's. A part of
a lot takes its share of the cost, rounded to 10⁻²⁴, and the rest keeps what is left: totals are
conserved to the last digit and nothing remains after all is sold. FIFO takes the oldest lots first;
AVERAGE joins all lots into one, whose share is the moving average.

A holding below zero can stand in the records of a real account whose purchases are missing: its
lots are negative, and a purchase closes them first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from app.domain.money import ZERO
from app.domain.transactions import LotMethod

PRECISE: Final = Context(prec=100, rounding=ROUND_HALF_EVEN)
"""The context in which lots are computed: no product or difference of theirs is rounded."""

GRID: Final = Decimal(1).scaleb(-24)


@dataclass(frozen=True, slots=True)
class Lot:
    """Shares that came together; `entry` is the transaction that brought them.

    `base_cost` is the cost at the rate of that day in the portfolio's currency, None without one.
    """

    opened: date
    quantity: Decimal
    cost: Decimal
    base_cost: Decimal | None
    entry: int | None = None


def share(total: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """A part's share of a total, on the grid; all of it when the part is the whole."""
    return total if part == whole else (total * part / whole).quantize(GRID)


def plus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """The sum; None when one is not known."""
    return None if one is None or other is None else one + other


def sum_known(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; None when one is not known."""
    total: Decimal | None = ZERO
    for amount in amounts:
        total = plus(total, amount)
    return total


def minus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """The difference; None when one is not known."""
    return None if one is None or other is None else one - other


def total_base(lots: Iterable[Lot]) -> Decimal | None:
    """The sum of the costs in the portfolio's currency; None when one is not known."""
    total: Decimal | None = ZERO
    for lot in lots:
        total = plus(total, lot.base_cost)
    return total


class Holding:
    """The lots of one symbol, oldest first (AVERAGE: one lot). Used within `PRECISE`."""

    def __init__(self, symbol: str, currency: str, method: LotMethod) -> None:
        self.symbol = symbol
        self.currency = currency
        self.method = method
        self.lots: deque[Lot] = deque()
        self.quantity = ZERO

    def copy(self) -> Holding:
        """The same lots in a holding of its own."""
        other = Holding(self.symbol, self.currency, self.method)
        other.lots, other.quantity = self.lots.copy(), self.quantity
        return other

    def add(self, lot: Lot) -> None:
        """Takes a lot in; it has the sign of the holding."""
        self.quantity += lot.quantity
        if self.method is LotMethod.FIFO or not self.lots:
            self.lots.append(lot)
            return
        pool = self.lots[0]
        base = plus(pool.base_cost, lot.base_cost)
        self.lots[0] = Lot(pool.opened, self.quantity, pool.cost + lot.cost, base, pool.entry)

    def take(self, quantity: Decimal) -> list[Lot]:
        """Takes out shares, at most all; `quantity` has the sign of the holding."""
        self.quantity -= quantity
        taken = []
        while quantity:
            lot = self.lots.popleft()
            if abs(lot.quantity) > abs(quantity):
                part, rest = _split(lot, quantity)
                self.lots.appendleft(rest)
                lot = part
            quantity -= lot.quantity
            taken.append(lot)
        return taken

    def rescale(self, total: Decimal) -> None:
        """Makes the quantity `total` and keeps every cost: a split or a bonus issue."""
        self.lots = deque(rescaled(self.lots, self.quantity, total))
        self.quantity = total

    def keep(self, lots: Iterable[Lot]) -> None:
        """Puts other lots of the same shares in the place of these."""
        self.lots = deque(lots)


def rescaled(lots: Iterable[Lot], quantity: Decimal, total: Decimal) -> list[Lot]:
    """Lots of together `quantity` as lots of together `total`, their costs unchanged."""
    scaled = [replace(lot, quantity=share(total, lot.quantity, quantity)) for lot in lots]
    if scaled:
        rest = total - sum((lot.quantity for lot in scaled[:-1]), ZERO)
        scaled[-1] = replace(scaled[-1], quantity=rest)
    return scaled


def cede_cost(lots: Iterable[Lot], part: Decimal) -> list[Lot]:
    """A part (0 to 1) of every lot's cost, as lots of the same shares."""
    return [
        replace(
            lot,
            cost=share(lot.cost, part, Decimal(1)),
            base_cost=None if lot.base_cost is None else share(lot.base_cost, part, Decimal(1)),
        )
        for lot in lots
    ]


def less_cost(lots: Iterable[Lot], ceded: Iterable[Lot]) -> list[Lot]:
    """The lots without the costs that they have ceded."""
    return [_less(lot, gone, lot.quantity) for lot, gone in zip(lots, ceded, strict=True)]


def _split(lot: Lot, quantity: Decimal) -> tuple[Lot, Lot]:
    base = lot.base_cost
    base = None if base is None else share(base, quantity, lot.quantity)
    cost = share(lot.cost, quantity, lot.quantity)
    part = Lot(lot.opened, quantity, cost, base, lot.entry)
    return part, _less(lot, part, lot.quantity - quantity)


def _less(lot: Lot, part: Lot, quantity: Decimal) -> Lot:
    """What is left of a lot's cost without a part, for so many shares."""
    base = minus(lot.base_cost, part.base_cost)
    return Lot(lot.opened, quantity, lot.cost - part.cost, base, lot.entry)
