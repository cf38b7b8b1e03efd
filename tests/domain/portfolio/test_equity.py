"""Daily equity against a Decimal loop, its continuation from a day, and what is missing."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.money import round_money
from app.domain.portfolio.equity import Last, compute_equity
from app.domain.portfolio.moves import cash_flow, cash_moves, share_flow, share_moves
from tests.domain.portfolio.notation import entries
from tests.domain.portfolio.test_booking import START, histories, won_per_dollar

NO_CLOSES = pl.DataFrame(schema={"symbol": pl.String, "day": pl.Date, "close": pl.Float64})
DAYS = [START + timedelta(days=n) for n in range(12)]


def closes(text):
    """Lines of `symbol day close`."""
    rows = [line.split() for line in text.strip().splitlines()]
    columns = {
        "symbol": [row[0] for row in rows],
        "day": [date.fromisoformat(row[1]) for row in rows],
        "close": [float(row[2]) for row in rows],
    }
    return pl.DataFrame(columns) if rows else NO_CLOSES


def dollars(first=START, count=60, rate=None):
    days = [first + timedelta(days=n) for n in range(count)]
    values = [float(won_per_dollar("USD", day)) if rate is None else rate for day in days]
    return pl.DataFrame({"currency": ["USD"] * count, "day": days, "rate": values})


def equity(text, prices="", *, rates=None, days=DAYS, last=None, base="KRW"):
    given_rates = dollars(rate=1_000.0) if rates is None else rates
    return compute_equity(entries(text), closes(prices), given_rates, days, base=base, last=last)


def column(frame, name):
    return frame[name].to_list()


HELD = """
    2021-01-04 DEPOSIT 100000 KRW
    2021-01-05 BUY AAPL 10 x 2 USD
    2021-01-07 DIVIDEND AAPL 1 USD
"""
PRICES = "AAPL 2021-01-05 2\nAAPL 2021-01-06 3\nAAPL 2021-01-08 1"


def test_each_day_has_its_value_cash_and_payments():
    told = equity(HELD, PRICES, days=DAYS[:5])
    assert column(told, "day") == DAYS[:5]
    assert column(told, "value") == [100_000, 100_000, 110_000, 111_000, 91_000]
    assert column(told, "cash") == [100_000, 80_000, 80_000, 81_000, 81_000]
    assert column(told, "paid_in") == [100_000, 0, 0, 0, 0]
    assert column(told, "paid_out") == [0] * 5
    assert column(told, "unit") == pytest.approx([1, 1, 1.1, 1.11, 0.91])
    assert column(told, "drawdown") == pytest.approx([0, 0, 0, 0, 0.91 / 1.11 - 1])
    assert column(told, "missing") == [0] * 5


def test_a_day_without_a_close_or_a_rate_has_no_value_and_counts_what_is_missing():
    told = equity(HELD, "AAPL 2021-01-06 3", days=DAYS[:3])
    assert column(told, "value") == [100_000, None, 110_000]
    assert column(told, "missing") == [0, 1, 0]
    assert column(told, "unit") == [1, None, pytest.approx(1.1)]
    told = equity(HELD, PRICES, days=DAYS[:3], rates=dollars(date(2021, 1, 6), rate=1_000.0))
    assert column(told, "value") == [100_000, None, 110_000]
    assert column(told, "missing") == [0, 2, 0]


def test_what_was_paid_on_days_without_a_value_counts_on_the_next():
    text = HELD + "2021-01-05 DEPOSIT 50000 KRW\n2021-01-05 WITHDRAWAL 10000 KRW"
    told = equity(text, "AAPL 2021-01-06 3", days=DAYS[:3])
    assert column(told, "unit")[2] == pytest.approx(160_000 / 150_000)


def test_entries_of_other_days_count_on_the_next_day_that_is_asked_for():
    told = equity("2021-01-02 DEPOSIT 5 KRW\n2021-01-06 DEPOSIT 7 KRW", days=[DAYS[0], DAYS[3]])
    assert column(told, "value") == [5, 12]
    assert column(told, "paid_in") == [5, 7]


def test_a_split_without_a_close_of_its_day_changes_no_value():
    text = "2021-01-04 OPENING AAPL 10 x 8 USD\n2021-01-06 SPLIT AAPL 4:1 +30\n2021-01-08 SPLIT AAPL 1:2 -20"
    told = equity(text, "AAPL 2021-01-04 8\nAAPL 2021-01-11 5", days=DAYS[:8], base="USD")
    assert column(told, "value") == [80] * 7 + [100]


def test_shares_count_at_the_days_close_and_without_one_at_their_cost():
    text = "2021-01-04 OPENING AAPL 10 x 8 USD\n2021-01-06 TRANSFER AAPL -5 x 7 USD\n2021-01-06 TRANSFER 9 USD"
    told = equity(text, "AAPL 2021-01-05 9\nAAPL 2021-01-06 10", days=DAYS[:3], base="USD")
    assert column(told, "paid_in") == [80, 0, 9]
    assert column(told, "paid_out") == [0, 0, 50]
    assert column(told, "value") == [None, 90, 59]
    assert column(told, "unit") == [None, pytest.approx(90 / 80), pytest.approx(109 / 99 * 90 / 80)]


def test_no_entries_are_worth_nothing():
    told = equity("", days=DAYS[:2])
    assert column(told, "value") == [0, 0]
    assert column(told, "unit") == [1, 1]
    assert equity(HELD, PRICES, days=[]).height == 0


def test_fractions_leave_no_dust():
    text = "2021-01-04 BUY AAPL 0.1 x 10 USD\n2021-01-04 BUY AAPL 0.2 x 10 USD\n2021-01-05 SELL AAPL 0.3 x 10 USD"
    assert column(equity(text, "", days=DAYS[1:3]), "value") == [0, 0]


def test_a_reversed_entry_has_never_been():
    assert column(
        equity("2021-01-04 DEPOSIT 5 KRW\n2021-01-05 DEPOSIT 5 KRW reverses=1", days=DAYS[:1]),
        "value",
    ) == [0]


def test_g29_a_dividend_after_everything_was_drawn_is_no_loss():
    text = (
        HELD.replace("2021-01-07", "2021-01-11")
        + """
        2021-01-06 SELL AAPL 10 x 3 USD
        2021-01-07 EXCHANGE 10 USD to 10000 KRW
        2021-01-07 WITHDRAWAL 90000 KRW
        2021-01-07 WITHDRAWAL 0.00 USD
    """.replace("2021-01-07 WITHDRAWAL 0.00 USD", "")
    )
    told = equity(text, PRICES, days=DAYS)
    assert min(column(told, "unit")) >= 1
    assert column(told, "drawdown")[-1] == 0


def test_a_loss_that_a_float_cannot_tell_from_all_goes_on():
    last = Last(date(2021, 1, 3), 1e-15, 1e-20, -1.0)
    told = equity("2021-01-02 DEPOSIT 5 KRW", days=DAYS[:2], last=last)
    assert column(told, "drawdown") == [-1, -1]


def oracle(history, prices, days, base="KRW"):
    """Day by day with Decimal sums: value, cash, paid in, paid out."""
    rows, since = [], date.min
    for day in days:
        rate = {"KRW": Decimal(1), "USD": won_per_dollar("USD", day)}
        shares, cash, paid_in, paid_out = {}, {}, Decimal(0), Decimal(0)
        for one in history:
            if one.day > day:
                continue
            for symbol, quantity in share_moves(one):
                shares[symbol] = shares.get(symbol, 0) + quantity
            for currency, amount in cash_moves(one):
                cash[currency] = cash.get(currency, 0) + amount
            assert share_flow(one) == 0
            if one.day > since and (flow := cash_flow(one) * won_or_one(one, rate)):
                paid_in, paid_out = paid_in + max(flow, 0), paid_out - min(flow, 0)
        money = sum(amount * rate[currency] for currency, amount in cash.items())
        worth = sum(
            quantity * prices[symbol][day] * rate["USD" if symbol == "AAPL" else "KRW"]
            for symbol, quantity in shares.items()
        )
        rows.append(
            tuple(
                float(round_money(Decimal(x), base))
                for x in (money + worth, money, paid_in, paid_out)
            )
        )
        since = day
    return rows


def won_or_one(entry, rate):
    return rate[entry.currency or "KRW"]


@settings(max_examples=60, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.integers(0, 40))
def test_it_agrees_with_a_decimal_loop_and_goes_on_from_any_day(history, random, cut):
    days = [START + timedelta(days=n) for n in range(42)]
    prices = {
        symbol: {day: Decimal(random.randint(1, 10**6)) / 100 for day in days}
        for symbol in ("AAPL", "005930.KS")
    }
    frame = pl.DataFrame(
        [(s, d, float(p)) for s, by_day in prices.items() for d, p in by_day.items()],
        {"symbol": pl.String, "day": pl.Date, "close": pl.Float64},
        orient="row",
    )
    told = compute_equity(history, frame, dollars(), days, base="KRW")
    for found, expected in zip(told.select("value", "cash", "paid_in", "paid_out").rows(), oracle(history, prices, days), strict=True):  # fmt: skip
        assert found == pytest.approx(expected, abs=1)  # a half can fall to either side
    row = told.row(cut, named=True)
    last = Last(row["day"], row["value"], row["unit"], row["drawdown"])
    rest = compute_equity(history, frame, dollars(), days, base="KRW", last=last)
    assert rest["day"].to_list() == days[cut + 1 :]
    whole = told[cut + 1 :]
    for name in rest.columns:
        if name != "day":
            assert rest[name].to_list() == pytest.approx(whole[name].to_list(), rel=1e-9, abs=1e-9)


def test_a_split_of_what_was_never_held_and_money_that_a_fee_took_change_nothing_else():
    odd = """
        2021-01-06 SPLIT MSFT 4:1 0 amount=30 currency=USD
        2021-01-06 DEPOSIT 5 EUR fee=5
    """
    told, plain = equity(HELD + odd, PRICES), equity(HELD, PRICES)
    assert told["value"][1] == plain["value"][1]
    assert column(told, "cash")[2] == plain["cash"][2] + 30_000
