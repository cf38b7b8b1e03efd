"""The table of signals: what three votes came to, of each day that has them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class Signal(Base):
    """Votes on the day's row of `indicator_daily`: 1 to buy, -1 to sell; `strength` from -2 to 2.

    A day with an unknown input has no row. How MACD votes: `instrument.signals_by`.
    """

    __tablename__ = "signal"

    symbol: Mapped[str] = mapped_column(
        ForeignKey("instrument.symbol", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    strength: Mapped[int] = mapped_column(SmallInteger)
    rsi_vote: Mapped[int] = mapped_column(SmallInteger)
    stochastic_vote: Mapped[int] = mapped_column(SmallInteger)
    macd_vote: Mapped[int] = mapped_column(SmallInteger)

    __table_args__ = (
        CheckConstraint("strength BETWEEN -2 AND 2", name="strength"),
        CheckConstraint(
            "rsi_vote BETWEEN -1 AND 1 AND stochastic_vote BETWEEN -1 AND 1 "
            "AND macd_vote BETWEEN -1 AND 1",
            name="votes",
        ),
    )
