"""Settlement days: when the money and the shares of a trade change hands.

They are counted in settlement days: sessions less the holidays of the banks. A market's sessions
are an argument, so nothing is guessed about a year whose calendar is not known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from app.domain.trading.listings import find_listing
from app.domain.trading.tables import SETTLEMENT_CYCLES, Market, in_force
from app.domain.transactions import Entry, TransactionKind
from app.errors import BadInput

_MONDAY: Final = 0
_SUNDAY: Final = 6
_OCTOBER: Final = 10


def settlement_days(market: Market, sessions: Iterable[date]) -> list[date]:
    """The sessions on which banks work too; in order when the sessions are."""
    if market is not Market.US:
        return list(sessions)
    return [day for day in sessions if not is_us_bank_holiday(day)]


def is_us_bank_holiday(day: date) -> bool:
    """Columbus Day or Veterans Day: the stock exchanges open, the banks do not.

    Columbus Day is the second Monday of October; Veterans Day is November 11, or the Monday after
    a Sunday (the Federal Reserve's holidays; on a Saturday it is not moved).
    """
    if day.month == _OCTOBER:
        return day.weekday() == _MONDAY and 8 <= day.day <= 14
    veterans = date(day.year, 11, 11)
    return day == veterans + timedelta(days=veterans.weekday() == _SUNDAY)


def settlement_day(market: Market, trade_day: date, days: Sequence[date]) -> date:
    """The day on which a trade of `trade_day` settles, among `settlement_days` in order.

    Raises:
        BadInput: the calendar ends before.
    """
    cycle = in_force(SETTLEMENT_CYCLES[market], trade_day)
    place = bisect_right(days, trade_day) + cycle - 1
    if place >= len(days):
        message = "The calendar of %(market)s ends before a trade of %(day)s settles"
        raise BadInput(message, field="day", market=market.value, day=trade_day)
    return days[place]


def settle_trade(entry: Entry, days: Mapping[Market, Sequence[date]]) -> Entry:
    """A purchase or sale that settles when its market says; `days` are `settlement_days` in order.

    Unchanged where it is no trade, or where the days do not reach from its own to that one.
    """
    if entry.kind not in {TransactionKind.BUY, TransactionKind.SELL} or entry.symbol is None:
        return entry
    market = find_listing(entry.symbol).market
    known = days.get(market, ())
    if not known or entry.day < known[0]:
        return entry
    try:
        return replace(entry, settles_on=settlement_day(market, entry.day, known))
    except BadInput:
        return entry
