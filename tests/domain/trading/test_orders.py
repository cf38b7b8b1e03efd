"""Orders: states, prices at acceptance, and what a split makes of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest

from app.domain.trading.limits import price_limits
from app.domain.trading.listings import Listing
from app.domain.trading.orders import (
    OFF_TICK_REASON,
    TOO_SMALL_REASON,
    Order,
    OrderState,
    OrderType,
    SplitOrder,
    TimeInForce,
    accept_price,
    check_transition,
    split_order,
)
from app.domain.trading.tables import Market
from app.domain.trading.ticks import Side
from app.errors import BadInput, Conflict

DAY = date(2026, 3, 3)
AT = datetime(2026, 3, 3, 1, tzinfo=UTC)
KOSPI, US = Listing(Market.KOSPI), Listing(Market.US)
BUY, SELL = Side.BUY, Side.SELL
NEW, PART, FILLED, CANCELED, EXPIRED, REJECTED = OrderState

ALLOWED = {
    (NEW, PART), (NEW, FILLED), (NEW, CANCELED), (NEW, EXPIRED), (NEW, REJECTED),
    (PART, PART), (PART, FILLED), (PART, CANCELED), (PART, EXPIRED),
}  # fmt: skip


def order(side=BUY, kind=OrderType.LIMIT, *, quantity="10", price="20000", listing=KOSPI, **rest):
    terms = {"lifetime": TimeInForce.GTC, "accepted_at": AT, **rest}
    price = None if price is None else Decimal(price)
    return Order(listing, side, kind, Decimal(quantity), price, **terms)


@pytest.mark.parametrize(("state", "to"), list(product(OrderState, repeat=2)))
def test_an_order_ends_once_and_a_partly_filled_one_is_never_rejected(state, to):
    if (state, to) in ALLOWED:
        assert check_transition(state, to) is to
    else:
        with pytest.raises(Conflict, match=f"that is {state} cannot become {to}"):
            check_transition(state, to)
    assert state.is_final == (state not in {NEW, PART})


def test_the_state_after_a_fill():
    waiting = order(quantity="10", filled=Decimal(4))
    assert waiting.remaining == 6
    assert waiting.state_after(Decimal(5)) is PART
    assert waiting.state_after(Decimal(6)) is FILLED


def test_a_day_order_is_over_after_its_close_and_gtc_never():
    close = AT + timedelta(hours=5)
    day = order(lifetime=TimeInForce.DAY, closes_at=close)
    assert not day.is_over(close)
    assert day.is_over(close + timedelta(seconds=1))
    assert not order(closes_at=close).is_over(close + timedelta(days=9))


@pytest.mark.parametrize(
    ("side", "kind", "price"),
    [
        (BUY, OrderType.LIMIT, 20_000), (SELL, OrderType.LIMIT, 20_050),
        (BUY, OrderType.STOP, 20_050), (SELL, OrderType.STOP, 20_000),
    ],
)  # fmt: skip
def test_a_price_is_put_on_the_tick_at_acceptance(side, kind, price):
    assert accept_price(KOSPI, side, kind, Decimal(20_017), day=DAY, limits=None) == price


def test_a_price_beyond_the_days_limits_is_refused_with_both():
    limits = price_limits(KOSPI, Decimal(70_000), DAY)
    assert (
        accept_price(KOSPI, BUY, OrderType.LIMIT, Decimal(91_000), day=DAY, limits=limits) == 91_000
    )
    with pytest.raises(BadInput, match="91100 lies outside the day's limits, 49000 to 91000"):
        accept_price(KOSPI, BUY, OrderType.LIMIT, Decimal(91_100), day=DAY, limits=limits)


def test_a_market_order_has_no_price_and_the_others_need_one():
    assert accept_price(KOSPI, BUY, OrderType.MARKET, None, day=DAY, limits=None) is None
    with pytest.raises(BadInput, match="has no price"):
        accept_price(KOSPI, BUY, OrderType.MARKET, Decimal(1), day=DAY, limits=None)
    with pytest.raises(BadInput, match="needs a price"):
        accept_price(KOSPI, BUY, OrderType.STOP, None, day=DAY, limits=None)


def test_a_split_divides_the_price_and_multiplies_what_remains():
    samsung = order(quantity="3", price="2650000", filled=Decimal(1))
    assert split_order(samsung, Decimal(50), DAY) == SplitOrder(Decimal(53_000), Decimal(100))


@pytest.mark.parametrize(
    ("side", "kind", "price"),
    [
        (BUY, OrderType.LIMIT, "71.68"), (SELL, OrderType.LIMIT, "71.69"),
        (BUY, OrderType.STOP, "71.69"), (SELL, OrderType.STOP, "71.68"),
    ],
)  # fmt: skip
def test_a_price_after_a_split_is_rounded_as_at_acceptance(side, kind, price):
    waiting = order(side, kind, quantity="7", price="215.05", listing=US)
    assert split_order(waiting, Decimal(3), DAY) == SplitOrder(Decimal(price), Decimal(21))


def test_a_reverse_split_rounds_the_quantity_down_and_ends_what_is_less_than_a_share():
    half = Decimal("0.5")
    assert split_order(order(quantity="3"), half, DAY) == SplitOrder(Decimal(40_000), Decimal(1))
    assert split_order(order(quantity="1"), half, DAY) == SplitOrder(None, None, TOO_SMALL_REASON)


def test_a_price_below_the_smallest_tick_ends_the_order():
    penny = order(listing=US, price="0.01")
    assert split_order(penny, Decimal(1000), DAY) == SplitOrder(None, None, OFF_TICK_REASON)


def test_a_market_order_and_fractions_go_through_a_split():
    waiting = order(kind=OrderType.MARKET, price=None, quantity="0.25", listing=US)
    assert split_order(waiting, Decimal("0.5"), DAY) == SplitOrder(None, Decimal("0.125"))
