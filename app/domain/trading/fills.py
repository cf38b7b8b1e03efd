"""Fills: what the market does to an order, by the rules that stand beside every result.

- A price counts when its own time is after the order was accepted.
- MARKET takes the next price: in session the next quote, else the next open.
- LIMIT fills at its price when the market goes through it, and at the market's price when that is
  at the limit or better at the first price (the open). A touch is no fill.
- STOP is met by a touch; it fills at its price, or at the open beyond it.
- A stop and a target in one bar: the stop came first, unless the bar opened at the target.
- Slippage moves market fills against the order, to the next tick and within the day's limits.
- On the locked side of a limit, in a halt and without volume nothing fills; of a bar's volume an
  order takes a part at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.domain.trading.limits import Limits
from app.domain.trading.lots import FRACTION, WHOLE, floor_to_lot
from app.domain.trading.orders import Order, OrderType, TimeInForce
from app.domain.trading.tables import Market
from app.domain.trading.ticks import Side, round_fill


class Outcome(StrEnum):
    """What becomes of an order at a price."""

    FILL = "FILL"
    WAIT = "WAIT"
    EXPIRE = "EXPIRE"
    REJECT = "REJECT"


class Why(StrEnum):
    """The reason of a decision."""

    NEXT_PRICE = "NEXT_PRICE"  # fill: the next price after acceptance
    OPENED_BEYOND = "OPENED_BEYOND"  # fill: the first price is at the ordered one or beyond
    WENT_THROUGH = "WENT_THROUGH"  # fill: the market traded beyond the limit
    STOP_MET = "STOP_MET"  # fill: the stop was reached
    TOO_EARLY = "TOO_EARLY"  # wait: the price is not later than the order
    NOT_REACHED = "NOT_REACHED"  # wait
    TOUCHED = "TOUCHED"  # wait: the limit was reached and not passed
    LOCKED = "LOCKED"  # wait: nobody takes the other side at the day's limit
    HALTED = "HALTED"  # wait: halted, or no volume
    VOLUME_USED = "VOLUME_USED"  # wait: the part of the volume is less than a share
    SESSION_OVER = "SESSION_OVER"  # expire
    OUTSIDE_LIMITS = "OUTSIDE_LIMITS"  # reject: the day's limits exclude the order's price


@dataclass(frozen=True, slots=True)
class Conditions:
    """The rules of a session: its day, limits (None: none), slippage as a part of the price.

    `volume_part` is the part of a bar's volume that one order may take; None: all it wants.
    """

    day: date
    limits: Limits | None = None
    slippage: Decimal = Decimal(0)
    volume_part: Decimal | None = None
    halted: bool = False


@dataclass(frozen=True, slots=True)
class Price:
    """A quote as the market made it; `first`: the first after acceptance, or of a session."""

    at: datetime
    price: Decimal
    first: bool = False


@dataclass(frozen=True, slots=True)
class PriceBar:
    """A session or part of one, as traded; no open or no volume means that nothing traded."""

    opens_at: datetime
    open: Decimal | None
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an order, and why; price and quantity of a fill.

    `triggered`: the stop has been met (also when nothing could be filled).
    """

    outcome: Outcome
    why: Why
    price: Decimal | None = None
    quantity: Decimal | None = None
    triggered: bool = False


_ENDS: Final = {Why.SESSION_OVER: Outcome.EXPIRE, Why.OUTSIDE_LIMITS: Outcome.REJECT}


def decide_on_price(order: Order, quote: Price, conditions: Conditions) -> Decision:
    """What a quote does to an order; a quote carries no volume, so all that remains may fill."""
    if refusal := _refusal(order, quote.at, conditions):
        return _no_fill(refusal)
    bar = PriceBar(quote.at, quote.price, quote.price, quote.price, quote.price, Decimal(0))
    return _decide(order, bar, conditions, order.remaining, opening=quote.first)


def decide_on_bar(order: Order, bar: PriceBar, conditions: Conditions) -> Decision:
    """What a bar that began after the order was accepted does to it."""
    if refusal := _refusal(order, bar.opens_at, conditions):
        return _no_fill(refusal)
    if bar.open is None or not bar.volume:
        return _no_fill(Why.HALTED)
    return _decide(order, bar, conditions, _share_of_volume(order, bar, conditions), opening=True)


def decide_first(
    stop: Order, target: Order, bar: PriceBar, conditions: Conditions
) -> tuple[Order, Decision] | None:
    """Which of a stop and a target a bar fills: the stop, unless the bar opened at the target."""
    stopped = decide_on_bar(stop, bar, conditions)
    reached = decide_on_bar(target, bar, conditions)
    opened_at_target = reached.why is Why.OPENED_BEYOND and stopped.why is not Why.OPENED_BEYOND
    if stopped.outcome is Outcome.FILL and not opened_at_target:
        return stop, stopped
    return (target, reached) if reached.outcome is Outcome.FILL else None


def _refusal(order: Order, at: datetime, conditions: Conditions) -> Why | None:
    """Why a price cannot fill an order, whatever it is."""
    limits = conditions.limits
    if order.is_over(at):
        return Why.SESSION_OVER
    if at <= order.accepted_at:
        return Why.TOO_EARLY
    # GTC goes on, for other days have other limits; a stop that was met has no price any more
    named = order.price if order.lifetime is TimeInForce.DAY and not order.triggered else None
    if limits is not None and named is not None and not limits.contains(named):
        return Why.OUTSIDE_LIMITS
    return Why.HALTED if conditions.halted else None


def _decide(
    order: Order, bar: PriceBar, conditions: Conditions, most: Decimal, *, opening: bool
) -> Decision:
    opened = bar.open or bar.close
    price, why = _meet(order, bar, opened, opening=opening)
    met = order.type is OrderType.STOP and (order.triggered or price is not None)
    if price is None:
        return _no_fill(why)
    limits = conditions.limits
    if limits is not None and limits.is_locked(order.side, bar.low, bar.high):
        return _no_fill(Why.LOCKED, triggered=met)
    if not most:
        return _no_fill(Why.VOLUME_USED, triggered=met)
    if order.type is not OrderType.LIMIT:
        price = _slip(order, price, conditions)
    return Decision(Outcome.FILL, why, price, most, met)


def _meet(
    order: Order, bar: PriceBar, opened: Decimal, *, opening: bool
) -> tuple[Decimal | None, Why]:
    """At which price the market meets the order, before slippage; None when it does not."""
    if order.at_market or order.price is None:
        return opened, Why.NEXT_PRICE
    wanted = order.price
    # a limit waits for a better price, a stop for a worse one
    rising = (order.side is Side.BUY) == (order.type is OrderType.STOP)
    best, ahead = (bar.high, opened >= wanted) if rising else (bar.low, opened <= wanted)
    passed = best > wanted if rising else best < wanted
    if order.type is OrderType.STOP:
        if ahead:
            return opened, Why.OPENED_BEYOND
        return (wanted, Why.STOP_MET) if passed or best == wanted else (None, Why.NOT_REACHED)
    if ahead and opening:
        return opened, Why.OPENED_BEYOND
    if passed:
        return wanted, Why.WENT_THROUGH
    return None, Why.TOUCHED if best == wanted else Why.NOT_REACHED


def _slip(order: Order, price: Decimal, conditions: Conditions) -> Decimal:
    worse = 1 + conditions.slippage if order.side is Side.BUY else 1 - conditions.slippage
    slipped = round_fill(order.listing, order.side, price * worse, conditions.day)
    return slipped if conditions.limits is None else conditions.limits.clamp(slipped)


def _share_of_volume(order: Order, bar: PriceBar, conditions: Conditions) -> Decimal:
    if conditions.volume_part is None:
        return order.remaining
    step = FRACTION if order.listing.market is Market.US else WHOLE
    return min(order.remaining, floor_to_lot(bar.volume * conditions.volume_part, step))


def _no_fill(why: Why, *, triggered: bool = False) -> Decision:
    return Decision(_ENDS.get(why, Outcome.WAIT), why, triggered=triggered)
