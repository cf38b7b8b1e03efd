"""The terms of a stored order: as the rules know them, and what it holds back in the ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from app.db.models import Order
from app.domain.postings import share_of
from app.domain.quotes import plain
from app.domain.trading import orders as rules
from app.domain.trading.costs import compute_commission
from app.domain.trading.limits import Limits
from app.domain.trading.listings import Listing
from app.domain.trading.orders import OrderType, TimeInForce
from app.domain.trading.preview import Terms, reserve_cash
from app.domain.trading.ticks import Side
from app.services.portfolio.booking import reservation_item, reversal_item


def read_terms(order: Order, listing: Listing, quantity: Decimal) -> rules.Order:
    """The order as the rules know one, for that many shares in all."""
    return rules.Order(
        listing=listing,
        side=Side(order.side),
        type=OrderType(order.type),
        quantity=quantity,
        price=None if order.price is None else plain(order.price),
        lifetime=TimeInForce(order.time_in_force),
        accepted_at=order.placed_at,
        closes_at=order.expires_at,
        filled=plain(order.filled),
        triggered=order.triggered,
    )


def release_item(order: Order) -> dict[str, Any]:
    """The item that frees what an order has set aside."""
    reservation = order.reservation_id or 0
    key = f":release:{reservation}"
    return reversal_item(order.portfolio_id, key, reservation, release=True)


def reserve_amount(amount: Decimal, terms: Terms) -> Decimal:
    """The money that a purchase for an amount holds back: that, and its commission."""
    return amount + compute_commission(amount, terms.listing.currency, terms.profile)


def reserve_rest_item(
    order: Order, rest: Decimal, terms: Terms, limits: Limits | None, key: str
) -> dict[str, Any]:
    """The item that sets aside what the rest of an order may need.

    `rest` is shares, or money of an order by amount; `terms` those of a purchase of the rest.
    """
    if terms.side is Side.SELL:
        held = share_of(order.symbol), rest
    elif order.amount is not None:
        held = terms.listing.currency, reserve_amount(rest, terms)
    else:
        held = terms.listing.currency, reserve_cash(terms, limits)
    return reservation_item(order.portfolio_id, key, *held, terms.trade_day)
