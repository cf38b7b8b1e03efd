"""Screening: one row of newest figures an instrument, and the screens that people keep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "screening"
down_revision = "recommendations"
branch_labels = None
depends_on = None

FIGURES = (
    *("change", "return_5", "return_20", "volume_ratio", "from_high", "from_low"),
    *("rsi_14", "macd", "macd_signal", "macd_histogram", "stochastic_k", "stochastic_d"),
    *("sma_20", "sma_50", "sma_200", "bollinger_upper", "bollinger_middle", "bollinger_lower"),
    *("to_sma_20", "to_sma_50", "to_sma_200", "band_position"),
)
FUNDAMENTALS = (
    *("market_cap", "total_debt", "trailing_pe", "forward_pe", "price_to_book"),
    *("return_on_equity", "dividend_yield", "gross_margin", "operating_margin", "net_margin"),
    "debt_to_equity",
)


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "screen_row",
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("as_of", sa.Date()),
        sa.Column("close", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("volume", sa.BigInteger()),
        *(sa.Column(name, sa.Float()) for name in FIGURES),
        *(sa.Column(name, sa.SmallInteger()) for name in ("sma_cross", "strength")),
        sa.Column("fundamental_day", sa.Date()),
        *(sa.Column(name, sa.Float()) for name in FUNDAMENTALS),
        sa.ForeignKeyConstraint(
            ["symbol"],
            ["instrument.symbol"],
            name=op.f("fk_screen_row_symbol_instrument"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("symbol", name=op.f("pk_screen_row")),
    )
    op.create_table(
        "saved_screen",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("screen", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_saved_screen_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_screen")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_saved_screen_user_id_name")),
    )
    whose = "current_setting('app.uid', true)"
    seen = f"user_id::text = {whose} OR {whose} = 'everyone'"
    op.execute("ALTER TABLE saved_screen ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY owner ON saved_screen USING ({seen}) WITH CHECK ({seen})")
