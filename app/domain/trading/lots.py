"""Order sizes: whole shares in Korea, fractions of US shares when ordered by amount.

A fraction has six places, as brokers offer; a holding may have eight (after a split, or a record
of another broker), and all of it can be sold.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import Final

from app.domain import money
from app.domain.trading.listings import Listing
from app.domain.trading.tables import Market
from app.domain.trading.ticks import Side
from app.errors import BadInput

WHOLE: Final = Decimal(1)
FRACTION: Final = Decimal("0.000001")


def quantity_step(listing: Listing, *, by_amount: bool) -> Decimal:
    """The step of an order's quantity."""
    return FRACTION if by_amount and listing.market is Market.US else WHOLE


def floor_to_lot(quantity: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of the step that is not above the quantity."""
    return (quantity / step).to_integral_value(ROUND_FLOOR) * step


def quantity_for_amount(listing: Listing, amount: Decimal, price: Decimal) -> Decimal:
    """How much an amount of money buys at a price, rounded down to the step.

    Raises:
        BadInput: it buys nothing.
    """
    money.check_price(price)
    if amount.is_finite():
        quantity = floor_to_lot(amount / price, quantity_step(listing, by_amount=True))
        if quantity > 0:
            return quantity
    message = "The amount %(amount)s buys nothing at the price %(price)s"
    raise BadInput(message, field="amount", amount=amount, price=price)


def check_quantity(
    listing: Listing, side: Side, quantity: Decimal, *, held: Decimal = Decimal(0)
) -> None:
    """Refuses a quantity that cannot be ordered: whole shares, or all that is held of a US share.

    Raises:
        BadInput: out of the bounds of a quantity, or not whole.
    """
    money.check_quantity(quantity)
    whole = quantity == floor_to_lot(quantity, WHOLE)
    fraction_of_holding = side is Side.SELL and listing.market is Market.US and quantity <= held
    if not whole and not fraction_of_holding:
        message = "The quantity is %(quantity)s; only whole shares can be ordered by quantity"
        raise BadInput(message, field="quantity", quantity=quantity)
