"""Tables of screening: the newest figures of each instrument in one row, and people's screens."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, SmallInteger, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Price


class ScreenRow(Base):
    """What an instrument's newest session and newest fundamentals say (`domain/screening.FIELDS`).

    `day` is the newest session with a close, `as_of` the day up to which a replay may look.
    """

    __tablename__ = "screen_row"

    symbol: Mapped[str] = mapped_column(
        ForeignKey("instrument.symbol", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date]
    as_of: Mapped[date | None]
    close: Mapped[Price]
    volume: Mapped[int | None] = mapped_column(BigInteger)
    change: Mapped[float | None]
    return_5: Mapped[float | None]
    return_20: Mapped[float | None]
    volume_ratio: Mapped[float | None]
    from_high: Mapped[float | None]
    from_low: Mapped[float | None]
    rsi_14: Mapped[float | None]
    macd: Mapped[float | None]
    macd_signal: Mapped[float | None]
    macd_histogram: Mapped[float | None]
    stochastic_k: Mapped[float | None]
    stochastic_d: Mapped[float | None]
    sma_20: Mapped[float | None]
    sma_50: Mapped[float | None]
    sma_200: Mapped[float | None]
    bollinger_upper: Mapped[float | None]
    bollinger_middle: Mapped[float | None]
    bollinger_lower: Mapped[float | None]
    to_sma_20: Mapped[float | None]
    to_sma_50: Mapped[float | None]
    to_sma_200: Mapped[float | None]
    band_position: Mapped[float | None]
    sma_cross: Mapped[int | None] = mapped_column(SmallInteger)
    strength: Mapped[int | None] = mapped_column(SmallInteger)
    fundamental_day: Mapped[date | None]
    market_cap: Mapped[float | None]
    total_debt: Mapped[float | None]
    trailing_pe: Mapped[float | None]
    forward_pe: Mapped[float | None]
    price_to_book: Mapped[float | None]
    return_on_equity: Mapped[float | None]
    dividend_yield: Mapped[float | None]
    gross_margin: Mapped[float | None]
    operating_margin: Mapped[float | None]
    net_margin: Mapped[float | None]
    debt_to_equity: Mapped[float | None]


class SavedScreen(Base):
    """Somebody's screen by its name: a preset, a filter (`dump_filter`) and an order.

    Row-level security as for the tables of people.
    """

    __tablename__ = "saved_screen"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    name: Mapped[str]
    screen: Mapped[dict[str, Any]] = mapped_column(JSONB)

    __table_args__ = (UniqueConstraint("user_id", "name"),)
