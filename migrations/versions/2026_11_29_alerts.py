"""Alerts: rules, what has fired, channels, and what is on its way."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "alerts"
down_revision = "twins"
branch_labels = None
depends_on = None

FIGURE = sa.Numeric(20, 6)
AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Forward."""
    _create_rule()
    _create_alert()
    _create_hours()
    _create_channel()
    _create_notification()
    whose = "current_setting('app.uid', true)"
    for table in ("alert_rule", "alert", "alert_hours", "alert_channel", "notification"):
        _protect(table, f"user_id::text = {whose} OR {whose} = 'everyone'")


def _create_rule() -> None:
    op.create_table(
        "alert_rule",
        *_key_and_owner("alert_rule"),
        _column("kind", sa.String()),
        _column("symbol", sa.String(), null=True),
        _column("portfolio_id", sa.BigInteger(), null=True),
        _column("measure", sa.String(), null=True),
        _column("level", FIGURE, null=True),
        _column("level_day", sa.Date()),
        _column("sessions", sa.Integer(), null=True),
        _column("band", FIGURE),
        _column("cooldown", sa.Integer()),
        _column("delivery", sa.String()),
        _column("expires_at", AT, null=True),
        _column("note", sa.String(), null=True),
        _column("paused", sa.Boolean(), default="false"),
        _column("phase", sa.String(), default="'NEW'"),
        _column("crossings", sa.Integer(), default="0"),
        *[_column(name, AT, null=True) for name in ("seen_at", "armed_at", "fired_at")],
        _column("word", sa.String(), null=True),
        _column("created_at", AT),
        _foreign("alert_rule", "portfolio_id", "portfolio"),
        sa.CheckConstraint("phase IN ('NEW', 'ARMED', 'SPENT')", name=op.f("ck_alert_rule_phase")),
        sa.CheckConstraint(
            "delivery IN ('AT_ONCE', 'URGENT', 'DIGEST')", name=op.f("ck_alert_rule_delivery")
        ),
        sa.CheckConstraint(
            "(symbol IS NULL) <> (portfolio_id IS NULL)", name=op.f("ck_alert_rule_subject")
        ),
    )
    op.create_index(op.f("ix_alert_rule_user_id"), "alert_rule", ["user_id"])
    op.create_index(op.f("ix_alert_rule_portfolio_id"), "alert_rule", ["portfolio_id"])
    active = sa.text("NOT paused")
    op.create_index("ix_alert_rule_symbol", "alert_rule", ["symbol"], postgresql_where=active)


def _create_alert() -> None:
    op.create_table(
        "alert",
        *_key_and_owner("alert"),
        _column("rule_id", sa.BigInteger(), null=True),
        _column("number", sa.Integer()),
        _column("kind", sa.String()),
        _column("symbol", sa.String(), null=True),
        _column("portfolio_id", sa.BigInteger(), null=True),
        _column("measure", sa.String(), null=True),
        _column("level", FIGURE, null=True),
        _column("sessions", sa.Integer(), null=True),
        _column("value", FIGURE, null=True),
        _column("word", sa.String(), null=True),
        _column("note", sa.String(), null=True),
        _column("at", AT),
        _column("created_at", AT),
        _column("acknowledged_at", AT, null=True),
        _foreign("alert", "rule_id", "alert_rule", ondelete="SET NULL"),
        sa.UniqueConstraint("rule_id", "number", name=op.f("uq_alert_rule_id_number")),
    )
    op.create_index("ix_alert_user_id_id", "alert", ["user_id", "id"])
    unread = sa.text("acknowledged_at IS NULL")
    op.create_index("ix_alert_unread", "alert", ["user_id"], postgresql_where=unread)


def _create_hours() -> None:
    op.create_table(
        "alert_hours",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        _column("quiet_from", sa.Time(), null=True),
        _column("quiet_until", sa.Time(), null=True),
        _column("digest_at", sa.Time()),
        _foreign("alert_hours", "user_id", "user"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_alert_hours")),
    )


def _create_channel() -> None:
    op.create_table(
        "alert_channel",
        *_key_and_owner("alert_channel"),
        _column("kind", sa.String()),
        _column("name", sa.String()),
        _column("place", sa.String()),
        _column("sealed", sa.LargeBinary(), null=True),
        _column("created_at", AT),
        _column("ended_at", AT, null=True),
    )
    op.create_index(op.f("ix_alert_channel_user_id"), "alert_channel", ["user_id"])


def _create_notification() -> None:
    op.create_table(
        "notification",
        *_key_and_owner("notification"),
        _column("channel_id", sa.BigInteger()),
        _column("alert_id", sa.BigInteger(), null=True),
        _column("job_id", sa.BigInteger(), null=True),
        _column("state", sa.String(), default="'WAITING'"),
        _column("due_at", AT),
        _column("sent_at", AT, null=True),
        _column("error", sa.String(), null=True),
        _foreign("notification", "channel_id", "alert_channel"),
        _foreign("notification", "alert_id", "alert"),
        _foreign("notification", "job_id", "job", ondelete="SET NULL"),
        sa.UniqueConstraint(
            "channel_id", "alert_id", name=op.f("uq_notification_channel_id_alert_id")
        ),
        sa.CheckConstraint(
            "state IN ('WAITING', 'SENT', 'DEAD')", name=op.f("ck_notification_state")
        ),
    )
    op.create_index(op.f("ix_notification_channel_id"), "notification", ["channel_id"])
    op.create_index(op.f("ix_notification_alert_id"), "notification", ["alert_id"])
    waiting = sa.text("state = 'WAITING'")
    op.create_index("ix_notification_job_id", "notification", ["job_id"], postgresql_where=waiting)
    op.create_index("ix_notification_user_id_id", "notification", ["user_id", "id"])


def _key_and_owner(table: str) -> list[Any]:
    return [
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        _column("user_id", sa.BigInteger()),
        _foreign(table, "user_id", "user"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def _column(
    name: str, kind: Any, *, null: bool = False, default: str | None = None
) -> sa.Column[Any]:
    given = None if default is None else sa.text(default)
    return sa.Column(name, kind, server_default=given, nullable=null)


def _foreign(
    table: str, column: str, target: str, ondelete: str = "CASCADE"
) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{target}")
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete=ondelete)


def _protect(table: str, seen: str) -> None:
    """Row-level security, and the rights of the application's role."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY owner ON {table} USING ({seen}) WITH CHECK ({seen})")
    role = context.config.attributes.get("app_role")
    if role is not None:
        quoted = op.get_bind().dialect.identifier_preparer.quote(role)
        op.execute(f"REVOKE ALL ON {table} FROM {quoted}")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {quoted}")
