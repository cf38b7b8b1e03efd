"""Fundamentals: what a company costs beside what it earns, owns and owes, as one source tells it.

Multiples (P/E, P/B) are plain numbers; returns, margins, yields and debt to equity are fractions of
one: 0.05 is 5 %. Amounts are exact, the market's in the currency of the shares, the debt in that of
the company's statements. What the source does not tell is None; what cannot be true is None, too,
and named in `refused`. Nothing is computed here from other figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

RATIOS: Final[Mapping[str, tuple[float, float]]] = {
    "trailing_pe": (0.0, 1e6),
    "forward_pe": (-1e6, 1e6),
    "price_to_book": (-1e6, 1e6),
    "return_on_equity": (-1e3, 1e3),
    "dividend_yield": (0.0, 1.0),
    "gross_margin": (-1e4, 1.0),
    "operating_margin": (-1e4, 10.0),
    "net_margin": (-1e4, 100.0),
    "debt_to_equity": (0.0, 1e4),
}
"""The bounds of each ratio, both allowed: far beyond what is real, and far below what is broken.

Losses make margins, returns and expected earnings negative, and with them the multiples on these; a
book value below zero does so to P/B. One sale of a business may bring more than the year's revenue.
"""

AMOUNTS: Final[Mapping[str, tuple[Decimal, Decimal]]] = {
    "market_cap": (Decimal(1), Decimal("1e17")),
    "total_debt": (Decimal(0), Decimal("1e17")),
}
"""The bounds of each amount in its currency: 1e17 won are more than all that is listed in Korea."""


@dataclass(frozen=True)
class Fundamentals:
    """One answer of a source. `currency` is that of `market_cap`, `statement_currency` of debt.

    `trailing_pe`: price by the earnings of the last four quarters, `forward_pe`: of those expected;
    `dividend_yield`: what was paid in a year by the price. The names of `refused` are those of the
    fields.
    """

    currency: str
    statement_currency: str | None = None
    market_cap: Decimal | None = None
    total_debt: Decimal | None = None
    trailing_pe: float | None = None
    forward_pe: float | None = None
    price_to_book: float | None = None
    return_on_equity: float | None = None
    dividend_yield: float | None = None
    gross_margin: float | None = None
    operating_margin: float | None = None
    net_margin: float | None = None
    debt_to_equity: float | None = None
    refused: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether the source told no figure that could be believed."""
        return all(getattr(self, name) is None for name in (*AMOUNTS, *RATIOS))


def make_fundamentals(
    currency: str, statement_currency: str | None, told: Mapping[str, object]
) -> Fundamentals:
    """What was told, by the names of the fields; a figure out of its bounds is refused."""
    kept: dict[str, Any] = {}
    refused = []
    bounds: dict[str, tuple[float | Decimal, float | Decimal]] = {**AMOUNTS, **RATIOS}
    for name, (low, high) in bounds.items():
        value = told.get(name)
        if value is None:
            continue
        number = _number(value)
        if number is None or not low <= number <= high:
            refused.append(name)
        else:
            kept[name] = Decimal(str(value)) if name in AMOUNTS else number
    return Fundamentals(currency, statement_currency, **kept, refused=tuple(refused))


def _number(value: object) -> float | None:
    """A finite number; no text and no truth value is one."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
