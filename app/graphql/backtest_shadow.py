"""What differs between a portfolio and its shadow twin, in the schema: trade by trade."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from app.domain.backtest.why import Why
from app.graphql.describing import described
from app.graphql.enums import register_enum
from app.graphql.paging import Connection, clamp, connect_rows

register_enum(Why, "DifferenceKind")


@described
@strawberry.type
class ShadowTrade:
    """What was traded in one session; a quantity below zero was sold. `costs`: fees and taxes."""

    day: date
    quantity: float
    price: float
    costs: float

    @classmethod
    def of(cls, stored: dict[str, Any] | None) -> ShadowTrade | None:
        """From a report."""
        if stored is None:
            return None
        facts = {name: stored[name] for name in ("quantity", "price", "costs")}
        return cls(day=date.fromisoformat(stored["day"]), **facts)


@described
@strawberry.type
class TradeDifference:
    """A trade of the portfolio (`paper`) beside that of the backtest (`twin`).

    Where only the portfolio traded: there was no bar (NO_BAR), nobody traded (NOT_TRADED), the
    session was locked at a price limit (AT_LIMIT), or the strategy did not want it (NO_SIGNAL).
    Where only the backtest did: NOT_DONE.
    """

    symbol: str
    day: date
    why: Why
    paper: ShadowTrade | None
    twin: ShadowTrade | None

    @classmethod
    def of(cls, stored: dict[str, Any]) -> TradeDifference:
        """From a report."""
        return cls(
            symbol=stored["symbol"],
            day=date.fromisoformat(stored["day"]),
            why=Why(stored["why"]),
            paper=ShadowTrade.of(stored["paper"]),
            twin=ShadowTrade.of(stored["twin"]),
        )


@described
@strawberry.type
class Shadow:
    """A portfolio beside its twin. `same`: how many trades agree in day, size, price and costs."""

    rows: strawberry.Private[list[dict[str, Any]]]
    same: int
    different: int
    paper_only: int
    twin_only: int

    @classmethod
    def of(cls, rows: list[dict[str, Any]]) -> Shadow:
        """From a report."""
        paired = [row["why"] for row in rows if row["paper"] and row["twin"]]
        return cls(
            rows=rows,
            same=paired.count(Why.SAME),
            different=paired.count(Why.DIFFERENT),
            paper_only=sum(row["twin"] is None for row in rows),
            twin_only=sum(row["paper"] is None for row in rows),
        )

    @strawberry.field
    async def trades(
        self, first: int | None = 100, after: str | None = None
    ) -> Connection[TradeDifference]:
        """Every trade of both, by day."""
        return connect_rows(self.rows, clamp(first, 100), after, TradeDifference.of)
