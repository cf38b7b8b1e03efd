"""The book: golden case G20, sales, and holdings below zero."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from app.domain.portfolio.book import Problem, Trouble
from app.domain.portfolio.booking import keep_book
from app.domain.transactions import LotMethod
from tests.domain.portfolio.notation import entries


def book(text, method=LotMethod.FIFO, rates=None, base="USD"):
    return keep_book(
        entries(text), base=base, method=method, rates=lambda c, _: (rates or {}).get(c)
    )


G20 = """
    2021-01-04 BUY AAPL 10 x 100 USD
    2021-01-05 BUY AAPL 10 x 120 USD
    2021-01-06 SELL AAPL 10 x 120 USD
"""


@pytest.mark.parametrize(("method", "gain", "left"), [(LotMethod.FIFO, 200, 1_200), (LotMethod.AVERAGE, 100, 1_100)])  # fmt: skip
def test_g20_two_purchases_and_a_sale(method, gain, left):
    kept = book(G20, method)
    (sale,) = kept.sales
    assert (sale.gain, sale.proceeds, sale.quantity) == (gain, 1_200, 10)
    assert sum(lot.cost for lot in kept.holdings["AAPL"].lots) == left
    assert kept.holdings["AAPL"].quantity == 10
    assert [lot.entry for lot in sale.lots] == [1]
    assert kept.entries["AAPL"] == [1, 2, 3]


@pytest.mark.parametrize("method", LotMethod)
def test_the_residue_after_selling_all_is_zero(method):
    kept = book(
        """
        2021-01-04 BUY AAPL 3 x 33.33 USD
        2021-01-05 BUY AAPL 4 x 77.77 USD
        2021-01-06 SELL AAPL 1 x 50 USD
        2021-01-07 SELL AAPL 2.333333 x 60 USD
        2021-01-08 SELL AAPL 3.666667 x 70 USD
        """,
        method,
    )
    held = kept.holdings["AAPL"]
    assert (held.quantity, list(held.lots)) == (0, [])
    assert sum(sale.cost for sale in kept.sales) == Decimal("411.07")


def test_a_sale_knows_its_costs_and_both_currencies():
    kept = book(
        """
        2021-01-04 BUY AAPL 10 x 100 USD fee=1
        2021-01-06 SELL AAPL 5 x 120 USD fee=2 tax=0.5
        """,
        rates={"USD": Decimal(1_000)},
        base="KRW",
    )
    (sale,) = kept.sales
    assert (sale.gain, sale.net, sale.base_gain) == (100, Decimal("97.5"), 100_000)
    assert (sale.day, sale.currency, sale.entry) == (date(2021, 1, 6), "USD", 2)
    assert [row.amount for row in kept.charges] == [1, Decimal("2.5")]


def test_a_sale_of_more_than_was_held_is_a_problem_and_a_later_purchase_closes_it():
    text = """
        2021-01-04 BUY AAPL 10 x 100 USD
        2021-01-05 SELL AAPL 15 x 120 USD
        2021-01-06 BUY AAPL 8 x 110 USD
    """
    short = book("\n".join(text.splitlines()[:3]))
    assert short.holdings["AAPL"].quantity == -5
    assert [lot.cost for lot in short.holdings["AAPL"].lots] == [-600]
    assert short.problems == [Problem(Trouble.OVERSOLD, date(2021, 1, 5), "AAPL", Decimal(5), 2)]
    kept = book(text)
    sold, bought_back = kept.sales
    assert (sold.quantity, sold.gain, sold.proceeds) == (10, 200, 1_200)
    assert (bought_back.quantity, bought_back.proceeds, bought_back.cost) == (-5, 600, 550)
    assert kept.holdings["AAPL"].quantity == 3
    assert [lot.cost for lot in kept.holdings["AAPL"].lots] == [330]
    part = book(text.replace("BUY AAPL 8 x", "BUY AAPL 0.5 x"))  # of a share, bought back
    assert [sale.quantity for sale in part.sales] == [10, Decimal("-0.5")]
    assert len(part.problems) == len(kept.problems) == 1


def test_parts_of_a_share_are_bought_one_after_the_other():
    kept = book("2021-01-04 BUY AAPL 0.5 x 100 USD\n2021-01-05 BUY AAPL 0.25 x 100 USD")
    assert [lot.quantity for lot in kept.holdings["AAPL"].lots] == [Decimal("0.5"), Decimal("0.25")]
    assert kept.sales == []


def test_selling_on_below_zero_names_only_what_was_sold_now():
    kept = book("2021-01-04 SELL AAPL 5 x 100 USD\n2021-01-05 SELL AAPL 3 x 100 USD")
    assert [problem.quantity for problem in kept.problems] == [5, 3]


def test_an_unknown_rate_is_named_and_leaves_no_number():
    kept = book(G20, base="KRW")
    assert kept.missing == {("USD", date(2021, 1, day)) for day in (4, 5, 6)}
    assert kept.sales[0].gain == 200
    assert kept.sales[0].base_gain is None
    assert kept.cash_fx is None
    assert kept.holdings["AAPL"].lots[0].base_cost is None
