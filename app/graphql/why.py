"""Why this number: a figure of a portfolio with its formula and the rows that it comes from."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

import strawberry

from app.domain.money import round_money
from app.domain.portfolio import why as domain
from app.domain.portfolio.why import BOOKED, Figure
from app.errors import BadInput
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.paging import clamp
from app.graphql.portfolio_types import PriceMark, Transaction
from app.graphql.records import PortfolioRecords
from app.graphql.types import FromRow
from app.services.paging import check_first
from app.services.portfolio.portfolio_books import OpenBook, find_past_rates
from app.services.portfolio.portfolio_value import Valuation
from app.translations import N_, load_translations

SHOWN: Final = Decimal("0.0001")

_FORMULAS: Final = {
    Figure.QUANTITY: N_("Shares that came less shares that went"),
    Figure.VALUE: N_("Shares * price * exchange rate"),
    Figure.COST: N_("What the shares held were bought for, each at its day's rate"),
    Figure.UNREALISED: N_("Value less cost, each at its own rate"),
    Figure.PRICE_PART: N_("(Value - cost) in its own currency * the purchase's rate"),
    Figure.FX_PART: N_("Cost in its own currency * (rate now - the purchase's rate)"),
    Figure.CROSS_PART: N_("(Value - cost) in its own currency * (rate now - purchase's rate)"),
    Figure.DAY_PNL: N_("Value less that of the close before and what was put in since"),
    Figure.REALISED: N_("Proceeds of sales less the cost of what was sold, fees and taxes"),
    Figure.INCOME: N_("Dividends and interest less what was withheld, at the day's rate"),
    Figure.FLOWS: N_("Paid in less paid out, at the day's rate"),
    Figure.TOTAL: N_("Value of the positions and the cash"),
    Figure.CASH: N_("Cash * exchange rate"),
    Figure.CASH_FX: N_("What the exchange rate has made of the cash that is there"),
}


@described
@strawberry.type
class WhyTerm(FromRow):
    """A number of a formula: quantity, price, rate, cost, baseCost, before."""

    name: str
    value: Decimal | None


@described
@strawberry.type
class WhyMark:
    """The row of the market behind a figure: of a symbol or of a currency."""

    name: str
    mark: PriceMark


@described
@strawberry.type
class WhyLine:
    """A summand: `amount` in its own currency (null: shares), `base` in the portfolio's.

    `name` is a symbol, a currency, a kind of transaction, or cashFx. `rate` is that of the day.
    """

    name: str
    day: date | None
    amount: Decimal | None
    currency: str | None
    base: Decimal | None
    rate: PriceMark | None
    transaction: Transaction | None


@described
@strawberry.type
class Why:
    """A figure with its formula: the lines add up to it, or it follows from the terms."""

    opened: strawberry.Private[OpenBook]
    user_id: strawberry.Private[int]
    reason: strawberry.Private[domain.Why]
    figure: Figure
    currency: str | None = strawberry.field(description="Of the result; null: it is shares.")
    formula: str
    result: Decimal | None
    terms: list[WhyTerm]
    rates: list[WhyMark]
    line_count: int
    transaction_count: int

    @classmethod
    def of(cls, opened: OpenBook, reason: domain.Why, user_id: int, formula: str) -> Why:
        """From the domain's answer."""
        shares = reason.figure is Figure.QUANTITY
        result = reason.result
        return cls(
            opened=opened,
            user_id=user_id,
            reason=reason,
            figure=reason.figure,
            currency=None if shares else opened.base,
            formula=formula,
            result=result if shares or result is None else round_money(result, opened.base),
            terms=[WhyTerm(name=name, value=_shown(value)) for name, value in reason.terms],
            rates=[WhyMark(name=n, mark=PriceMark.of(mark)) for n, mark in reason.rates],
            line_count=len(reason.lines),
            transaction_count=len(reason.entries),
        )

    @strawberry.field
    async def lines(self, info: Info, first: int | None = 50) -> list[WhyLine]:
        """What adds up to it, the newest first."""
        chosen = self.reason.lines[::-1][: check_first(clamp(first, 50))]
        base = self.opened.base
        days = {x.day for x in chosen if x.day is not None and x.currency not in {None, base}}
        rates = await find_past_rates(info.context.env, base, days)
        known = {entry.id: entry for entry in self.opened.entries}
        return [
            WhyLine(
                name=x.name,
                day=x.day,
                amount=_shown(x.amount),
                currency=x.currency,
                base=_shown(x.base),
                rate=PriceMark.of(rates[x.day])
                if x.day in rates and x.currency not in {None, base}
                else None,
                transaction=Transaction.of(known[x.entry], self.user_id)
                if x.entry in known
                else None,
            )
            for x in chosen
        ]

    @strawberry.field
    async def prices(self, first: int | None = 50) -> list[WhyMark]:
        """The prices it was worked out with, by symbol."""
        chosen = self.reason.prices[: check_first(clamp(first, 50))]
        return [WhyMark(name=name, mark=PriceMark.of(mark)) for name, mark in chosen]

    @strawberry.field
    async def transactions(self, first: int | None = 50) -> list[Transaction]:
        """The lines of the ledger behind it, the newest first."""
        chosen = self.reason.entries[::-1][: check_first(clamp(first, 50))]
        known = {entry.id: entry for entry in self.opened.entries}
        return [Transaction.of(known[number], self.user_id) for number in chosen]


@strawberry.type
class PortfolioWhy(PortfolioRecords):
    """What a portfolio says about its figures; part of `Portfolio`."""

    @strawberry.field
    async def why(self, info: Info, figure: Figure, symbol: str | None = None) -> Why:
        """Why a figure of the portfolio, or of one of its positions, is what it is."""
        valuation = await info.context.loaders.valuations.load((self.user_id, str(self.id)))
        reason = _explain(valuation, figure, symbol)
        formula = load_translations(info.context.locale).gettext(_FORMULAS[figure])
        return Why.of(valuation.opened, reason, self.user_id, formula)


def _explain(valuation: Valuation, figure: Figure, symbol: str | None) -> domain.Why:
    opened = valuation.opened
    if figure in BOOKED:
        return domain.explain_booked(opened.book, figure, symbol)
    if symbol is None and figure is not Figure.QUANTITY:
        return domain.explain_portfolio(valuation.value, figure, valuation.day_pnl)
    position = next((p for p in valuation.value.positions if p.symbol == symbol), None)
    if position is None or figure in {Figure.TOTAL, Figure.CASH, Figure.CASH_FX}:
        message = "symbol is %(value).40r: no position has that figure"
        raise BadInput(message, field="symbol", value=symbol)
    return domain.explain_position(opened.book, position, figure, opened.entries)


def _shown(amount: Decimal | None) -> Decimal | None:
    """The number with four decimals at most where it has very many."""
    if amount is None or -int(amount.as_tuple().exponent) <= 8:
        return amount
    return amount.quantize(SHOWN)
