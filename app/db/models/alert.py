"""Tables of alerts: rules, what has fired, and how and when somebody is told.

Row-level security as for the tables of people.
"""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Annotated

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Numeric,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import At, Base

Key = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]
Figure = Annotated[Decimal, mapped_column(Numeric(20, 6))]


class AlertRule(Base):
    """A rule (`app.domain.alerts.rules.Rule`) and how it stands (`crossing.Standing`).

    `level` is a price of `level_day`: later splits change what it means. `crossings` numbers what
    has fired; a number is stored once, whatever sees the same crossing again.
    """

    __tablename__ = "alert_rule"

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    symbol: Mapped[str | None]
    portfolio_id: Mapped[int | None] = mapped_column(
        ForeignKey("portfolio.id", ondelete="CASCADE"), index=True
    )
    measure: Mapped[str | None]
    level: Mapped[Figure | None]
    level_day: Mapped[date]
    sessions: Mapped[int | None]
    band: Mapped[Figure]
    cooldown: Mapped[int]
    delivery: Mapped[str]
    expires_at: Mapped[At | None]
    note: Mapped[str | None]
    paused: Mapped[bool] = mapped_column(server_default=text("false"))
    phase: Mapped[str] = mapped_column(server_default=text("'NEW'"))
    crossings: Mapped[int] = mapped_column(server_default=text("0"))
    seen_at: Mapped[At | None]
    armed_at: Mapped[At | None]
    fired_at: Mapped[At | None]
    word: Mapped[str | None]
    created_at: Mapped[At]

    __table_args__ = (
        CheckConstraint("phase IN ('NEW', 'ARMED', 'SPENT')", name="phase"),
        CheckConstraint("delivery IN ('AT_ONCE', 'URGENT', 'DIGEST')", name="delivery"),
        CheckConstraint("(symbol IS NULL) <> (portfolio_id IS NULL)", name="subject"),
        Index("ix_alert_rule_symbol", "symbol", postgresql_where=text("NOT paused")),
    )


class Alert(Base):
    """A crossing: which rule, its number, and what was seen; the rule may have gone since."""

    __tablename__ = "alert"

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("alert_rule.id", ondelete="SET NULL"))
    number: Mapped[int]
    kind: Mapped[str]
    symbol: Mapped[str | None]
    portfolio_id: Mapped[int | None] = mapped_column(BigInteger)
    measure: Mapped[str | None]
    level: Mapped[Figure | None]
    sessions: Mapped[int | None]
    value: Mapped[Figure | None]
    word: Mapped[str | None]
    note: Mapped[str | None]
    at: Mapped[At]
    created_at: Mapped[At]
    acknowledged_at: Mapped[At | None]

    __table_args__ = (
        UniqueConstraint("rule_id", "number"),
        Index("ix_alert_user_id_id", "user_id", "id"),
        Index("ix_alert_unread", "user_id", postgresql_where=text("acknowledged_at IS NULL")),
    )


class AlertHours(Base):
    """When somebody wants to be told, by the clock of the zone in the settings."""

    __tablename__ = "alert_hours"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]
    digest_at: Mapped[time]


class AlertChannel(Base):
    """A way to somebody outside the page; `sealed`: its address, which is a secret.

    `place` is what may be shown of it. `ended_at`: the receiver has said that it is gone.
    """

    __tablename__ = "alert_channel"

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    name: Mapped[str]
    place: Mapped[str]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[At]
    ended_at: Mapped[At | None]


class Notification(Base):
    """An alert on its way by one channel (none of them: a test). Its job may carry several."""

    __tablename__ = "notification"

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    channel_id: Mapped[int] = mapped_column(
        ForeignKey("alert_channel.id", ondelete="CASCADE"), index=True
    )
    alert_id: Mapped[int | None] = mapped_column(
        ForeignKey("alert.id", ondelete="CASCADE"), index=True
    )
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))
    state: Mapped[str] = mapped_column(server_default=text("'WAITING'"))
    due_at: Mapped[At]
    sent_at: Mapped[At | None]
    error: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("channel_id", "alert_id"),
        CheckConstraint("state IN ('WAITING', 'SENT', 'DEAD')", name="state"),
        Index("ix_notification_job_id", "job_id", postgresql_where=text("state = 'WAITING'")),
        Index("ix_notification_user_id_id", "user_id", "id"),
    )
