"""Mail that is due, addresses to be confirmed, accounts that are disabled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "mail"
down_revision = "accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("user", sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "oidc_identity", sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False)
    )
    op.create_unique_constraint(op.f("uq_oidc_identity_id"), "oidc_identity", ["id"])
    op.create_table(
        "mail",
        sa.Column("job_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["job.id"], name=op.f("fk_mail_job_id_job"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_mail")),
    )
    op.create_table(
        "email_confirmation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_email_confirmation_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_confirmation")),
        sa.UniqueConstraint("sha256", name=op.f("uq_email_confirmation_sha256")),
    )
    op.create_index(
        op.f("ix_email_confirmation_user_id"), "email_confirmation", ["user_id"], unique=False
    )
    whose = "current_setting('app.uid', true)"
    seen = f"user_id::text = {whose} OR {whose} = 'everyone'"
    op.execute("ALTER TABLE email_confirmation ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY owner ON email_confirmation USING ({seen}) WITH CHECK ({seen})")
