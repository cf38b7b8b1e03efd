"""Presets for files of transactions: what somebody has said about a broker's columns and words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "records"
down_revision = "fundamentals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "record_preset",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("mapping", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_record_preset_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_preset")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_record_preset_user_id_name")),
    )
    whose = "current_setting('app.uid', true)"
    seen = f"user_id::text = {whose} OR {whose} = 'everyone'"
    op.execute("ALTER TABLE record_preset ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY owner ON record_preset USING ({seen}) WITH CHECK ({seen})")
