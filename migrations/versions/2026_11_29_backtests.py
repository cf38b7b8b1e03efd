"""Backtests: what was asked for, how far it is, and what came of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "backtests"
down_revision = "equity"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    _create_backtest()
    op.create_index("ix_backtest_user_id_id", "backtest", ["user_id", "id"])
    unfinished = sa.text("done_at IS NULL")
    op.create_index("ix_backtest_open", "backtest", ["id"], postgresql_where=unfinished)
    op.create_table(
        "backtest_data",
        sa.Column("backtest_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["backtest_id"],
            ["backtest.id"],
            name=op.f("fk_backtest_data_backtest_id_backtest"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("backtest_id", "name", "part", name=op.f("pk_backtest_data")),
    )
    whose = "current_setting('app.uid', true)"
    _protect("backtest", f"user_id::text = {whose} OR {whose} = 'everyone'")
    through = "EXISTS (SELECT FROM backtest b WHERE b.id = backtest_data.backtest_id)"
    _protect("backtest_data", through)


def _create_backtest() -> None:
    op.create_table(
        "backtest",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("strategy", sa.String(), nullable=False),
        sa.Column("symbols", ARRAY(sa.String()), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("input", JSONB(), nullable=False),
        sa.Column("data_version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'PENDING'"), nullable=False),
        sa.Column("stage", sa.String(), nullable=True),
        sa.Column("progress", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("trials", sa.Integer(), nullable=False),
        sa.Column("figures", JSONB(), nullable=True),
        sa.Column("error", JSONB(), nullable=True),
        sa.Column("repeats", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("repeat_of", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('PENDING', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED')",
            name=op.f("ck_backtest_state"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_backtest_user_id_user"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["repeat_of"],
            ["backtest.id"],
            name=op.f("fk_backtest_repeat_of_backtest"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backtest")),
    )


def _protect(table: str, seen: str) -> None:
    """Row-level security, and the rights of the application's role."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY owner ON {table} USING ({seen}) WITH CHECK ({seen})")
    role = context.config.attributes.get("app_role")
    if role is not None:
        quoted = op.get_bind().dialect.identifier_preparer.quote(role)
        op.execute(f"REVOKE ALL ON {table} FROM {quoted}")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {quoted}")
