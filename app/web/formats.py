"""Numbers, prices and instants as a reader sees them: filters of the templates.

Input is what a document returns: a Decimal or a date is a string, a statistic a float. Nothing is
computed in float on the way to the page; rounding is half up (away from zero), as `Intl` does it in
the browser, so that a price reads the same before and after its first tick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache, partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_date

from app.translations import Locale

NONE: Final = "\N{EN DASH}"
ZONES: Final = {"Asia/Seoul": "KST", "America/New_York": "ET", "Europe/London": "London"}
SYMBOLS: Final[dict[Locale, dict[str, str]]] = {
    "ko": {"KRW": "₩", "USD": "US$"},
    "en": {"KRW": "₩", "USD": "$"},
}
_WHOLE: Final = frozenset({"KRW", "JPY"})
_STEPS: Final[dict[Locale, tuple[tuple[Decimal, str], ...]]] = {
    "ko": ((Decimal("1e12"), "조"), (Decimal("1e8"), "억"), (Decimal("1e4"), "만")),
    "en": (
        (Decimal("1e12"), "T"),
        (Decimal("1e9"), "B"),
        (Decimal("1e6"), "M"),
        (Decimal("1e3"), "K"),
    ),
}


def digits(instrument: Mapping[str, Any]) -> int:
    """How many decimals the price of an instrument has: won 0, dollar 2, index 2, rate 2 or 4."""
    if instrument["kind"] == "INDEX":
        return 2
    if instrument["kind"] == "FX":
        return 2 if instrument["currency"] in _WHOLE else 4
    return 0 if instrument["currency"] in _WHOLE else 2


@lru_cache(maxsize=8192)
def number(value: str | float | None, places: int = 0) -> str:
    """`1,234.50`; zero has no sign; a dash where nothing is known."""
    if value is None:
        return NONE
    rounded = _rounded(value, places)
    return f"{rounded or abs(rounded):,}"


@lru_cache(maxsize=8192)
def signed(value: str | float | None, places: int = 0) -> str:
    """`+1,234.50` or `-1,234.50`; zero has no sign."""
    if value is None:
        return NONE
    rounded = _rounded(value, places)
    return f"{rounded:+,}" if rounded else f"{abs(rounded):,}"


def percent(value: str | float | None, places: int = 2) -> str:
    """`+1.23%`: the value is in percent already."""
    return NONE if value is None else signed(value, places) + "%"


def direction(value: str | float | None, places: int = 8) -> str:
    """`up`, `down` or `flat`: the sign of what is shown, not of what was rounded away."""
    rounded = 0 if value is None else _rounded(value, places)
    return "up" if rounded > 0 else "down" if rounded < 0 else "flat"


def day(value: str | None) -> str:
    """A session date as `2012-03-05`: tables align by it in both languages."""
    return NONE if value is None else date.fromisoformat(value).isoformat()


@lru_cache(maxsize=4096)
def clock(value: str | None, zone: str, *, seconds: bool = False) -> str:
    """`15:30`, or `15:30:05`: an instant on the clock of a zone."""
    if value is None:
        return NONE
    local = datetime.fromisoformat(value).astimezone(ZoneInfo(zone))
    return f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"


def row_as_of(quote: Mapping[str, Any], zone: str) -> str:
    """When a price is of: `15:30` on the market's clock while it moves, else its day.

    `asOf` of `live.js` writes the same.
    """
    moving = quote["state"] in {"LIVE", "DELAYED"}
    return clock(quote["at"], zone) if moving else day(quote["day"])


@lru_cache(maxsize=4096)
def moment(value: str | None, zone: str) -> str:
    """`2012-03-05 15:30 KST`: an instant with its date."""
    if value is None:
        return NONE
    local = datetime.fromisoformat(value).astimezone(ZoneInfo(zone))
    return f"{local:%Y-%m-%d %H:%M} {zone_name(zone)}"


@lru_cache(maxsize=4096)
def short_moment(value: str | None, zone: str) -> str:
    """`03-05 15:30`: an instant of the last weeks, its zone named elsewhere."""
    if value is None:
        return NONE
    return f"{datetime.fromisoformat(value).astimezone(ZoneInfo(zone)):%m-%d %H:%M}"


def compact_money(value: str, currency: str | None, locale: Locale) -> str:
    """`$3.0T`, `₩480조`: an amount too large for its digits; without a sign where none is known."""
    symbol = "" if currency is None else SYMBOLS[locale].get(currency, currency + " ")
    amount = Decimal(value)
    return f"{'-' if amount < 0 else ''}{symbol}{_compact(abs(amount), locale)}"


def zone_name(zone: str, locale: Locale = "en") -> str:
    """How a zone is called on a market clock."""
    if locale == "ko" and zone == "Europe/London":
        return "런던"
    return ZONES.get(zone, zone.rpartition("/")[2].replace("_", " "))


def make_filters(locale: Locale) -> dict[str, Callable[..., str | int]]:
    """All filters, those that speak a language bound to it."""

    @lru_cache(maxsize=8192)
    def money(value: str | None, currency: str) -> str:
        if value is None:
            return NONE
        amount = _rounded(value, 0 if currency in _WHOLE else 2)
        symbol = SYMBOLS[locale].get(currency, currency + " ")
        return f"{'-' if amount < 0 else ''}{symbol}{abs(amount):,}"

    @lru_cache(maxsize=8192)
    def compact(value: str | float | None) -> str:
        return NONE if value is None else _compact(Decimal(str(value)), locale)

    def long_day(value: str | None) -> str:
        if value is None:
            return NONE
        return format_date(date.fromisoformat(value), "long", locale=locale)

    return {
        "clock": clock,
        "compact": compact,
        "day": day,
        "digits": digits,
        "direction": direction,
        "long_day": long_day,
        "moment": moment,
        "money": money,
        "number": number,
        "percent": percent,
        "row_as_of": row_as_of,
        "short_moment": short_moment,
        "signed": signed,
        "zone_name": partial(zone_name, locale=locale),
    }


def _rounded(value: str | float, places: int) -> Decimal:
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _compact(value: Decimal, locale: Locale) -> str:
    for step, unit in _STEPS[locale]:
        if abs(value) >= step:
            scaled = value / step
            return f"{_rounded(str(scaled), 0 if abs(scaled) >= 100 else 1):,}{unit}"
    return f"{_rounded(str(value), 0):,}"
