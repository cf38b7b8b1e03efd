"""Yahoo's fundamentals in our names and units."""

from __future__ import annotations

import pytest

from app.adapters.yahoo_fundamentals import read_fundamentals
from app.adapters.yahoo_parse import Malformed

INFO = {"currency": "USD", "financialCurrency": "TWD", "marketCap": 9, "debtToEquity": 154.5}
INFO |= {"maxAge": 86400, "marketState": "CLOSED"}


def test_percentages_become_fractions():
    found = read_fundamentals("TSM", INFO | {"dividendYield": 2.05})
    assert (found.debt_to_equity, found.dividend_yield) == (1.545, 0.0205)
    assert (found.currency, found.statement_currency) == ("USD", "TWD")


def test_the_yield_of_the_last_year_comes_first():
    told = {"dividendYield": 2.05, "trailingAnnualDividendYield": 0.0}
    assert read_fundamentals("TSM", INFO | told).dividend_yield == 0.0


@pytest.mark.parametrize("value", ["Infinity", True, float("nan")])
def test_a_percentage_that_is_none_is_refused(value):
    found = read_fundamentals("TSM", INFO | {"debtToEquity": value})
    assert found.refused == ("debt_to_equity",)


@pytest.mark.parametrize("currency", [None, "GBp", "EUR", 5])
def test_another_currency_is_no_answer(currency):
    with pytest.raises(Malformed, match="the currency of TSM"):
        read_fundamentals("TSM", INFO | {"currency": currency})


@pytest.mark.parametrize("currency", [None, "usd", "DOLLAR", 5])
def test_statements_in_a_currency_that_is_none_have_none(currency):
    assert (
        read_fundamentals("TSM", INFO | {"financialCurrency": currency}).statement_currency is None
    )


@pytest.mark.parametrize("half", ["maxAge", "marketState"])
def test_half_an_answer_is_none(half):
    told = {name: value for name, value in INFO.items() if name != half}
    with pytest.raises(Malformed, match="half of the answer about TSM is missing"):
        read_fundamentals("TSM", told)
