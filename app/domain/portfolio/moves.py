"""Moves: what an entry changes in shares and cash, on its day, without asking for costs."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from app.domain.money import ZERO
from app.domain.portfolio.book import currency_of
from app.domain.transactions import CorporateAction, Entry, TransactionKind, net_cash

_NEGATIVE = frozenset(
    {CorporateAction.MERGER, CorporateAction.SYMBOL_CHANGE, CorporateAction.DELISTING}
)
_OF_SHARES = frozenset(
    {
        TransactionKind.OPENING,
        TransactionKind.BUY,
        TransactionKind.SELL,
        TransactionKind.TRANSFER,
        TransactionKind.SPLIT,
        TransactionKind.CORPORATE_ACTION,
    }
)


def share_moves(entry: Entry) -> Iterator[tuple[str, Decimal]]:
    """Symbols and the shares that come (above 0) or go."""
    if entry.kind not in _OF_SHARES or entry.symbol is None:
        return
    quantity = entry.quantity or ZERO
    if entry.kind is TransactionKind.SELL or entry.action in _NEGATIVE:
        quantity = -abs(quantity)
    if quantity and entry.action is not CorporateAction.SPIN_OFF:
        yield entry.symbol, quantity
    if entry.symbol_to is not None and entry.quantity_to:
        yield entry.symbol_to, entry.quantity_to


def cash_moves(entry: Entry) -> Iterator[tuple[str, Decimal]]:
    """Currencies and the money that comes (above 0) or goes, fee and tax taken off."""
    if moved := net_cash(entry):
        yield currency_of(entry, entry.symbol or ""), moved
    if entry.currency_to is not None and entry.amount_to:
        yield entry.currency_to, entry.amount_to


def cash_flow(entry: Entry) -> Decimal:
    """Money that came from outside (below 0: went), in the entry's currency, without fees."""
    if entry.symbol is not None:
        return ZERO
    if entry.kind is TransactionKind.WITHDRAWAL:
        return -entry.amount
    inside = entry.kind in {TransactionKind.DEPOSIT, TransactionKind.TRANSFER}
    return entry.amount if inside else ZERO


def share_flow(entry: Entry) -> Decimal:
    """Shares of the entry's symbol that came from outside (below 0: went)."""
    if entry.kind is TransactionKind.OPENING:
        return entry.quantity or ZERO
    transfers = entry.kind is TransactionKind.TRANSFER and entry.symbol is not None
    return entry.quantity or ZERO if transfers else ZERO
