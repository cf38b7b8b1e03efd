"""Tables of the work: what is due and what became of it, and what the installation has chosen."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import At, Base


class Job(Base):
    """One piece of work by its natural key (kind, symbol, day or request): arq only carries it.

    States: PENDING → RUNNING → DONE | FAILED; RUNNING → PENDING when it is to be tried again.
    """

    __tablename__ = "job"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    symbol: Mapped[str | None]
    day: Mapped[date | None]
    state: Mapped[str] = mapped_column(server_default=text("'PENDING'"))
    due_at: Mapped[At]
    queued_at: Mapped[At | None]
    started_at: Mapped[At | None]
    done_at: Mapped[At | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    bars: Mapped[int | None]
    outcome: Mapped[str | None]
    last_error: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("state IN ('PENDING', 'RUNNING', 'DONE', 'FAILED')", name="state"),
        Index("ix_job_due_at_open", "due_at", postgresql_where=text("done_at IS NULL")),
        Index("ix_job_kind_id", "kind", "id"),
    )


class Mail(Base):
    """A mail that a job is to send. What it says is written then: `facts` hold no secret."""

    __tablename__ = "mail"

    job_id: Mapped[int] = mapped_column(
        ForeignKey("job.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    kind: Mapped[str]
    address: Mapped[str]
    locale: Mapped[str]
    facts: Mapped[Any] = mapped_column(JSONB)
    expires_at: Mapped[At]


class Setting(Base):
    """A choice of the installation that must outlive a restart, such as the price source."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
