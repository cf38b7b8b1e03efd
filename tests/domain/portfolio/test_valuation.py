"""Valuation: G01, G03, G23, and the identities of a portfolio's figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.bars import PriceBasis, adjust, to_as_traded
from app.domain.portfolio.booking import keep_book
from app.domain.portfolio.lots import PRECISE, sum_known
from app.domain.portfolio.valuation import Mark, Parts, split_result, value_portfolio
from app.domain.transactions import LotMethod
from tests.domain.portfolio.notation import EVERYTHING, entries
from tests.domain.portfolio.test_booking import histories, won_per_dollar


def value(text, prices, rates=None, base="KRW", bought_at=None):
    book = keep_book(entries(text), base=base, rates=lambda c, _: (bought_at or rates or {}).get(c))
    return value_portfolio(
        book,
        {symbol: Mark(Decimal(price), "test") for symbol, price in prices.items()},
        {currency: Mark(Decimal(rate), "test") for currency, rate in (rates or {}).items()},
    )


def bars(closes, first=date(2021, 1, 4)):
    days = pl.date_range(first, first.replace(day=first.day + len(closes) - 1), eager=True)
    prices = {name: [float(c) for c in closes] for name in ("open", "high", "low", "close")}
    return pl.DataFrame({"day": days, **prices, "volume": [1] * len(closes)})


def test_g01_a_reverse_split_does_not_make_a_holding_worth_fifty_times_as_much():
    yahoo = bars([100, 100])  # split-adjusted: the source shows 100 on both days
    splits = pl.DataFrame({"day": [date(2021, 1, 5)], "numerator": [1.0], "denominator": [50.0]})
    before, after = to_as_traded(yahoo, splits)["close"]
    bought = "2021-01-04 BUY AAPL 100 x 2 USD"
    assert value(bought, {"AAPL": before}, base="USD").market_value == 200
    split = bought + "\n2021-01-05 SPLIT AAPL 1:50 -98"
    assert value(split, {"AAPL": after}, base="USD").market_value == 200


def test_g03_a_dividend_counts_once():
    price, dividend = 100, 1
    told = value(f"2021-01-04 BUY AAPL 1 x {price} USD\n2021-01-05 DIVIDEND AAPL {dividend} USD", {"AAPL": price}, base="USD")  # fmt: skip
    booked = (told.unrealised + told.income) / told.cost
    assert booked == Decimal("0.01")
    paid = pl.DataFrame({"day": [date(2021, 1, 5)], "amount": [float(dividend)]})
    none = pl.DataFrame(schema={"day": pl.Date, "numerator": pl.Float64, "denominator": pl.Float64})
    closes = adjust(bars([price, price]), none, paid, PriceBasis.TOTAL_RETURN)["close"]
    assert closes[1] / closes[0] - 1 == pytest.approx(dividend / (price - dividend))
    assert round((closes[1] / closes[0] - 1) * 100, 4) == 1.0101


def test_g23_price_fx_and_cross_parts_of_a_loss_in_dollars_that_is_a_gain_in_won():
    told = value("2021-01-04 BUY AAPL 1 x 200 USD", {"AAPL": 190}, {"USD": 1_450}, bought_at={"USD": Decimal(1_200)})  # fmt: skip
    (position,) = told.positions
    parts = position.parts
    cost = position.base_cost
    percent = [
        round(part / cost * 100, 1) for part in (parts.price, parts.fx, parts.cross, parts.total)
    ]
    assert percent == [Decimal("-5.0"), Decimal("20.8"), Decimal("-1.0"), Decimal("14.8")]
    assert parts == Parts(Decimal(-12_000), Decimal(50_000), Decimal(-2_500))
    assert parts.total == position.base_unrealised == 35_500
    assert position.unrealised == -10


def test_a_position_without_a_cost_gains_by_its_price_alone():
    assert split_result(Decimal(5), Decimal(0), Decimal(7), Decimal(1_200)) == Parts(Decimal(5_993), Decimal(0), Decimal(0))  # fmt: skip


TWO = """
    2021-01-04 DEPOSIT 10000000 KRW
    2021-01-04 EXCHANGE 2400000 KRW to 2000 USD
    2021-01-04 BUY AAPL 10 x 100 USD fee=1
    2021-01-04 BUY 005930.KS 10 x 80000 KRW fee=120
    2021-01-05 SELL AAPL 4 x 110 USD fee=1 tax=0.5
    2021-01-06 DIVIDEND 005930.KS 3610 KRW tax=550
"""


def test_the_figures_of_a_portfolio():
    told = value(
        TWO, {"AAPL": 120, "005930.KS": 70_000}, {"USD": 1_300}, bought_at={"USD": Decimal(1_200)}
    )
    apple, samsung = told.positions[1], told.positions[0]
    assert (apple.quantity, apple.cost, apple.value, apple.unrealised) == (6, 600, 720, 120)
    assert (apple.base_cost, apple.base_value) == (720_000, 936_000)
    assert (samsung.value, samsung.base_unrealised) == (700_000, -100_000)
    assert apple.entries == (3, 5)
    assert told.market_value == 1_636_000
    assert told.cost == 1_520_000
    assert told.unrealised == 116_000
    assert told.income == 3_060
    assert told.realised == 40 * 1_200 - (1 + Decimal("1.5")) * 1_200 - 120
    assert [(c.currency, c.amount) for c in told.cash] == [
        ("KRW", 6_802_940),
        ("USD", Decimal("1437.5")),
    ]
    assert told.cash_value == 6_802_940 + Decimal("1437.5") * 1_300
    assert told.cash_fx == Decimal("1437.5") * 100
    assert told.total == told.market_value + told.cash_value
    assert told.total - told.flows == told.unrealised + told.realised + told.income + told.cash_fx
    assert told.parts.total == told.unrealised + told.cash_fx
    assert told.complete


def test_totals_are_exact_to_the_last_digit():
    lines = (
        "2021-01-04 OPENING AAPL 123456789.12345678 x 1 USD amount=1\n2021-01-04 DEPOSIT 0.01 USD"
    )
    kept = keep_book([replace(one, id=None) for one in entries(lines)], base="KRW", rates=lambda *_: Decimal(1))  # fmt: skip
    price, rate = Decimal("98765.43210987"), Decimal("1234.56789012")
    told = value_portfolio(kept, {"AAPL": Mark(price, "test")}, {"USD": Mark(rate, "test")})
    exact = Fraction(price) * Fraction(rate) * Fraction("123456789.12345678")
    assert Fraction(told.market_value) == exact  # 51 digits
    assert Fraction(told.total) == exact + Fraction(rate) / 100
    assert told.positions[0].entries == ()


def test_a_missing_price_is_named_and_is_neither_one_nor_zero():
    told = value(TWO, {"005930.KS": 70_000}, {"USD": 1_300})
    apple = told.positions[1]
    assert (apple.value, apple.base_value, apple.unrealised, apple.parts) == (
        None,
        None,
        None,
        None,
    )
    assert told.missing == ("AAPL",)
    assert not told.complete
    assert told.market_value == 700_000
    assert told.cost == 800_000


def test_a_missing_rate_is_named_and_is_neither_one_nor_zero():
    told = value(TWO, {"AAPL": 120, "005930.KS": 70_000})
    apple = told.positions[1]
    assert (apple.value, apple.base_value, apple.base_unrealised, apple.parts) == (
        720,
        None,
        None,
        None,
    )
    assert told.missing == ("USD", "USD 2021-01-04", "USD 2021-01-05")
    assert (told.realised, told.cash[1].base_value, told.cash[1].fx) == (None, None, None)
    assert told.market_value == 700_000


def test_closed_positions_and_empty_balances_miss_nothing():
    told = value("2021-01-04 BUY AAPL 1 x 10 USD\n2021-01-05 SELL AAPL 1 x 10 USD", {}, base="KRW", bought_at={"USD": Decimal(1)})  # fmt: skip
    assert told.positions == ()
    assert told.missing == ()


def test_a_sum_with_an_unknown_is_unknown():
    assert sum_known([]) == 0
    assert sum_known([Decimal(1), Decimal(2)]) == 3
    assert sum_known([Decimal(1), None]) is None


@pytest.mark.parametrize("method", LotMethod)
def test_the_identity_holds_through_every_kind_of_entry(method):
    book = keep_book(entries(EVERYTHING), base="KRW", rates=won_per_dollar, method=method)
    told = value_portfolio(
        book, {"APPL": Mark(Decimal("31.07"), "test")}, {"USD": Mark(Decimal(1_234), "test")}
    )
    assert (book.problems, told.missing) == ([], ())
    assert told.total - told.flows == told.unrealised + told.realised + told.income + told.cash_fx
    assert told.total == 48 * Decimal("31.07") * 1_234 + sum(
        balance.base_value for balance in told.cash
    )


@settings(max_examples=60, deadline=None)
@given(histories(), st.integers(900, 1_600), st.sampled_from(LotMethod), st.data())
def test_the_identities_hold_exactly(history, rate, method, data):
    book = keep_book(history, base="KRW", rates=won_per_dollar, method=method)
    prices = {
        s: Mark(Decimal(data.draw(st.integers(1, 10**6))) / 100, "test") for s in book.holdings
    }
    told = value_portfolio(book, prices, {"USD": Mark(Decimal(rate), "test")})
    with localcontext(PRECISE):
        assert (
            told.total - told.flows == told.unrealised + told.realised + told.income + told.cash_fx
        )
        for position in told.positions:
            parts = position.parts
            assert parts.price + parts.fx + parts.cross == position.base_unrealised
        assert told.parts.total == told.unrealised + told.cash_fx
