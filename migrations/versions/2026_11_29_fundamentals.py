"""Fundamentals: a snapshot of each company a day. The app's role may append, not change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "fundamentals"
down_revision = "ledger_posting"
branch_labels = None
depends_on = None

RATIOS = (
    "trailing_pe",
    "forward_pe",
    "price_to_book",
    "return_on_equity",
    "dividend_yield",
    "gross_margin",
    "operating_margin",
    "net_margin",
    "debt_to_equity",
)


def upgrade() -> None:
    """Forward."""
    op.add_column("instrument", sa.Column("appraised_at", sa.DateTime(timezone=True)))
    op.create_table(
        "fundamental",
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("statement_currency", sa.String(), nullable=True),
        sa.Column("market_cap", sa.Numeric(precision=24, scale=4), nullable=True),
        sa.Column("total_debt", sa.Numeric(precision=24, scale=4), nullable=True),
        *(sa.Column(name, sa.Float(), nullable=True) for name in RATIOS),
        sa.Column("refused", postgresql.ARRAY(sa.String()), nullable=False),
        sa.CheckConstraint(
            "abs(day - (fetched_at AT TIME ZONE 'UTC')::date) <= 1",
            name=op.f("ck_fundamental_never_back_filled"),
        ),
        sa.CheckConstraint(
            "market_cap > 0 AND total_debt >= 0", name=op.f("ck_fundamental_amounts")
        ),
        sa.ForeignKeyConstraint(
            ["symbol"],
            ["instrument.symbol"],
            name=op.f("fk_fundamental_symbol_instrument"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("symbol", "day", name=op.f("pk_fundamental")),
    )
    op.create_index("ix_fundamental_day", "fundamental", ["day", "symbol"])
    _append_only()


def _append_only() -> None:
    role = context.config.attributes.get("app_role")
    if role is None or role == op.get_bind().scalar(sa.text("SELECT current_user")):
        return
    quoted = op.get_bind().dialect.identifier_preparer.quote(role)
    op.execute(f"REVOKE UPDATE ON fundamental FROM {quoted}")
