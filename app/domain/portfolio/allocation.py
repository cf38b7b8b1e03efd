"""Allocation: a portfolio's value by instrument, sector, currency or market."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum

from app.domain.money import ZERO
from app.domain.portfolio.lots import PRECISE, sum_known
from app.domain.portfolio.valuation import PortfolioValue, PositionValue


class AllocationKey(StrEnum):
    """What a portfolio is divided by."""

    INSTRUMENT = "INSTRUMENT"
    SECTOR = "SECTOR"
    CURRENCY = "CURRENCY"
    MARKET = "MARKET"


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the value: `name` is None for cash, "" for what has no such property.

    `part` is of the whole, 0.25 for a quarter; None when the whole is not above zero. `others` is
    of how many smaller ones the slice is made, 0 of none.
    """

    name: str | None
    value: Decimal
    part: Decimal | None
    others: int = 0


def allocate(
    value: PortfolioValue, key: AllocationKey, name_of: Callable[[PositionValue], str | None]
) -> list[Slice]:
    """The slices, largest first; cash is one of them, but by CURRENCY it counts to its currency.

    `name_of` tells a position's sector or market (INSTRUMENT and CURRENCY need none). What has no
    value is left out: the portfolio's value names it.
    """
    sums: defaultdict[str | None, Decimal] = defaultdict(Decimal)
    for position in value.positions:
        if position.base_value is not None and position.quantity:
            name = _name(position, key, name_of)
            sums[name] = PRECISE.add(sums[name], position.base_value)
    for balance in value.cash:
        if balance.base_value:
            name_of_cash = balance.currency if key is AllocationKey.CURRENCY else None
            sums[name_of_cash] = PRECISE.add(sums[name_of_cash], balance.base_value)
    total = value.total
    slices = [
        Slice(name, amount, PRECISE.divide(amount, total) if total > 0 else None)
        for name, amount in sums.items()
    ]
    return sorted(slices, key=lambda one: (-one.value, one.name or ""))


def gather(slices: Sequence[Slice], most: int) -> list[Slice]:
    """The first slices, and one more of all the smaller ones that are above nothing."""
    rest = [one for one in slices[most:] if one.value > 0]
    if not rest:
        return list(slices[:most])
    with localcontext(PRECISE):
        value = sum((one.value for one in rest), ZERO)
        part = sum_known(one.part for one in rest)
    return [*slices[:most], Slice("", value, part, len(rest))]


def _name(
    position: PositionValue, key: AllocationKey, name_of: Callable[[PositionValue], str | None]
) -> str:
    if key is AllocationKey.INSTRUMENT:
        return position.symbol
    if key is AllocationKey.CURRENCY:
        return position.currency
    return name_of(position) or ""
