"""Table of watchlists."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Identity, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import At, Base


class Watchlist(Base):
    """Symbols that a user watches, in the user's order, by the user's name for them.

    They are one array: a list is read, and put in order, as a whole. A symbol stays on it when its
    instrument goes. Row-level security as for the tables of people.
    """

    __tablename__ = "watchlist"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    name: Mapped[str]
    symbols: Mapped[list[str]] = mapped_column(ARRAY(String))
    created_at: Mapped[At]

    __table_args__ = (UniqueConstraint("user_id", "name"),)
