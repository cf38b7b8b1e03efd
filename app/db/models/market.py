"""Tables of the market: exchanges, sessions, instruments, bars, events, rates, indicators."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import At, Base, Price, Revision


class Exchange(Base):
    """A market by its MIC; `CCY` stands for the currency market."""

    __tablename__ = "exchange"

    mic: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_local: Mapped[str | None]
    time_zone: Mapped[str]
    currency: Mapped[str | None]


class ExchangeSession(Base):
    """A trading day of an exchange, from `open_at` to `close_at`: calendar and overrides."""

    __tablename__ = "exchange_session"

    mic: Mapped[str] = mapped_column(ForeignKey("exchange.mic"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    open_at: Mapped[At]
    close_at: Mapped[At]

    __table_args__ = (
        CheckConstraint("open_at < close_at", name="ordered"),
        Index("ix_exchange_session_mic_close_at", "mic", "close_at"),
    )


class SessionOverride(Base):
    """A dated correction of the calendar library: closed (no hours) or other hours, and why.

    `edited_at` is set once the operator has written the row: no release changes it any more. A row
    that is not `active` counts for nothing.
    """

    __tablename__ = "session_override"

    mic: Mapped[str] = mapped_column(ForeignKey("exchange.mic"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    open_at: Mapped[At | None]
    close_at: Mapped[At | None]
    reason: Mapped[str]
    edited_at: Mapped[At | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))

    __table_args__ = (
        CheckConstraint("(open_at IS NULL) = (close_at IS NULL)", name="both_or_none"),
    )


class Instrument(Base):
    """What can be watched: a stock, a fund, an index or a currency pair, by its symbol.

    `price_source` is where its stored rows come from, `swept_at` when all of its history was last
    asked for, `indicators_from` the day from which stored indicators no longer fit the bars,
    `appraised_at` when a source last answered about its fundamentals, `signals_by` how MACD votes
    in its stored signals (None: there are none yet).
    """

    __tablename__ = "instrument"

    symbol: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_local: Mapped[str | None]
    mic: Mapped[str] = mapped_column(ForeignKey("exchange.mic"))
    currency: Mapped[str]
    kind: Mapped[str]
    sector: Mapped[str | None]
    industry: Mapped[str | None]
    tracked: Mapped[bool] = mapped_column(server_default=text("true"))
    position: Mapped[int] = mapped_column(server_default=text("1000"))
    added_at: Mapped[At]
    checked_at: Mapped[At | None]
    problem: Mapped[str | None]
    problem_detail: Mapped[str | None]
    problem_since: Mapped[At | None]
    delisted_at: Mapped[date | None]
    price_source: Mapped[str | None]
    swept_at: Mapped[At | None]
    indicators_from: Mapped[date | None]
    appraised_at: Mapped[At | None]
    signals_by: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("kind IN ('EQUITY', 'ETF', 'INDEX', 'FX')", name="kind"),
        CheckConstraint("symbol = upper(symbol)", name="upper"),
    )


class Bar(Base):
    """One session, prices as traded; `adj_close` is the check value of the source."""

    __tablename__ = "bar"

    symbol: Mapped[str] = mapped_column(
        ForeignKey("instrument.symbol", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    open: Mapped[Price | None]
    high: Mapped[Price | None]
    low: Mapped[Price | None]
    close: Mapped[Price | None]
    adj_close: Mapped[Price | None]
    volume: Mapped[int | None] = mapped_column(BigInteger)
    source: Mapped[str]
    fetched_at: Mapped[At]
    revision: Mapped[Revision]

    __table_args__ = (
        CheckConstraint("low <= high", name="low_high"),
        CheckConstraint("low > 0 AND close > 0", name="positive"),
        CheckConstraint("volume >= 0", name="volume"),
    )


class Split(Base):
    """`numerator` new shares for `denominator` old ones, from this day on."""

    __tablename__ = "split"

    symbol: Mapped[str] = mapped_column(
        ForeignKey("instrument.symbol", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    numerator: Mapped[Price]
    denominator: Mapped[Price]
    source: Mapped[str]
    fetched_at: Mapped[At]
    revision: Mapped[Revision]

    __table_args__ = (CheckConstraint("numerator > 0 AND denominator > 0", name="positive"),)


class Dividend(Base):
    """Cash per share as traded on the ex-date `day`, in the instrument's currency."""

    __tablename__ = "dividend"

    symbol: Mapped[str] = mapped_column(
        ForeignKey("instrument.symbol", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    amount: Mapped[Price]
    source: Mapped[str]
    fetched_at: Mapped[At]
    revision: Mapped[Revision]

    __table_args__ = (CheckConstraint("amount > 0", name="positive"),)


class FxRate(Base):
    """`rate` units of `quote` for one unit of `base` on that day."""

    __tablename__ = "fx_rate"

    base: Mapped[str] = mapped_column(primary_key=True)
    quote: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    rate: Mapped[Price]
    source: Mapped[str]
    fetched_at: Mapped[At]
    revision: Mapped[Revision]

    __table_args__ = (CheckConstraint("rate > 0", name="positive"),)


class IndicatorDaily(Base):
    """Indicators of a day on split-adjusted prices; null in warm-up and flat windows."""

    __tablename__ = "indicator_daily"

    symbol: Mapped[str] = mapped_column(
        ForeignKey("instrument.symbol", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)
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
