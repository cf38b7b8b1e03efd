"""Preview: what an order would cost and leave, and what it holds back while it waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.domain.money import compute_notional
from app.domain.trading.costs import CostProfile, Costs, compute_costs
from app.domain.trading.limits import Limits
from app.domain.trading.listings import Listing
from app.domain.trading.orders import OrderType
from app.domain.trading.ticks import Side, ceil_to_tick

MARGIN: Final = Decimal("0.05")
"""Held back above the price for a market or stop order in a market without daily limits."""


class Caution(StrEnum):
    """What somebody should know before ordering."""

    PRICE_ROUNDED = "PRICE_ROUNDED"  # the price was put on the tick
    NOT_ENOUGH_CASH = "NOT_ENOUGH_CASH"
    NOT_ENOUGH_SHARES = "NOT_ENOUGH_SHARES"
    HIGH_COSTS = "HIGH_COSTS"  # a hundredth of the value or more
    SETTLES_LATER = "SETTLES_LATER"  # what a sale brings can be drawn on the settlement day only


@dataclass(frozen=True, slots=True)
class Terms:
    """An order as it is previewed: `price` on the tick (for MARKET the newest price)."""

    listing: Listing
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal
    trade_day: date
    settles: date
    profile: CostProfile


@dataclass(frozen=True, slots=True)
class Preview:
    """An order at its price; money in the listing's currency, `cash_change` signed.

    `reserved` is the money a buy holds back, 0 for a sale (which holds back its shares).
    """

    price: Decimal
    quantity: Decimal
    notional: Decimal
    costs: Costs
    cash_change: Decimal
    cash_after: Decimal
    settles: date
    reserved: Decimal
    cautions: tuple[Caution, ...]


def preview_order(
    terms: Terms,
    *,
    cash: Decimal,
    held: Decimal,
    limits: Limits | None,
    asked_price: Decimal | None = None,
) -> Preview:
    """The order at its price; `cash` and `held` are what is free to order with.

    `asked_price` is what was typed before rounding.

    Raises:
        BadInput: an amount that rounds to 0, or beyond the bounds of the ledger.
    """
    notional = compute_notional(terms.quantity, terms.price, terms.listing.currency)
    costs = _costs(terms, notional)
    sign = -1 if terms.side is Side.BUY else 1
    change = sign * notional - costs.total
    reserved = reserve_cash(terms, limits)
    facts = {
        Caution.PRICE_ROUNDED: asked_price is not None and asked_price != terms.price,
        Caution.NOT_ENOUGH_CASH: max(reserved, -change) > cash,
        Caution.NOT_ENOUGH_SHARES: terms.side is Side.SELL and terms.quantity > held,
        Caution.HIGH_COSTS: costs.total * 100 >= notional,
        Caution.SETTLES_LATER: terms.side is Side.SELL,
    }
    return Preview(
        price=terms.price,
        quantity=terms.quantity,
        notional=notional,
        costs=costs,
        cash_change=change,
        cash_after=cash + change,
        settles=terms.settles,
        reserved=reserved,
        cautions=tuple(caution for caution, holds in facts.items() if holds),
    )


def reserve_cash(terms: Terms, limits: Limits | None, *, margin: Decimal = MARGIN) -> Decimal:
    """The money that a waiting buy holds back, with its costs; 0 for a sale.

    LIMIT: at its price. MARKET: at the day's upper limit. STOP, and MARKET in a market without
    limits: `margin` above the price.
    """
    if terms.side is Side.SELL:
        return Decimal(0)
    price = _worst_price(terms, limits, margin)
    notional = compute_notional(terms.quantity, price, terms.listing.currency)
    return notional + _costs(terms, notional).total


def _worst_price(terms: Terms, limits: Limits | None, margin: Decimal) -> Decimal:
    if terms.type is OrderType.LIMIT:
        return terms.price
    if terms.type is OrderType.MARKET and limits is not None:
        return limits.upper
    return ceil_to_tick(terms.listing, terms.price * (1 + margin), terms.trade_day)


def _costs(terms: Terms, notional: Decimal) -> Costs:
    return compute_costs(
        terms.listing,
        terms.side,
        terms.quantity,
        notional,
        terms.profile,
        trade_day=terms.trade_day,
        settles=terms.settles,
    )
