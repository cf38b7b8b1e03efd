"""Sums over all that a book has."""

from __future__ import annotations

from decimal import Decimal

from app.domain.portfolio.booking import keep_book
from app.domain.portfolio.sums import Sum, sum_income, sum_sales
from tests.domain.portfolio.notation import entries

BOOK = """
    2021-01-04 BUY AAPL 10 x 100 USD fee=1
    2021-01-04 BUY 005930.KS 10 x 70000 KRW
    2021-01-29 SELL AAPL 2 x 110 USD fee=1
    2021-01-29 DIVIDEND AAPL 8 USD tax=1
    2021-02-01 SELL AAPL 3 x 90 USD
    2021-02-01 SELL 005930.KS 1 x 69000 KRW
    2021-02-01 INTEREST 9 KRW
    2021-02-01 INTEREST 2 KRW
"""


def test_all_sales_and_all_income_are_in_the_sums_and_a_missing_rate_makes_none():
    known = keep_book(entries(BOOK), base="KRW", rates=lambda _currency, _day: Decimal(1000))
    assert sum_sales(known.sales) == {"AAPL": Sum(2, Decimal(-10_000)), "005930.KS": Sum(1, -1000)}
    assert sum_income(known.income) == {"2021-01": Sum(1, Decimal(7000)), "2021-02": Sum(2, 11)}
    unknown = keep_book(entries(BOOK), base="KRW", rates=lambda _currency, _day: None)
    assert sum_sales(unknown.sales) == {"AAPL": Sum(2, None), "005930.KS": Sum(1, -1000)}
    assert sum_income(unknown.income) == {"2021-01": Sum(1, None), "2021-02": Sum(2, 11)}
