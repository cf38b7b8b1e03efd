"""Tables of backtests: what was asked for, how far it is, and what came of it."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import At, Base


class Backtest(Base):
    """A backtest of a user (`app.domain.backtest.request.Request` in `input`).

    States: PENDING → RUNNING → DONE | FAILED | CANCELLED. `parts` is how many jobs it is cut into,
    `trials` how many sets of values it has tried. One that was deleted keeps its row, for what it
    tried counts as long as its user tries on. One that `repeats` runs again after each collection,
    each time as a row of its own (`repeat_of`); with a `portfolio_id` it is that portfolio's twin.
    Row-level security as for the tables of people.
    """

    __tablename__ = "backtest"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    name: Mapped[str | None]
    mode: Mapped[str]
    strategy: Mapped[str]
    symbols: Mapped[list[str]] = mapped_column(ARRAY(String))
    first_day: Mapped[date]
    last_day: Mapped[date]
    input: Mapped[dict[str, Any]] = mapped_column(JSONB)
    data_version: Mapped[int]
    source: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'PENDING'"))
    stage: Mapped[str | None]
    progress: Mapped[float] = mapped_column(Double, server_default=text("0"))
    parts: Mapped[int]
    trials: Mapped[int]
    figures: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    repeats: Mapped[bool] = mapped_column(server_default=text("false"))
    repeat_of: Mapped[int | None] = mapped_column(ForeignKey("backtest.id", ondelete="CASCADE"))
    portfolio_id: Mapped[int | None] = mapped_column(ForeignKey("portfolio.id", ondelete="CASCADE"))
    created_at: Mapped[At]
    started_at: Mapped[At | None]
    done_at: Mapped[At | None]
    deleted_at: Mapped[At | None]

    __table_args__ = (
        CheckConstraint(
            "state IN ('PENDING', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED')", name="state"
        ),
        Index("ix_backtest_user_id_id", "user_id", "id"),
        Index("ix_backtest_open", "id", postgresql_where=text("done_at IS NULL")),
        Index("ix_backtest_repeats", "id", postgresql_where=text("repeats")),
        UniqueConstraint("repeat_of", "last_day", name="uq_backtest_repeat_of_last_day"),
    )


class BacktestData(Base):
    """What a part of a backtest has computed, compressed; `name` says of which kind it is.

    `report` is the one result (part 0), `cells` and `sums` are those of each part of a sweep.
    """

    __tablename__ = "backtest_data"

    backtest_id: Mapped[int] = mapped_column(
        ForeignKey("backtest.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)
