"""Markets: kinds of instruments, decimals of currencies, and the tick sizes of the Korea Exchange.

The Korean table is that of 2023-01-25 (KOSPI and KOSDAQ alike); funds kept 5 won then. US prices
move by a cent, below a dollar by a hundredth of one (SEC Rule 612).
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.errors import BadInput


class Kind(StrEnum):
    """What an instrument is."""

    EQUITY = "EQUITY"
    ETF = "ETF"
    INDEX = "INDEX"
    FX = "FX"


CURRENCY_DIGITS: Final = {"KRW": 0, "USD": 2}

KRX_TICKS_FROM: Final = date(2023, 1, 25)
_KRX_BOUNDS: Final = (2_000, 5_000, 20_000, 50_000, 200_000, 500_000)
_KRX_TICKS: Final = (1, 5, 10, 50, 100, 500, 1_000)
_KRX_FUND_TICK: Final = 5
_CENT: Final = Decimal("0.01")
_SUB_CENT: Final = Decimal("0.0001")


def currency_digits(currency: str) -> int:
    """Decimals of an amount of money: 0 for the won, 2 for the dollar.

    Raises:
        BadInput: a currency that is not traded here.
    """
    try:
        return CURRENCY_DIGITS[currency]
    except KeyError:
        message = "%(currency)s is not supported: KRW and USD are"
        raise BadInput(message, field="currency", currency=currency) from None


def krx_tick(price: Decimal, day: date, kind: Kind = Kind.EQUITY) -> Decimal:
    """The step in won by which an order at `price` moves on the Korea Exchange on that day.

    Raises:
        BadInput: a price not above zero, or a day before the table of 2023-01-25.
    """
    if price <= 0:
        message = "The price is %(price)s; it must be above zero"
        raise BadInput(message, field="price", price=price)
    if day < KRX_TICKS_FROM:
        message = "%(day)s lies before %(first)s, the first day of the known tick sizes"
        raise BadInput(message, field="day", day=day, first=KRX_TICKS_FROM)
    if kind is Kind.ETF:
        return Decimal(_KRX_FUND_TICK)
    return Decimal(_KRX_TICKS[bisect_right(_KRX_BOUNDS, price)])


def chart_tick(price: Decimal, currency: str, kind: Kind = Kind.EQUITY) -> Decimal:
    """The step of a price axis around `price`: the present tick size, 0.01 for indices and rates.

    Raises:
        BadInput: a price not above zero, or a currency that is not traded here.
    """
    if kind in {Kind.INDEX, Kind.FX}:
        return _CENT
    if currency_digits(currency) == 0:
        return krx_tick(price, KRX_TICKS_FROM, kind)
    if price <= 0:
        message = "The price is %(price)s; it must be above zero"
        raise BadInput(message, field="price", price=price)
    return _CENT if price >= 1 else _SUB_CENT


def price_digits(currency: str, kind: Kind = Kind.EQUITY) -> int:
    """Decimals of a price: those of its currency; 2 for indices and exchange rates.

    Raises:
        BadInput: a currency that is not traded here.
    """
    return 2 if kind in {Kind.INDEX, Kind.FX} else currency_digits(currency)
