"""Watchlists: symbols in their owner's order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "watchlists"
down_revision = "alerts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "watchlist",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("symbols", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_watchlist_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watchlist")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_watchlist_user_id_name")),
    )
    whose = "current_setting('app.uid', true)"
    seen = f"user_id::text = {whose} OR {whose} = 'everyone'"
    op.execute("ALTER TABLE watchlist ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY owner ON watchlist USING ({seen}) WITH CHECK ({seen})")
