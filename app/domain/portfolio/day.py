"""The day's result: what was held when the day began, and what was put into it since."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from types import MappingProxyType

from app.domain.money import ZERO
from app.domain.portfolio.book import Book, times
from app.domain.portfolio.booking import keep_book
from app.domain.portfolio.lots import PRECISE, minus, plus
from app.domain.portfolio.moves import cash_moves, share_moves
from app.domain.transactions import CorporateAction, Entry, TransactionKind, standing

_PAID: Mapping[TransactionKind, int] = {
    TransactionKind.BUY: 1,
    TransactionKind.OPENING: 1,
    TransactionKind.TRANSFER: 1,
    TransactionKind.SELL: -1,
    TransactionKind.SPLIT: -1,
    TransactionKind.CORPORATE_ACTION: -1,
}


@dataclass(frozen=True, slots=True)
class DayStart:
    """Shares and cash when `day` began, and by symbol the money put in since (below 0: taken out).

    Shares are of the day: a split of it has been applied, as to the close before of its quotes.
    Money is in its own currency: what a rate makes of it changes all day.
    """

    day: date
    shares: Mapping[str, Decimal]
    cash: Mapping[str, Decimal]
    bought: Mapping[str, Decimal]


def start_of_day(
    book: Book,
    entries: Sequence[Entry],
    day: date,
    days: Mapping[str, date] = MappingProxyType({}),
) -> DayStart:
    """What was there when a day began; `days` are those of symbols that are at another one.

    It is what the book of all the `entries` (in the order of their days) has now, less what has
    moved since: however many years there are, only the last days are looked at. An entry of them
    that asks for more shares than there were has moved fewer than it says: then shares are those of
    the book of the entries before.
    """
    shares = defaultdict(Decimal, {s: held.quantity for s, held in book.holdings.items()})
    cash = defaultdict(Decimal, {c: pool.quantity for c, pool in book.cash.items()})
    bought: defaultdict[str, Decimal] = defaultdict(Decimal)
    start = min([day, *days.values()])
    first = bisect_left(entries, start, key=lambda entry: entry.day)
    with localcontext(PRECISE):
        for entry in standing(entries[first:]):
            for symbol, quantity in share_moves(entry):
                own = days.get(symbol, day)
                if entry.day > own or (
                    entry.day == own and entry.kind is not TransactionKind.SPLIT
                ):
                    shares[symbol] -= quantity
            if entry.day >= day:
                for currency, amount in cash_moves(entry):
                    cash[currency] -= amount
            symbol = entry.symbol or ""
            if entry.kind in _PAID and symbol and entry.day == days.get(symbol, day):
                bought[symbol] += _paid(entry)
    if any(problem.day >= start for problem in book.problems):
        shares = _book_before(entries, day, days)
    return DayStart(day, _present(shares), _present(cash), bought)


def _book_before(
    entries: Sequence[Entry], day: date, days: Mapping[str, date]
) -> defaultdict[str, Decimal]:
    """Shares of the morning by symbol, from the first entry on; a day's splits come before it."""
    shares: defaultdict[str, Decimal] = defaultdict(Decimal)
    for own in {day, *days.values()}:
        before = [
            e for e in entries if e.day < own or (e.day == own and e.kind is TransactionKind.SPLIT)
        ]
        book = keep_book(before, base="KRW", rates=lambda *_: None)  # money is not asked for
        for symbol, holding in book.holdings.items():
            if days.get(symbol, day) == own:
                shares[symbol] = holding.quantity
    return shares


def _present(amounts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {name: amount for name, amount in amounts.items() if amount}


def _paid(entry: Entry) -> Decimal:
    sign = 1 if entry.action is CorporateAction.RIGHTS else _PAID[entry.kind]
    return sign * entry.amount


def cash_result(
    start: DayStart, now: Mapping[str, Decimal], before: Mapping[str, Decimal]
) -> Decimal | None:
    """What the rates have made since the close before of the cash that was there."""
    total: Decimal | None = ZERO
    with localcontext(PRECISE):
        for currency, amount in start.cash.items():
            moved = minus(now.get(currency), before.get(currency))
            total = plus(total, times(amount, moved))
    return total
