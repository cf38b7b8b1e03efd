"""What should be booked of splits and dividends, against fractions worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from app.domain.portfolio.corporate_actions import Action, expect_actions
from tests.domain.portfolio.notation import entries

DAY = date(2021, 2, 1)
BOUGHT = entries("2021-01-04 BUY AAPL 10 x 100 USD\n2021-02-01 BUY AAPL 1 x 100 USD")


def split(new, old=1, symbol="AAPL", close=None, day=DAY):
    return Action(symbol, day, Decimal(new), Decimal(old), close=close)


def dividend(amount, symbol="AAPL", day=DAY):
    return Action(symbol, day, amount=Decimal(amount))


@pytest.mark.parametrize(
    ("actions", "booked"),
    [
        ([split(4)], [("30", "0", "0")]),  # the purchase of the day is of new shares
        ([split(1, 4)], [("-7.5", "0", "0")]),
        ([split(1, 3)], [("-6.66666667", "0", "0")]),
        ([dividend("0.205"), split(4)], [("30", "0", "0"), ("40", "8.20", "1.23")]),
        ([dividend("0.0004")], []),  # rounds to nothing
        ([split(4, symbol="MSFT"), dividend(1, "MSFT")], []),
        ([split(4), dividend(1, day=date(2021, 2, 2))], [("30", "0", "0"), ("41", "41", "6.15")]),
    ],
)
def test_what_is_booked(actions, booked):
    made = expect_actions(BOUGHT, actions).values()
    assert [(e.quantity, e.amount, e.tax) for e in made] == [
        tuple(map(Decimal, row)) for row in booked
    ]


def test_a_korean_fraction_is_paid_at_the_close_and_waits_for_it():
    held = entries("2021-01-04 BUY 005930.KS 7 x 1000 KRW")
    (paid,) = expect_actions(held, [split(1, 5, "005930.KS", Decimal(5000))]).values()
    assert (paid.quantity, paid.amount, paid.currency) == (-6, 2000, "KRW")
    assert expect_actions(held, [split(1, 5, "005930.KS")]) == {}


def test_what_is_written_by_hand_is_not_expected():
    held = [*BOUGHT, *entries("2021-02-01 DIVIDEND AAPL 5 USD")]
    assert expect_actions(held, [dividend(1)]) == {}
