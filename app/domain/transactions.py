"""Transactions: what has happened in a portfolio, one frozen `Entry` each, and what each may hold.

Amounts are positive and the kind says the direction, but for TRANSFER, INTEREST, FEE and TAX:
there `amount` (and the quantity of a TRANSFER) is signed, positive as the kind says (comes in, is
earned, is charged), negative for the opposite (goes out, is owed, is paid back).

    OPENING           symbol quantity amount: shares held from the start and their total cost
    BUY, SELL         symbol quantity price amount; fee; tax
    DEPOSIT, WITHDRAWAL   amount
    EXCHANGE          amount of currency against amount_to of currency_to; rate spread source; fee
    TRANSFER          amount alone: cash; with symbol and quantity: shares, amount is their cost
                      (0 where they go out: the lots know it)
    DIVIDEND          symbol amount (before tax); tax, fee; from the ex-day to the pay-day
    INTEREST          amount; tax
    FEE, TAX          amount
    SPLIT             symbol numerator denominator; quantity: shares that it adds (negative: takes
                      away); amount: cash for fractions
    CORPORATE_ACTION  action symbol, see `CorporateAction`

An entry is never changed: one that is wrong is reversed by a second one (`reverses`) and neither
counts any more (`standing`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from app.domain.money import ZERO, compute_notional


class PortfolioKind(StrEnum):
    """SIMULATED and PRACTICE hold virtual money and cannot overdraw; TRACKED records a real one."""

    SIMULATED = "SIMULATED"
    PRACTICE = "PRACTICE"
    TRACKED = "TRACKED"

    @property
    def strict(self) -> bool:
        """Whether cash and positions can never be below zero."""
        return self is not PortfolioKind.TRACKED


class LotMethod(StrEnum):
    """Which shares a sale sells first, or the average of all."""

    FIFO = "FIFO"
    AVERAGE = "AVERAGE"


class TransactionKind(StrEnum):
    """What a transaction is."""

    OPENING = "OPENING"
    BUY = "BUY"
    SELL = "SELL"
    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    EXCHANGE = "EXCHANGE"
    TRANSFER = "TRANSFER"
    DIVIDEND = "DIVIDEND"
    INTEREST = "INTEREST"
    FEE = "FEE"
    TAX = "TAX"
    SPLIT = "SPLIT"
    CORPORATE_ACTION = "CORPORATE_ACTION"


class CorporateAction(StrEnum):
    """What a company has done to its shares; `quantity` is the change of `symbol`'s shares.

    BONUS          quantity: shares received for nothing
    RIGHTS         quantity price amount: shares subscribed and paid for
    SPIN_OFF       symbol_to quantity_to: shares received; cost_share: how much of the cost, from 0
                   to 1, goes with them; amount: cash for fractions
    MERGER         quantity (negative: all of them) for quantity_to of symbol_to; amount: cash paid
    SYMBOL_CHANGE  quantity (negative) becomes quantity_to of symbol_to
    DELISTING      quantity (negative); amount: the last payment, if any
    """

    BONUS = "BONUS"
    RIGHTS = "RIGHTS"
    SPIN_OFF = "SPIN_OFF"
    MERGER = "MERGER"
    SYMBOL_CHANGE = "SYMBOL_CHANGE"
    DELISTING = "DELISTING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One transaction. `amount` is the notional, rounded once; `price` is never multiplied again.

    `day` is the session day of the trade (ex-day of a dividend), `settles_on` the day on which
    money and shares change hands (pay-day). `rate` of an EXCHANGE is won per dollar whichever way
    it goes, `spread` the share of it that the broker has kept.
    `currency` is that of price, amount, fee and tax. `id` is None before it is stored.
    """

    kind: TransactionKind
    day: date
    settles_on: date
    currency: str | None = None
    amount: Decimal = ZERO
    symbol: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    fee: Decimal = ZERO
    tax: Decimal = ZERO
    currency_to: str | None = None
    amount_to: Decimal | None = None
    rate: Decimal | None = None
    spread: Decimal | None = None
    source: str | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    action: CorporateAction | None = None
    symbol_to: str | None = None
    quantity_to: Decimal | None = None
    cost_share: Decimal | None = None
    reverses: int | None = None
    note: str = ""
    tags: tuple[str, ...] = ()
    id: int | None = None


def make_trade(  # noqa: PLR0913 - a trade is these facts
    kind: TransactionKind,
    symbol: str,
    quantity: Decimal,
    price: Decimal,
    currency: str,
    *,
    day: date,
    settles_on: date,
    fee: Decimal = ZERO,
    tax: Decimal = ZERO,
) -> Entry:
    """A BUY, SELL or OPENING (`price` is the average cost) with its notional, rounded here, once.

    Raises:
        BadInput: quantity or price out of bounds, or an amount that rounds to 0.
    """
    return Entry(
        kind=kind,
        day=day,
        settles_on=settles_on,
        symbol=symbol,
        quantity=quantity,
        price=price,
        currency=currency,
        amount=compute_notional(quantity, price, currency),
        fee=fee,
        tax=tax,
    )


def net_cash(entry: Entry) -> Decimal:
    """What a trade, dividend or interest moves in `currency`: amount, fee and tax together.

    Signed: below 0 is paid. 0 for what moves no money; an EXCHANGE is its first leg.
    """
    sign = _CASH_SIGNS.get(entry.kind, 0)
    if entry.kind is TransactionKind.TRANSFER and entry.symbol is not None:
        sign = 0
    if entry.action is CorporateAction.RIGHTS:
        sign = -1
    return sign * entry.amount - entry.fee - entry.tax


def standing(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that count, by day and then as they were stored.

    A reversed one and its reversal are both left out: as if neither had been.
    """
    known = list(entries)
    reversed_ids = {e.reverses for e in known if e.reverses is not None}
    kept = [e for e in known if e.reverses is None and (e.id is None or e.id not in reversed_ids)]
    return sorted(kept, key=lambda e: (e.day, e.id or 0))


_CASH_SIGNS = {
    TransactionKind.BUY: -1,
    TransactionKind.SELL: 1,
    TransactionKind.DEPOSIT: 1,
    TransactionKind.WITHDRAWAL: -1,
    TransactionKind.EXCHANGE: -1,
    TransactionKind.TRANSFER: 1,
    TransactionKind.DIVIDEND: 1,
    TransactionKind.INTEREST: 1,
    TransactionKind.FEE: -1,
    TransactionKind.TAX: -1,
    TransactionKind.SPLIT: 1,
    TransactionKind.CORPORATE_ACTION: 1,
}
