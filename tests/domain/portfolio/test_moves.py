"""Moves: what entries change in shares and cash agrees with the book."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import given, settings

from app.domain.portfolio.booking import keep_book
from app.domain.portfolio.moves import cash_flow, cash_moves, share_flow, share_moves
from tests.domain.portfolio.notation import entries, entry
from tests.domain.portfolio.test_booking import histories, won_per_dollar

EVERYTHING = """
    2021-01-04 OPENING AAPL 10 x 100 USD fee=1
    2021-01-04 DEPOSIT 1000000 KRW
    2021-01-05 EXCHANGE 500000 KRW to 400 USD fee=100
    2021-01-05 BUY TSLA 2 x 90 USD fee=1
    2021-01-06 SPLIT AAPL 4:1 +30
    2021-01-06 SPLIT TSLA 1:4 -2 amount=40 currency=USD
    2021-01-07 SELL AAPL 5 x 30 USD fee=1 tax=2
    2021-01-08 DIVIDEND AAPL 8 USD tax=1
    2021-01-08 INTEREST 10 KRW tax=1
    2021-01-08 FEE 3 USD
    2021-01-08 TAX 4 KRW
    2021-01-11 BONUS AAPL quantity=5 amount=2 currency=USD
    2021-01-12 RIGHTS AAPL 4 x 20 USD fee=1
    2021-01-13 SPIN_OFF AAPL to NEWC quantity_to=11 cost_share=0.1 amount=3 currency=USD tax=1
    2021-01-14 MERGER NEWC to BIGC quantity=-11 quantity_to=5 amount=7 currency=USD
    2021-01-15 SYMBOL_CHANGE AAPL to APPL quantity=-44 quantity_to=44
    2021-01-18 TRANSFER APPL 6 x 20 USD
    2021-01-18 TRANSFER APPL -2 x 20 USD
    2021-01-18 TRANSFER -30 USD
    2021-01-19 DELISTING BIGC quantity=-5 amount=1 currency=USD
    2021-01-20 WITHDRAWAL 100 KRW
"""


def summed(history, moves):
    total = defaultdict(Decimal)
    for one in history:
        for key, amount in moves(one):
            total[key] += amount
    return {key: amount for key, amount in total.items() if amount}


def check(history):
    kept = keep_book(history, base="KRW", rates=won_per_dollar)
    shares = {symbol: held.quantity for symbol, held in kept.holdings.items() if held.quantity}
    assert summed(history, share_moves) == shares
    assert summed(history, cash_moves) == {
        c: p.quantity for c, p in kept.cash.items() if p.quantity
    }


def test_every_kind_moves_what_the_book_holds():
    history = entries(EVERYTHING)
    check(history)
    assert summed(history, share_moves) == {"APPL": 48}


@settings(max_examples=50, deadline=None)
@given(histories())
def test_moves_agree_with_the_book(history):
    check(history)


@pytest.mark.parametrize(
    ("line", "money", "shares"),
    [
        ("DEPOSIT 5 USD", 5, 0), ("WITHDRAWAL 5 USD", -5, 0), ("TRANSFER -5 USD fee=1", -5, 0),
        ("TRANSFER AAPL 3 x 5 USD", 0, 3), ("TRANSFER AAPL -3 x 5 USD", 0, -3),
        ("OPENING AAPL 3 x 5 USD", 0, 3), ("BUY AAPL 3 x 5 USD", 0, 0), ("FEE 5 USD", 0, 0),
    ],
)  # fmt: skip
def test_what_comes_from_outside(line, money, shares):
    one = entry(f"2021-01-04 {line}")
    assert (cash_flow(one), share_flow(one)) == (money, shares)
