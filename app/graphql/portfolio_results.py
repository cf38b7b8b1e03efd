"""What a portfolio has earned: sales with what came of them, dividends and interest."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import strawberry

from app.domain.money import round_money
from app.domain.portfolio.book import Row, Sale
from app.domain.portfolio.sums import Sum
from app.domain.transactions import TransactionKind
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.instrument import Instrument
from app.graphql.portfolio_types import round_known
from app.services.portfolio.portfolio_books import OpenBook


@described
@strawberry.type
class InstrumentSales:
    """All sales of an instrument: how many, what came of them, and whether some of it is held.

    `baseGain` is before fees and taxes; null when a sale has no rate of its day.
    """

    count: int
    base_gain: Decimal | None
    held: bool


@described
@strawberry.type
class RealisedSale:
    """Shares that were sold: what they brought and what they had cost.

    `gain` is before the sale's fee and tax, in the currency of the instrument; `baseGain` in the
    portfolio's, each side at the rate of its own day.
    """

    day: date
    symbol: str
    currency: str
    quantity: Decimal
    proceeds: Decimal
    cost: Decimal
    fee: Decimal
    tax: Decimal
    gain: Decimal
    base_gain: Decimal | None
    transaction: strawberry.ID | None
    of_instrument: InstrumentSales

    @classmethod
    def of(cls, row: Sale, opened: OpenBook) -> RealisedSale:
        """From the book."""
        base, total = opened.base, opened.sold[row.symbol]
        return cls(
            day=row.day,
            symbol=row.symbol,
            currency=row.currency,
            quantity=row.quantity,
            proceeds=round_money(row.proceeds, row.currency),
            cost=round_money(row.cost, row.currency),
            fee=row.fee,
            tax=row.tax,
            gain=round_money(row.gain, row.currency),
            base_gain=round_known(row.base_gain, base),
            transaction=None if row.entry is None else strawberry.ID(str(row.entry)),
            of_instrument=InstrumentSales(
                count=total.count,
                base_gain=round_known(total.base, base),
                held=bool(opened.book.holdings[row.symbol].quantity),
            ),
        )

    @strawberry.field
    async def instrument(self, info: Info) -> Instrument | None:
        """The instrument, where it is known here."""
        row = await info.context.loaders.instruments.load(self.symbol)
        return None if row is None else Instrument.of(row)


@described
@strawberry.type
class IncomeRow:
    """A dividend or interest: net of what was withheld, in its own and the base currency."""

    day: date
    kind: TransactionKind
    symbol: str | None
    currency: str
    amount: Decimal
    withheld: Decimal
    base_amount: Decimal | None
    transaction: strawberry.ID | None

    @classmethod
    def of(cls, row: Row, base: str) -> IncomeRow:
        """From the book."""
        return cls(
            day=row.day,
            kind=row.kind,
            symbol=row.symbol,
            currency=row.currency,
            amount=row.amount,
            withheld=row.withheld,
            base_amount=round_known(row.base, base),
            transaction=None if row.entry is None else strawberry.ID(str(row.entry)),
        )


@described
@strawberry.type
class MonthIncome:
    """All dividends and interest of a month (2026-03), net; null if one has no rate of its day."""

    month: str
    count: int
    base_amount: Decimal | None

    @classmethod
    def of(cls, month: str, row: Sum, base: str) -> MonthIncome:
        """From the book's sum of a month."""
        return cls(month=month, count=row.count, base_amount=round_known(row.base, base))
