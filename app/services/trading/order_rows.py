"""Orders as the layers above see them, with what has been filled and every state they were in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Fill, Order, OrderEvent, Portfolio
from app.domain.quotes import plain
from app.domain.trading.orders import OrderState, OrderType, TimeInForce
from app.domain.trading.ticks import Side
from app.env import Env
from app.services.owned import missing, read_id
from app.services.paging import Page, check_first, cut_page, make_cursor, read_cursor
from app.services.portfolio.portfolios import find_own


@dataclass(frozen=True)
class FillRow:
    """A part that was carried out `at` the instant of its price, as one transaction."""

    txn_id: int
    quantity: Decimal
    price: Decimal
    at: datetime
    source: str


@dataclass(frozen=True)
class EventRow:
    """What an order was from `at` on."""

    state: OrderState
    filled: Decimal
    reason: str | None
    at: datetime


@dataclass(frozen=True)
class OrderRow:
    """An order by `quantity` or by `amount`; `reason` says why it ended as it did."""

    id: int
    portfolio_id: int
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal | None
    amount: Decimal | None
    price: Decimal | None
    state: OrderState
    filled: Decimal
    triggered: bool
    reason: str | None
    placed_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    fills: tuple[FillRow, ...] = ()
    events: tuple[EventRow, ...] = ()

    @classmethod
    def of(
        cls, row: Order, fills: Iterable[Fill] = (), events: Iterable[OrderEvent] = ()
    ) -> OrderRow:
        """From the tables."""
        facts = _facts(cls, row, skip=("fills", "events"))
        facts |= {
            "side": Side(row.side),
            "type": OrderType(row.type),
            "time_in_force": TimeInForce(row.time_in_force),
            "state": OrderState(row.state),
        }
        made = tuple(FillRow(**_facts(FillRow, fill)) for fill in fills)
        noted = tuple(
            EventRow(**_facts(EventRow, event) | {"state": OrderState(event.state)})
            for event in events
        )
        return cls(**facts, fills=made, events=noted)


async def get_order(env: Env, user_id: int, order_id: str) -> OrderRow:
    """One of the user's orders.

    Raises:
        NotFound: it is not there or not the user's.
    """
    async with env.db.read(uid=user_id) as db:
        return await read_order(db, await find_own_order(db, order_id, user_id))


async def list_orders(  # noqa: PLR0913 - paging and a filter
    env: Env,
    user_id: int,
    portfolio_id: str,
    *,
    state: OrderState | None = None,
    first: int = 50,
    after: str | None = None,
) -> Page[OrderRow]:
    """A page of a portfolio's orders, the newest first.

    Raises:
        NotFound: the portfolio is not there or not the user's.
        BadInput: a page size or a cursor that cannot be.
    """
    check_first(first)
    async with env.db.read(uid=user_id) as db:
        portfolio = await find_own(db, portfolio_id, user_id)
        query = select(Order).where(*_matching(portfolio.id, state))
        if after is not None:
            query = query.where(Order.id < read_cursor(after, int)[0])
        found = (await db.scalars(query.order_by(Order.id.desc()).limit(first + 1))).all()
        rows = await _complete(db, found)
    return cut_page(rows, [make_cursor(row.id) for row in rows], first)


async def count_orders(
    env: Env, user_id: int, portfolio_id: str, *, state: OrderState | None = None
) -> int:
    """How many `list_orders` has on all pages.

    Raises:
        NotFound: the portfolio is not there or not the user's.
    """
    async with env.db.read(uid=user_id) as db:
        portfolio = await find_own(db, portfolio_id, user_id)
        count = select(func.count()).select_from(Order).where(*_matching(portfolio.id, state))
        return await db.scalar(count) or 0


async def find_own_order(
    db: AsyncSession, order_id: str, user_id: int, *, hold: bool = False
) -> Order:
    """The row of one of the user's orders; with `hold` nobody else changes it meanwhile.

    Raises:
        NotFound: it is not there or not the user's.
    """
    query = select(Order).join(Portfolio)
    query = query.where(Order.id == read_id(order_id), Portfolio.user_id == user_id)
    if hold:
        query = query.with_for_update(of=Order, key_share=True)
    found = await db.scalar(query)
    if found is None:
        raise missing()
    return found


async def read_order(db: AsyncSession, order: Order) -> OrderRow:
    """The order with its fills and events."""
    [row] = await _complete(db, [order])
    return row


async def _complete(db: AsyncSession, orders: Sequence[Order]) -> list[OrderRow]:
    ids = [order.id for order in orders]
    fills = await db.scalars(select(Fill).where(Fill.order_id.in_(ids)).order_by(Fill.id))
    filled = _by_order(fills.all())
    wanted = select(OrderEvent).where(OrderEvent.order_id.in_(ids)).order_by(OrderEvent.id)
    events = _by_order((await db.scalars(wanted)).all())
    return [OrderRow.of(o, filled.get(o.id, ()), events.get(o.id, ())) for o in orders]


def _by_order(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.order_id, []).append(row)
    return found


def _matching(portfolio_id: int, state: OrderState | None) -> list[ColumnElement[bool]]:
    of_portfolio = Order.portfolio_id == portfolio_id
    return [of_portfolio] if state is None else [of_portfolio, Order.state == state]


def _facts(cls: type, row: object, skip: tuple[str, ...] = ()) -> dict[str, Any]:
    """The columns that a row class names, figures without zeros at their end."""
    named = {f.name: getattr(row, f.name) for f in fields(cls) if f.name not in skip}
    return {n: plain(v) if isinstance(v, Decimal) else v for n, v in named.items()}
