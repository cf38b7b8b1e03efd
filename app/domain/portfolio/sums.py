"""Sums over all that a book has: the sales of each instrument, the income of each month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext

from app.domain.portfolio.book import Row, Sale
from app.domain.portfolio.lots import PRECISE, sum_known


@dataclass(frozen=True, slots=True)
class Sum:
    """How many rows there are, and what they come to; None when one has no rate of its day."""

    count: int
    base: Decimal | None


def sum_sales(sales: Iterable[Sale]) -> dict[str, Sum]:
    """By symbol the gains of its sales, before their fees and taxes."""
    return _sum_by((sale.symbol, sale.base_gain) for sale in sales)


def sum_income(rows: Iterable[Row]) -> dict[str, Sum]:
    """By month (2026-03) the income of its days."""
    return _sum_by((f"{row.day:%Y-%m}", row.base) for row in rows)


def _sum_by(pairs: Iterable[tuple[str, Decimal | None]]) -> dict[str, Sum]:
    groups: defaultdict[str, list[Decimal | None]] = defaultdict(list)
    for name, amount in pairs:
        groups[name].append(amount)
    with localcontext(PRECISE):
        return {name: Sum(len(all_), sum_known(all_)) for name, all_ in groups.items()}
