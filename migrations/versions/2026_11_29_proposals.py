"""Splits and dividends that somebody does not want to be proposed for a portfolio again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "proposals"
down_revision = "backtests"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "dismissed_action",
        sa.Column("portfolio_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["portfolio_id"],
            ["portfolio.id"],
            name=op.f("fk_dismissed_action_portfolio_id_portfolio"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "portfolio_id", "kind", "symbol", "day", name=op.f("pk_dismissed_action")
        ),
    )
    own = "EXISTS (SELECT FROM portfolio p WHERE p.id = dismissed_action.portfolio_id)"
    op.execute("ALTER TABLE dismissed_action ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY owner ON dismissed_action USING ({own}) WITH CHECK ({own})")
