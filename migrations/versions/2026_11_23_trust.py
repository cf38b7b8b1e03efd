"""Prices one can trust: data versions, revisions, the quarantine, edited overrides, cross-checks.

Every change of stored prices takes the next number of `data_version`, and what it replaces goes to
`data_revision`, so that the data "as of N" can be read again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "trust"
down_revision = "market"
branch_labels = None
depends_on = None

REVISED = ("bar", "split", "dividend", "fx_rate")


def upgrade() -> None:
    """Forward."""
    for table in REVISED:
        column = sa.Column("revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
        op.add_column(table, column)
    op.add_column("instrument", sa.Column("price_source", sa.String(), nullable=True))
    op.add_column("instrument", sa.Column("problem_since", sa.DateTime(timezone=True)))
    op.add_column("instrument", sa.Column("delisted_at", sa.Date(), nullable=True))
    op.add_column("instrument", sa.Column("indicators_from", sa.Date(), nullable=True))
    op.add_column("instrument", sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True))
    edited = sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("session_override", edited)
    active = sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    op.add_column("session_override", active)
    _make_versions()
    _make_quarantine()
    _make_cross_checks()


def _make_versions() -> None:
    op.create_table(
        "data_version",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("symbol", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_data_version")),
    )
    op.create_table(
        "data_revision",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("was", sa.BigInteger(), nullable=False),
        sa.Column("old", postgresql.JSONB(), nullable=False),
        sa.Column("new", postgresql.JSONB(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('BAR', 'SPLIT', 'DIVIDEND', 'RATE')", name=op.f("ck_data_revision_kind")
        ),
        sa.ForeignKeyConstraint(
            ["symbol"],
            ["instrument.symbol"],
            name=op.f("fk_data_revision_symbol_instrument"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_revision")),
    )
    op.create_index(
        "ix_data_revision_symbol_kind_day",
        "data_revision",
        ["symbol", "kind", "day", "number"],
        unique=True,
    )


def _make_quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("row", postgresql.JSONB(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'HELD'"), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('BAR', 'SPLIT', 'DIVIDEND')", name=op.f("ck_quarantine_kind")),
        sa.CheckConstraint(
            "state IN ('HELD', 'RELEASED', 'DROPPED', 'MENDED')", name=op.f("ck_quarantine_state")
        ),
        sa.ForeignKeyConstraint(
            ["symbol"],
            ["instrument.symbol"],
            name=op.f("fk_quarantine_symbol_instrument"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
    )
    op.create_index(
        "ix_quarantine_symbol_kind_day", "quarantine", ["symbol", "kind", "day"], unique=True
    )
    op.create_index("ix_quarantine_state", "quarantine", ["state", "id"])


def _make_cross_checks() -> None:
    op.create_table(
        "cross_check",
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("other", sa.String(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("differing", sa.Integer(), nullable=False),
        sa.Column("differences", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["symbol"],
            ["instrument.symbol"],
            name=op.f("fk_cross_check_symbol_instrument"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("symbol", "other", name=op.f("pk_cross_check")),
    )
