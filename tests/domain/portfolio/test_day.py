"""The day's result: what was held in the morning and what was put in since."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.portfolio.booking import keep_book
from app.domain.portfolio.day import cash_result, start_of_day
from app.domain.portfolio.lots import PRECISE
from app.domain.portfolio.moves import cash_moves, share_moves
from app.domain.portfolio.valuation import Mark, value_portfolio
from app.domain.transactions import TransactionKind, standing
from tests.domain.portfolio.notation import entries
from tests.domain.portfolio.test_booking import START, SYMBOLS, histories

DAY = date(2021, 1, 6)
RATE = Decimal(1_200)


def start_of(kept, day=DAY, days=MappingProxyType({})):
    return start_of_day(keep_book(kept, base="KRW", rates=lambda *_: RATE), kept, day, days)


def start(text):
    return start_of(entries(text))


def day_pnl(text, price, before, rate_before=1_200):
    kept = entries(text)
    book = keep_book(kept, base="KRW", rates=lambda *_: RATE)
    marks = {
        "AAPL": Mark(Decimal(price), "test", before=None if before is None else Decimal(before))
    }
    rates = {"USD": Mark(RATE, "test", before=Decimal(rate_before))}
    value = value_portfolio(book, marks, rates, day=start(text))
    return {position.symbol: position.day_pnl for position in value.positions}["AAPL"]


HELD = "2021-01-04 BUY AAPL 10 x 100 USD fee=1\n"


def test_the_morning_knows_what_was_there_before_the_day():
    told = start(HELD + "2021-01-06 BUY AAPL 5 x 110 USD\n2021-01-06 SELL AAPL 2 x 111 USD")
    assert (told.day, dict(told.shares)) == (DAY, {"AAPL": 10})
    assert dict(told.cash) == {"USD": -1_001}
    assert told.bought == {"AAPL": 550 - 222}


def test_a_holding_gains_what_its_price_and_rate_gain():
    assert day_pnl(HELD, 110, 105) == 10 * 5 * 1_200
    assert day_pnl(HELD, 110, 105, rate_before=1_190) == 10 * 110 * 1_200 - 10 * 105 * 1_190


def test_a_holding_in_the_portfolios_own_currency_gains_what_its_price_gains():
    kept = entries("2021-01-04 BUY 005930.KS 10 x 70000 KRW")
    book = keep_book(kept, base="KRW", rates=lambda *_: None)
    marks = {"005930.KS": Mark(Decimal(70_500), "test", before=Decimal(70_100))}
    (position,) = value_portfolio(book, marks, {}, day=start_of_day(book, kept, DAY)).positions
    assert position.day_pnl == 4_000
    assert position.rate == Mark(Decimal(1), "same currency", before=Decimal(1))


def test_what_was_bought_and_sold_today_gains_from_its_own_price():
    text = HELD + "2021-01-06 BUY AAPL 5 x 108 USD\n2021-01-06 SELL AAPL 2 x 111 USD"
    assert day_pnl(text, 110, 105) == (10 * 5 + 5 * 2 + 2 * 1) * 1_200


def test_a_position_closed_today_keeps_its_result_of_the_day():
    assert day_pnl(HELD + "2021-01-06 SELL AAPL 10 x 107 USD", 110, 105) == 10 * 2 * 1_200


def test_a_position_opened_today_needs_no_close_before():
    assert day_pnl("2021-01-06 BUY AAPL 10 x 100 USD", 110, None) == 10 * 10 * 1_200
    assert day_pnl(HELD, 110, None) is None


def test_without_a_price_or_a_rate_there_is_no_result_of_the_day():
    book = keep_book(entries(HELD), base="KRW", rates=lambda *_: RATE)
    price, rate = Mark(Decimal(110), "test", before=Decimal(105)), Mark(RATE, "test", before=RATE)
    for prices, rates in (
        ({}, {"USD": rate}),
        ({"AAPL": price}, {}),
        ({"AAPL": price}, {"USD": Mark(RATE, "test")}),
    ):
        (position,) = value_portfolio(book, prices, rates, day=start(HELD)).positions
        assert position.day_pnl is None


def test_a_split_of_the_day_has_been_applied_to_the_morning_as_to_the_close_before():
    assert (
        day_pnl(HELD + "2021-01-06 SPLIT AAPL 4:1 +30", 27, "26.25") == 40 * Decimal("0.75") * 1_200
    )


def test_shares_that_came_today_count_from_their_cost_and_rights_from_their_price():
    assert start("2021-01-06 RIGHTS AAPL 10 x 50 USD").bought == {"AAPL": 500}
    assert start("2021-01-06 TRANSFER AAPL 10 x 50 USD").bought == {"AAPL": 500}
    assert start(HELD + "2021-01-06 DELISTING AAPL quantity=-1 amount=5 currency=USD").bought == {
        "AAPL": -5
    }
    assert start("2021-01-06 DIVIDEND AAPL 5 USD").bought == {}


@pytest.mark.parametrize(
    ("odd", "now"),
    [
        ("TRANSFER AAPL -15 x 50 USD", {}),
        ("DELISTING AAPL quantity=-15 amount=5 currency=USD", {}),
        ("MERGER AAPL to BIGC quantity=-15 quantity_to=5", {"BIGC": 5}),
        ("BONUS MSFT quantity=3", {"AAPL": 10}),
        ("SPIN_OFF MSFT to NEWC quantity_to=5 cost_share=0.2", {"AAPL": 10}),
    ],
)
def test_an_entry_for_more_shares_than_there_were_leaves_the_morning_as_it_was(odd, now):
    for day in ("2021-01-06", "2021-01-07"):
        kept = entries(HELD + f"{day} {odd}\n{day} DEPOSIT 5 USD")
        book = keep_book(kept, base="KRW", rates=lambda *_: RATE)
        assert {s: held.quantity for s, held in book.holdings.items() if held.quantity} == now
        assert start_of(kept).shares == {"AAPL": 10}
        assert start_of(kept, days={"AAPL": date(2021, 1, 4)}).shares == {}
        assert start_of(kept).cash == {"USD": -1_001}


def test_what_comes_after_the_day_does_not_count():
    told = start(HELD + "2021-01-07 BUY AAPL 5 x 108 USD")
    assert (dict(told.shares), told.bought) == ({"AAPL": 10}, {})


def test_each_symbol_may_be_at_a_day_of_its_own():
    text = (
        HELD
        + """
        2021-01-05 BUY AAPL 5 x 108 USD
        2021-01-06 BUY AAPL 1 x 109 USD
        2021-01-05 BUY 005930.KS 2 x 80000 KRW
        2021-01-06 SELL 005930.KS 1 x 81000 KRW
    """
    )
    told = start_of(sorted(entries(text), key=lambda e: e.day), days={"AAPL": date(2021, 1, 5)})
    assert told.shares == {"AAPL": 10, "005930.KS": 2}
    assert told.bought == {"AAPL": 540, "005930.KS": -81_000}
    assert told.cash == {"USD": -1_001 - 540, "KRW": -160_000}  # all of it by the newest day


@settings(max_examples=60, deadline=None)
@given(histories(), st.integers(0, 29), st.dictionaries(SYMBOLS, st.integers(0, 29)))
def test_it_is_what_a_loop_from_the_first_entry_finds(history, place, places):
    day = START + timedelta(days=place)
    days = {symbol: START + timedelta(days=n) for symbol, n in places.items()}
    shares, cash = defaultdict(Decimal), defaultdict(Decimal)
    for one in standing(history):
        for symbol, quantity in share_moves(one):
            own = days.get(symbol, day)
            if one.day < own or (one.day == own and one.kind is TransactionKind.SPLIT):
                shares[symbol] += quantity
        for currency, amount in cash_moves(one):
            cash[currency] += amount if one.day < day else 0
    told = start_of(history, day, days)
    assert told.shares == {symbol: n for symbol, n in shares.items() if n}
    assert told.cash == {currency: n for currency, n in cash.items() if n}


def test_cash_gains_by_its_rate():
    told = start(
        "2021-01-04 DEPOSIT 60 USD\n2021-01-05 DEPOSIT 40 USD\n2021-01-05 DEPOSIT 9 KRW\n2021-01-06 DEPOSIT 50 USD"
    )
    now, before = (
        {"USD": Decimal(1_200), "KRW": Decimal(1)},
        {"USD": Decimal(1_190), "KRW": Decimal(1)},
    )
    assert cash_result(told, now, before) == 1_000
    assert cash_result(told, now, {}) is None


def test_what_a_rate_makes_of_much_cash_is_exact_to_the_last_digit():
    told = start("2021-01-05 DEPOSIT 123456789012345.67 USD")
    now, before = {"USD": Decimal("1234.12345679")}, {"USD": Decimal("1.00000001")}
    exact = 12345678901234567 * 123312345678  # of 10⁻¹⁰; 28 digits would not do
    assert cash_result(told, now, before) == PRECISE.scaleb(Decimal(exact), -10)
