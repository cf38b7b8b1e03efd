"""Fills: G36 and every reason to fill or to wait."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.trading.fills import (
    Conditions,
    Outcome,
    Price,
    PriceBar,
    Why,
    decide_first,
    decide_on_bar,
    decide_on_price,
)
from app.domain.trading.limits import price_limits
from app.domain.trading.listings import Listing
from app.domain.trading.orders import Order, OrderType, TimeInForce
from app.domain.trading.tables import Market
from app.domain.trading.ticks import Side

DAY = date(2026, 3, 3)
AT = datetime(2026, 3, 3, 1, tzinfo=UTC)
LATER = AT + timedelta(minutes=1)
KOSPI, US = Listing(Market.KOSPI), Listing(Market.US)
BUY, SELL = Side.BUY, Side.SELL
MARKET, LIMIT, STOP = OrderType
FREE = Conditions(DAY)
LIMITED = Conditions(DAY, price_limits(KOSPI, Decimal(10_000), DAY))  # 7,000 to 13,000


def order(side, kind, price=None, quantity="10", *, listing=US, **rest):
    terms = {"lifetime": TimeInForce.GTC, "accepted_at": AT, **rest}
    price = None if price is None else Decimal(price)
    return Order(listing, side, kind, Decimal(quantity), price, **terms)


def bar(text, volume=1_000, opens_at=LATER):
    """`open high low close`, with - for no open."""
    first, high, low, close = text.split()
    opened = None if first == "-" else Decimal(first)
    return PriceBar(opens_at, opened, Decimal(high), Decimal(low), Decimal(close), Decimal(volume))


def told(decision):
    """The decision as one line: WHY, or WHY price x quantity."""
    if decision.outcome is not Outcome.FILL:
        return f"{decision.outcome} {decision.why}"
    return f"{decision.why} {decision.price:f} x {decision.quantity:f}"


@pytest.mark.parametrize(
    ("side", "kind", "price", "prices", "expected"),
    [
        (BUY, MARKET, None, "100 105 95 101", "NEXT_PRICE 100 x 10"),
        (SELL, MARKET, None, "100 105 95 101", "NEXT_PRICE 100 x 10"),
        (BUY, LIMIT, "98", "100 105 97.99 101", "WENT_THROUGH 98 x 10"),
        (BUY, LIMIT, "98", "100 105 98 101", "WAIT TOUCHED"),
        (BUY, LIMIT, "98", "100 105 98.01 101", "WAIT NOT_REACHED"),
        (BUY, LIMIT, "98", "97 105 96 101", "OPENED_BEYOND 97 x 10"),
        (BUY, LIMIT, "98", "98 105 98 101", "OPENED_BEYOND 98 x 10"),
        (SELL, LIMIT, "102", "100 102.01 97 101", "WENT_THROUGH 102 x 10"),
        (SELL, LIMIT, "102", "100 102 97 101", "WAIT TOUCHED"),
        (SELL, LIMIT, "102", "100 101 97 101", "WAIT NOT_REACHED"),
        (SELL, LIMIT, "102", "103 104 97 101", "OPENED_BEYOND 103 x 10"),
        (SELL, STOP, "95", "100 105 95 101", "STOP_MET 95 x 10"),
        (SELL, STOP, "95", "100 105 95.01 101", "WAIT NOT_REACHED"),
        (SELL, STOP, "95", "93 96 92 94", "OPENED_BEYOND 93 x 10"),  # G36: gap through the stop
        (BUY, STOP, "105", "100 105 95 101", "STOP_MET 105 x 10"),
        (BUY, STOP, "105", "107 108 104 106", "OPENED_BEYOND 107 x 10"),
        (BUY, STOP, "105", "100 104.99 95 101", "WAIT NOT_REACHED"),
    ],
)
def test_what_a_bar_does_to_an_order(side, kind, price, prices, expected):
    assert told(decide_on_bar(order(side, kind, price), bar(prices), FREE)) == expected


@pytest.mark.parametrize(
    ("side", "kind", "price", "quote", "first", "expected"),
    [
        (BUY, MARKET, None, "100", False, "NEXT_PRICE 100 x 10"),
        (BUY, LIMIT, "98", "97", False, "WENT_THROUGH 98 x 10"),
        (BUY, LIMIT, "98", "97", True, "OPENED_BEYOND 97 x 10"),
        (BUY, LIMIT, "98", "98", False, "WAIT TOUCHED"),
        (BUY, LIMIT, "98", "98", True, "OPENED_BEYOND 98 x 10"),
        (SELL, LIMIT, "98", "99", False, "WENT_THROUGH 98 x 10"),
        (SELL, LIMIT, "98", "97", False, "WAIT NOT_REACHED"),
        (SELL, STOP, "98", "97.50", False, "OPENED_BEYOND 97.50 x 10"),
        (SELL, STOP, "98", "98.01", False, "WAIT NOT_REACHED"),
    ],
)
def test_what_a_quote_does_to_an_order(side, kind, price, quote, first, expected):
    decision = decide_on_price(order(side, kind, price), Price(LATER, Decimal(quote), first), FREE)
    assert told(decision) == expected


@pytest.mark.parametrize("at", [AT - timedelta(minutes=15), AT])
def test_a_price_that_is_not_later_than_the_order_fills_nothing(at):
    waiting = order(BUY, MARKET)
    assert told(decide_on_price(waiting, Price(at, Decimal(100)), FREE)) == "WAIT TOO_EARLY"
    assert (
        told(decide_on_bar(waiting, bar("100 100 100 100", opens_at=at), FREE)) == "WAIT TOO_EARLY"
    )


def test_g36_a_stop_and_a_target_in_one_bar_the_stop_came_first():
    stop, target = order(SELL, STOP, "95"), order(SELL, LIMIT, "105")
    assert decide_first(stop, target, bar("100 106 94 100"), FREE)[0] is stop
    assert decide_first(stop, target, bar("106 107 94 100"), FREE)[0] is target
    assert decide_first(stop, target, bar("93 106 92 100"), FREE)[0] is stop
    assert decide_first(stop, target, bar("100 106 96 100"), FREE)[0] is target
    assert decide_first(stop, target, bar("100 105 96 100"), FREE) is None


@pytest.mark.parametrize(
    ("side", "prices", "expected"),
    [
        (BUY, "13000 13000 13000 13000", "WAIT LOCKED"),
        (SELL, "13000 13000 13000 13000", "NEXT_PRICE 13000 x 10"),
        (SELL, "7000 7000 7000 7000", "WAIT LOCKED"),
        (BUY, "7000 7000 7000 7000", "NEXT_PRICE 7000 x 10"),
        (BUY, "13000 13000 12900 13000", "NEXT_PRICE 13000 x 10"),
    ],
)
def test_g36_nothing_fills_on_the_locked_side(side, prices, expected):
    waiting = order(side, MARKET, listing=KOSPI)
    assert told(decide_on_bar(waiting, bar(prices), LIMITED)) == expected


@pytest.mark.parametrize("case", [bar("100 100 100 100", volume=0), bar("- 100 100 100")])
def test_g36_a_halt_or_no_volume_fills_nothing(case):
    assert told(decide_on_bar(order(BUY, MARKET), case, FREE)) == "WAIT HALTED"


def test_a_halted_instruments_quote_fills_nothing():
    halted = Conditions(DAY, halted=True)
    assert (
        told(decide_on_price(order(BUY, MARKET), Price(LATER, Decimal(100)), halted))
        == "WAIT HALTED"
    )


def test_a_locked_stop_is_met_and_sells_at_the_next_price_even_above_it():
    stop = order(SELL, STOP, "8000", listing=KOSPI)
    locked = decide_on_bar(stop, bar("7000 7000 7000 7000"), LIMITED)
    assert (told(locked), locked.triggered) == ("WAIT LOCKED", True)
    met = order(SELL, STOP, "8000", listing=KOSPI, triggered=True)
    assert told(decide_on_bar(met, bar("9000 9100 8900 9000"), LIMITED)) == "NEXT_PRICE 9000 x 10"


def test_slippage_moves_market_fills_against_the_order_to_a_tick_within_the_limits():
    slippery = Conditions(DAY, LIMITED.limits, slippage=Decimal("0.001"))
    for side, price, filled in (
        (BUY, 10_000, "10010"),
        (SELL, 10_000, "9990"),
        (BUY, 12_995, "13000"),
    ):
        decision = decide_on_price(
            order(side, MARKET, listing=KOSPI), Price(LATER, Decimal(price)), slippery
        )
        assert told(decision) == f"NEXT_PRICE {filled} x 10"
    stop = order(SELL, STOP, "9000", listing=KOSPI)
    assert told(decide_on_bar(stop, bar("10000 10000 8900 9500"), slippery)) == "STOP_MET 8990 x 10"
    limit = order(BUY, LIMIT, "9000", listing=KOSPI)
    assert (
        told(decide_on_bar(limit, bar("10000 10000 8900 9500"), slippery))
        == "WENT_THROUGH 9000 x 10"
    )


def test_an_order_takes_a_part_of_the_volume_and_the_rest_waits():
    capped = Conditions(DAY, volume_part=Decimal("0.1"))
    waiting = order(BUY, MARKET, quantity="100", listing=KOSPI)
    assert (
        told(decide_on_bar(waiting, bar("100 100 100 100", volume=555), capped))
        == "NEXT_PRICE 100 x 55"
    )
    assert (
        told(decide_on_bar(waiting, bar("100 100 100 100", volume=9), capped)) == "WAIT VOLUME_USED"
    )
    rest = order(BUY, MARKET, quantity="100", filled=Decimal(95), listing=KOSPI)
    assert (
        told(decide_on_bar(rest, bar("100 100 100 100", volume=555), capped))
        == "NEXT_PRICE 100 x 5"
    )
    fraction = order(BUY, MARKET, quantity="2.5")
    assert (
        told(decide_on_bar(fraction, bar("100 100 100 100", volume=9), capped))
        == "NEXT_PRICE 100 x 0.9"
    )
    assert (
        told(decide_on_bar(waiting, bar("100 100 100 100", volume=9), FREE))
        == "NEXT_PRICE 100 x 100"
    )


def test_a_day_order_expires_after_the_real_close_and_fills_at_it():
    close = AT + timedelta(hours=5)
    waiting = order(BUY, MARKET, lifetime=TimeInForce.DAY, closes_at=close)
    assert told(decide_on_price(waiting, Price(close, Decimal(100)), FREE)) == "NEXT_PRICE 100 x 10"
    late = Price(close + timedelta(seconds=1), Decimal(100))
    assert told(decide_on_price(waiting, late, FREE)) == "EXPIRE SESSION_OVER"


def test_a_day_order_outside_the_sessions_limits_is_rejected_and_gtc_goes_on():
    terms = {"listing": KOSPI, "closes_at": AT + timedelta(hours=5)}
    today = order(BUY, LIMIT, "6000", lifetime=TimeInForce.DAY, **terms)
    usual = bar("10000 10100 9900 10000")
    assert told(decide_on_bar(today, usual, LIMITED)) == "REJECT OUTSIDE_LIMITS"
    assert (
        told(decide_on_bar(order(BUY, LIMIT, "6000", **terms), usual, LIMITED))
        == "WAIT NOT_REACHED"
    )


PRICES = st.integers(7_000, 13_000).map(lambda n: Decimal(n // 10 * 10))


@given(
    st.lists(PRICES, min_size=4, max_size=4),
    PRICES,
    st.sampled_from(Side),
    st.sampled_from(OrderType),
)
def test_a_fill_is_never_better_than_the_bar_and_never_worse_than_the_limit(
    four, wanted, side, kind
):
    low, *inner, high = sorted(four)
    day = PriceBar(LATER, inner[0], high, low, inner[1], Decimal(100))
    waiting = order(side, kind, None if kind is MARKET else wanted, listing=KOSPI)
    decision = decide_on_bar(waiting, day, LIMITED)
    if decision.outcome is Outcome.FILL:
        assert low <= decision.price <= high
        if kind is LIMIT:
            assert decision.price <= wanted if side is BUY else decision.price >= wanted
        assert decision.why in {Why.NEXT_PRICE, Why.OPENED_BEYOND, Why.WENT_THROUGH, Why.STOP_MET}
