"""Orders: their states and terms, how long they live, and what a split makes of one that waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.domain.money import check_price
from app.domain.trading.limits import Limits
from app.domain.trading.listings import Listing
from app.domain.trading.lots import WHOLE, floor_to_lot
from app.domain.trading.ticks import Side, floor_to_tick, round_limit
from app.errors import BadInput, Conflict


class OrderType(StrEnum):
    """MARKET takes the next price, LIMIT waits for a better one, STOP becomes MARKET at a worse."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"


class TimeInForce(StrEnum):
    """DAY ends at its session's real close, GTC when it is filled or canceled."""

    DAY = "DAY"
    GTC = "GTC"


class OrderState(StrEnum):
    """Where an order stands; the last four are its end."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"

    @property
    def is_final(self) -> bool:
        """Whether nothing can follow."""
        return not TRANSITIONS[self]


_ENDED: Final[frozenset[OrderState]] = frozenset()
_OPEN_ENDS: Final = frozenset(
    {OrderState.PARTIALLY_FILLED, OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED}
)
TRANSITIONS: Final = {
    OrderState.NEW: _OPEN_ENDS | {OrderState.REJECTED},
    OrderState.PARTIALLY_FILLED: _OPEN_ENDS,
    OrderState.FILLED: _ENDED,
    OrderState.CANCELED: _ENDED,
    OrderState.EXPIRED: _ENDED,
    OrderState.REJECTED: _ENDED,
}


def check_transition(state: OrderState, to: OrderState) -> OrderState:
    """The state that an order goes to.

    Raises:
        Conflict: it cannot, because it has ended or because nothing was filled yet.
    """
    if to not in TRANSITIONS[state]:
        message = "An order that is %(state)s cannot become %(to)s"
        raise Conflict(message, state=state.value, to=to.value)
    return to


@dataclass(frozen=True, slots=True)
class Order:
    """The terms of an accepted order; `price` is its limit or stop, on the tick (None: MARKET).

    `closes_at` is the close of the session that a DAY order lives in. `triggered` says that the
    stop has been met: from then on the order is a market order.
    """

    listing: Listing
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None
    lifetime: TimeInForce
    accepted_at: datetime
    closes_at: datetime | None = None
    filled: Decimal = Decimal(0)
    triggered: bool = False

    @property
    def remaining(self) -> Decimal:
        """What is still to be filled."""
        return self.quantity - self.filled

    @property
    def at_market(self) -> bool:
        """Whether it takes any price now."""
        return self.type is OrderType.MARKET or self.triggered

    def is_over(self, now: datetime) -> bool:
        """Whether a DAY order's session has closed; a price of the closing instant still counts."""
        return (
            self.lifetime is TimeInForce.DAY and self.closes_at is not None and now > self.closes_at
        )

    def state_after(self, quantity: Decimal) -> OrderState:
        """The state after a fill of that quantity."""
        done = quantity >= self.remaining
        return OrderState.FILLED if done else OrderState.PARTIALLY_FILLED


def accept_price(  # noqa: PLR0913 - the terms of one order
    listing: Listing,
    side: Side,
    order_type: OrderType,
    price: Decimal | None,
    *,
    day: date,
    limits: Limits | None,
) -> Decimal | None:
    """The price of an order on the tick: a limit in favour of who orders, a stop met no sooner.

    Raises:
        BadInput: a price where none belongs, none where one does, or one beyond the day's limits.
    """
    if order_type is OrderType.MARKET:
        if price is not None:
            raise BadInput("A market order has no price", field="price")
        return None
    if price is None:
        raise BadInput("A limit or stop order needs a price", field="price")
    check_price(price)
    rounding_side = side if order_type is OrderType.LIMIT else _opposite(side)
    rounded = round_limit(listing, rounding_side, price, day)
    if limits is not None and not limits.contains(rounded):
        message = "The price %(price)s lies outside the day's limits, %(lower)s to %(upper)s"
        raise BadInput(
            message, field="price", price=rounded, lower=limits.lower, upper=limits.upper
        )
    return rounded


@dataclass(frozen=True, slots=True)
class SplitOrder:
    """What a waiting order is after a split; without a quantity it has to be canceled."""

    price: Decimal | None
    remaining: Decimal | None
    reason: str | None = None


TOO_SMALL_REASON: Final = "After the split of %(ratio)s nothing whole is left to order"
OFF_TICK_REASON: Final = "After the split of %(ratio)s the price lies below the smallest tick"


def split_order(order: Order, ratio: Decimal, day: date) -> SplitOrder:
    """The order's price divided by the ratio and what remains multiplied by it, on tick and lot.

    The price is rounded as at acceptance, the quantity down (the rest of a share is paid in cash).
    An order in fractions keeps its fractions.
    """
    step = WHOLE if order.remaining == floor_to_lot(order.remaining, WHOLE) else None
    exact = order.remaining * ratio
    remaining = exact if step is None else floor_to_lot(exact, step)
    if not remaining:
        return SplitOrder(None, None, TOO_SMALL_REASON)
    if order.price is None:
        return SplitOrder(None, remaining)
    price = order.price / ratio
    if not floor_to_tick(order.listing, price, day):
        return SplitOrder(None, None, OFF_TICK_REASON)
    side = order.side if order.type is OrderType.LIMIT else _opposite(order.side)
    return SplitOrder(round_limit(order.listing, side, price, day), remaining)


def _opposite(side: Side) -> Side:
    return Side.SELL if side is Side.BUY else Side.BUY
