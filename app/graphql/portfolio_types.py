"""Portfolios, their value, positions and transactions as the schema has them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

import strawberry

from app.domain.money import round_money
from app.domain.portfolio.returns import Returns
from app.domain.portfolio.valuation import Mark, PositionValue
from app.domain.portfolio.xirr import XirrNote
from app.domain.transactions import CorporateAction, Entry, TransactionKind
from app.graphql.cash_types import CashBalance
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.instrument import Instrument
from app.graphql.types import FromRow
from app.services.portfolio.audit import Finding
from app.services.portfolio.cash import CashRow
from app.services.portfolio.portfolio_value import Valuation


@described
@strawberry.type
class PriceMark(FromRow):
    """A price or a rate that a figure was worked out with: whose it is, and of when."""

    value: Decimal
    source: str
    at: datetime | None
    day: date | None
    before: Decimal | None = strawberry.field(description="That of the close before.")


@described
@strawberry.type
class Position:
    """Shares that are held, at the newest price: own figures, and `base…` in the portfolio's.

    The parts add up to `baseUnrealisedPnl`: of the price, of the rate, and of both together.
    """

    symbol: str
    currency: str
    quantity: Decimal
    cost: Decimal
    average_cost: Decimal | None = strawberry.field(description="Cost of one share, rounded.")
    price: PriceMark | None
    rate: PriceMark | None
    value: Decimal | None
    unrealised_pnl: Decimal | None
    base_value: Decimal | None
    base_cost: Decimal | None
    base_unrealised_pnl: Decimal | None
    price_part: Decimal | None
    fx_part: Decimal | None
    cross_part: Decimal | None
    day_pnl: Decimal | None
    return_percent: float | None = strawberry.field(
        description="Unrealised result in percent of the cost, in the portfolio's currency."
    )
    weight: float | None = strawberry.field(description="Part of the portfolio's total, from 0.")

    @classmethod
    def of(cls, row: PositionValue, base: str, total: Decimal) -> Position:
        """From a valued holding."""
        parts, average = row.parts, None
        if row.quantity:
            average = (row.cost / row.quantity).quantize(Decimal("0.0001"))
        gain = row.base_unrealised
        return cls(
            symbol=row.symbol,
            currency=row.currency,
            quantity=row.quantity,
            cost=round_money(row.cost, row.currency),
            average_cost=average,
            price=_mark(row.price),
            rate=_mark(row.rate),
            value=round_known(row.value, row.currency),
            unrealised_pnl=round_known(row.unrealised, row.currency),
            base_value=round_known(row.base_value, base),
            base_cost=round_known(row.base_cost, base),
            base_unrealised_pnl=round_known(gain, base),
            price_part=None if parts is None else round_money(parts.price, base),
            fx_part=None if parts is None else round_money(parts.fx, base),
            cross_part=None if parts is None else round_money(parts.cross, base),
            day_pnl=round_known(row.day_pnl, base),
            return_percent=_percent(gain, row.base_cost),
            weight=_part(row.base_value, total),
        )

    @strawberry.field
    async def instrument(self, info: Info) -> Instrument | None:
        """The instrument, where it is known here."""
        row = await info.context.loaders.instruments.load(self.symbol)
        return None if row is None else Instrument.of(row)


@described
@strawberry.type
class PortfolioValue:
    """What a portfolio is worth, in its currency, at the newest prices and rates.

    What has no price or no rate is named in `missing`, and the totals are without it: `complete`
    says whether they have everything. `realisedPnl` is after fees and taxes, `income` net of what
    was withheld; total = `flows` (paid in less paid out) + unrealised + realised + income + what
    the rate has made of foreign cash.
    """

    currency: str
    total: Decimal
    cash: list[CashBalance]
    cash_value: Decimal
    market_value: Decimal
    cost: Decimal
    unrealised_pnl: Decimal
    realised_pnl: Decimal
    income: Decimal
    flows: Decimal
    day_pnl: Decimal
    cash_fx: Decimal
    price_part: Decimal
    fx_part: Decimal
    cross_part: Decimal
    fx_rate: PriceMark | None
    at: datetime
    complete: bool
    missing: list[str]
    valuation: strawberry.Private[Valuation]

    @classmethod
    def of(cls, valuation: Valuation, cash: Iterable[CashRow]) -> PortfolioValue:
        """From a valuation and the balances of the ledger."""
        value, base = valuation.value, valuation.opened.base
        parts, total = value.parts, value.total
        lacking = [] if valuation.day_pnl is not None else ["dayPnl"]
        figures = {"realisedPnl": value.realised, "income": value.income, "flows": value.flows}
        lacking += [name for name, figure in figures.items() if figure is None]
        foreign = next((c.rate for c in value.cash if c.currency != base), None)
        foreign = next((p.rate for p in value.positions if p.currency != base), foreign)
        return cls(
            currency=base,
            total=round_money(total, base),
            cash=[CashBalance.of(row) for row in cash],
            cash_value=round_money(value.cash_value, base),
            market_value=round_money(value.market_value, base),
            cost=round_money(value.cost, base),
            unrealised_pnl=round_money(value.unrealised, base),
            realised_pnl=round_money(value.realised or Decimal(0), base),
            income=round_money(value.income or Decimal(0), base),
            flows=round_money(value.flows or Decimal(0), base),
            day_pnl=round_money(valuation.day_pnl or Decimal(0), base),
            cash_fx=round_money(value.cash_fx, base),
            price_part=round_money(parts.price, base),
            fx_part=round_money(parts.fx, base),
            cross_part=round_money(parts.cross, base),
            fx_rate=_mark(foreign),
            at=valuation.at,
            complete=value.complete and not lacking,
            missing=[*value.missing, *lacking],
            valuation=valuation,
        )

    @strawberry.field
    def positions(self) -> list[Position]:
        """What is held, by symbol."""
        value, base = self.valuation.value, self.currency
        return [Position.of(p, base, value.total) for p in value.positions if p.quantity]


@described
@strawberry.type
class Slice(FromRow):
    """A part of the portfolio; `name` is null for cash, empty for what has no such property.

    `others` is of how many smaller parts it is made, 0 of none.
    """

    name: str | None
    value: Decimal
    part: float | None
    others: int

    @strawberry.field
    async def instrument(self, info: Info) -> Instrument | None:
        """The instrument of that symbol, where the portfolio is divided by instruments."""
        if not self.name:
            return None
        row = await info.context.loaders.instruments.load(self.name)
        return None if row is None else Instrument.of(row)


@described
@strawberry.type
class Transaction:
    """One entry of the ledger. It is never changed: a wrong one is reversed by a second one.

    `amount` is quantity times price, rounded once; a fee and a tax lower the cash beside it.
    """

    user_id: strawberry.Private[int]
    id: strawberry.ID
    kind: TransactionKind
    day: date
    settles_on: date
    symbol: str | None
    quantity: Decimal | None
    price: Decimal | None
    currency: str | None
    amount: Decimal
    fee: Decimal
    tax: Decimal
    currency_to: str | None
    amount_to: Decimal | None
    rate: Decimal | None
    spread: Decimal | None
    source: str | None
    numerator: Decimal | None
    denominator: Decimal | None
    action: CorporateAction | None
    symbol_to: str | None
    quantity_to: Decimal | None
    cost_share: Decimal | None
    note: str
    tags: list[str]
    reverses: strawberry.ID | None = strawberry.field(
        description="The transaction that this one undoes."
    )

    @classmethod
    def of(cls, entry: Entry, user_id: int) -> Transaction:
        """From a stored entry of that user."""
        same = (
            *("kind", "day", "settles_on", "symbol", "quantity", "price", "currency", "amount"),
            *("fee", "tax", "currency_to", "amount_to", "rate", "spread", "source", "numerator"),
            *("denominator", "action", "symbol_to", "quantity_to", "cost_share", "note"),
        )
        return cls(
            **{name: getattr(entry, name) for name in same},
            user_id=user_id,
            id=strawberry.ID(str(entry.id)),
            tags=list(entry.tags),
            reverses=None if entry.reverses is None else strawberry.ID(str(entry.reverses)),
        )

    @strawberry.field
    async def reversed_by(self, info: Info) -> strawberry.ID | None:
        """The transaction that has undone this one."""
        found = await info.context.loaders.reversals.load((self.user_id, int(self.id)))
        return None if found is None else strawberry.ID(str(found))

    @strawberry.field
    async def instrument(self, info: Info) -> Instrument | None:
        """The instrument, where there is one and it is known here."""
        if self.symbol is None:
            return None
        row = await info.context.loaders.instruments.load(self.symbol)
        return None if row is None else Instrument.of(row)


@described
@strawberry.type
class Performance:
    """Three returns with their own definitions, and the statistics of a unit's value.

    Parts of one: 0.1 is 10 %. `simpleReturn`: (value + paid out - paid in) / paid in. `twr`: the
    growth of a unit, whatever was paid in and out. `xirr`: the yearly interest that money in the
    portfolio has earned; null where there is none, with the reason in `xirrNote`. `cagr` is the
    time-weighted return a year; volatility and ratios are those of the unit's days, 252 a year.
    """

    simple_return: float | None
    twr: float | None
    xirr: float | None
    xirr_note: XirrNote | None
    period_return: float | None = strawberry.field(
        description="The money-weighted return of the whole time, not annualised."
    )
    cagr: float | None
    volatility: float | None
    sharpe_ratio: float | None
    sortino_ratio: float | None
    max_drawdown: float | None

    @classmethod
    def of(cls, row: Returns) -> Performance:
        """From the measured returns."""
        return cls(
            simple_return=row.simple,
            twr=row.twr,
            xirr=row.xirr.rate,
            xirr_note=row.xirr.note,
            period_return=row.xirr.period,
            cagr=row.cagr,
            volatility=row.volatility,
            sharpe_ratio=row.sharpe_ratio,
            sortino_ratio=row.sortino_ratio,
            max_drawdown=row.max_drawdown,
        )


@described
@strawberry.type
class AuditFinding(FromRow):
    """Something in a portfolio that cannot be right: `name` is the symbol or the currency."""

    finding: Finding
    name: str
    difference: Decimal | None
    day: date | None


def _mark(mark: Mark | None) -> PriceMark | None:
    return None if mark is None else PriceMark.of(mark)


def round_known(amount: Decimal | None, currency: str) -> Decimal | None:
    """The amount as money; None where it is not known."""
    return None if amount is None else round_money(amount, currency)


def _percent(gain: Decimal | None, cost: Decimal | None) -> float | None:
    return None if gain is None or not cost else float(gain / abs(cost) * 100)


def _part(value: Decimal | None, total: Decimal) -> float | None:
    return None if value is None or total <= 0 else float(value / total)
