"""What companies do to their shares: splits, bonus issues, spin-offs, mergers, delistings.

Costs go with the shares; money paid for fractions of a share is the proceeds of their sale. Cash of
a merger lowers the cost that goes over to the new shares, and is a gain beyond it. Lots keep the
days on which they were opened.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from app.domain.money import ZERO
from app.domain.portfolio.book import (
    Book,
    Problem,
    Trouble,
    currency_of,
    receive_cash,
    settle,
    trade_of,
)
from app.domain.portfolio.lots import Holding, Lot, cede_cost, less_cost, rescaled, share
from app.domain.transactions import CorporateAction, Entry

Rate = Decimal | None


def apply_split(book: Book, entry: Entry, rate: Rate) -> None:
    """Multiplies by numerator / denominator; the entry's quantity says what became of fractions.

    What the ratio gives beyond it is a fraction that was paid out, for the entry's amount. A
    difference of a share or more is a problem (the entry was made for another holding): then the
    entry's quantity holds.
    """
    holding = _held(book, entry, rate)
    if holding is None:
        return
    one = Decimal(1)
    exact = share(holding.quantity, entry.numerator or one, entry.denominator or one)
    total = holding.quantity + (entry.quantity or ZERO)
    fraction = exact - total
    if abs(fraction) >= 1:
        _report(book, Trouble.SPLIT_MISMATCH, entry, fraction)
    if 0 < fraction < 1:
        holding.rescale(exact)
        settle(book, holding, trade_of(entry, -fraction, rate))
    else:
        holding.rescale(total)
        receive_cash(book, holding, entry, rate)


def apply_action(book: Book, entry: Entry, rate: Rate) -> None:
    """Books every corporate action but RIGHTS, which is a purchase."""
    holding = _held(book, entry, rate)
    if holding is not None and entry.action is not None:
        _ACTIONS[entry.action](book, holding, entry, rate)


def _bonus(book: Book, holding: Holding, entry: Entry, rate: Rate) -> None:
    holding.rescale(holding.quantity + (entry.quantity or ZERO))
    receive_cash(book, holding, entry, rate)


def _spin_off(book: Book, holding: Holding, entry: Entry, rate: Rate) -> None:
    total = entry.quantity_to or ZERO
    ceded = cede_cost(holding.lots, entry.cost_share or ZERO)
    holding.keep(less_cost(holding.lots, ceded))
    ceded = rescaled(ceded, holding.quantity, total)
    _receive(book, entry, ceded)
    receive_cash(book, holding, entry, rate)


def _exchange_shares(book: Book, holding: Holding, entry: Entry, rate: Rate) -> None:
    """MERGER and SYMBOL_CHANGE."""
    leaving = _leaving(book, holding, entry)
    lots = rescaled(holding.take(leaving), leaving, entry.quantity_to or ZERO)
    if entry.amount:
        cost = sum((lot.cost for lot in lots), ZERO)
        ceded = cede_cost(lots, min(entry.amount / cost, Decimal(1)) if cost > 0 else Decimal(1))
        lots = less_cost(lots, ceded)
        receive_cash(book, holding, entry, rate, ceded)
    _receive(book, entry, lots)


def _delisting(book: Book, holding: Holding, entry: Entry, rate: Rate) -> None:
    if leaving := _leaving(book, holding, entry):
        settle(book, holding, trade_of(entry, -leaving, rate))
    else:
        receive_cash(book, holding, entry, rate)


def _receive(book: Book, entry: Entry, lots: list[Lot]) -> None:
    symbol = entry.symbol_to or ""
    target = book.hold(symbol, currency_of(entry, symbol))
    for lot in lots:
        target.add(lot)


def _leaving(book: Book, holding: Holding, entry: Entry) -> Decimal:
    """The shares that an action takes away, at most what is held."""
    asked, held = abs(entry.quantity or ZERO), max(holding.quantity, ZERO)
    if asked > held:
        _report(book, Trouble.OVERSOLD, entry, asked - held)
    return min(asked, held)


def _held(book: Book, entry: Entry, rate: Rate) -> Holding | None:
    symbol = entry.symbol or ""
    holding = book.hold(symbol, currency_of(entry, symbol))
    if holding.quantity:
        return holding
    _report(book, Trouble.NOT_HELD, entry, entry.quantity or ZERO)
    receive_cash(book, holding, entry, rate)
    return None


def _report(book: Book, trouble: Trouble, entry: Entry, quantity: Decimal) -> None:
    book.problems.append(Problem(trouble, entry.day, entry.symbol or "", quantity, entry.id))


_ACTIONS: Final[dict[CorporateAction, Callable[[Book, Holding, Entry, Rate], None]]] = {
    CorporateAction.BONUS: _bonus,
    CorporateAction.SPIN_OFF: _spin_off,
    CorporateAction.MERGER: _exchange_shares,
    CorporateAction.SYMBOL_CHANGE: _exchange_shares,
    CorporateAction.DELISTING: _delisting,
}
