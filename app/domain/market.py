"""Markets: kinds of instruments, decimals of currencies and of prices."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from app.errors import BadInput


class Kind(StrEnum):
    """What an instrument is."""

    EQUITY = "EQUITY"
    ETF = "ETF"
    INDEX = "INDEX"
    FX = "FX"


CURRENCY_DIGITS: Final = {"KRW": 0, "USD": 2}
CURRENCY_ZONES: Final = {"KRW": ZoneInfo("Asia/Seoul"), "USD": ZoneInfo("America/New_York")}


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


def present_days(at: datetime) -> dict[str, date]:
    """The calendar day at an instant where each currency is at home: its money settles by it."""
    return {currency: at.astimezone(zone).date() for currency, zone in CURRENCY_ZONES.items()}


def price_digits(currency: str, kind: Kind = Kind.EQUITY) -> int:
    """Decimals of a price: those of its currency; 2 for indices and exchange rates.

    Raises:
        BadInput: a currency that is not traded here.
    """
    return 2 if kind in {Kind.INDEX, Kind.FX} else currency_digits(currency)
