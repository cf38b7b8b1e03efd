"""Booking: entries, one after the other, into a book."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal, localcontext
from typing import Final

from app.domain.money import ZERO
from app.domain.portfolio.actions import apply_action, apply_split
from app.domain.portfolio.book import (
    Book,
    Problem,
    Rates,
    Row,
    Trade,
    Trouble,
    close_lots,
    currency_of,
    settle,
    times,
    trade_of,
)
from app.domain.portfolio.lots import PRECISE, Holding, plus, total_base
from app.domain.transactions import (
    CorporateAction,
    Entry,
    LotMethod,
    TransactionKind,
    net_cash,
    standing,
)

_FIRST: Final = frozenset({TransactionKind.SPLIT, TransactionKind.CORPORATE_ACTION})
_FLOWS: Final = frozenset(
    {TransactionKind.DEPOSIT, TransactionKind.WITHDRAWAL, TransactionKind.TRANSFER}
)
_INCOME: Final = frozenset({TransactionKind.DIVIDEND, TransactionKind.INTEREST})


def keep_book(
    entries: Iterable[Entry], *, base: str, rates: Rates, method: LotMethod = LotMethod.FIFO
) -> Book:
    """The book of all entries that stand, in the order of their days.

    `rates` is asked for other currencies than `base`, at the days of entries; what it does not know
    is listed in `missing`, and what follows from it has no value in `base`.
    """
    book = Book(base, method)
    with localcontext(PRECISE):
        for entry in in_order(entries):
            _book(book, entry, rates)
    return book


def extend_book(book: Book, known: Iterable[Entry], fresh: Iterable[Entry], rates: Rates) -> Book:
    """Another book, that of the `known` entries, in which the `fresh` ones are booked as well.

    Raises:
        ValueError: one of them belongs among the known ones, or undoes one: `keep_book` is needed.
    """
    last = max((entry.day for entry in known), default=date.min)
    extended, added = book.copy(), list(fresh)
    for entry in added:
        early = entry.day == last and entry.kind in _FIRST
        if entry.reverses is not None or entry.day < last or early:
            message = f"transaction {entry.id} does not come after the others"
            raise ValueError(message)
    with localcontext(PRECISE):
        for entry in in_order(added):
            _book(extended, entry, rates)
    return extended


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that stand by day; within a day corporate actions come before trades."""
    return sorted(standing(entries), key=lambda e: (e.day, e.kind not in _FIRST))


def _book(book: Book, entry: Entry, rates: Rates) -> None:
    rate = _rate(book, entry, rates)
    if entry.symbol is not None and entry.id is not None:
        for symbol in filter(None, (entry.symbol, entry.symbol_to)):
            book.entries.setdefault(symbol, []).append(entry.id)
    _BOOKINGS[entry.kind](book, entry, rate)
    _charge(book, entry, rate)
    if entry.kind is TransactionKind.EXCHANGE:
        _exchange(book, entry, rate)
    elif moved := net_cash(entry):
        _move_cash(book, entry, moved, times(moved, rate))


def _rate(book: Book, entry: Entry, rates: Rates) -> Decimal | None:
    currency = currency_of(entry, entry.symbol or "")
    if currency == book.base:
        return Decimal(1)
    rate = rates(currency, entry.day)
    if rate is None:
        book.missing.add((currency, entry.day))
    return rate


def _trade(book: Book, entry: Entry, rate: Decimal | None) -> None:
    """BUY, SELL and RIGHTS."""
    sign = -1 if entry.kind is TransactionKind.SELL else 1
    settle(book, _holding(book, entry), trade_of(entry, sign * _quantity(entry), rate))


def _opening(book: Book, entry: Entry, rate: Decimal | None) -> None:
    """Shares from outside, with the cost that they bring."""
    _trade(book, entry, rate)
    _flow(book, entry, entry.amount, times(entry.amount, rate))


def _transfer(book: Book, entry: Entry, rate: Decimal | None) -> None:
    """Cash or shares from or to another account; shares leave with the cost of their lots."""
    if entry.symbol is None:
        _flow(book, entry, entry.amount, times(entry.amount, rate))
    elif _quantity(entry) > 0:
        _opening(book, entry, rate)
    else:
        _transfer_out(book, entry)


def _transfer_out(book: Book, entry: Entry) -> None:
    holding = _holding(book, entry)
    leaving = min(-_quantity(entry), max(holding.quantity, ZERO))
    if leaving < -_quantity(entry):
        short = -_quantity(entry) - leaving
        book.problems.append(Problem(Trouble.OVERSOLD, entry.day, holding.symbol, short, entry.id))
    lots = holding.take(leaving)
    base = total_base(lots)
    _flow(book, entry, -sum((lot.cost for lot in lots), ZERO), None if base is None else -base)


def _cash_flow(book: Book, entry: Entry, rate: Decimal | None) -> None:
    """DEPOSIT and WITHDRAWAL."""
    amount = -entry.amount if entry.kind is TransactionKind.WITHDRAWAL else entry.amount
    _flow(book, entry, amount, times(amount, rate))


def _income(book: Book, entry: Entry, rate: Decimal | None) -> None:
    """DIVIDEND and INTEREST, less what was kept back."""
    withheld = entry.tax + entry.fee
    amount = entry.amount - withheld
    book.income.append(_row(entry, amount, times(amount, rate), withheld=withheld))


def _action(book: Book, entry: Entry, rate: Decimal | None) -> None:
    book_action = _trade if entry.action is CorporateAction.RIGHTS else apply_action
    book_action(book, entry, rate)


def _nothing(book: Book, entry: Entry, rate: Decimal | None) -> None:
    """FEE, TAX and EXCHANGE: charges and cash, which every entry may have."""


def _charge(book: Book, entry: Entry, rate: Decimal | None) -> None:
    """Fees and taxes of what is not income (there they are withheld)."""
    if entry.kind in _INCOME:
        return
    amount = entry.fee + entry.tax
    if entry.kind in {TransactionKind.FEE, TransactionKind.TAX}:
        amount += entry.amount
    if amount:
        book.charges.append(_row(entry, amount, times(amount, rate)))


def _exchange(book: Book, entry: Entry, rate: Decimal | None) -> None:
    """Both legs at one value: the one that is in the portfolio's currency, else by the rate."""
    paid, got = entry.amount, entry.amount_to or ZERO
    value = got if entry.currency_to == book.base else times(paid, rate)
    _move_cash(book, entry, -paid, None if value is None else -value)
    _move_cash(book, entry, got, value, entry.currency_to)
    if entry.fee:
        _move_cash(book, entry, -entry.fee, times(-entry.fee, rate))


def _move_cash(
    book: Book, entry: Entry, amount: Decimal, base: Decimal | None, currency: str | None = None
) -> None:
    currency = currency or entry.currency or book.base
    pool = book.cash.get(currency)
    if pool is None:
        pool = book.cash[currency] = Holding(currency, currency, LotMethod.AVERAGE)
    value = None if base is None else abs(base)
    if spent := close_lots(pool, Trade(entry.day, amount, abs(amount), value, entry.id)):
        book.cash_fx = plus(book.cash_fx, spent.base_gain)


def _flow(book: Book, entry: Entry, amount: Decimal, base: Decimal | None) -> None:
    book.flows.append(_row(entry, amount, base, quantity=entry.quantity))


def _row(
    entry: Entry,
    amount: Decimal,
    base: Decimal | None,
    *,
    withheld: Decimal = ZERO,
    quantity: Decimal | None = None,
) -> Row:
    currency = currency_of(entry, entry.symbol or "")
    return Row(
        entry.day, entry.kind, entry.symbol, currency, amount, base, entry.id, withheld, quantity
    )


def _holding(book: Book, entry: Entry) -> Holding:
    symbol = entry.symbol or ""
    return book.hold(symbol, currency_of(entry, symbol))


def _quantity(entry: Entry) -> Decimal:
    return entry.quantity or ZERO


_BOOKINGS: Final[dict[TransactionKind, Callable[[Book, Entry, Decimal | None], None]]] = {
    TransactionKind.OPENING: _opening,
    TransactionKind.BUY: _trade,
    TransactionKind.SELL: _trade,
    TransactionKind.DEPOSIT: _cash_flow,
    TransactionKind.WITHDRAWAL: _cash_flow,
    TransactionKind.TRANSFER: _transfer,
    TransactionKind.DIVIDEND: _income,
    TransactionKind.INTEREST: _income,
    TransactionKind.SPLIT: apply_split,
    TransactionKind.CORPORATE_ACTION: _action,
    TransactionKind.FEE: _nothing,
    TransactionKind.TAX: _nothing,
    TransactionKind.EXCHANGE: _nothing,
}
