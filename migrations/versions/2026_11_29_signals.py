"""Signals: the votes of each day, and by which rule an instrument's were made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "signals"
down_revision = "proposals"
branch_labels = None
depends_on = None

VOTES = ("rsi_vote", "stochastic_vote", "macd_vote")


def upgrade() -> None:
    """Forward."""
    op.add_column("instrument", sa.Column("signals_by", sa.String()))
    op.create_table(
        "signal",
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.SmallInteger(), nullable=False) for name in ("strength", *VOTES)),
        sa.CheckConstraint("strength BETWEEN -2 AND 2", name=op.f("ck_signal_strength")),
        sa.CheckConstraint(
            " AND ".join(f"{name} BETWEEN -1 AND 1" for name in VOTES),
            name=op.f("ck_signal_votes"),
        ),
        sa.ForeignKeyConstraint(
            ["symbol"],
            ["instrument.symbol"],
            name=op.f("fk_signal_symbol_instrument"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("symbol", "day", name=op.f("pk_signal")),
    )
    _make_hypertable()


def _make_hypertable() -> None:
    """As the other tables of daily rows, where the extension is."""
    installed = "SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'"
    if op.get_bind().scalar(sa.text(installed)):
        op.execute(
            "SELECT create_hypertable('signal', by_range('day', INTERVAL '5 years'), "
            "create_default_indexes => FALSE)"
        )
