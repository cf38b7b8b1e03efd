"""Every figure names the rows behind it, and they make it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, localcontext

import pytest

from app.domain.portfolio.booking import keep_book
from app.domain.portfolio.lots import PRECISE
from app.domain.portfolio.valuation import Mark, value_portfolio
from app.domain.portfolio.why import (
    BOOKED,
    Figure,
    explain_booked,
    explain_portfolio,
    explain_position,
)
from tests.domain.portfolio.notation import entries

TEXT = """
    2021-01-04 DEPOSIT 5000 USD
    2021-01-04 BUY AAPL 10 x 100 USD fee=1
    2021-01-05 BUY AAPL 5 x 110 USD
    2021-01-06 SELL AAPL 12 x 120 USD
    2021-01-07 DIVIDEND AAPL 8 USD tax=1
"""
AT = datetime(2021, 1, 8, tzinfo=UTC)
ENTRIES = entries(TEXT)
BOOK = keep_book(ENTRIES, base="KRW", rates=lambda _, day: Decimal(1_200 + day.day))
PRICE, RATE = Mark(Decimal(130), "yahoo", AT), Mark(Decimal(1_300), "ecb", AT)
VALUE = value_portfolio(BOOK, {"AAPL": PRICE}, {"USD": RATE})
(POSITION,) = VALUE.positions


def total(why):
    with localcontext(PRECISE):
        return sum(line.base for line in why.lines)


@pytest.mark.parametrize(
    ("figure", "result"),
    [
        (Figure.VALUE, 507_000),
        (Figure.UNREALISED, 507_000 - 330 * 1_205),
        (Figure.PRICE_PART, 60 * 1_205),
        (Figure.FX_PART, 330 * 95),
        (Figure.CROSS_PART, 60 * 95),
        (Figure.DAY_PNL, None),
    ],
)
def test_a_positions_figure_has_its_numbers_and_rows(figure, result):
    why = explain_position(BOOK, POSITION, figure)
    terms = dict(why.terms)
    assert why.result == result
    assert (terms["quantity"], terms["price"], terms["rate"]) == (3, 130, 1_300)
    assert why.entries == (2, 3, 4, 5)
    assert why.prices == (("AAPL", PRICE),)
    assert why.rates == (("USD", RATE),)


def test_the_terms_give_the_unrealised_result():
    terms = dict(explain_position(BOOK, POSITION, Figure.UNREALISED).terms)
    value = terms["quantity"] * terms["price"] * terms["rate"]
    assert value - terms["baseCost"] == POSITION.base_unrealised


def test_cost_is_that_of_the_lots_and_shares_are_those_of_the_transactions():
    cost = explain_position(BOOK, POSITION, Figure.COST)
    assert [(x.amount, x.base, x.entry, str(x.day)) for x in cost.lines] == [
        (330, 330 * 1_205, 3, "2021-01-05")
    ]
    assert cost.result == POSITION.base_cost
    shares = explain_position(BOOK, POSITION, Figure.QUANTITY, ENTRIES)
    assert [(x.name, x.amount) for x in shares.lines] == [("BUY", 10), ("BUY", 5), ("SELL", -12)]
    assert shares.result == 3


@pytest.mark.parametrize(
    ("figure", "result"),
    [
        (Figure.TOTAL, VALUE.total),
        (Figure.VALUE, VALUE.market_value),
        (Figure.CASH, VALUE.cash_value),
        (Figure.COST, VALUE.cost),
        (Figure.UNREALISED, VALUE.unrealised),
        (Figure.PRICE_PART, VALUE.parts.price),
        (Figure.FX_PART, VALUE.parts.fx),
        (Figure.CROSS_PART, VALUE.parts.cross),
        (Figure.CASH_FX, VALUE.cash_fx),
        (Figure.REALISED, VALUE.realised),
        (Figure.INCOME, VALUE.income),
        (Figure.FLOWS, VALUE.flows),
    ],
)
def test_a_portfolios_figure_is_the_sum_of_its_lines(figure, result):
    booked = figure in BOOKED
    why = explain_booked(BOOK, figure) if booked else explain_portfolio(VALUE, figure)
    assert why.result == result == total(why)
    assert bool(why.entries) is booked


def test_the_days_result_names_what_is_left_for_cash():
    why = explain_portfolio(VALUE, Figure.DAY_PNL, Decimal(12))
    assert (why.result, why.lines[-1].base) == (12, None)  # without the closes before


def test_a_symbol_has_its_own_sales_and_charges():
    why = explain_booked(BOOK, Figure.REALISED, "AAPL")
    assert why.entries == (4, 2)
    assert [line.base for line in why.lines] == [
        BOOK.sales[0].base_gain,
        -BOOK.charges[0].base,
    ]
    assert explain_booked(BOOK, Figure.INCOME, "MSFT").result == 0


def test_without_a_price_there_is_no_row_of_it():
    bare = value_portfolio(BOOK, {}, {}).positions[0]
    why = explain_position(BOOK, bare, Figure.VALUE)
    assert (why.result, why.prices, why.rates) == (None, (), ())
