"""A real portfolio in won, 2020 to 2022, against a beancount file that was written by hand.

Only what somebody decided is told here; prices, splits and dividends are the real ones, amounts,
costs, taxes and settlement days follow from the rules. Beancount books the file by itself.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from beancount import loader
from beancount.core import data as bean

from app.domain.market import Kind
from app.domain.money import round_money
from app.domain.portfolio.booking import keep_book
from app.domain.portfolio.equity import compute_equity
from app.domain.portfolio.moves import share_moves
from app.domain.portfolio.valuation import Mark, value_portfolio
from app.domain.trading.costs import PROFILES, compute_costs, dividend_tax
from app.domain.trading.listings import find_listing
from app.domain.trading.settlement import settlement_day, settlement_days
from app.domain.trading.ticks import Side
from app.domain.transactions import Entry, TransactionKind, make_trade
from tests.domain.portfolio.notation import entry

ROOT = Path(__file__).resolve().parents[3]
BEANS = ROOT / "tests" / "data" / "portfolio" / "won_2020_2022.beancount"
REAL = ROOT.parent / "shared" / "data" / "small"
real = pytest.mark.skipif(not REAL.is_dir(), reason="NO REAL PRICES: ../shared/data is absent")

LAST = date(2022, 8, 31)
NAMES = {"A005930": "005930.KS"}
ACTIONS = """
    2020-08-03 DEPOSIT 40000000 KRW
    2020-08-03 EXCHANGE 18000000 KRW to 15000.00 USD
    2020-08-03 BUY AAPL 10
    2020-08-03 BUY TSLA 3
    2020-08-03 BUY SPY 8
    2021-03-01 SELL SPY 8
    2021-06-02 BUY 005930.KS 100
    2021-11-04 SELL TSLA 5
    2021-12-29 SELL 005930.KS 40
    2022-01-03 EXCHANGE 5000.00 USD to 5950000 KRW
    2022-01-03 BUY AAPL 10
    2022-06-15 SELL AAPL 45
    2022-06-30 INTEREST 1234 KRW tax=190
    2022-07-01 WITHDRAWAL 1000000 KRW
"""
KRX_CLOSED = {date(2021, 12, 31)}


def read(name):
    return pl.read_parquet(REAL / f"{name}.parquet")


@cache
def splits():
    return read("splits").select("ticker", "date", "numerator", "denominator").rows()


def as_traded(symbol, day, value):
    """A split-adjusted value of the source on the basis of its day, without the float's noise."""
    factor = Decimal(1)
    for ticker, at, numerator, denominator in splits():
        if ticker == symbol and at > day:
            factor *= Decimal(numerator) / Decimal(denominator)
    return Decimal(str(value)) * factor


def close(symbol, day):
    (value,) = read("bars").filter((pl.col("ticker") == symbol) & (pl.col("date") == day))["close"]
    unit = Decimal(1) if symbol.endswith(".KS") else Decimal("0.01")
    return as_traded(symbol, day, value).quantize(unit, ROUND_HALF_UP)


@cache
def rates():
    return {day: Decimal(str(rate)) for day, rate in read("fx").select("date", "USDKRW").rows()}


def rate(_currency, day):
    return rates()[max(known for known in rates() if known <= day)]


def listing(symbol):
    return find_listing(symbol, Kind.ETF if symbol == "SPY" else Kind.EQUITY)


def trade(day, kind, symbol, quantity):
    market = listing(symbol)
    price, quantity = close(symbol, day), Decimal(quantity)
    week = [day + timedelta(days=n) for n in range(15)]
    sessions = [d for d in week if d.weekday() < 5 and d not in KRX_CLOSED]
    settles = settlement_day(market.market, day, settlement_days(market.market, sessions))
    plain = make_trade(
        TransactionKind(kind), symbol, quantity, price, market.currency, day=day, settles_on=settles
    )
    costs = compute_costs(
        market,
        Side(kind),
        quantity,
        plain.amount,
        PROFILES["online"],
        trade_day=day,
        settles=settles,
    )
    return {**as_dict(plain), "fee": costs.fee, "tax": costs.tax}


def as_dict(one):
    return {name: getattr(one, name) for name in Entry.__slots__}


def corporate(kept):
    """Splits and dividends of the source on what was held when their day began."""
    for ticker, day, numerator, denominator in splits():
        if held := held_before(kept, ticker, day):
            ratio = Decimal(numerator) / Decimal(denominator)
            yield {"kind": TransactionKind.SPLIT, "day": day, "settles_on": day, "symbol": ticker, "quantity": held * (ratio - 1), "numerator": Decimal(numerator), "denominator": Decimal(denominator)}  # fmt: skip
    for ticker, day, amount in read("dividends").select("ticker", "date", "amount").rows():
        if held := held_before(kept, ticker, day):
            currency = listing(ticker).currency
            gross = round_money(as_traded(ticker, day, amount) * held, currency)
            yield {"kind": TransactionKind.DIVIDEND, "day": day, "settles_on": day, "symbol": ticker, "currency": currency, "amount": gross, "tax": dividend_tax(gross, currency)}  # fmt: skip


def held_before(kept, symbol, day):
    """Shares when the day began, splits of the source included."""
    if day > LAST:
        return 0
    events = [(e["day"], 1, e) for e in kept if e["symbol"] == symbol and e["day"] < day]
    events += [(d, 0, (n, m)) for t, d, n, m in splits() if t == symbol and d < day]
    held = Decimal(0)
    for _, _, event in sorted(events, key=lambda one: one[:2]):
        if isinstance(event, tuple):
            held *= Decimal(event[0]) / Decimal(event[1])
        else:
            held += sum(n for _, n in share_moves(Entry(**event)))
    return held


@cache
def history():
    kept = []
    for line in ACTIONS.strip().splitlines():
        day, kind, *words = line.split()
        if kind in {"BUY", "SELL"}:
            kept.append(trade(date.fromisoformat(day), kind, *words))
        else:
            kept.append(as_dict(entry(line.strip())))
    kept = [*kept, *corporate(kept)]
    return [Entry(**{**facts, "id": number}) for number, facts in enumerate(kept, 1)]


@cache
def beans():
    entries, errors, _ = loader.load_file(str(BEANS))
    assert errors == []
    return entries


class Beans:
    """Totals of the file, each amount in won at the price of its day; lots booked by beancount."""

    def __init__(self):
        self.prices = {
            e.date: e.amount.number
            for e in beans()
            if isinstance(e, bean.Price) and e.currency == "USD"
        }
        self.closes = {
            e.currency: e.amount
            for e in beans()
            if isinstance(e, bean.Price) and e.currency != "USD"
        }
        self.said = {
            e.type: e.values[0].value.number for e in beans() if isinstance(e, bean.Custom)
        }
        self.own, self.won = defaultdict(Decimal), defaultdict(Decimal)
        self.shares, self.lots = defaultdict(Decimal), []
        for one in beans():
            if isinstance(one, bean.Transaction):
                self.add(one)

    def rate(self, currency, day):
        return Decimal(1) if currency == "KRW" else self.prices[day]

    def add(self, one):
        for posting in one.postings:
            number, currency = posting.units
            if posting.account == "Assets:Shares":
                cost = posting.cost
                self.shares[NAMES.get(currency, currency)] += number
                self.own[f"cost {cost.currency}"] += number * cost.number
                self.won["cost"] += number * cost.number * self.rate(cost.currency, cost.date)
                if posting.price is not None:
                    brought = -number * posting.price.number * self.rate(cost.currency, one.date)
                    self.won["gain"] += brought + number * cost.number * self.rate(
                        cost.currency, cost.date
                    )
            else:
                self.own[f"{posting.account} {currency}"] += number
                if not posting.account.startswith(("Assets", "Equity")):
                    self.won[posting.account] += number * self.rate(currency, one.date)

    def value(self):
        total = self.own["Assets:Cash KRW"] + self.own["Assets:Cash USD"] * self.prices[LAST]
        for name, amount in self.closes.items():
            shares = self.shares[NAMES.get(name, name)]
            total += shares * amount.number * self.rate(amount.currency, LAST)
        return total


def test_the_file_balances_and_its_totals_are_those_written_in_it():
    told = Beans()
    assert round_money(told.value(), "KRW") == told.said["total"]
    assert round_money(told.won["cost"], "KRW") == told.said["cost"]


def won(amount):
    return round_money(amount, "KRW")


def book():
    return keep_book(history(), base="KRW", rates=rate)


def valued():
    symbols = [symbol for symbol, held in book().holdings.items() if held.quantity]
    prices = {symbol: Mark(close(symbol, LAST), "test") for symbol in symbols}
    return value_portfolio(book(), prices, {"USD": Mark(rate("USD", LAST), "test")})


@real
def test_shares_cash_costs_and_results_equal_beancounts_in_each_currency():
    told, kept = Beans(), book()
    assert {s: h.quantity for s, h in kept.holdings.items() if h.quantity} == {
        s: n for s, n in told.shares.items() if n
    }
    for currency in ("KRW", "USD"):
        assert kept.cash[currency].quantity == told.own[f"Assets:Cash {currency}"]
        holdings = [h for h in kept.holdings.values() if h.currency == currency]
        assert sum(lot.cost for h in holdings for lot in h.lots) == told.own[f"cost {currency}"]
        gains = sum(sale.gain for sale in kept.sales if sale.currency == currency)
        assert gains == -told.own[f"Income:Gains {currency}"]
        income = sum(row.amount for row in kept.income if row.currency == currency)
        earned = told.own[f"Income:Dividends {currency}"] + told.own[f"Income:Interest {currency}"]
        assert income == -earned - told.own[f"Expenses:Withheld {currency}"]
        charges = sum(row.amount for row in kept.charges if row.currency == currency)
        assert (
            charges
            == told.own[f"Expenses:Fees {currency}"] + told.own[f"Expenses:SellTax {currency}"]
        )
    assert kept.problems == []
    assert kept.missing == set()


@real
def test_every_total_equals_beancounts_to_the_won():
    told, value = Beans(), valued()
    assert won(value.total) == told.said["total"] == won(told.value())
    assert won(value.cost) == told.said["cost"]
    assert won(value.unrealised) == won(value.market_value - told.won["cost"])
    charges = told.won["Expenses:Fees"] + told.won["Expenses:SellTax"]
    assert won(value.realised - book().cash_fx) == won(told.won["gain"] - charges)
    income = (
        told.won["Income:Dividends"] + told.won["Income:Interest"] + told.won["Expenses:Withheld"]
    )
    assert won(value.income) == won(-income)
    assert value.flows == 39_000_000
    assert (
        value.total - value.flows
        == value.unrealised + value.realised + value.income + value.cash_fx
    )
    assert value.complete


@real
def test_the_last_day_of_daily_equity_is_the_total():
    days = [date(2020, 8, 3) + timedelta(days=n) for n in range((LAST - date(2020, 8, 3)).days + 1)]
    rows = read("bars").filter(pl.col("ticker").is_in(["AAPL", "TSLA", "SPY", "005930.KS"]))
    closes = pl.DataFrame(
        [
            (t, d, float(as_traded(t, d, c)))
            for t, d, c in rows.select("ticker", "date", "close").rows()
        ],
        {"symbol": pl.String, "day": pl.Date, "close": pl.Float64},
        orient="row",
    )
    fx = pl.DataFrame(
        {"currency": "USD", "day": list(rates()), "rate": [float(r) for r in rates().values()]}
    )
    equity = compute_equity(history(), closes, fx, days, base="KRW")
    assert equity["value"][-1] == Beans().said["total"]
    assert equity["missing"].sum() == 0
    assert equity["value"].null_count() == 0
    split_day = equity.filter(pl.col("day").is_between(date(2020, 8, 28), date(2020, 8, 31)))[
        "value"
    ]
    assert abs(split_day[-1] / split_day[0] - 1) < 0.05


@real
def test_the_sale_of_the_last_days_of_2021_settles_in_2022():
    (sale,) = [e for e in history() if e.symbol == "005930.KS" and e.kind is TransactionKind.SELL]
    assert (sale.settles_on, sale.fee, sale.tax) == (date(2022, 1, 3), 472, 7_249)
