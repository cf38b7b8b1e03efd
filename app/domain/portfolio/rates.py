"""Rates by day: what one unit of a foreign currency is worth in the portfolio's.

The rate of a day is that of the day, else the newest before it (weekends, holidays), for at most
`LONGEST_GAP`; beyond that it is not known, never 1. Rates are stored as won per dollar; the won's
is 1 / that, to `DIGITS` significant digits.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Context, Decimal
from typing import Final

LONGEST_GAP: Final = timedelta(days=10)
"""The longest that no rate was set between 1999 and 2026 are 5 days; twice that is a hole."""

DIGITS: Final = 16
_TURN: Final = Context(prec=DIGITS)


def invert(rate: Decimal) -> Decimal:
    """1 / rate, to 16 significant digits."""
    return _TURN.divide(Decimal(1), rate)


class DatedRates:
    """Rates of `currency` in `base` by day: `rates(currency, day)` as `keep_book` asks for them."""

    def __init__(self, base: str, currency: str, rates: Iterable[tuple[date, Decimal]]) -> None:
        self.base, self.currency = base, currency
        known = sorted(rates)
        self._days = [day for day, _ in known]
        self._rates = [rate for _, rate in known]

    def __call__(self, currency: str, day: date) -> Decimal | None:
        """Units of `base` for one of the currency on that day; None when it is not known."""
        if currency == self.base:
            return Decimal(1)
        place = bisect_right(self._days, day)
        if currency != self.currency or not place or day - self._days[place - 1] > LONGEST_GAP:
            return None
        return self._rates[place - 1]
