"""Daily price limits of the Korea Exchange.

The width is the base price times the limit, truncated to the tick of the base price; each limit is
then truncated to the tick of the result. The base price is the close before, except on the days
when the exchange sets another (ex-rights, ex-bonus, split, first day): it is an argument. The
United States have no such limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from app.domain.trading.listings import Listing
from app.domain.trading.tables import PRICE_LIMITS, Market, in_force
from app.domain.trading.ticks import Side, floor_to_tick, tick_size

FIRST_DAY_RULE_FROM: Final = date(2023, 6, 26)
_FIRST_DAY: Final = (Decimal("0.6"), Decimal(4))


@dataclass(frozen=True, slots=True)
class Limits:
    """The lowest and the highest price of a session."""

    lower: Decimal
    upper: Decimal

    def contains(self, price: Decimal) -> bool:
        """Whether an order may name that price."""
        return self.lower <= price <= self.upper

    def clamp(self, price: Decimal) -> Decimal:
        """The price, or the limit that it lies beyond."""
        return min(max(price, self.lower), self.upper)

    def is_locked(self, side: Side, lowest: Decimal, highest: Decimal) -> bool:
        """Whether nobody takes the other side: every price at the limit that `side` runs into."""
        return lowest >= self.upper if side is Side.BUY else highest <= self.lower


def price_limits(listing: Listing, base: Decimal, day: date) -> Limits | None:
    """The limits of a session from its base price; None in a market without.

    Raises:
        BadInput: a base price not above zero, or a day before the known tables.
    """
    if listing.market is Market.US:
        return None
    part = in_force(PRICE_LIMITS[listing.market], day) * abs(listing.multiple)
    step = tick_size(listing, base, day)
    width = base * part // step * step
    lower = floor_to_tick(listing, base - width, day) if base > width else Decimal(0)
    return Limits(max(lower, _lowest_tick(listing, day)), floor_to_tick(listing, base + width, day))


def first_day_limits(listing: Listing, offer: Decimal, day: date) -> Limits | None:
    """The limits of a share's first session: 60 to 400 % of the offer price, since 2023-06-26.

    Before that day the opening price was found between 90 and 200 % and the usual limit held
    around it: then the base is that opening price, and `price_limits` answers.
    """
    if listing.market is Market.US:
        return None
    if day < FIRST_DAY_RULE_FROM:
        return price_limits(listing, offer, day)
    low, high = _FIRST_DAY
    return Limits(
        floor_to_tick(listing, offer * low, day), floor_to_tick(listing, offer * high, day)
    )


def _lowest_tick(listing: Listing, day: date) -> Decimal:
    return tick_size(listing, Decimal(1), day)
