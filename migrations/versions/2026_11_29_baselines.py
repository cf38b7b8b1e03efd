"""What the plain rules would have bought of each issue: appended beside what was issued."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "baselines"
down_revision = "screening"
branch_labels = None
depends_on = None

TABLE = "baseline_choice"


def upgrade() -> None:
    """Forward."""
    op.create_table(
        TABLE,
        sa.Column("issue_id", sa.BigInteger(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("baseline", sa.String(), nullable=False),
        sa.CheckConstraint(
            "baseline IN ('SIGNAL', 'MOMENTUM_5', 'MOMENTUM_12_1')",
            name=op.f("ck_baseline_choice_baseline"),
        ),
        sa.ForeignKeyConstraint(
            ["issue_id", "symbol"],
            ["recommendation.issue_id", "recommendation.symbol"],
            name=op.f("fk_baseline_choice_issue_id_symbol_recommendation"),
        ),
        sa.PrimaryKeyConstraint("issue_id", "symbol", "baseline", name=op.f("pk_baseline_choice")),
    )
    for name, what, level in (
        ("append_only", "UPDATE OR DELETE", "ROW"),
        ("never_emptied", "TRUNCATE", "STATEMENT"),
    ):
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {what} ON {TABLE}"
            f" FOR EACH {level} EXECUTE FUNCTION refuse_record_change()"
        )
    role = context.config.attributes.get("app_role")
    if role is None or role == op.get_bind().scalar(sa.text("SELECT current_user")):
        return
    quoted = op.get_bind().dialect.identifier_preparer.quote(role)
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {TABLE} FROM {quoted}")
