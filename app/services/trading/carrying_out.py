"""Carrying out one order at what the market did: decided, booked and written in one transaction.

The order's row is held meanwhile. What it had set aside is freed, the trade is posted, and for what
remains is set aside anew; all of that, the fill and the order's new state are stored together or
not at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import EVERYONE
from app.db.models import Fill, Order, Portfolio, Txn
from app.domain.entry_checks import check_entry
from app.domain.quotes import plain
from app.domain.trading import lots
from app.domain.trading.costs import CostProfile, compute_costs, find_profile
from app.domain.trading.fills import (
    Conditions,
    Decision,
    Outcome,
    Price,
    PriceBar,
    Why,
    decide_on_bar,
    decide_on_price,
)
from app.domain.trading.listings import Listing
from app.domain.trading.orders import OrderState, OrderType
from app.domain.trading.preview import Terms
from app.domain.trading.ticks import Side
from app.domain.transactions import Entry, TransactionKind, make_trade
from app.env import Env
from app.errors import BadInput
from app.services.portfolio.booking import When, entry_item, post
from app.services.trading.order_splits import carry_splits
from app.services.trading.order_terms import read_terms, release_item, reserve_rest_item
from app.services.trading.orders import end_order

WAITING: Final = (OrderState.NEW, OrderState.PARTIALLY_FILLED)
NOT_COVERED: Final = "NOT_COVERED"
"""Why an order ended whose cash or shares were not there when it was to be filled."""


@dataclass(frozen=True)
class Traded:
    """What the market did in one instrument: `event` is a quote, or a bar of a session.

    `seen_from` is the instant of a quote or of a bar's open: an order that was filled then or later
    has had its share of the event already. `at` is that of the quote or of the close. `day` is
    the session's, `settles` that of a trade in it.
    """

    listing: Listing
    day: date
    settles: date
    event: Price | PriceBar
    conditions: Conditions
    source: str
    seen_from: datetime
    at: datetime


@dataclass(frozen=True)
class _Case:
    """An order that is held, with its broker's profile, and what its amount may still spend."""

    order: Order
    traded: Traded
    profile: CostProfile
    left: Decimal | None
    when: When


async def carry_out(
    env: Env, order_id: int, traded: Traded, when: When, *, expires: bool = False
) -> bool:
    """Does to a waiting order what the market makes of it; whether something was filled.

    `expires`: an order whose session is over ends by this too.
    """
    async with env.db.write(uid=EVERYONE) as db:
        order = await hold_waiting(db, order_id)
        if order is None or await _has_seen(db, order.id, traded.seen_from):
            return False
        if not await carry_splits(db, order, traded.listing, traded.seen_from, when):
            return False
        case = _Case(
            order=order,
            traded=traded,
            profile=await _profile(db, order),
            left=await _amount_left(db, order),
            when=when,
        )
        decision = _decide(case)
        if decision is None:
            return False
        if decision.outcome is Outcome.FILL:
            return await _fill(db, case, decision)
        await _note(db, case, decision, expires=expires)
        return False


async def hold_waiting(db: AsyncSession, order_id: int) -> Order | None:
    """The order, held for this transaction; None when it waits no more."""
    query = select(Order).where(Order.id == order_id, Order.state.in_(WAITING))
    return await db.scalar(query.with_for_update(key_share=True))


def _decide(case: _Case) -> Decision | None:
    """What the rules make of it; None when the amount that is left buys nothing at that price."""
    order, traded, event = case.order, case.traded, case.traded.event
    if case.left is None:
        quantity = plain(order.quantity or Decimal(0))
    else:
        price = event.price if isinstance(event, Price) else event.open or event.close
        try:
            more = lots.quantity_for_amount(traded.listing, case.left, price)
        except BadInput:
            return None
        quantity = plain(order.filled) + more
    terms = read_terms(order, traded.listing, quantity)
    if isinstance(event, Price):
        return decide_on_price(terms, event, traded.conditions)
    return decide_on_bar(terms, event, traded.conditions)


async def _fill(db: AsyncSession, case: _Case, decision: Decision) -> bool:
    order, traded = case.order, case.traded
    quantity, price = decision.quantity or Decimal(0), decision.price or Decimal(0)
    entry = _trade(case, quantity, price)
    key = f":fill:{order.id}:{plain(order.filled)}"
    items = [entry_item(order.portfolio_id, key, entry, case.when)]
    if order.reservation_id is not None:
        items.insert(0, release_item(order))
    again = _reserve_rest(case, _rest(case, quantity, entry.amount), price)
    if again is not None:
        items.append(again)
    try:
        posted = await post(db.scalar, order.portfolio_id, None, items, case.when)
    except BadInput:
        await _give_up(db, case, NOT_COVERED)
        return False
    txn_id = posted.ids[-1 if again is None else -2]
    done, at = again is None, _instant(traded, decision)
    made = {"quantity": quantity, "price": price, "at": at, "source": traded.source}
    ids = {"order_id": order.id, "portfolio_id": order.portfolio_id, "txn_id": txn_id}
    await db.execute(insert(Fill).values(ids | made))
    values = {
        "state": OrderState.FILLED if done else OrderState.PARTIALLY_FILLED,
        "filled": order.filled + quantity,
        "triggered": order.triggered or decision.triggered,
        "reservation_id": None if done else posted.ids[-1],
        "reason": decision.why,
        "ended_at": at if done else None,
    }
    await db.execute(update(Order).where(Order.id == order.id).values(values))
    return True


def _instant(traded: Traded, decision: Decision) -> datetime:
    """When it was filled: of a bar the open is known, everything else only by its close."""
    opened = decision.why in {Why.NEXT_PRICE, Why.OPENED_BEYOND}
    return traded.seen_from if opened else traded.at


def _trade(case: _Case, quantity: Decimal, price: Decimal) -> Entry:
    """The transaction of a fill, with its costs."""
    traded, listing, side = case.traded, case.traded.listing, Side(case.order.side)
    bare = make_trade(
        TransactionKind(side.value),
        case.order.symbol,
        quantity,
        price,
        listing.currency,
        day=traded.day,
        settles_on=traded.settles,
    )
    costs = compute_costs(
        listing,
        side,
        quantity,
        bare.amount,
        case.profile,
        trade_day=traded.day,
        settles=traded.settles,
    )
    return check_entry(replace(bare, fee=costs.fee, tax=costs.tax))


def _rest(case: _Case, quantity: Decimal, spent: Decimal) -> Decimal:
    """What is still to be filled: shares, or money of an order by amount."""
    order, traded = case.order, case.traded
    if case.left is None:
        return (order.quantity or Decimal(0)) - order.filled - quantity
    whole = isinstance(traded.event, Price) or traded.conditions.volume_part is None
    return Decimal(0) if whole else case.left - spent


def _reserve_rest(case: _Case, rest: Decimal, price: Decimal) -> dict[str, Any] | None:
    """The item that sets aside what the rest may need; None when nothing is left."""
    if not rest:
        return None
    order, traded = case.order, case.traded
    terms = Terms(
        listing=traded.listing,
        side=Side(order.side),
        type=OrderType(order.type),
        quantity=rest,
        price=order.price or price,
        trade_day=traded.day,
        settles=traded.settles,
        profile=case.profile,
    )
    key = f":reserve:{order.id}:{plain(order.filled)}"
    return reserve_rest_item(order, rest, terms, traded.conditions.limits, key)


async def _note(db: AsyncSession, case: _Case, decision: Decision, *, expires: bool) -> None:
    """Writes what did not fill: a stop that was met, an order that has ended."""
    order = case.order
    if decision.outcome is Outcome.REJECT:
        await _give_up(db, case, decision.why)
    elif decision.outcome is Outcome.EXPIRE and expires:
        await expire(db, order, case.when)
    elif decision.triggered and not order.triggered:
        await db.execute(update(Order).where(Order.id == order.id).values(triggered=True))


async def expire(db: AsyncSession, order: Order, when: When) -> None:
    """Ends an order of the day at the close of its session."""
    closed = order.expires_at or when.at
    await end_order(db, order, OrderState.EXPIRED, when, closed, reason="SESSION_OVER")


async def _give_up(db: AsyncSession, case: _Case, reason: str) -> None:
    """Ends an order that cannot be carried out."""
    untouched = case.order.state == OrderState.NEW
    state = OrderState.REJECTED if untouched else OrderState.CANCELED
    await end_order(db, case.order, state, case.when, case.traded.at, reason=reason)


async def _profile(db: AsyncSession, order: Order) -> CostProfile:
    query = select(Portfolio.cost_profile).where(Portfolio.id == order.portfolio_id)
    return find_profile((await db.scalars(query)).one())


async def _has_seen(db: AsyncSession, order_id: int, at: datetime) -> bool:
    """Whether the order was filled at that instant or later."""
    newest = await db.scalar(select(func.max(Fill.at)).where(Fill.order_id == order_id))
    return newest is not None and newest >= at


async def _amount_left(db: AsyncSession, order: Order) -> Decimal | None:
    """What an order by amount may still spend; None for one by quantity."""
    if order.amount is None:
        return None
    spent = select(func.sum(Txn.amount)).join(Fill, Fill.txn_id == Txn.id)
    return order.amount - (await db.scalar(spent.where(Fill.order_id == order.id)) or Decimal(0))
