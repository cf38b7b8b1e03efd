"""An independent ledger for tests: unit costs as fractions, one list of purchases, no totals.

It knows nothing of the code under test: FIFO walks a list of [shares, unit cost, unit cost in the
portfolio's currency]; the moving average is one such entry.
"""

from __future__ import annotations

from fractions import Fraction

from app.domain.transactions import CorporateAction, Entry, LotMethod, TransactionKind


class Oracle:
    """Shares, gains and money of entries in order."""

    def __init__(self, method: LotMethod, base: str, rates) -> None:
        self.method, self.base, self.rates = method, base, rates
        self.shares: dict[str, list[list[Fraction]]] = {}
        self.cash: dict[str, Fraction] = {}
        self.gains: list[tuple[int | None, Fraction, Fraction]] = []

    def rate(self, currency: str, day) -> Fraction:
        return Fraction(1) if currency == self.base else Fraction(self.rates(currency, day))

    def pay(self, currency: str, amount: Fraction) -> None:
        self.cash[currency] = self.cash.get(currency, Fraction(0)) + amount

    def buy(self, symbol: str, quantity: Fraction, cost: Fraction, rate: Fraction) -> None:
        lots = self.shares.setdefault(symbol, [])
        lots.append([quantity, cost / quantity, cost * rate / quantity])
        if self.method is LotMethod.AVERAGE:
            total = sum(q for q, _, _ in lots)
            own = sum(q * c for q, c, _ in lots) / total
            base = sum(q * b for q, _, b in lots) / total
            lots[:] = [[total, own, base]]

    def remove(self, symbol: str, quantity: Fraction) -> tuple[Fraction, Fraction]:
        lots, cost, base = self.shares[symbol], Fraction(0), Fraction(0)
        while quantity:
            part = min(quantity, lots[0][0])
            cost, base = cost + part * lots[0][1], base + part * lots[0][2]
            lots[0][0] -= part
            quantity -= part
            if not lots[0][0]:
                lots.pop(0)
        return cost, base

    def held(self, symbol: str) -> Fraction:
        return sum((q for q, _, _ in self.shares.get(symbol, [])), Fraction(0))

    def cost(self, symbol: str) -> tuple[Fraction, Fraction]:
        lots = self.shares.get(symbol, [])
        return (
            sum((q * c for q, c, _ in lots), Fraction(0)),
            sum((q * b for q, _, b in lots), Fraction(0)),
        )

    def take(self, entry: Entry) -> None:
        amount, charges = Fraction(entry.amount), Fraction(entry.fee) + Fraction(entry.tax)
        rate = self.rate(entry.currency, entry.day) if entry.currency else Fraction(1)
        kind = entry.kind
        if kind is TransactionKind.BUY or entry.action is CorporateAction.RIGHTS:
            self.buy(entry.symbol, Fraction(entry.quantity), amount, rate)
            self.pay(entry.currency, -amount - charges)
        elif kind is TransactionKind.SELL:
            cost, base = self.remove(entry.symbol, Fraction(entry.quantity))
            self.gains.append((entry.id, amount - cost, amount * rate - base))
            self.pay(entry.currency, amount - charges)
        elif kind is TransactionKind.SPLIT:
            ratio = Fraction(entry.numerator) / Fraction(entry.denominator)
            for lot in self.shares.get(entry.symbol, []):
                lot[0], lot[1], lot[2] = lot[0] * ratio, lot[1] / ratio, lot[2] / ratio
        elif kind is TransactionKind.EXCHANGE:
            self.pay(entry.currency, -amount - charges)
            self.pay(entry.currency_to, Fraction(entry.amount_to))
        elif kind in {TransactionKind.WITHDRAWAL, TransactionKind.FEE, TransactionKind.TAX}:
            self.pay(entry.currency, -amount)
        else:  # DEPOSIT, DIVIDEND, INTEREST
            self.pay(entry.currency, amount - charges)
