"""Portfolios in the schema: what somebody sees of the own ones, and follows while prices move."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import polars as pl
import strawberry

from app.domain.money import round_money
from app.domain.portfolio.allocation import AllocationKey, allocate, gather
from app.domain.portfolio.position_order import PositionSort, sort_positions
from app.domain.portfolio.valuation import PositionValue
from app.domain.trading.orders import OrderState
from app.domain.transactions import LotMethod, PortfolioKind, TransactionKind
from app.graphql.cash_types import CashBalance
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.orders import Order
from app.graphql.paging import Connection, clamp, connect_rows, make_connection
from app.graphql.permissions import require_user
from app.graphql.portfolio_results import IncomeRow, MonthIncome, RealisedSale
from app.graphql.portfolio_types import (
    AuditFinding,
    Performance,
    PortfolioValue,
    Position,
    Slice,
    Transaction,
)
from app.graphql.proposals import Proposal
from app.graphql.scalars import Series
from app.graphql.why import PortfolioWhy
from app.services.paging import MAX_ROWS, check_first
from app.services.portfolio import portfolios
from app.services.portfolio.audit import audit as audit_portfolio
from app.services.portfolio.cash import CashRow, list_cash
from app.services.portfolio.equity_audit import read_findings
from app.services.portfolio.ledger import count_transactions, list_transactions
from app.services.portfolio.portfolio_performance import check_span, get_equity, get_performance
from app.services.portfolio.portfolio_value import Valuation, follow_value
from app.services.portfolio.portfolios import PortfolioRow
from app.services.portfolio.transaction_order import TransactionSort
from app.services.records.proposals import list_proposals
from app.services.trading.order_rows import count_orders, list_orders


@described
@strawberry.type
class Portfolio(PortfolioWhy):
    """A portfolio of virtual money at real prices, of practice, or the record of a real account."""

    name: str
    kind: PortfolioKind
    base_currency: str
    lot_method: LotMethod
    opened_on: date
    initial_capital: Decimal
    cost_profile: str
    fx_spread: Decimal = strawberry.field(
        description="The broker's part of an exchange, as a share of the rate."
    )
    created_at: datetime
    archived_at: datetime | None

    @classmethod
    def of(cls, row: PortfolioRow, user_id: int) -> Portfolio:
        """From a service's row."""
        same = ("name", "kind", "base_currency", "lot_method", "opened_on", "initial_capital")
        more = ("cost_profile", "fx_spread", "created_at", "archived_at")
        facts = {name: getattr(row, name) for name in (*same, *more)}
        return cls(user_id=user_id, id=strawberry.ID(str(row.id)), **facts)

    @strawberry.field
    async def value(self, info: Info) -> PortfolioValue:
        """What it is worth at the newest prices and rates."""
        return PortfolioValue.of(await self._valued(info), await self._cash(info))

    @strawberry.field
    async def cash(self, info: Info) -> list[CashBalance]:
        """Its money by currency."""
        return [CashBalance.of(row) for row in await self._cash(info)]

    @strawberry.field
    async def positions(
        self,
        info: Info,
        first: int | None = None,
        sort: PositionSort = PositionSort.VALUE,
        ascending: bool = False,  # noqa: FBT001, FBT002 - an argument of the schema
    ) -> list[Position]:
        """What is held, at the newest prices, the largest first: all of it, or the `first`.

        What has no such figure comes last either way.
        """
        valuation = await self._valued(info)
        base, total = valuation.opened.base, valuation.value.total
        names = await _names(info, valuation) if sort is PositionSort.NAME else {}
        rows = sort_positions(
            (row for row in valuation.value.positions if row.quantity),
            sort,
            ascending=ascending,
            name_of=lambda row: names.get(row.symbol, row.symbol).casefold(),
        )
        most = len(rows) if first is None else check_first(clamp(first, MAX_ROWS))
        return [Position.of(row, base, total) for row in rows[:most]]

    @strawberry.field
    async def position_count(self, info: Info) -> int:
        """How many instruments are held."""
        valuation = await self._valued(info)
        return sum(bool(row.quantity) for row in valuation.value.positions)

    @strawberry.field
    async def allocation(
        self, info: Info, by: AllocationKey = AllocationKey.INSTRUMENT, first: int | None = None
    ) -> list[Slice]:
        """How the value is divided, the largest part first: all parts, or the `first`.

        Those that are smaller and above nothing are one part more then.
        """
        most = None if first is None else check_first(clamp(first, MAX_ROWS))
        valuation = await self._valued(info)
        name_of = await _namer(info, valuation, by)
        slices = allocate(valuation.value, by, name_of)
        return [
            Slice(
                name=one.name,
                value=round_money(one.value, self.base_currency),
                part=None if one.part is None else float(one.part),
                others=one.others,
            )
            for one in (slices if most is None else gather(slices, most))
        ]

    @strawberry.field
    async def transactions(  # noqa: PLR0913, PLR0917 - arguments of the schema
        self,
        info: Info,
        first: int | None = 50,
        after: str | None = None,
        symbol: str | None = None,
        kind: TransactionKind | None = None,
        sort: TransactionSort = TransactionSort.DAY,
        ascending: bool = False,  # noqa: FBT001, FBT002 - an argument of the schema
    ) -> Connection[Transaction]:
        """Its ledger, the newest day first; all of it, or of one symbol or kind."""
        env, user_id, own = info.context.env, self.user_id, str(self.id)
        page = await list_transactions(
            env,
            user_id,
            own,
            first=clamp(first, 50),
            after=after,
            symbol=symbol,
            kind=kind,
            sort=sort,
            ascending=ascending,
        )
        count = lambda: count_transactions(env, user_id, own, symbol=symbol, kind=kind)  # noqa: E731
        return make_connection(page, lambda row: Transaction.of(row, user_id), count)

    @strawberry.field
    async def orders(
        self,
        info: Info,
        state: OrderState | None = None,
        first: int | None = 50,
        after: str | None = None,
    ) -> Connection[Order]:
        """Its orders, the newest first; all of them, or those in one state."""
        env, user_id, own = info.context.env, self.user_id, str(self.id)
        page = await list_orders(
            env, user_id, own, state=state, first=clamp(first, 50), after=after
        )
        return make_connection(page, Order.of, lambda: count_orders(env, user_id, own, state=state))

    @strawberry.field
    async def sales(
        self, info: Info, first: int | None = 50, after: str | None = None
    ) -> Connection[RealisedSale]:
        """What was sold and what came of it, the newest first."""
        opened = (await self._valued(info)).opened
        rows = opened.book.sales[::-1]
        return connect_rows(rows, clamp(first, 50), after, lambda row: RealisedSale.of(row, opened))

    @strawberry.field
    async def income(self, info: Info, first: int | None = 50) -> list[IncomeRow]:
        """Dividends and interest, the newest first."""
        valuation = await self._valued(info)
        rows = valuation.opened.book.income[::-1][: check_first(clamp(first, 50))]
        return [IncomeRow.of(row, self.base_currency) for row in rows]

    @strawberry.field
    async def income_by_month(self, info: Info, first: int | None = 12) -> list[MonthIncome]:
        """The months with dividends or interest, the newest first, with all that each has."""
        most = check_first(clamp(first, 12))
        found = (await self._valued(info)).opened.income_by_month
        months = sorted(found, reverse=True)[:most]
        return [MonthIncome.of(month, found[month], self.base_currency) for month in months]

    @strawberry.field
    async def performance(
        self,
        info: Info,
        from_: Annotated[date | None, strawberry.argument(name="from")] = None,
        to: date | None = None,
    ) -> Performance:
        """Its returns from one day to another, both included; over all time without them."""
        return Performance.of(get_performance(await self._equity(info, from_, to), from_))

    @strawberry.field
    async def equity(
        self,
        info: Info,
        from_: Annotated[date | None, strawberry.argument(name="from")] = None,
        to: date | None = None,
        benchmark: str | None = None,
    ) -> Series:
        """Its daily equity: time, value, cash, paidIn, paidOut, unit, drawdown, benchmark.

        `unit` is what 100 of the first day have become; the benchmark is the same of its total
        return, in its own currency. Worked out within a minute of a change.
        """
        stored = await self._equity(info, from_, to)
        return Series(await get_equity(info.context.env, stored, from_, benchmark))

    @strawberry.field
    async def proposals(self, info: Info, first: int | None = 50) -> list[Proposal]:
        """What the sources tell that the record of a real account lacks, the oldest first."""
        most = check_first(clamp(first, 50))
        if self.kind is not PortfolioKind.TRACKED:
            return []
        context = info.context
        opened = await context.books.open(context.env, self.user_id, str(self.id))
        rows = await list_proposals(context.env, self.user_id, opened)
        return [Proposal.of(row) for row in rows[:most]]

    @strawberry.field
    async def audit(self, info: Info) -> list[AuditFinding]:
        """What cannot be right: nothing, if book, ledger, identities and stored days agree.

        Stored days are looked at once a day.
        """
        valuation = await self._valued(info)
        env, opened = info.context.env, valuation.opened
        rows = await audit_portfolio(env, self.user_id, opened, valuation.value)
        rows += await read_findings(env, self.user_id, int(self.id))
        return [AuditFinding.of(row) for row in rows]

    async def _equity(self, info: Info, start: date | None, end: date | None) -> pl.DataFrame:
        check_span(start, end)
        return await info.context.loaders.equity.load((self.user_id, int(self.id), start, end))

    async def _valued(self, info: Info) -> Valuation:
        return await info.context.loaders.valuations.load((self.user_id, str(self.id)))

    async def _cash(self, info: Info) -> list[CashRow]:
        return await info.context.loaders.cash.load((self.user_id, str(self.id)))


@described
@strawberry.type
class PortfolioQuery:
    """One's own portfolios."""

    @strawberry.field
    async def portfolios(
        self,
        info: Info,
        archived: bool | None = False,  # noqa: FBT001, FBT002 - an argument of the schema
    ) -> list[Portfolio]:
        """One's own portfolios, the oldest first; archived ones too if asked for."""
        user_id = require_user(info).user.id
        rows = await portfolios.list_portfolios(info.context.env, user_id, archived=bool(archived))
        return [Portfolio.of(row, user_id) for row in rows]

    @strawberry.field
    async def portfolio(self, info: Info, id: strawberry.ID) -> Portfolio | None:  # noqa: A002
        """One of one's own portfolios."""
        user_id = require_user(info).user.id
        return Portfolio.of(await portfolios.get_portfolio(info.context.env, user_id, id), user_id)


@described
@strawberry.type
class PortfolioSubscription:
    """One's own portfolios as prices move."""

    @strawberry.subscription
    async def portfolio(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - an argument of the schema
    ) -> AsyncGenerator[PortfolioValue]:
        """The portfolio's value now, and whenever a price, a rate or its ledger changes."""
        context, user_id = info.context, require_user(info).user.id
        following = follow_value(context.env, context.hub, context.books, user_id, id)
        async with aclosing(following) as valuations:
            async for valuation in valuations:
                cash = await list_cash(context.env, user_id, id)
                yield PortfolioValue.of(valuation, cash)


async def _names(info: Info, valuation: Valuation) -> dict[str, str]:
    """By symbol what an instrument is called in the reader's language, where it is known here."""
    symbols = [position.symbol for position in valuation.value.positions]
    rows = await info.context.loaders.instruments.load_many(symbols)
    korean = info.context.locale == "ko"
    return {row.symbol: (korean and row.name_local) or row.name for row in rows if row is not None}


async def _namer(
    info: Info, valuation: Valuation, by: AllocationKey
) -> Callable[[PositionValue], str | None]:
    """What a position's instrument is called by that key."""
    symbols = [position.symbol for position in valuation.value.positions]
    rows = await info.context.loaders.instruments.load_many(symbols)
    names = {
        symbol: row.sector if by is AllocationKey.SECTOR else row.mic
        for symbol, row in zip(symbols, rows, strict=True)
        if row is not None
    }
    return lambda position: names.get(position.symbol)
