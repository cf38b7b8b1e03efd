"""Tables that say how far prices can be trusted: versions, revisions, quarantine, cross-checks."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import At, Base


class DataVersion(Base):
    """One change of stored prices. `number` grows in the order of the commits."""

    __tablename__ = "data_version"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[At]
    symbol: Mapped[str | None]
    source: Mapped[str]


class DataRevision(Base):
    """What version `number` replaced: the row `old`, written by version `was`, became `new`.

    `new` is null where the row went away. A row that is simply new has no revision.
    """

    __tablename__ = "data_revision"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    symbol: Mapped[str] = mapped_column(ForeignKey("instrument.symbol", ondelete="CASCADE"))
    day: Mapped[date]
    was: Mapped[int] = mapped_column(BigInteger)
    old: Mapped[dict[str, Any]] = mapped_column(JSONB)
    new: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    source: Mapped[str]
    at: Mapped[At]

    __table_args__ = (
        CheckConstraint("kind IN ('BAR', 'SPLIT', 'DIVIDEND', 'RATE')", name="kind"),
        Index("ix_data_revision_symbol_kind_day", "symbol", "kind", "day", "number", unique=True),
    )


class Quarantine(Base):
    """A row that was not believed, and why. HELD until released, dropped or mended by itself.

    `row` holds the values as the source gave them. RELEASED and DROPPED are a person's word on
    exactly these values, RELEASED also another provider's, by a cross-check; MENDED: the source has
    given others since that are in order.
    """

    __tablename__ = "quarantine"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    symbol: Mapped[str] = mapped_column(ForeignKey("instrument.symbol", ondelete="CASCADE"))
    kind: Mapped[str]
    day: Mapped[date]
    reason: Mapped[str]
    detail: Mapped[str]
    row: Mapped[dict[str, Any]] = mapped_column(JSONB)
    source: Mapped[str]
    found_at: Mapped[At]
    state: Mapped[str] = mapped_column(server_default=text("'HELD'"))
    decided_at: Mapped[At | None]

    __table_args__ = (
        CheckConstraint("kind IN ('BAR', 'SPLIT', 'DIVIDEND')", name="kind"),
        CheckConstraint("state IN ('HELD', 'RELEASED', 'DROPPED', 'MENDED')", name="state"),
        Index("ix_quarantine_symbol_kind_day", "symbol", "kind", "day", unique=True),
        Index("ix_quarantine_state", "state", "id"),
    )


class CrossCheck(Base):
    """The last comparison of an instrument's closes with those of another source.

    `differences` is a list of `{day, close, other, difference}` beyond the tolerance, newest first.
    """

    __tablename__ = "cross_check"

    symbol: Mapped[str] = mapped_column(
        ForeignKey("instrument.symbol", ondelete="CASCADE"), primary_key=True
    )
    other: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    checked_at: Mapped[At]
    days: Mapped[int]
    differing: Mapped[int]
    differences: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
