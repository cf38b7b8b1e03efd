"""Postings: what an entry adds to which account, in balance for every commodity.

A commodity is a currency (`KRW`) or the shares of a symbol (`share:AAPL`: there is a fund whose
symbol is USD). With N the amount, F the fee, T the tax and q the quantity:

                 money                         counter        shares
    BUY          cash -N-F-T                   trading +N     position +q, trading -q
    SELL         unsettled +N-F-T              trading -N     position -q, trading +q
    DEPOSIT      cash +N                       equity -N
    EXCHANGE     cash -N-F, cash +amount_to    trading both
    DIVIDEND     receivable +N-F-T             income -N
    OPENING                                    trading +N, equity -N    position +q, trading -q

F and T always stand in the accounts fee and tax. Money of a sale waits in `unsettled`, that of a
dividend in `receivable`, until `settles_on`; what has settled already goes to cash at once. A
reservation moves cash or shares to `reserved`. Rows of 0 are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.domain.transactions import CorporateAction, Entry, TransactionKind, net_cash
from app.errors import BadInput


class AccountKind(StrEnum):
    """What a portfolio's account holds: the first five are the owner's, the others say why."""

    CASH = "CASH"
    UNSETTLED = "UNSETTLED"
    RESERVED = "RESERVED"
    RECEIVABLE = "RECEIVABLE"
    POSITION = "POSITION"
    EQUITY = "EQUITY"
    TRADING = "TRADING"
    FEE = "FEE"
    TAX = "TAX"
    INCOME = "INCOME"


class MovementKind(StrEnum):
    """Postings between the owner's own accounts, which no statement shows."""

    SETTLEMENT = "SETTLEMENT"
    RESERVATION = "RESERVATION"


@dataclass(frozen=True, slots=True)
class Posting:
    """One line: `amount` of a commodity into (above 0) or out of an account."""

    account: AccountKind
    commodity: str
    amount: Decimal


_K: Final = TransactionKind
_COUNTERS: Final = {
    _K.DEPOSIT: AccountKind.EQUITY,
    _K.WITHDRAWAL: AccountKind.EQUITY,
    _K.TRANSFER: AccountKind.EQUITY,
    _K.DIVIDEND: AccountKind.INCOME,
    _K.INTEREST: AccountKind.INCOME,
    _K.FEE: AccountKind.FEE,
    _K.TAX: AccountKind.TAX,
}
_WAITING: Final = {
    _K.SELL: AccountKind.UNSETTLED,
    _K.SPLIT: AccountKind.UNSETTLED,
    _K.CORPORATE_ACTION: AccountKind.UNSETTLED,
    _K.DIVIDEND: AccountKind.RECEIVABLE,
    _K.INTEREST: AccountKind.RECEIVABLE,
}


def share_of(symbol: str) -> str:
    """The commodity of an instrument's shares."""
    return f"share:{symbol}"


def make_postings(entry: Entry, *, settled: bool) -> list[Posting]:
    """The lines of an entry, at least two; `settled`: its money has changed hands already.

    Raises:
        BadInput: it moves nothing.
    """
    lines = _merge([*_money(entry, settled=settled), *_shares(entry)])
    if not lines:
        message = "quantity is %(value)s and there is no amount: nothing moves"
        raise BadInput(message, field="quantity", value=str(entry.quantity))
    return lines


def reserve(commodity: str, amount: Decimal) -> list[Posting]:
    """The lines that set money or shares aside for an order that waits."""
    held = AccountKind.POSITION if commodity.startswith("share:") else AccountKind.CASH
    return [
        Posting(held, commodity, -amount),
        Posting(AccountKind.RESERVED, commodity, amount),
    ]


def may_draw(kind: TransactionKind | MovementKind, action: CorporateAction | None = None) -> bool:
    """Whether money not settled yet may pay for it: purchases, and what waits to be one."""
    purchases = (TransactionKind.BUY, MovementKind.RESERVATION)
    return kind in purchases or action is CorporateAction.RIGHTS


def _money(entry: Entry, *, settled: bool) -> Iterable[Posting]:
    currency = entry.currency
    if currency is None:
        return
    net = net_cash(entry)
    waits = not settled and net > 0
    account = _WAITING.get(entry.kind, AccountKind.CASH) if waits else AccountKind.CASH
    counter = _COUNTERS.get(entry.kind, AccountKind.TRADING)
    yield Posting(account, currency, net)
    yield Posting(AccountKind.FEE, currency, entry.fee)
    yield Posting(AccountKind.TAX, currency, entry.tax)
    yield Posting(counter, currency, -net - entry.fee - entry.tax)
    if entry.currency_to is not None and entry.amount_to is not None:
        yield Posting(AccountKind.CASH, entry.currency_to, entry.amount_to)
        yield Posting(AccountKind.TRADING, entry.currency_to, -entry.amount_to)
    if _brings_cost(entry):
        yield Posting(AccountKind.TRADING, currency, entry.amount)
        yield Posting(AccountKind.EQUITY, currency, -entry.amount)


def _brings_cost(entry: Entry) -> bool:
    """Whether shares come or go with a cost that no cash of this portfolio has paid."""
    transferred = entry.kind is _K.TRANSFER and entry.symbol is not None
    return transferred or entry.kind is _K.OPENING


def _shares(entry: Entry) -> Iterable[Posting]:
    changes = ((entry.symbol, entry.quantity), (entry.symbol_to, entry.quantity_to))
    if entry.kind is _K.DIVIDEND:  # its quantity tells how many shares it was paid for
        return
    for symbol, quantity in changes:
        if symbol is not None and quantity is not None:
            change = -quantity if entry.kind is _K.SELL else quantity
            yield Posting(AccountKind.POSITION, share_of(symbol), change)
            yield Posting(AccountKind.TRADING, share_of(symbol), -change)


def _merge(lines: Iterable[Posting]) -> list[Posting]:
    totals: defaultdict[tuple[AccountKind, str], Decimal] = defaultdict(Decimal)
    for line in lines:
        totals[line.account, line.commodity] += line.amount
    return [Posting(*key, amount) for key, amount in totals.items() if amount != 0]
