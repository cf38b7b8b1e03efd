"""A refresh token outlives the one that it came of: ended ones may be forgotten."""

from __future__ import annotations

from alembic import op

revision = "token_parents"
down_revision = "equity_audit"
branch_labels = None
depends_on = None

TABLE = "refresh_token"
KEY = "fk_refresh_token_parent_id_refresh_token"


def upgrade() -> None:
    """Forward."""
    op.drop_constraint(op.f(KEY), TABLE, type_="foreignkey")
    op.create_foreign_key(op.f(KEY), TABLE, TABLE, ["parent_id"], ["id"], ondelete="SET NULL")
