"""Money of a portfolio as the schema has it: what may be spent, what may leave, and when."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import strawberry

from app.graphql.describing import described
from app.graphql.types import FromRow
from app.services.portfolio.cash import CashRow


@described
@strawberry.type
class CashDay(FromRow):
    """An amount that becomes free on a day."""

    day: date
    amount: Decimal


@described
@strawberry.type
class CashBalance:
    """Money of one currency. All but `receivable` is in the deposit; that is announced only."""

    currency: str
    deposit: Decimal = strawberry.field(description="All of it once every trade has settled.")
    orderable: Decimal = strawberry.field(description="What a purchase may cost now.")
    withdrawable: Decimal = strawberry.field(description="What may leave or be exchanged now.")
    unsettled: Decimal = strawberry.field(description="Proceeds of sales that have not settled.")
    reserved: Decimal = strawberry.field(description="Set aside for orders that wait.")
    receivable: Decimal = strawberry.field(description="Dividends between ex-day and pay-day.")
    settling: list[CashDay] = strawberry.field(
        description="When what is unsettled may leave, less what purchases have drawn on."
    )
    paying: list[CashDay] = strawberry.field(description="When what is receivable comes.")

    @classmethod
    def of(cls, row: CashRow) -> CashBalance:
        """From a service's row."""
        amounts = ("currency", "deposit", "orderable", "withdrawable", "unsettled", "reserved")
        facts = {name: getattr(row, name) for name in (*amounts, "receivable")}
        settling, paying = (
            [CashDay.of(one) for one in days] for days in (row.settling, row.paying)
        )
        return cls(**facts, settling=settling, paying=paying)
