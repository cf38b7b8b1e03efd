"""The measured worth of signals: a few rows a market."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "signal_worth"
down_revision = "signals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "signal_worth",
        sa.Column("currency", sa.String(), nullable=False),
        *(sa.Column(name, sa.SmallInteger(), nullable=False) for name in ("strength", "horizon")),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("count", "days", "windows", "instruments")
        ),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("hit_rate", "excess")),
        *(
            sa.Column(name, sa.Float(), nullable=True)
            for name in ("hit_low", "hit_high", "excess_low", "excess_high")
        ),
        sa.Column("base_rate", sa.Float(), nullable=False),
        *(sa.Column(name, sa.Date(), nullable=False) for name in ("first_day", "last_day")),
        sa.PrimaryKeyConstraint("currency", "strength", "horizon", name=op.f("pk_signal_worth")),
    )
