"""Backtests that run again after each collection, and those that shadow a portfolio."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "twins"
down_revision = "signal_worth"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("backtest", sa.Column("portfolio_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_backtest_portfolio_id_portfolio"),
        "backtest",
        "portfolio",
        ["portfolio_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_unique_constraint(
        op.f("uq_backtest_repeat_of_last_day"), "backtest", ["repeat_of", "last_day"]
    )
    repeating = sa.text("repeats")
    op.create_index("ix_backtest_repeats", "backtest", ["id"], postgresql_where=repeating)
