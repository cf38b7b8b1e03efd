"""Daily equity of portfolios, and how far it has been worked out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "equity"
down_revision = "records"
branch_labels = None
depends_on = None

MONEY = sa.Numeric(28, 8)


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "equity_daily",
        sa.Column("portfolio_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("value", MONEY, nullable=True),
        sa.Column("cash", MONEY, nullable=True),
        sa.Column("paid_in", MONEY, nullable=True),
        sa.Column("paid_out", MONEY, nullable=True),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Double(), nullable=True),
        sa.Column("drawdown", sa.Double(), nullable=True),
        _owner("equity_daily"),
        sa.PrimaryKeyConstraint("portfolio_id", "day", name=op.f("pk_equity_daily")),
    )
    op.create_table(
        "equity_state",
        sa.Column("portfolio_id", sa.BigInteger(), nullable=False),
        sa.Column("txn_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        _owner("equity_state"),
        sa.PrimaryKeyConstraint("portfolio_id", name=op.f("pk_equity_state")),
    )
    role = context.config.attributes.get("app_role")
    for table in ("equity_daily", "equity_state"):
        through = f"EXISTS (SELECT FROM portfolio p WHERE p.id = {table}.portfolio_id)"
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY owner ON {table} USING ({through}) WITH CHECK ({through})")
        if role is not None:
            quoted = op.get_bind().dialect.identifier_preparer.quote(role)
            op.execute(f"REVOKE ALL ON {table} FROM {quoted}")
            op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {quoted}")


def _owner(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["portfolio_id"],
        ["portfolio.id"],
        name=op.f(f"fk_{table}_portfolio_id_portfolio"),
        ondelete="CASCADE",
    )
