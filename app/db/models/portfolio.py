"""Tables of the ledger: portfolios, accounts, transactions, postings, orders, fills.

`txn`, `posting`, `fill` and `order_event` are append-only; `account.balance` is written by the
projection of `posting` alone. Rows are seen through their portfolio, which is seen by its owner
(row-level security). Names of constraints that services look at stand in the migration.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    Numeric,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import At, Base

Money = Annotated[Decimal, mapped_column(Numeric(28, 8))]
Rate = Annotated[Decimal, mapped_column(Numeric(9, 6))]
Key = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]
OfPortfolio = Annotated[int, mapped_column(BigInteger)]

ZERO = text("0")


def _within(table: str, column: str, target: str, *more: str) -> ForeignKeyConstraint:
    """A foreign key of `table` on an id that also holds the row in its portfolio."""
    columns = [column, "portfolio_id", *more]
    targets = [f"{target}.{name}" for name in ("id", "portfolio_id", *more)]
    name = f"fk_{table}_{'_'.join(columns)}_{target}"
    return ForeignKeyConstraint(columns, targets, name=name)


class Portfolio(Base):
    """Somebody's portfolio; `initial_capital` is what it was opened with, in `base_currency`.

    `cost_profile` names what its broker takes (`app.domain.trading.costs`), `fx_spread` is the
    broker's part of an exchange, as a share of the rate.
    """

    __tablename__ = "portfolio"

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    name: Mapped[str]
    kind: Mapped[str]
    base_currency: Mapped[str]
    lot_method: Mapped[str]
    opened_on: Mapped[date]
    initial_capital: Mapped[Money]
    cost_profile: Mapped[str]
    fx_spread: Mapped[Rate]
    created_at: Mapped[At]
    archived_at: Mapped[At | None]


class Account(Base):
    """What a portfolio has of one commodity in one account. `strict` ones cannot be overdrawn."""

    __tablename__ = "account"

    id: Mapped[Key]
    portfolio_id: Mapped[int] = mapped_column(ForeignKey("portfolio.id"))
    kind: Mapped[str]
    commodity: Mapped[str]
    strict: Mapped[bool] = mapped_column(server_default=text("true"))
    balance: Mapped[Money] = mapped_column(server_default=ZERO)

    __table_args__ = (
        UniqueConstraint(
            "portfolio_id", "kind", "commodity", name="uq_account_portfolio_id_kind_commodity"
        ),
        UniqueConstraint(
            "id", "portfolio_id", "commodity", name="uq_account_id_portfolio_id_commodity"
        ),
        {"postgresql_with": {"fillfactor": 50}},
    )


class Txn(Base):
    """A stored entry (`app.domain.transactions.Entry`), or a movement between own accounts.

    `idem_key` is the client's, `req_hash` the SHA-256 of what it asked for; `xact` the database
    transaction that wrote the row, the only one that may add its postings.
    """

    __tablename__ = "txn"

    id: Mapped[Key]
    portfolio_id: Mapped[int] = mapped_column(ForeignKey("portfolio.id"))
    idem_key: Mapped[str]
    req_hash: Mapped[bytes] = mapped_column(LargeBinary)
    kind: Mapped[str]
    day: Mapped[date]
    settles_on: Mapped[date]
    currency: Mapped[str | None]
    amount: Mapped[Money] = mapped_column(server_default=ZERO)
    symbol: Mapped[str | None]
    quantity: Mapped[Money | None]
    price: Mapped[Money | None]
    fee: Mapped[Money] = mapped_column(server_default=ZERO)
    tax: Mapped[Money] = mapped_column(server_default=ZERO)
    currency_to: Mapped[str | None]
    amount_to: Mapped[Money | None]
    rate: Mapped[Money | None]
    spread: Mapped[Money | None]
    source: Mapped[str | None]
    numerator: Mapped[Money | None]
    denominator: Mapped[Money | None]
    action: Mapped[str | None]
    symbol_to: Mapped[str | None]
    quantity_to: Mapped[Money | None]
    cost_share: Mapped[Money | None]
    reverses: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    created_at: Mapped[At]
    xact: Mapped[int] = mapped_column(
        BigInteger, server_default=text("pg_current_xact_id()::text::bigint")
    )

    __table_args__ = (
        UniqueConstraint("portfolio_id", "idem_key", name="uq_txn_portfolio_id_idem_key"),
        UniqueConstraint("id", "portfolio_id", name="uq_txn_id_portfolio_id"),
        _within("txn", "reverses", "txn"),
        Index("ix_txn_portfolio_id_day_id", "portfolio_id", "day", "id"),
    )


class TxnNote(Base):
    """What the owner has written beside a transaction: it may be changed, for it is no money."""

    __tablename__ = "txn_note"

    txn_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    portfolio_id: Mapped[OfPortfolio]
    note: Mapped[str] = mapped_column(server_default=text("''"))
    tags: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=text("'{}'"))

    __table_args__ = (_within("txn_note", "txn_id", "txn"),)


class Posting(Base):
    """One line of a transaction: an amount into or out of an account of the same portfolio."""

    __tablename__ = "posting"

    id: Mapped[Key]
    txn_id: Mapped[int] = mapped_column(BigInteger, index=True)
    portfolio_id: Mapped[OfPortfolio]
    account_id: Mapped[int] = mapped_column(BigInteger, index=True)
    commodity: Mapped[str]
    amount: Mapped[Money]

    __table_args__ = (
        _within("posting", "txn_id", "txn"),
        _within("posting", "account_id", "account", "commodity"),
    )


class OrderTransition(Base):
    """A change of an order's state that is allowed."""

    __tablename__ = "order_transition"

    state: Mapped[str] = mapped_column(primary_key=True)
    next_state: Mapped[str] = mapped_column(primary_key=True)


class Order(Base):
    """An order, by quantity or by amount; `reservation_id` is what it holds back while it waits."""

    __tablename__ = "order"

    id: Mapped[Key]
    portfolio_id: Mapped[int] = mapped_column(ForeignKey("portfolio.id"))
    client_key: Mapped[str]
    req_hash: Mapped[bytes] = mapped_column(LargeBinary)
    symbol: Mapped[str]
    side: Mapped[str]
    type: Mapped[str]
    time_in_force: Mapped[str]
    quantity: Mapped[Money | None]
    amount: Mapped[Money | None]
    price: Mapped[Money | None]
    triggered: Mapped[bool] = mapped_column(server_default=text("false"))
    state: Mapped[str] = mapped_column(server_default=text("'NEW'"))
    filled: Mapped[Money] = mapped_column(server_default=ZERO)
    reservation_id: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str | None]
    placed_at: Mapped[At]
    expires_at: Mapped[At | None]
    ended_at: Mapped[At | None]

    __table_args__ = (
        UniqueConstraint("portfolio_id", "client_key", name="uq_order_portfolio_id_client_key"),
        UniqueConstraint("id", "portfolio_id", name="uq_order_id_portfolio_id"),
        _within("order", "reservation_id", "txn"),
        Index(
            "ix_order_symbol_waiting",
            "symbol",
            postgresql_where=text("state IN ('NEW', 'PARTIALLY_FILLED')"),
        ),
    )


class OrderEvent(Base):
    """What an order was from `at` on: written by the database with every change of its state."""

    __tablename__ = "order_event"

    id: Mapped[Key]
    order_id: Mapped[int] = mapped_column(BigInteger, index=True)
    portfolio_id: Mapped[OfPortfolio]
    state: Mapped[str]
    filled: Mapped[Money]
    reason: Mapped[str | None]
    at: Mapped[At]

    __table_args__ = (_within("order_event", "order_id", "order"),)


class Fill(Base):
    """A part of an order that was carried out: one transaction, at the price of a source."""

    __tablename__ = "fill"

    id: Mapped[Key]
    order_id: Mapped[int] = mapped_column(BigInteger, index=True)
    portfolio_id: Mapped[OfPortfolio]
    txn_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    quantity: Mapped[Money]
    price: Mapped[Money]
    at: Mapped[At]
    source: Mapped[str]

    __table_args__ = (
        _within("fill", "order_id", "order"),
        _within("fill", "txn_id", "txn"),
    )


class DismissedAction(Base):
    """A split or dividend that somebody does not want to be proposed for a portfolio again."""

    __tablename__ = "dismissed_action"

    portfolio_id: Mapped[int] = mapped_column(
        ForeignKey("portfolio.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    symbol: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    at: Mapped[At]


class EquityDaily(Base):
    """What a portfolio was worth at the close of a day (`app.domain.portfolio.equity`).

    `value` is null where a price or a rate is missing. `unit` is 1 before the first day.
    """

    __tablename__ = "equity_daily"

    portfolio_id: Mapped[int] = mapped_column(
        ForeignKey("portfolio.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[Money | None]
    cash: Mapped[Money | None]
    paid_in: Mapped[Money | None]
    paid_out: Mapped[Money | None]
    missing: Mapped[int]
    unit: Mapped[float | None] = mapped_column(Double)
    drawdown: Mapped[float | None] = mapped_column(Double)


class EquityState(Base):
    """How far a portfolio's equity has been worked out, and what the daily audit says of it.

    Counted are its transactions up to `txn_id`, of which there were `txns`, and the prices of
    `version`. `findings` are those of the audit, as JSON.
    """

    __tablename__ = "equity_state"

    portfolio_id: Mapped[int] = mapped_column(
        ForeignKey("portfolio.id", ondelete="CASCADE"), primary_key=True
    )
    txn_id: Mapped[int] = mapped_column(BigInteger)
    txns: Mapped[int] = mapped_column(server_default="0")
    version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    day: Mapped[date]
    computed_at: Mapped[At]
    audited_at: Mapped[At | None]
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
