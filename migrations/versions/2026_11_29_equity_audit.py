"""Daily equity says by numbers what it has counted, and keeps what the daily audit found.

All of it is worked out once more: nothing is known of what older rows have counted.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "equity_audit"
down_revision = "ledger_batches"
branch_labels = None
depends_on = None

NUMBER = {"nullable": False, "server_default": "0"}


def upgrade() -> None:
    """Forward."""
    for column in (
        sa.Column("txns", sa.Integer(), **NUMBER),
        sa.Column("version", sa.BigInteger(), **NUMBER),
        sa.Column("audited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("findings", JSONB(), nullable=False, server_default="[]"),
    ):
        op.add_column("equity_state", column)
