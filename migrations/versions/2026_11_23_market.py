"""The market: exchanges and sessions, instruments, bars, events, rates, indicators, jobs, settings.

Gives the app's role its rights on these tables and on all that later migrations make, and turns the
two tables of daily rows into hypertables where the TimescaleDB extension is available.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "market"
down_revision = None
branch_labels = None
depends_on = None

EXCHANGES = [
    ("XKRX", "Korea Exchange", "한국거래소", "Asia/Seoul", "KRW"),
    ("XNAS", "Nasdaq", "나스닥", "America/New_York", "USD"),
    ("XNYS", "New York Stock Exchange", "뉴욕증권거래소", "America/New_York", "USD"),
    ("ARCX", "NYSE Arca", "NYSE 아르카", "America/New_York", "USD"),
    ("CCY", "Currency market", "외환시장", "Europe/London", None),
]
HYPERTABLES = ("bar", "indicator_daily")


def upgrade() -> None:
    """Forward."""
    _grant_by_default()
    op.create_table(
        "exchange",
        sa.Column("mic", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_local", sa.String(), nullable=True),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("mic", name=op.f("pk_exchange")),
    )
    op.create_table(
        "fx_rate",
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("quote", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rate", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rate > 0", name=op.f("ck_fx_rate_positive")),
        sa.PrimaryKeyConstraint("base", "quote", "day", name=op.f("pk_fx_rate")),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("state", sa.String(), server_default=sa.text("'PENDING'"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("bars", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.CheckConstraint(
            "state IN ('PENDING', 'RUNNING', 'DONE', 'FAILED')", name=op.f("ck_job_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("key", name=op.f("uq_job_key")),
    )
    op.create_index(
        "ix_job_due_at_open",
        "job",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index("ix_job_kind_id", "job", ["kind", "id"], unique=False)
    op.create_table(
        "setting",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_setting")),
    )
    op.create_table(
        "exchange_session",
        sa.Column("mic", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("open_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("close_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("open_at < close_at", name=op.f("ck_exchange_session_ordered")),
        sa.ForeignKeyConstraint(
            ["mic"], ["exchange.mic"], name=op.f("fk_exchange_session_mic_exchange")
        ),
        sa.PrimaryKeyConstraint("mic", "day", name=op.f("pk_exchange_session")),
    )
    op.create_index(
        "ix_exchange_session_mic_close_at", "exchange_session", ["mic", "close_at"], unique=False
    )
    op.create_table(
        "instrument",
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_local", sa.String(), nullable=True),
        sa.Column("mic", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sector", sa.String(), nullable=True),
        sa.Column("industry", sa.String(), nullable=True),
        sa.Column("tracked", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("position", sa.Integer(), server_default=sa.text("1000"), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("problem_detail", sa.String(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('EQUITY', 'ETF', 'INDEX', 'FX')", name=op.f("ck_instrument_kind")
        ),
        sa.CheckConstraint("symbol = upper(symbol)", name=op.f("ck_instrument_upper")),
        sa.ForeignKeyConstraint(["mic"], ["exchange.mic"], name=op.f("fk_instrument_mic_exchange")),
        sa.PrimaryKeyConstraint("symbol", name=op.f("pk_instrument")),
    )
    op.create_table(
        "session_override",
        sa.Column("mic", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("open_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("close_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint(
            "(open_at IS NULL) = (close_at IS NULL)", name=op.f("ck_session_override_both_or_none")
        ),
        sa.ForeignKeyConstraint(
            ["mic"], ["exchange.mic"], name=op.f("fk_session_override_mic_exchange")
        ),
        sa.PrimaryKeyConstraint("mic", "day", name=op.f("pk_session_override")),
    )
    op.create_table(
        "bar",
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("open", sa.Numeric(precision=20, scale=6), nullable=True),
        sa.Column("high", sa.Numeric(precision=20, scale=6), nullable=True),
        sa.Column("low", sa.Numeric(precision=20, scale=6), nullable=True),
        sa.Column("close", sa.Numeric(precision=20, scale=6), nullable=True),
        sa.Column("adj_close", sa.Numeric(precision=20, scale=6), nullable=True),
        sa.Column("volume", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("low <= high", name=op.f("ck_bar_low_high")),
        sa.CheckConstraint("low > 0 AND close > 0", name=op.f("ck_bar_positive")),
        sa.CheckConstraint("volume >= 0", name=op.f("ck_bar_volume")),
        sa.ForeignKeyConstraint(
            ["symbol"],
            ["instrument.symbol"],
            name=op.f("fk_bar_symbol_instrument"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("symbol", "day", name=op.f("pk_bar")),
    )
    op.create_table(
        "dividend",
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_dividend_positive")),
        sa.ForeignKeyConstraint(
            ["symbol"],
            ["instrument.symbol"],
            name=op.f("fk_dividend_symbol_instrument"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("symbol", "day", name=op.f("pk_dividend")),
    )
    op.create_table(
        "indicator_daily",
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rsi_14", sa.Double(), nullable=True),
        sa.Column("macd", sa.Double(), nullable=True),
        sa.Column("macd_signal", sa.Double(), nullable=True),
        sa.Column("macd_histogram", sa.Double(), nullable=True),
        sa.Column("stochastic_k", sa.Double(), nullable=True),
        sa.Column("stochastic_d", sa.Double(), nullable=True),
        sa.Column("sma_20", sa.Double(), nullable=True),
        sa.Column("sma_50", sa.Double(), nullable=True),
        sa.Column("sma_200", sa.Double(), nullable=True),
        sa.Column("bollinger_upper", sa.Double(), nullable=True),
        sa.Column("bollinger_middle", sa.Double(), nullable=True),
        sa.Column("bollinger_lower", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["symbol"],
            ["instrument.symbol"],
            name=op.f("fk_indicator_daily_symbol_instrument"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("symbol", "day", name=op.f("pk_indicator_daily")),
    )
    op.create_table(
        "split",
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("numerator", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("denominator", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("numerator > 0 AND denominator > 0", name=op.f("ck_split_positive")),
        sa.ForeignKeyConstraint(
            ["symbol"],
            ["instrument.symbol"],
            name=op.f("fk_split_symbol_instrument"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("symbol", "day", name=op.f("pk_split")),
    )
    _seed_exchanges()
    _make_hypertables()


def _grant_by_default() -> None:
    """What the owner makes from now on, the app's role may read and write, but not alter."""
    role = context.config.attributes.get("app_role")
    owner = op.get_bind().scalar(sa.text("SELECT current_user"))
    if role is None or role == owner:
        return
    quoted = op.get_bind().dialect.identifier_preparer.quote(role)
    op.execute(f"GRANT USAGE ON SCHEMA public TO {quoted}")
    op.execute(f"GRANT SELECT ON alembic_version TO {quoted}")
    op.execute(
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public "
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {quoted}"
    )
    op.execute(
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {quoted}"
    )


def _seed_exchanges() -> None:
    table = sa.table(
        "exchange", *(sa.column(c) for c in ("mic", "name", "name_local", "time_zone", "currency"))
    )
    columns = [c.name for c in table.columns]
    op.bulk_insert(table, [dict(zip(columns, row, strict=True)) for row in EXCHANGES])


def _make_hypertables() -> None:
    """The primary key serves every query: no default index on the day alone."""
    connection = op.get_bind()
    if not connection.scalar(
        sa.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'")
    ):
        return
    op.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    for table in HYPERTABLES:
        op.execute(
            f"SELECT create_hypertable('{table}', by_range('day', INTERVAL '5 years'), "
            "create_default_indexes => FALSE)"
        )
