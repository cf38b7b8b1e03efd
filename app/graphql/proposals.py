"""Proposed splits and dividends in the schema: what there is, accepting and dismissing one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import strawberry

from app.domain.transactions import Entry, TransactionKind
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.instrument import Instrument
from app.graphql.permissions import require_trader
from app.graphql.portfolio_types import Transaction
from app.services.records import proposals


@described
@strawberry.type
class Proposal:
    """A split or dividend of the sources that the record of a real account lacks.

    `kind`, `symbol` and `day` (the ex-day) tell it from others. `quantity` is the change by a
    split, or the shares of a dividend; `amount` is before `tax`, what is usually withheld.
    """

    kind: TransactionKind
    symbol: str
    day: date
    quantity: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    currency: str | None
    amount: Decimal
    tax: Decimal

    @classmethod
    def of(cls, entry: Entry) -> Proposal:
        """From what would be recorded."""
        same = ("kind", "day", "quantity", "numerator", "denominator", "currency", "amount", "tax")
        return cls(symbol=entry.symbol or "", **{name: getattr(entry, name) for name in same})

    @strawberry.field
    async def instrument(self, info: Info) -> Instrument | None:
        """The instrument, where it is known here."""
        row = await info.context.loaders.instruments.load(self.symbol)
        return None if row is None else Instrument.of(row)


@described
@strawberry.type
class ProposalMutation:
    """Deciding on what is proposed."""

    @strawberry.mutation
    async def accept_proposal(
        self,
        info: Info,
        portfolio: strawberry.ID,
        kind: TransactionKind,
        symbol: str,
        day: date,
    ) -> Transaction:
        """Records a split or dividend that is proposed."""
        user_id, env = require_trader(info).user.id, info.context.env
        entry = await proposals.accept_proposal(env, user_id, portfolio, (kind, symbol, day))
        return Transaction.of(entry, user_id)

    @strawberry.mutation
    async def dismiss_proposal(
        self,
        info: Info,
        portfolio: strawberry.ID,
        kind: TransactionKind,
        symbol: str,
        day: date,
    ) -> bool:
        """Has a split or dividend never proposed again."""
        user_id, env = require_trader(info).user.id, info.context.env
        await proposals.dismiss_proposal(env, user_id, portfolio, (kind, symbol, day))
        return True
