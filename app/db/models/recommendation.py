"""Tables of recommendations: what was issued and what became of it, appended and never changed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Numeric,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import At, Base, Price


class RecommendationIssue(Base):
    """The recommendations of a market and day: by which model, on which data, worth how much.

    `compared_with` is the benchmark that stood for the market, null for the mean of its
    instruments. `simulated` ones were made later, walking forward over the stored history. `digest`
    is the SHA-256 of the issue with its rows and of the digest before it.
    """

    __tablename__ = "recommendation_issue"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    source: Mapped[str]
    market: Mapped[str]
    model: Mapped[str]
    day: Mapped[date]
    horizon: Mapped[int]
    simulated: Mapped[bool]
    issued_at: Mapped[At]
    data_version: Mapped[int]
    few: Mapped[bool]
    compared_with: Mapped[str | None]
    base_rate: Mapped[float]
    cost: Mapped[float]
    evidence: Mapped[str]
    standing: Mapped[dict[str, Any]] = mapped_column(JSONB)
    digest: Mapped[str]

    __table_args__ = (
        UniqueConstraint("source", "market", "model", "day"),
        CheckConstraint("market IN ('KR', 'US')", name="market"),
        CheckConstraint("evidence IN ('NONE', 'WEAK', 'PROVEN')", name="evidence"),
    )


class Recommendation(Base):
    """What was said of an instrument. Prices are as traded on the issue's day.

    The symbol has no foreign key: what was said stays when an instrument is removed. `low` and
    `high` are the moves that bound the band; a reason is [feature, value, push].
    """

    __tablename__ = "recommendation"

    issue_id: Mapped[int] = mapped_column(ForeignKey("recommendation_issue.id"), primary_key=True)
    symbol: Mapped[str] = mapped_column(primary_key=True)
    action: Mapped[str]
    rank: Mapped[float]
    technical: Mapped[float]
    value: Mapped[float | None]
    probability: Mapped[float | None]
    close: Mapped[Price]
    stop: Mapped[Decimal | None] = mapped_column(Numeric(20, 6))
    target: Mapped[Decimal | None] = mapped_column(Numeric(20, 6))
    low: Mapped[float | None]
    high: Mapped[float | None]
    reasons: Mapped[list[Any]] = mapped_column(JSONB)

    __table_args__ = (
        CheckConstraint("action IN ('BUY', 'HOLD', 'REDUCE', 'SELL')", name="action"),
        CheckConstraint("rank BETWEEN 0 AND 100", name="rank"),
        CheckConstraint("probability > 0 AND probability < 1", name="probability"),
        Index("ix_recommendation_symbol", "symbol", "issue_id"),
    )


class RecommendationOutcome(Base):
    """What became of it, once its horizon had passed on `day`; fractions of one.

    NO_PRICES: the instrument or its prices of those days are not stored any more.
    """

    __tablename__ = "recommendation_outcome"

    issue_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    symbol: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    day: Mapped[date]
    scored_at: Mapped[At]
    data_version: Mapped[int]
    returned: Mapped[float | None]
    market: Mapped[float | None]
    held: Mapped[float | None]
    excess: Mapped[float | None]
    net: Mapped[float | None]
    move: Mapped[float | None]
    beat: Mapped[bool | None]
    inside: Mapped[bool | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["issue_id", "symbol"], ["recommendation.issue_id", "recommendation.symbol"]
        ),
        CheckConstraint("state IN ('SCORED', 'NO_PRICES')", name="state"),
        CheckConstraint("(state = 'SCORED') = (excess IS NOT NULL)", name="scored"),
    )


class BaselineChoice(Base):
    """A plain rule (`app.domain.recommend.baselines`) would have bought what was issued."""

    __tablename__ = "baseline_choice"

    issue_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    symbol: Mapped[str] = mapped_column(primary_key=True)
    baseline: Mapped[str] = mapped_column(primary_key=True)

    __table_args__ = (
        ForeignKeyConstraint(
            ["issue_id", "symbol"], ["recommendation.issue_id", "recommendation.symbol"]
        ),
        CheckConstraint("baseline IN ('SIGNAL', 'MOMENTUM_5', 'MOMENTUM_12_1')", name="baseline"),
    )
