"""Cells of a table as values: numbers, days and currencies in the spellings that files have.

Nothing is guessed: a number or a day that can be read in two ways is refused unless the file, or
who imports it, says which way it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, NoReturn

from app.errors import BadInput

LONGEST_NUMBER: Final = 40
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2100


class DayOrder(StrEnum):
    """In which order a date such as 01/02/2024 stands."""

    YMD = "YMD"
    DMY = "DMY"
    MDY = "MDY"


_SIGNS: Final = re.compile(r"KRW|USD|US\$|[₩￦$원\s'\u2019]")
_MINUS: Final = str.maketrans(dict.fromkeys("\u2212\u25b3\u25b2", "-"))
"""The minus of typographers, and the triangles by which Korean statements mean one."""

_POINT: Final = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)?(?:\.[0-9]*)?")
_COMMA: Final = re.compile(r"(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)?(?:,[0-9]*)?")
_SAYS_COMMA: Final = re.compile(
    r"-?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+|-?[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})"
)

_SAYS_POINT: Final = re.compile(
    r"-?[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|-?[0-9]+\.(?:[0-9]{1,2}|[0-9]{4,})"
)
_DAY: Final = re.compile(r"([0-9]{1,4})(?:[-./년])([0-9]{1,2})(?:[-./월])([0-9]{1,4})[일.]?")
_COMPACT: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_TIME: Final = re.compile(r"(?<=[0-9일.])[T ][0-9]{1,2}:[0-9]{2}.*|(?<=[0-9])\([월화수목금토일]\)$")

_CURRENCIES: Final = {
    "krw": "KRW",
    "원": "KRW",
    "원화": "KRW",
    "₩": "KRW",
    "대한민국": "KRW",
    "한국": "KRW",
    "usd": "USD",
    "달러": "USD",
    "미국달러": "USD",
    "미국": "USD",
    "미달러": "USD",
    "us$": "USD",
    "$": "USD",
}


def normalise(text: str) -> str:
    """Full-width signs as plain ones, without blanks at the ends."""
    return unicodedata.normalize("NFKC", text[: LONGEST_NUMBER * 4]).strip()


def read_number(text: str, *, comma: bool = False) -> Decimal:
    """A number of either sign: `1,234.50`, `(1,234)`, `△1,234`, `1,234원`; `comma`: `1.234,50`.

    Raises:
        BadInput: it is none; exponents, NaN and Infinity are none.
    """
    plain = _SIGNS.sub("", normalise(text)).translate(_MINUS)
    negative = False
    if plain.startswith("(") and plain.endswith(")"):
        plain, negative = plain[1:-1], True
    if plain.startswith(("-", "+")):
        plain, negative = plain[1:], negative ^ (plain[0] == "-")
    elif plain.endswith("-"):
        plain, negative = plain[:-1], not negative
    shape = _COMMA if comma else _POINT
    if not plain[:1] or len(plain) > LONGEST_NUMBER or not shape.fullmatch(plain):
        _refuse_number(text, comma=comma)
    digits = plain.replace(".", "").replace(",", ".") if comma else plain.replace(",", "")
    if not digits.strip("."):
        _refuse_number(text, comma=comma)
    return -Decimal(digits) if negative else Decimal(digits)


def says_comma(texts: Iterable[str]) -> bool:
    """Whether numbers have a decimal comma: some can be read in no other way, and none with one."""
    comma = point = False
    for text in texts:
        plain = _SIGNS.sub("", normalise(text)).strip("()+")
        comma |= _SAYS_COMMA.fullmatch(plain) is not None
        point |= _SAYS_POINT.fullmatch(plain) is not None
    return comma and not point


def read_day(text: str, order: DayOrder | None = None) -> date:
    """A day: `2024-01-02`, `2024.01.02`, `20240102`, `2024년 1월 2일`, with a time after it or not.

    A year at the end needs its `order`, but for `31.12.2024` and `31-12-2024`.

    Raises:
        BadInput: it is none, or can be read in two ways.
    """
    plain = _TIME.sub("", normalise(text)).replace(" ", "")
    parts = _COMPACT.fullmatch(plain) or _DAY.fullmatch(plain)
    if parts is None:
        _refuse_day(text)
    first, second, third = parts.groups()
    if len(first) == 4:
        return _make_day(text, int(first), int(second), int(third))
    if len(third) == 4:
        order = order if order in {DayOrder.DMY, DayOrder.MDY} else _order_of(plain)
        day, month = (first, second) if order is DayOrder.DMY else (second, first)
        return _make_day(text, int(third), int(month), int(day))
    if order is DayOrder.YMD and len(first) == len(third) == 2:
        return _make_day(text, 2000 + int(first), int(second), int(third))
    return _refuse_day(text)


def find_day_order(texts: Iterable[str]) -> DayOrder | None:
    """The order in which all dates with slashes can be read; None when both can, or neither."""
    possible = {DayOrder.DMY, DayOrder.MDY}
    for text in texts:
        parts = _DAY.fullmatch(_TIME.sub("", normalise(text)).replace(" ", ""))
        if parts is None or len(parts[3]) != 4:
            continue
        if int(parts[1]) > 12:
            possible.discard(DayOrder.MDY)
        if int(parts[2]) > 12:
            possible.discard(DayOrder.DMY)
    return possible.pop() if len(possible) == 1 else None


def read_currency(text: str) -> str:
    """The code of a currency: `KRW`, `원화`, `US$`; one that is not traded here stays as it is."""
    plain = normalise(text)
    return _CURRENCIES.get(plain.replace(" ", "").casefold(), plain.upper())


def find_currency(text: str) -> str | None:
    """The currency that a number names: `₩1,000`, `1,000원`, `$5.00`."""
    if any(sign in text for sign in ("₩", "￦", "원")):
        return "KRW"
    return "USD" if "$" in text else None


def _order_of(plain: str) -> DayOrder:
    """With points and hyphens the day stands first; with slashes the file has to say it."""
    if "/" in plain:
        message = "%(value).40r can be read in two ways: say in which order day and month stand"
        raise BadInput(message, field="day", value=plain)
    return DayOrder.DMY


def _make_day(text: str, year: int, month: int, day: int) -> date:
    try:
        found = date(year, month, day)
    except ValueError:
        _refuse_day(text)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        _refuse_day(text)
    return found


def _refuse_number(text: str, *, comma: bool) -> NoReturn:
    message = "%(value).40r is no number such as %(example)s"
    raise BadInput(message, field="number", value=text, example="1.234,50" if comma else "1,234.50")


def _refuse_day(text: str) -> NoReturn:
    message = "%(value).40r is no day such as 2024-01-02 of the years %(first)d to %(last)d"
    raise BadInput(message, field="day", value=text, first=FIRST_YEAR, last=LAST_YEAR)
