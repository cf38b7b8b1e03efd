"""The table of fundamentals: a snapshot of each company a day, appended and never changed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import At, Base


class Fundamental(Base):
    """What `source` told at `fetched_at`; `day` is that instant's date at the exchange.

    The day stands in the instant: a day that is over gets no row any more, and the app may not
    change one. The index by day is for the snapshots of all companies as of a day.
    """

    __tablename__ = "fundamental"

    symbol: Mapped[str] = mapped_column(
        ForeignKey("instrument.symbol", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    source: Mapped[str]
    fetched_at: Mapped[At]
    currency: Mapped[str]
    statement_currency: Mapped[str | None]
    market_cap: Mapped[Decimal | None] = mapped_column(Numeric(24, 4))
    total_debt: Mapped[Decimal | None] = mapped_column(Numeric(24, 4))
    trailing_pe: Mapped[float | None]
    forward_pe: Mapped[float | None]
    price_to_book: Mapped[float | None]
    return_on_equity: Mapped[float | None]
    dividend_yield: Mapped[float | None]
    gross_margin: Mapped[float | None]
    operating_margin: Mapped[float | None]
    net_margin: Mapped[float | None]
    debt_to_equity: Mapped[float | None]
    refused: Mapped[list[str]] = mapped_column(ARRAY(String()))

    __table_args__ = (
        CheckConstraint(
            "abs(day - (fetched_at AT TIME ZONE 'UTC')::date) <= 1", name="never_back_filled"
        ),
        CheckConstraint("market_cap > 0 AND total_debt >= 0", name="amounts"),
        Index("ix_fundamental_day", "day", "symbol"),
    )
