"""Valuation: what a portfolio is worth at given prices and rates, and the rows behind every figure.

    value = quantity * price * rate
    price part = (own value - own cost) * rate of the purchase
    FX part    = own cost * (rate - rate of the purchase)
    cross part = (own value - own cost) * (rate - rate of the purchase)

The three add up to the unrealised result in the portfolio's currency, exactly; the rate of the
purchase is cost in the portfolio's currency / own cost. Figures are exact: `round_money` belongs to
the edge. What has no price or no rate has no value and is named; the total then lacks it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, localcontext

from app.domain.money import ZERO
from app.domain.portfolio.book import Book, times
from app.domain.portfolio.day import DayStart
from app.domain.portfolio.lots import PRECISE, Holding, minus, share, total_base


@dataclass(frozen=True, slots=True)
class Mark:
    """A price or a rate with where it comes from; `before` is that of the close before, if known.

    Prices are as traded: both are of shares of their own day.
    """

    value: Decimal
    source: str
    at: datetime | None = None
    day: date | None = None
    before: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """Where a result in the portfolio's currency comes from; they add up to it."""

    price: Decimal
    fx: Decimal
    cross: Decimal

    @property
    def total(self) -> Decimal:
        """The result."""
        with localcontext(PRECISE):
            return self.price + self.fx + self.cross


@dataclass(frozen=True, slots=True)
class PositionValue:
    """A holding at a price: own figures in its currency, `base` ones in the portfolio's.

    `price` and `rate` are the rows it was valued by, `entries` those that made it.
    """

    symbol: str
    currency: str
    quantity: Decimal
    cost: Decimal
    base_cost: Decimal | None
    price: Mark | None
    rate: Mark | None
    value: Decimal | None
    base_value: Decimal | None
    day_pnl: Decimal | None
    entries: tuple[int, ...]

    @property
    def unrealised(self) -> Decimal | None:
        """Value less cost, in its own currency."""
        with localcontext(PRECISE):
            return minus(self.value, self.cost)

    @property
    def base_unrealised(self) -> Decimal | None:
        """Value less cost in the portfolio's currency, each at its own rate."""
        with localcontext(PRECISE):
            return minus(self.base_value, self.base_cost)

    @property
    def parts(self) -> Parts | None:
        """Price, FX and cross part of the unrealised result."""
        if self.value is None or self.rate is None or self.base_cost is None:
            return None
        return split_result(self.value, self.cost, self.base_cost, self.rate.value)


@dataclass(frozen=True, slots=True)
class CashValue:
    """A cash balance in the portfolio's currency; `fx` is what its rate has made of it so far."""

    currency: str
    amount: Decimal
    rate: Mark | None
    base_value: Decimal | None
    fx: Decimal | None


@dataclass(frozen=True, slots=True)
class PortfolioValue:
    """All of it in the portfolio's currency; a figure that lacks something is in `missing`.

    `realised` are gains of sales less all fees and taxes, and what spent cash has gained by its
    rate; `income` is net. total - flows = unrealised + realised + income + fx of cash.
    """

    base: str
    positions: tuple[PositionValue, ...]
    cash: tuple[CashValue, ...]
    realised: Decimal | None
    income: Decimal | None
    flows: Decimal | None
    missing: tuple[str, ...]

    @property
    def market_value(self) -> Decimal:
        """Of the positions that have a price and a rate."""
        return _total(position.base_value for position in self.positions)

    @property
    def cash_value(self) -> Decimal:
        """Of the balances that have a rate."""
        return _total(balance.base_value for balance in self.cash)

    @property
    def total(self) -> Decimal:
        """Positions and cash."""
        return _total((self.market_value, self.cash_value))

    @property
    def cost(self) -> Decimal:
        """Of the positions that have a value."""
        known = (p for p in self.positions if p.base_value is not None)
        return _total(position.base_cost for position in known)

    @property
    def unrealised(self) -> Decimal:
        """Of the positions that have a value and a cost."""
        return _total(position.base_unrealised for position in self.positions)

    @property
    def cash_fx(self) -> Decimal:
        """What the rates have made of the cash that is there."""
        return _total(balance.fx for balance in self.cash)

    @property
    def parts(self) -> Parts:
        """The parts of the unrealised result, the cash's among the FX part."""
        known = [parts for position in self.positions if (parts := position.parts) is not None]
        fx = _total((*(parts.fx for parts in known), self.cash_fx))
        price, cross = (_total(getattr(p, name) for p in known) for name in ("price", "cross"))
        return Parts(price, fx, cross)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


def split_result(value: Decimal, cost: Decimal, base_cost: Decimal, rate: Decimal) -> Parts:
    """The three parts of value * rate - base_cost; without a cost all of it is the price's."""
    with localcontext(PRECISE):
        if not cost:
            return Parts(value * rate - base_cost, ZERO, ZERO)
        fx = cost * rate - base_cost
        price = share(base_cost, value - cost, cost)
        return Parts(price, fx, value * rate - base_cost - price - fx)


def value_portfolio(
    book: Book,
    prices: Mapping[str, Mark],
    rates: Mapping[str, Mark],
    *,
    day: DayStart | None = None,
) -> PortfolioValue:
    """The portfolio's value by the newest prices and rates (one for each foreign currency).

    `day` is what was held when the day began; without it there is no result of the day.
    """
    own = Mark(Decimal(1), "same currency", before=Decimal(1))
    known = {**rates, book.base: own}
    with localcontext(PRECISE):
        positions = tuple(
            _value_position(book, holding, prices.get(symbol), known.get(holding.currency), day)
            for symbol, holding in sorted(book.holdings.items())
            if holding.quantity or (day is not None and symbol in day.bought)
        )
        cash = tuple(_value_cash(pool, known.get(c)) for c, pool in sorted(book.cash.items()))
        return PortfolioValue(
            base=book.base,
            positions=positions,
            cash=cash,
            realised=book.earned.realised,
            income=book.earned.income,
            flows=book.earned.flows,
            missing=tuple(_missing(book, positions, cash)),
        )


def _value_position(
    book: Book, holding: Holding, price: Mark | None, rate: Mark | None, day: DayStart | None
) -> PositionValue:
    value = None if price is None else holding.quantity * price.value
    base_value = None if value is None or rate is None else value * rate.value
    return PositionValue(
        symbol=holding.symbol,
        currency=holding.currency,
        quantity=holding.quantity,
        cost=sum((lot.cost for lot in holding.lots), ZERO),
        base_cost=total_base(holding.lots),
        price=price,
        rate=rate,
        value=value,
        base_value=base_value,
        day_pnl=None if day is None else _day_pnl(holding.symbol, base_value, price, rate, day),
        entries=tuple(book.entries.get(holding.symbol, ())),
    )


def _day_pnl(
    symbol: str, value: Decimal | None, price: Mark | None, rate: Mark | None, day: DayStart
) -> Decimal | None:
    """Value now, less that of the morning's shares at the close before, less what was bought."""
    bought = times(day.bought.get(symbol, ZERO), None if rate is None else rate.value)
    held = day.shares.get(symbol, ZERO)
    before = ZERO
    if held:
        if price is None or rate is None or price.before is None or rate.before is None:
            return None
        before = held * price.before * rate.before
    return minus(minus(value, before), bought)


def _value_cash(pool: Holding, rate: Mark | None) -> CashValue:
    base_value = times(pool.quantity, None if rate is None else rate.value)
    fx = minus(base_value, total_base(pool.lots))
    return CashValue(pool.symbol, pool.quantity, rate, base_value, fx)


def _missing(
    book: Book, positions: Iterable[PositionValue], cash: Iterable[CashValue]
) -> Iterable[str]:
    """Symbols without a price, currencies without a rate, and days without a rate, in order."""
    names = {p.symbol for p in positions if p.price is None and p.quantity}
    names |= {p.currency for p in positions if p.rate is None and p.quantity}
    names |= {c.currency for c in cash if c.rate is None and c.amount}
    names |= {f"{currency} {day}" for currency, day in book.missing}
    return sorted(names)


def _total(amounts: Iterable[Decimal | None]) -> Decimal:
    with localcontext(PRECISE):
        return sum((amount for amount in amounts if amount is not None), ZERO)
