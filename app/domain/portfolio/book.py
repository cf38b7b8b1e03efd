"""The book of a portfolio: its entries folded into holdings, results of sales, income and cash.

Trades count on their day, dividends on their ex-day (the money is owed from then on). The cost of a
holding is what was paid for the shares; fees and taxes stand beside it as charges. In the currency
of the portfolio every amount stands at the rate of its day, and foreign cash is a holding at the
price of 1, so that at any rates and prices, exactly:

    value of holdings and cash = flows + gains of sales + unrealised + income - charges + cash's FX

Entries may come late: the fold goes by their day, whenever they were written; within a day what a
company does to its shares comes before trades. A reversed entry has never been.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, localcontext
from enum import StrEnum
from functools import cached_property

from app.domain.money import ZERO
from app.domain.portfolio.lots import (
    PRECISE,
    Holding,
    Lot,
    minus,
    plus,
    share,
    sum_known,
    total_base,
)
from app.domain.trading.listings import find_listing
from app.domain.transactions import Entry, LotMethod, TransactionKind

Rates = Callable[[str, date], Decimal | None]
"""(currency, day) → units of the portfolio's currency for one; None when it is not known."""


class Trouble(StrEnum):
    """What cannot be right in the entries of a real account."""

    OVERSOLD = "OVERSOLD"  # more was sold than was held
    SPLIT_MISMATCH = "SPLIT_MISMATCH"  # the shares that a split added do not fit its ratio
    NOT_HELD = "NOT_HELD"  # a corporate action on shares that are not held


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding at an entry; `quantity` is by how many shares it does not fit."""

    trouble: Trouble
    day: date
    symbol: str
    quantity: Decimal
    entry: int | None


@dataclass(frozen=True, slots=True)
class Sale:
    """Shares that were sold, and the lots that they came from.

    `fee` and `tax` are among the charges too. `quantity` is below zero when a purchase closed
    shares that had been sold before.
    """

    day: date
    symbol: str
    currency: str
    quantity: Decimal
    proceeds: Decimal
    cost: Decimal
    base_proceeds: Decimal | None
    base_cost: Decimal | None
    fee: Decimal
    tax: Decimal
    entry: int | None
    lots: tuple[Lot, ...]

    @property
    def gain(self) -> Decimal:
        """Proceeds less cost, before fee and tax."""
        return PRECISE.subtract(self.proceeds, self.cost)

    @property
    def net(self) -> Decimal:
        """The gain less the sale's own fee and tax."""
        return PRECISE.subtract(self.gain, self.fee + self.tax)

    @property
    def base_gain(self) -> Decimal | None:
        """The gain in the portfolio's currency, each side at the rate of its day."""
        with localcontext(PRECISE):
            return minus(self.base_proceeds, self.base_cost)


@dataclass(frozen=True, slots=True)
class Row:
    """An amount of a day: income, a charge or a flow; `base` at the rate of the day."""

    day: date
    kind: TransactionKind
    symbol: str | None
    currency: str
    amount: Decimal
    base: Decimal | None
    entry: int | None
    withheld: Decimal = ZERO
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Earned:
    """Sums over all time in the portfolio's currency; None when a rate of some day is missing.

    `realised` are the gains of sales less all charges, and what spent cash has gained by its rate.
    """

    realised: Decimal | None
    income: Decimal | None
    flows: Decimal | None


@dataclass
class Book:
    """What entries amount to. Amounts are signed: income earned, charges paid, flows put in.

    `income` is net of what was `withheld`. A flow of shares counts at their cost.
    """

    base: str
    method: LotMethod
    holdings: dict[str, Holding] = field(default_factory=dict)
    cash: dict[str, Holding] = field(default_factory=dict)
    sales: list[Sale] = field(default_factory=list)
    income: list[Row] = field(default_factory=list)
    charges: list[Row] = field(default_factory=list)
    flows: list[Row] = field(default_factory=list)
    cash_fx: Decimal | None = ZERO
    """What foreign cash has gained by its rate when it was spent, in the portfolio's currency."""
    entries: dict[str, list[int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    missing: set[tuple[str, date]] = field(default_factory=set)
    """Currencies and days whose rate is not known."""

    @cached_property
    def earned(self) -> Earned:
        """What no price changes any more; summed once, of a book to which nothing is added."""
        with localcontext(PRECISE):
            gains = plus(sum_known(sale.base_gain for sale in self.sales), self.cash_fx)
            return Earned(
                realised=minus(gains, sum_known(row.base for row in self.charges)),
                income=sum_known(row.base for row in self.income),
                flows=sum_known(row.base for row in self.flows),
            )

    def copy(self) -> Book:
        """The same book, to go on with while this one stays as it is."""
        lists = ("sales", "income", "charges", "flows", "problems")
        return replace(
            self,
            holdings={symbol: held.copy() for symbol, held in self.holdings.items()},
            cash={currency: pool.copy() for currency, pool in self.cash.items()},
            entries={symbol: ids.copy() for symbol, ids in self.entries.items()},
            missing=self.missing.copy(),
            **{name: getattr(self, name).copy() for name in lists},
        )

    def hold(self, symbol: str, currency: str) -> Holding:
        """The holding of a symbol, opened when it is new."""
        found = self.holdings.get(symbol)
        if found is None:
            found = self.holdings[symbol] = Holding(symbol, currency, self.method)
        return found


@dataclass(frozen=True, slots=True)
class Trade:
    """Shares that change hands against money: `quantity` signed, `amount` what they are worth."""

    day: date
    quantity: Decimal
    amount: Decimal
    base: Decimal | None
    entry: int | None
    fee: Decimal = ZERO
    tax: Decimal = ZERO


def times(amount: Decimal, rate: Decimal | None) -> Decimal | None:
    """The amount at a rate; None when it is not known."""
    return None if rate is None else amount * rate


def currency_of(entry: Entry, symbol: str) -> str:
    """The currency of a symbol's prices: that of the entry, else of the symbol's market."""
    return entry.currency or find_listing(symbol).currency


def trade_of(entry: Entry, quantity: Decimal, rate: Decimal | None) -> Trade:
    """Shares against the entry's amount."""
    base = times(entry.amount, rate)
    return Trade(entry.day, quantity, entry.amount, base, entry.id, entry.fee, entry.tax)


def settle(book: Book, holding: Holding, trade: Trade) -> None:
    """Books a trade: the sale that it is, and the problem that more was sold than was held."""
    if sale := close_lots(holding, trade):
        book.sales.append(sale)
    if holding.quantity < 0 and trade.quantity < 0:
        short = min(-holding.quantity, -trade.quantity)
        found = Problem(Trouble.OVERSOLD, trade.day, holding.symbol, short, trade.entry)
        book.problems.append(found)


def receive_cash(
    book: Book, holding: Holding, entry: Entry, rate: Decimal | None, lots: Sequence[Lot] = ()
) -> None:
    """Books the entry's amount as proceeds for no whole share, against the cost of some lots."""
    if not entry.amount:
        return
    sale = Sale(
        day=entry.day,
        symbol=holding.symbol,
        currency=holding.currency,
        quantity=ZERO,
        proceeds=entry.amount,
        cost=sum((lot.cost for lot in lots), ZERO),
        base_proceeds=times(entry.amount, rate),
        base_cost=total_base(lots),
        fee=entry.fee,
        tax=entry.tax,
        entry=entry.id,
        lots=tuple(lots),
    )
    book.sales.append(sale)


def close_lots(holding: Holding, trade: Trade) -> Sale | None:
    """The part of a trade that goes against the holding; None when it goes with it.

    What is left of the trade opens a lot.
    """
    most = abs(holding.quantity) if holding.quantity * trade.quantity < 0 else ZERO
    size = abs(trade.quantity)
    closing = min(most, size)
    sale = None
    value, base = trade.amount, trade.base
    if closing:
        value = share(trade.amount, closing, size)
        base = None if trade.base is None else share(trade.base, closing, size)
        sale = _sale(holding, trade, closing, value, base)
        value = trade.amount - value
        base = minus(trade.base, base)
    if closing < size:
        sign = 1 if trade.quantity > 0 else -1
        base = None if base is None else sign * base
        lot = Lot(trade.day, sign * (size - closing), sign * value, base, trade.entry)
        holding.add(lot)
    return sale


def _sale(
    holding: Holding, trade: Trade, closing: Decimal, value: Decimal, base: Decimal | None
) -> Sale:
    sold = trade.quantity < 0
    lots = holding.take(closing if sold else -closing)
    cost, base_cost = sum((lot.cost for lot in lots), ZERO), total_base(lots)
    if not sold:  # a purchase closes shares sold before: what they brought is in the lots
        value, cost = -cost, value
        base, base_cost = None if base_cost is None else -base_cost, base
    return Sale(
        day=trade.day,
        symbol=holding.symbol,
        currency=holding.currency,
        quantity=closing if sold else -closing,
        proceeds=value,
        cost=cost,
        base_proceeds=base,
        base_cost=base_cost,
        fee=trade.fee,
        tax=trade.tax,
        entry=trade.entry,
        lots=tuple(lots),
    )
