"""The order of positions."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.portfolio.booking import keep_book
from app.domain.portfolio.position_order import PositionSort, sort_positions
from app.domain.portfolio.valuation import Mark, value_portfolio
from tests.domain.portfolio.notation import entries

HELD = """
    2021-01-04 BUY AAA 10 x 7 USD
    2021-01-04 BUY BBB 9 x 10 USD
    2021-01-04 BUY CCC 1 x 10 USD
"""
PRICES = {"AAA": "6", "CCC": "100"}
NAMES = {"AAA": "mid", "BBB": "alpha", "CCC": "zed"}


@pytest.mark.parametrize(
    ("by", "largest_first"),
    [
        (PositionSort.NAME, "CCC AAA BBB"),
        (PositionSort.QUANTITY, "AAA BBB CCC"),
        (PositionSort.PRICE, "CCC AAA BBB"),
        (PositionSort.VALUE, "CCC AAA BBB"),
        (PositionSort.WEIGHT, "CCC AAA BBB"),
        (PositionSort.RESULT, "CCC AAA BBB"),
        (PositionSort.TODAY, "AAA BBB CCC"),  # not known of any
    ],
)
def test_every_order_either_way_and_what_is_not_known_comes_last(by, largest_first):
    """BBB has no price: whatever needs one leaves it at the end, sorted up or down."""
    book = keep_book(entries(HELD), base="USD", rates=lambda _currency, _day: None)
    marks = {symbol: Mark(Decimal(price), "test") for symbol, price in PRICES.items()}
    rows = value_portfolio(book, marks, {}).positions
    order = [
        [row.symbol for row in sort_positions(rows, by, ascending=up, name_of=lambda r: NAMES[r.symbol])]
        for up in (False, True)
    ]  # fmt: skip
    down = largest_first.split()
    assert order[0] == down
    known = {PositionSort.NAME: 3, PositionSort.QUANTITY: 3, PositionSort.TODAY: 0}.get(by, 2)
    assert order[1] == down[:known][::-1] + down[known:]
