"""The ledger: portfolios, accounts, transactions, postings; orders, their states and fills.

The rules that no column can say (balance, append-only, projection, who may do what) are those of
the next revision, `ledger_rules`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "ledger"
down_revision = "mail"
branch_labels = None
depends_on = None

MONEY = sa.Numeric(28, 8)
TRANSITIONS = (
    ("NEW", "PARTIALLY_FILLED"),
    ("NEW", "FILLED"),
    ("NEW", "CANCELED"),
    ("NEW", "EXPIRED"),
    ("NEW", "REJECTED"),
    ("PARTIALLY_FILLED", "PARTIALLY_FILLED"),
    ("PARTIALLY_FILLED", "FILLED"),
    ("PARTIALLY_FILLED", "CANCELED"),
    ("PARTIALLY_FILLED", "EXPIRED"),
)


def upgrade() -> None:
    """Forward."""
    _make_portfolios()
    _make_transactions()
    _make_postings()
    _make_orders()
    _make_fills()


def _key(name: str = "id") -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), sa.Identity(always=True), nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _must(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _within(table: str, *columns: str) -> sa.ForeignKeyConstraint:
    """A foreign key that holds the row in its portfolio."""
    target = {"txn_id": "txn", "reverses": "txn", "reservation_id": "txn"}
    first = columns[0]
    other = target.get(first, first.removesuffix("_id"))
    own = [other + "." + name for name in ("id", *columns[1:])]
    return sa.ForeignKeyConstraint(
        list(columns), own, name=op.f(f"fk_{table}_{'_'.join(columns)}_{other}")
    )


def _make_portfolios() -> None:
    op.create_table(
        "portfolio",
        _key(),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("base_currency", sa.String(), nullable=False),
        sa.Column("lot_method", sa.String(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("initial_capital", MONEY, nullable=False),
        sa.Column("cost_profile", sa.String(), nullable=False),
        sa.Column("fx_spread", sa.Numeric(9, 6), nullable=False),
        _at("created_at"),
        _at("archived_at", nullable=True),
        _must("portfolio", "kind", "kind IN ('SIMULATED', 'PRACTICE', 'TRACKED')"),
        _must("portfolio", "lot_method", "lot_method IN ('FIFO', 'AVERAGE')"),
        _must("portfolio", "base_currency", "base_currency IN ('KRW', 'USD')"),
        _must("portfolio", "capital", "initial_capital >= 0 AND initial_capital < 1e15"),
        _must("portfolio", "fx_spread", "fx_spread >= 0 AND fx_spread < 1"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_portfolio_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portfolio")),
    )
    op.create_index(op.f("ix_portfolio_user_id"), "portfolio", ["user_id"])
    op.create_table(
        "account",
        _key(),
        sa.Column("portfolio_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("commodity", sa.String(), nullable=False),
        sa.Column("strict", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("balance", MONEY, server_default=sa.text("0"), nullable=False),
        _must(
            "account",
            "covered",
            "NOT strict OR balance >= 0 OR kind NOT IN"
            " ('CASH', 'UNSETTLED', 'RESERVED', 'RECEIVABLE', 'POSITION')",
        ),
        _must(
            "account",
            "commodity",
            "CASE WHEN kind IN ('CASH', 'UNSETTLED', 'RECEIVABLE', 'EQUITY', 'FEE', 'TAX',"
            " 'INCOME') THEN commodity IN ('KRW', 'USD')"
            " WHEN kind = 'POSITION' THEN commodity LIKE 'share:_%'"
            " WHEN kind IN ('RESERVED', 'TRADING')"
            " THEN commodity IN ('KRW', 'USD') OR commodity LIKE 'share:_%' ELSE false END",
        ),
        sa.ForeignKeyConstraint(
            ["portfolio_id"], ["portfolio.id"], name=op.f("fk_account_portfolio_id_portfolio")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint(
            "portfolio_id", "kind", "commodity", name=op.f("uq_account_portfolio_id_kind_commodity")
        ),
        sa.UniqueConstraint(
            "id", "portfolio_id", "commodity", name=op.f("uq_account_id_portfolio_id_commodity")
        ),
        postgresql_with={"fillfactor": 50},
    )


def _make_transactions() -> None:
    op.create_table(
        "txn",
        _key(),
        sa.Column("portfolio_id", sa.BigInteger(), nullable=False),
        sa.Column("idem_key", sa.String(), nullable=False),
        sa.Column("req_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("settles_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("amount", MONEY, server_default=sa.text("0"), nullable=False),
        sa.Column("symbol", sa.String(), nullable=True),
        sa.Column("quantity", MONEY, nullable=True),
        sa.Column("price", MONEY, nullable=True),
        sa.Column("fee", MONEY, server_default=sa.text("0"), nullable=False),
        sa.Column("tax", MONEY, server_default=sa.text("0"), nullable=False),
        sa.Column("currency_to", sa.String(), nullable=True),
        sa.Column("amount_to", MONEY, nullable=True),
        sa.Column("rate", MONEY, nullable=True),
        sa.Column("spread", MONEY, nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("numerator", MONEY, nullable=True),
        sa.Column("denominator", MONEY, nullable=True),
        sa.Column("action", sa.String(), nullable=True),
        sa.Column("symbol_to", sa.String(), nullable=True),
        sa.Column("quantity_to", MONEY, nullable=True),
        sa.Column("cost_share", MONEY, nullable=True),
        sa.Column("reverses", sa.BigInteger(), nullable=True),
        _at("created_at"),
        sa.Column(
            "xact",
            sa.BigInteger(),
            server_default=sa.text("pg_current_xact_id()::text::bigint"),
            nullable=False,
        ),
        _must(
            "txn",
            "kind",
            "kind IN ('OPENING', 'BUY', 'SELL', 'DEPOSIT', 'WITHDRAWAL', 'EXCHANGE', 'TRANSFER',"
            " 'DIVIDEND', 'INTEREST', 'FEE', 'TAX', 'SPLIT', 'CORPORATE_ACTION', 'SETTLEMENT',"
            " 'RESERVATION')",
        ),
        _must("txn", "idem_key", "char_length(idem_key) BETWEEN 1 AND 255"),
        _must("txn", "req_hash", "octet_length(req_hash) = 32"),
        _must("txn", "days", "settles_on >= day"),
        # upper bounds refuse NaN too: for PostgreSQL it is the greatest number
        _must("txn", "quantity", "quantity > -1e9 AND quantity < 1e9"),
        _must("txn", "price", "price > 0 AND price < 1e9"),
        _must("txn", "charges", "fee >= 0 AND fee < 1e9 AND tax >= 0 AND tax < 1e9"),
        _must("txn", "amount", "amount > -1e15 AND amount < 1e15"),
        _must("txn", "trade", "kind NOT IN ('BUY', 'SELL') OR (quantity > 0 AND amount > 0)"),
        _must("txn", "exchange", "amount_to > 0 AND amount_to < 1e15 AND rate > 0 AND rate < 1e9"),
        sa.ForeignKeyConstraint(
            ["portfolio_id"], ["portfolio.id"], name=op.f("fk_txn_portfolio_id_portfolio")
        ),
        _within("txn", "reverses", "portfolio_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_txn")),
        sa.UniqueConstraint("portfolio_id", "idem_key", name=op.f("uq_txn_portfolio_id_idem_key")),
        sa.UniqueConstraint("id", "portfolio_id", name=op.f("uq_txn_id_portfolio_id")),
        sa.UniqueConstraint("reverses", name=op.f("uq_txn_reverses")),
    )
    op.create_index("ix_txn_portfolio_id_day_id", "txn", ["portfolio_id", "day", "id"])
    op.create_table(
        "txn_note",
        sa.Column("txn_id", sa.BigInteger(), nullable=False),
        sa.Column("portfolio_id", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("tags", sa.ARRAY(sa.String()), server_default=sa.text("'{}'"), nullable=False),
        _within("txn_note", "txn_id", "portfolio_id"),
        sa.PrimaryKeyConstraint("txn_id", name=op.f("pk_txn_note")),
    )


def _make_postings() -> None:
    op.create_table(
        "posting",
        _key(),
        sa.Column("txn_id", sa.BigInteger(), nullable=False),
        sa.Column("portfolio_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("commodity", sa.String(), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        _must("posting", "amount", "amount <> 0 AND amount > -1e18 AND amount < 1e18"),
        _must(
            "posting",
            "minor_unit",
            "CASE commodity WHEN 'KRW' THEN amount = trunc(amount)"
            " WHEN 'USD' THEN amount = trunc(amount, 2) ELSE true END",
        ),
        _within("posting", "txn_id", "portfolio_id"),
        _within("posting", "account_id", "portfolio_id", "commodity"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posting")),
    )
    op.create_index(op.f("ix_posting_txn_id"), "posting", ["txn_id"])
    op.create_index(op.f("ix_posting_account_id"), "posting", ["account_id"])


def _make_orders() -> None:
    transition = op.create_table(
        "order_transition",
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("next_state", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("state", "next_state", name=op.f("pk_order_transition")),
    )
    rows = [{"state": state, "next_state": following} for state, following in TRANSITIONS]
    op.bulk_insert(transition, rows)
    op.create_table(
        "order",
        _key(),
        sa.Column("portfolio_id", sa.BigInteger(), nullable=False),
        sa.Column("client_key", sa.String(), nullable=False),
        sa.Column("req_hash", sa.LargeBinary(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("time_in_force", sa.String(), nullable=False),
        sa.Column("quantity", MONEY, nullable=True),
        sa.Column("amount", MONEY, nullable=True),
        sa.Column("price", MONEY, nullable=True),
        sa.Column("triggered", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'NEW'"), nullable=False),
        sa.Column("filled", MONEY, server_default=sa.text("0"), nullable=False),
        sa.Column("reservation_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        _at("placed_at"),
        _at("expires_at", nullable=True),
        _at("ended_at", nullable=True),
        _must("order", "side", "side IN ('BUY', 'SELL')"),
        _must("order", "type", "type IN ('MARKET', 'LIMIT', 'STOP')"),
        _must("order", "time_in_force", "time_in_force IN ('DAY', 'GTC')"),
        _must("order", "size", "(quantity IS NULL) <> (amount IS NULL)"),
        _must("order", "quantity", "quantity > 0 AND quantity < 1e9"),
        _must("order", "amount", "amount > 0 AND amount < 1e15"),
        _must("order", "price", "price > 0 AND price < 1e9"),
        _must("order", "priced", "(type = 'MARKET') = (price IS NULL)"),
        _must("order", "filled", "filled >= 0 AND filled < 1e9 AND filled <= quantity"),
        _must("order", "req_hash", "octet_length(req_hash) = 32"),
        _must("order", "client_key", "char_length(client_key) BETWEEN 1 AND 255"),
        sa.ForeignKeyConstraint(
            ["portfolio_id"], ["portfolio.id"], name=op.f("fk_order_portfolio_id_portfolio")
        ),
        _within("order", "reservation_id", "portfolio_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order")),
        sa.UniqueConstraint("portfolio_id", "client_key", name="uq_order_portfolio_id_client_key"),
        sa.UniqueConstraint("id", "portfolio_id", name=op.f("uq_order_id_portfolio_id")),
    )
    waiting = sa.text("state IN ('NEW', 'PARTIALLY_FILLED')")
    op.create_index("ix_order_symbol_waiting", "order", ["symbol"], postgresql_where=waiting)
    op.create_table(
        "order_event",
        _key(),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("portfolio_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("filled", MONEY, nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        _at("at"),
        _within("order_event", "order_id", "portfolio_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_event")),
    )
    op.create_index(op.f("ix_order_event_order_id"), "order_event", ["order_id"])


def _make_fills() -> None:
    op.create_table(
        "fill",
        _key(),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("portfolio_id", sa.BigInteger(), nullable=False),
        sa.Column("txn_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", MONEY, nullable=False),
        sa.Column("price", MONEY, nullable=False),
        _at("at"),
        sa.Column("source", sa.String(), nullable=False),
        _must("fill", "quantity", "quantity > 0 AND quantity < 1e9"),
        _must("fill", "price", "price > 0 AND price < 1e9"),
        _within("fill", "order_id", "portfolio_id"),
        _within("fill", "txn_id", "portfolio_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fill")),
        sa.UniqueConstraint("txn_id", name=op.f("uq_fill_txn_id")),
    )
    op.create_index(op.f("ix_fill_order_id"), "fill", ["order_id"])
