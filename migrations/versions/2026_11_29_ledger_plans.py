"""The ledger's functions look rows up by index, however small the tables were at the first call.

A function keeps the plan of its first calls for as long as its session lives. Made while the tables
are empty, that plan reads all of them; a day of orders later each order then reads every posting.
"""

from __future__ import annotations

from alembic import op

revision = "ledger_plans"
down_revision = "watchlists"
branch_labels = None
depends_on = None

FUNCTIONS = (
    "post_entries(bigint, bigint, timestamptz, jsonb, jsonb)",
    "settle_money(bigint, text, date, timestamptz)",
    "project_postings()",
    "txn_balanced()",
)


def upgrade() -> None:
    """Forward."""
    for signature in FUNCTIONS:
        op.execute(f"ALTER FUNCTION {signature} SET enable_seqscan = off")
