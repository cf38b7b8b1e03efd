"""Tables of signals: what three votes came to, of each day that has them, and their worth."""

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


class SignalWorth(Base):
    """What signals of one strength were worth in one market, `horizon` sessions after the entry.

    Rates and returns are fractions of one (`domain/signal_worth`). All rows are made together; the
    setting of that name says from which data.
    """

    __tablename__ = "signal_worth"

    currency: Mapped[str] = mapped_column(primary_key=True)
    strength: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    horizon: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    count: Mapped[int]
    days: Mapped[int]
    windows: Mapped[int]
    instruments: Mapped[int]
    hit_rate: Mapped[float]
    hit_low: Mapped[float | None]
    hit_high: Mapped[float | None]
    excess: Mapped[float]
    excess_low: Mapped[float | None]
    excess_high: Mapped[float | None]
    base_rate: Mapped[float]
    first_day: Mapped[date]
    last_day: Mapped[date]
