"""Tick sizes: the steps in which a price may be, and rounding to them.

Prices are as traded, never adjusted. A limit price is rounded in favour of who orders (buy down,
sell up), a slipped fill against them (buy up, sell down).
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

from app.domain.trading.listings import Listing
from app.domain.trading.tables import KOREAN_FUND_TICKS, SHARE_TICKS, Market, Steps, in_force
from app.errors import BadInput


class Side(StrEnum):
    """Which way an order goes."""

    BUY = "BUY"
    SELL = "SELL"


def tick_size(listing: Listing, price: Decimal, day: date) -> Decimal:
    """The step, in the listing's currency, by which an order at `price` moves on that day.

    Raises:
        BadInput: a price not above zero, or a day before the known tables.
    """
    if not price.is_finite() or price <= 0:
        message = "The price is %(price)s; it must be above zero"
        raise BadInput(message, field="price", price=price)
    steps = _steps(listing, day)
    return steps.ticks[bisect_right(steps.bounds, price)]


def floor_to_tick(listing: Listing, price: Decimal, day: date) -> Decimal:
    """The next price on the tick at or below `price`; zero below the smallest tick."""
    return _to_tick(price, tick_size(listing, price, day), ROUND_FLOOR)


def ceil_to_tick(listing: Listing, price: Decimal, day: date) -> Decimal:
    """The next price on the tick at or above `price`."""
    return _to_tick(price, tick_size(listing, price, day), ROUND_CEILING)


def round_limit(listing: Listing, side: Side, price: Decimal, day: date) -> Decimal:
    """An ordered price on the tick, rounded in favour of who orders: buy down, sell up.

    Raises:
        BadInput: no tick lies below the price of a buy.
    """
    if side is Side.SELL:
        return ceil_to_tick(listing, price, day)
    rounded = floor_to_tick(listing, price, day)
    if not rounded:
        tick = tick_size(listing, price, day)
        message = "The price %(price)s lies below the tick size, %(tick)s"
        raise BadInput(message, field="price", price=price, tick=tick)
    return rounded


def round_fill(listing: Listing, side: Side, price: Decimal, day: date) -> Decimal:
    """A slipped price on the tick, rounded against who ordered: buy up, sell down to a tick."""
    if side is Side.BUY:
        return ceil_to_tick(listing, price, day)
    return floor_to_tick(listing, price, day) or tick_size(listing, price, day)


def _steps(listing: Listing, day: date) -> Steps:
    if listing.is_fund and listing.market is not Market.US:
        return in_force(KOREAN_FUND_TICKS, day)
    return in_force(SHARE_TICKS[listing.market], day)


def _to_tick(price: Decimal, tick: Decimal, rounding: str) -> Decimal:
    return (price / tick).to_integral_value(rounding) * tick
