"""What somebody may change in the own portfolios, and the forms that it takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import strawberry

from app.domain.money import ZERO, compute_notional
from app.domain.transactions import (
    CorporateAction,
    Entry,
    LotMethod,
    PortfolioKind,
    TransactionKind,
)
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.permissions import require_trader
from app.graphql.portfolio import Portfolio
from app.graphql.portfolio_types import Transaction
from app.services.portfolio import ledger, portfolios
from app.services.portfolio.portfolios import NewPortfolio
from app.services.portfolio.settlement import settle
from app.services.trading import archiving

_PRICED = frozenset({TransactionKind.BUY, TransactionKind.SELL, TransactionKind.OPENING})


@strawberry.input(description="A portfolio to open. `initialCapital` is its first deposit.")
class PortfolioInput:
    """A portfolio to open."""

    name: str
    kind: PortfolioKind
    base_currency: str = "KRW"
    initial_capital: Decimal = Decimal(0)
    lot_method: LotMethod = LotMethod.FIFO
    cost_profile: str = "online"
    fx_spread: Decimal = Decimal("0.01")
    opened_on: date | None = None


@strawberry.input(
    description="A transaction to record; which fields a kind takes is told by its error. "
    "`amount` may be left out where there are quantity and price, `settlesOn` where the market "
    "says when a trade settles; anything else settles on its day."
)
class TransactionInput:
    """A transaction to record."""

    portfolio: strawberry.ID
    kind: TransactionKind
    day: date
    settles_on: date | None = None
    symbol: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    currency: str | None = None
    amount: Decimal | None = None
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
    note: str = ""
    tags: list[str] = strawberry.field(default_factory=list)

    def to_entry(self) -> Entry:
        """The entry it asks for.

        Raises:
            BadInput: quantity or price out of bounds.
        """
        given = {name: value for name, value in vars(self).items() if name != "portfolio"}
        given["settles_on"] = self.settles_on or self.day
        given["symbol"] = self.symbol.strip().upper() if self.symbol else None
        given["symbol_to"] = self.symbol_to.strip().upper() if self.symbol_to else None
        given["tags"] = tuple(self.tags)
        given["amount"] = self.amount or ZERO
        entry = Entry(**given)
        priced = entry.kind in _PRICED or entry.action is CorporateAction.RIGHTS
        if self.amount is None and priced and self.quantity and self.price:
            notional = compute_notional(self.quantity, self.price, self.currency or "")
            return replace(entry, amount=notional)
        return entry


@described
@strawberry.type
class PortfolioMutation:
    """Opening, naming and closing portfolios, and writing into their ledgers."""

    @strawberry.mutation
    async def create_portfolio(self, info: Info, input: PortfolioInput) -> Portfolio:  # noqa: A002
        """Opens a portfolio with its first deposit."""
        user_id = require_trader(info).user.id
        wanted = NewPortfolio(**vars(input))
        row = await portfolios.create_portfolio(info.context.env, user_id, wanted)
        return Portfolio.of(row, user_id)

    @strawberry.mutation
    async def rename_portfolio(self, info: Info, id: strawberry.ID, name: str) -> Portfolio:  # noqa: A002
        """Gives a portfolio another name."""
        user_id = require_trader(info).user.id
        row = await portfolios.rename_portfolio(info.context.env, user_id, id, name)
        return Portfolio.of(row, user_id)

    @strawberry.mutation
    async def archive_portfolio(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - an argument of the schema
        archived: bool | None = True,  # noqa: FBT001, FBT002 - an argument of the schema
    ) -> Portfolio:
        """Closes a portfolio and cancels its waiting orders; `archived: false` opens it again."""
        user_id = require_trader(info).user.id
        closed = archived is not False
        row = await archiving.archive_portfolio(info.context.env, user_id, id, archived=closed)
        return Portfolio.of(row, user_id)

    @strawberry.mutation
    async def delete_portfolio(self, info: Info, id: strawberry.ID) -> bool:  # noqa: A002
        """Deletes a portfolio of practice; the ledgers of the others stay."""
        await portfolios.delete_portfolio(info.context.env, require_trader(info).user.id, id)
        return True

    @strawberry.mutation
    async def record_transaction(
        self,
        info: Info,
        input: TransactionInput,  # noqa: A002 - an argument of the schema
        key: strawberry.ID,
    ) -> Transaction:
        """Writes a transaction into the ledger; the same key twice writes it once."""
        user_id = require_trader(info).user.id
        env, entry = info.context.env, input.to_entry()
        if input.settles_on is None:
            entry = await settle(env, entry)
        stored = await ledger.record_transaction(env, user_id, input.portfolio, entry, key)
        return Transaction.of(stored, user_id)

    @strawberry.mutation
    async def reverse_transaction(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - an argument of the schema
        key: strawberry.ID,
    ) -> Transaction:
        """Undoes a transaction by a second one, which is answered."""
        user_id = require_trader(info).user.id
        undone = await ledger.reverse_transaction(info.context.env, user_id, id, key)
        return Transaction.of(undone, user_id)
