"""The exchange that a purchase in another currency needs: what is missing, by the broker's rate.

    won for dollars: dollars * rate * (1 + spread), rounded up to the won
    dollars for won: won / (rate * (1 - spread)), rounded up to the cent

The rate is won per dollar, that of its source; the spread is the share of it that the broker keeps.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_CEILING, Decimal, localcontext
from typing import Final

from app.domain.market import CURRENCY_DIGITS, currency_digits
from app.domain.transactions import Entry, TransactionKind

_DIGITS: Final = 100
"""More than any product of amount, rate and spread has: only the end is rounded."""


def make_exchange(  # noqa: PLR0913 - an exchange is these facts
    needed: Decimal, currency_to: str, *, rate: Decimal, spread: Decimal, day: date, source: str
) -> Entry:
    """The EXCHANGE that buys `needed` of a currency, on that day."""
    currency = next(name for name in CURRENCY_DIGITS if name != currency_to)
    with localcontext(prec=_DIGITS):
        if currency_to == "USD":
            exact = needed * rate * (1 + spread)
        else:
            exact = needed / (rate * (1 - spread))
        unit = Decimal(1).scaleb(-currency_digits(currency))
        paid = exact.quantize(unit, ROUND_CEILING)
    return Entry(
        kind=TransactionKind.EXCHANGE,
        day=day,
        settles_on=day,
        currency=currency,
        amount=paid,
        currency_to=currency_to,
        amount_to=needed,
        rate=rate,
        spread=spread,
        source=source,
    )
