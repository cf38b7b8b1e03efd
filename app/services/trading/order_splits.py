"""Orders across a split: the price is divided and what remains multiplied, once for each split.

The reservation made anew bears the split's day in its key, so that nobody applies it twice. A sale
waits until the ledger has the split, for its shares are not there before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Account, Order, Posting, Txn
from app.domain.postings import AccountKind
from app.domain.quotes import plain
from app.domain.trading.listings import Listing, find_listing
from app.domain.trading.orders import OrderState, split_order
from app.domain.trading.ticks import Side
from app.domain.transactions import Entry, TransactionKind
from app.services.portfolio.booking import When, post, reservation_item
from app.services.trading.order_terms import read_terms, release_item
from app.services.trading.orders import end_order

TOO_SMALL: Final = "SPLIT"
"""Why an order ended of which a split left nothing that can be ordered."""


async def carry_splits(
    db: AsyncSession, order: Order, listing: Listing, at: datetime, when: When
) -> bool:
    """Brings an order that its caller holds up to the splits by `at`; whether it can go on now."""
    if order.quantity is None:  # money stays the same
        return True
    for day, ratio in await _pending(db, order, at):
        if order.side == Side.SELL and not await _is_booked(db, order, day):
            return False
        if not await _carry(db, order, listing, (day, ratio), when):
            return False
    return True


async def book_across_sales(
    db: AsyncSession,
    portfolio_id: int,
    split: Entry,
    items: Sequence[Mapping[str, Any]],
    when: When,
) -> int:
    """Books a split that takes shares away, those too that waiting sales have set aside.

    `items` are what books it; how many transactions they made.

    Raises:
        BadInput: the shares are not there.
        Conflict: the portfolio is archived.
    """
    symbol = split.symbol or ""
    ratio = (split.numerator or Decimal(1)) / (split.denominator or Decimal(1))
    sales = select(Order).where(
        Order.portfolio_id == portfolio_id,
        Order.symbol == symbol,
        Order.side == Side.SELL,
        Order.state.in_([state for state in OrderState if not state.is_final]),
    )
    held = (await db.scalars(sales.order_by(Order.id).with_for_update(key_share=True))).all()
    due = [
        order
        for order in held
        if split.day in {day for day, _ in await _pending(db, order, when.at)}
    ]
    released = [release_item(order) for order in due]
    posted = await post(db.scalar, portfolio_id, None, [*released, *items], when)
    for order in due:
        await _carry(db, order, find_listing(symbol), (split.day, ratio), when)
    return posted.fresh - len(released)


async def _carry(
    db: AsyncSession, order: Order, listing: Listing, split: tuple[date, Decimal], when: When
) -> bool:
    day, ratio = split
    terms = read_terms(order, listing, plain(order.quantity or Decimal(0)))
    made = split_order(terms, ratio, day)
    if made.remaining is None:
        await end_order(db, order, OrderState.CANCELED, when, when.at, reason=TOO_SMALL)
        return False
    commodity, held = await _reserved(db, order)
    again = made.remaining if order.side == Side.SELL else held
    item = reservation_item(order.portfolio_id, _key(order, day), commodity, again, day)
    posted = await post(db.scalar, order.portfolio_id, None, [release_item(order), item], when)
    values = {
        "quantity": order.filled + made.remaining,
        "price": made.price,
        "reservation_id": posted.ids[-1],
    }
    await db.execute(update(Order).where(Order.id == order.id).values(values))
    await db.refresh(order)
    return True


async def _pending(db: AsyncSession, order: Order, at: datetime) -> list[tuple[date, Decimal]]:
    """The splits between placing and `at` that the order has not gone through, in order of day."""
    rows = await db.execute(
        text(_PENDING),
        {
            "symbol": order.symbol,
            "placed": order.placed_at,
            "at": at,
            "portfolio": order.portfolio_id,
            "key": _key(order, None),
        },
    )
    return [(row.day, row.ratio) for row in rows]


async def _is_booked(db: AsyncSession, order: Order, day: date) -> bool:
    query = select(Txn.id).where(
        Txn.portfolio_id == order.portfolio_id,
        Txn.kind == TransactionKind.SPLIT,
        Txn.symbol == order.symbol,
        Txn.day == day,
    )
    return await db.scalar(query.limit(1)) is not None


async def _reserved(db: AsyncSession, order: Order) -> tuple[str, Decimal]:
    """What the order has set aside, and how much."""
    query = select(Posting.commodity, Posting.amount).join(
        Account, Account.id == Posting.account_id
    )
    whose = (Posting.txn_id == order.reservation_id, Account.kind == AccountKind.RESERVED)
    row = (await db.execute(query.where(*whose))).one()
    return row.commodity, plain(row.amount)


def _key(order: Order, day: date | None) -> str:
    return f":split:{order.id}:{day or ''}"


_PENDING: Final = """
    SELECT s.day, s.numerator / s.denominator AS ratio
    FROM split AS s
    JOIN instrument AS i ON i.symbol = s.symbol
    JOIN exchange_session AS e ON e.mic = i.mic AND e.day = s.day
    WHERE s.symbol = :symbol AND e.open_at > :placed AND e.open_at <= :at
    AND NOT EXISTS (
        SELECT FROM txn AS t WHERE t.portfolio_id = :portfolio
        AND t.idem_key = CAST(:key AS text) || to_char(s.day, 'YYYY-MM-DD')
    )
    ORDER BY s.day
"""
