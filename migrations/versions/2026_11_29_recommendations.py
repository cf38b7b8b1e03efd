"""Recommendations and their outcomes: appended by the app's role, changed by nobody."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.postgresql import JSONB

revision = "recommendations"
down_revision = "ledger_plans"
branch_labels = None
depends_on = None

TABLES = ("recommendation_issue", "recommendation", "recommendation_outcome")
PRICE = sa.Numeric(20, 6)

REFUSE = """
CREATE FUNCTION refuse_record_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';
END $$
"""


def upgrade() -> None:
    """Forward."""
    _make_issues()
    _make_recommendations()
    _make_outcomes()
    op.execute(REFUSE)
    for table in TABLES:
        _forbid_change(table)


def _column(
    name: str, kind: sa.types.TypeEngine[object], *, null: bool = False
) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=null)


def _make_issues() -> None:
    op.create_table(
        "recommendation_issue",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        _column("source", sa.String()),
        _column("market", sa.String()),
        _column("model", sa.String()),
        _column("day", sa.Date()),
        _column("horizon", sa.Integer()),
        _column("simulated", sa.Boolean()),
        _column("issued_at", sa.DateTime(timezone=True)),
        _column("data_version", sa.Integer()),
        _column("few", sa.Boolean()),
        _column("compared_with", sa.String(), null=True),
        _column("base_rate", sa.Float()),
        _column("cost", sa.Float()),
        _column("evidence", sa.String()),
        _column("standing", JSONB()),
        _column("digest", sa.String()),
        sa.CheckConstraint("market IN ('KR', 'US')", name=op.f("ck_recommendation_issue_market")),
        sa.CheckConstraint(
            "evidence IN ('NONE', 'WEAK', 'PROVEN')", name=op.f("ck_recommendation_issue_evidence")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recommendation_issue")),
        sa.UniqueConstraint(
            "source",
            "market",
            "model",
            "day",
            name=op.f("uq_recommendation_issue_source_market_model_day"),
        ),
    )


def _make_recommendations() -> None:
    op.create_table(
        "recommendation",
        _column("issue_id", sa.BigInteger()),
        _column("symbol", sa.String()),
        _column("action", sa.String()),
        _column("rank", sa.Float()),
        _column("technical", sa.Float()),
        _column("value", sa.Float(), null=True),
        _column("probability", sa.Float(), null=True),
        _column("close", PRICE),
        _column("stop", PRICE, null=True),
        _column("target", PRICE, null=True),
        _column("low", sa.Float(), null=True),
        _column("high", sa.Float(), null=True),
        _column("reasons", JSONB()),
        sa.CheckConstraint(
            "action IN ('BUY', 'HOLD', 'REDUCE', 'SELL')", name=op.f("ck_recommendation_action")
        ),
        sa.CheckConstraint("rank BETWEEN 0 AND 100", name=op.f("ck_recommendation_rank")),
        sa.CheckConstraint(
            "probability > 0 AND probability < 1", name=op.f("ck_recommendation_probability")
        ),
        sa.ForeignKeyConstraint(
            ["issue_id"],
            ["recommendation_issue.id"],
            name=op.f("fk_recommendation_issue_id_recommendation_issue"),
        ),
        sa.PrimaryKeyConstraint("issue_id", "symbol", name=op.f("pk_recommendation")),
    )
    op.create_index("ix_recommendation_symbol", "recommendation", ["symbol", "issue_id"])


def _make_outcomes() -> None:
    op.create_table(
        "recommendation_outcome",
        _column("issue_id", sa.BigInteger()),
        _column("symbol", sa.String()),
        _column("state", sa.String()),
        _column("day", sa.Date()),
        _column("scored_at", sa.DateTime(timezone=True)),
        _column("data_version", sa.Integer()),
        *(
            _column(name, sa.Float(), null=True)
            for name in ("returned", "market", "held", "excess", "net", "move")
        ),
        _column("beat", sa.Boolean(), null=True),
        _column("inside", sa.Boolean(), null=True),
        sa.CheckConstraint(
            "state IN ('SCORED', 'NO_PRICES')", name=op.f("ck_recommendation_outcome_state")
        ),
        sa.CheckConstraint(
            "(state = 'SCORED') = (excess IS NOT NULL)",
            name=op.f("ck_recommendation_outcome_scored"),
        ),
        sa.ForeignKeyConstraint(
            ["issue_id", "symbol"],
            ["recommendation.issue_id", "recommendation.symbol"],
            name=op.f("fk_recommendation_outcome_issue_id_symbol_recommendation"),
        ),
        sa.PrimaryKeyConstraint("issue_id", "symbol", name=op.f("pk_recommendation_outcome")),
    )


def _forbid_change(table: str) -> None:
    for name, what, level in (
        ("append_only", "UPDATE OR DELETE", "ROW"),
        ("never_emptied", "TRUNCATE", "STATEMENT"),
    ):
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {what} ON {table}"
            f" FOR EACH {level} EXECUTE FUNCTION refuse_record_change()"
        )
    role = context.config.attributes.get("app_role")
    if role is None or role == op.get_bind().scalar(sa.text("SELECT current_user")):
        return
    quoted = op.get_bind().dialect.identifier_preparer.quote(role)
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {quoted}")
