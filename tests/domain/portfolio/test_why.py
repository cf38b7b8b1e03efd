"""Every figure names the rows behind it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from app.domain.portfolio.booking import keep_book
from app.domain.portfolio.valuation import Mark, value_portfolio
from app.domain.portfolio.why import FORMULAS, Figure, explain_position, explain_sale, explain_total
from tests.domain.portfolio.notation import entries

TEXT = """
    2021-01-04 DEPOSIT 5000 USD
    2021-01-04 BUY AAPL 10 x 100 USD fee=1
    2021-01-05 BUY AAPL 5 x 110 USD
    2021-01-06 SELL AAPL 12 x 120 USD
    2021-01-07 DIVIDEND AAPL 8 USD tax=1
"""
AT = datetime(2021, 1, 8, tzinfo=UTC)
BOOK = keep_book(entries(TEXT), base="KRW", rates=lambda *_: Decimal(1_200))
PRICE, RATE = Mark(Decimal(130), "yahoo", AT), Mark(Decimal(1_300), "ecb", AT)
VALUE = value_portfolio(BOOK, {"AAPL": PRICE}, {"USD": RATE})
(POSITION,) = VALUE.positions


@pytest.mark.parametrize(
    ("figure", "result"),
    [
        (Figure.VALUE, 507_000),
        (Figure.COST, 396_000),
        (Figure.UNREALISED, 111_000),
        (Figure.DAY_PNL, None),
    ],
)
def test_a_positions_figure_has_its_formula_numbers_and_rows(figure, result):
    why = explain_position(POSITION, figure)
    assert (why.result, why.formula) == (result, FORMULAS[figure])
    assert dict(why.terms) == {"quantity": 3, "price": 130, "rate": 1_300, "cost": 396_000}
    assert why.entries == (2, 3, 4, 5)
    assert why.prices == (("AAPL", PRICE),)
    assert why.rates == (("USD", RATE),)


def test_the_formula_of_the_unrealised_result_gives_it():
    terms = dict(explain_position(POSITION, Figure.UNREALISED).terms)
    assert (
        terms["quantity"] * terms["price"] * terms["rate"] - terms["cost"]
        == POSITION.base_unrealised
    )


def test_a_sale_names_the_purchases_it_took():
    why = explain_sale(BOOK.sales[0])
    assert why.entries == (2, 3, 4)
    assert why.result == (1_440 - 1_220) * 1_200
    assert dict(why.terms)["proceeds"] - dict(why.terms)["cost"] == why.result


def test_a_portfolios_figures_name_their_rows():
    total = explain_total(VALUE, BOOK, Figure.TOTAL)
    assert total.result == VALUE.total == sum(amount for _, amount in total.terms)
    assert (total.prices, total.rates) == ((("AAPL", PRICE),), (("USD", RATE),))
    realised = explain_total(VALUE, BOOK, Figure.REALISED)
    assert (realised.entries, realised.result) == ((4, 2), VALUE.realised)
    income = explain_total(VALUE, BOOK, Figure.INCOME)
    assert (income.entries, income.result, income.prices) == ((5,), 7 * 1_200, ())


def test_without_a_price_there_is_no_row_of_it():
    bare = value_portfolio(BOOK, {}, {}).positions[0]
    why = explain_position(bare, Figure.VALUE)
    assert (why.result, why.prices, why.rates) == (None, (), ())
