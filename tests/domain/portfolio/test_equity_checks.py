"""What must hold of stored equity: each check is silent on what is right and names the first day."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.portfolio.equity import Last, compute_equity
from app.domain.portfolio.equity_checks import (
    Difference,
    find_changed,
    find_odd_return,
    lacks_values,
    list_other_splits,
)
from tests.domain.portfolio.notation import entries
from tests.domain.portfolio.test_booking import START, histories
from tests.domain.portfolio.test_equity import HELD, PRICES, dollars, equity


def with_value(frame, day, **columns):
    """The frame with other values on the day of that place."""
    at = pl.int_range(pl.len()) == day
    return frame.with_columns(
        pl.when(at).then(pl.lit(v)).otherwise(name).alias(name) for name, v in columns.items()
    )


@pytest.mark.parametrize(
    ("columns", "difference"),
    [
        ({"value": 110_001.0}, 1.0),
        ({"value": None}, None),
        ({"cash": 79_999.0}, 0.0),
        ({"paid_in": 1.0}, 0.0),
        ({"paid_out": 1.0}, 0.0),
        ({"unit": 1.2}, 0.0),
        ({"unit": None}, 0.0),
        ({"drawdown": -0.1}, 0.0),
    ],
)
def test_the_first_day_that_has_changed(columns, difference):
    right = equity(HELD, PRICES)
    assert find_changed(right, right) is None
    day = right["day"][2]
    assert find_changed(with_value(right, 2, **columns), right) == Difference(day, difference)


def test_a_day_that_is_not_there_or_should_not_be_has_changed():
    right = equity(HELD, PRICES)
    assert find_changed(right.slice(1), right) == Difference(right["day"][0])
    assert find_changed(right, right.head(3)) == Difference(right["day"][3])
    assert find_changed(right.clear(), right.clear()) is None


def test_days_without_a_value_are_equal_to_such():
    unknown = equity(HELD, "AAPL 2021-01-08 1")
    assert unknown["value"].null_count()
    assert find_changed(unknown, unknown) is None
    assert find_odd_return(unknown) is None


def test_without_payments_a_unit_grows_as_the_value_does():
    right = equity(HELD, PRICES)
    assert find_odd_return(right) is None
    assert find_odd_return(with_value(right, 0, unit=9.0)).day == right["day"][1]
    assert find_odd_return(with_value(right, 3, unit=2.0)).day == right["day"][3]
    paid = with_value(right, 3, unit=2.0, paid_out=5.0)
    assert find_odd_return(paid).day == right["day"][4]  # its own growth is that of the payment


@settings(max_examples=40, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.integers(1, 29))
def test_any_history_holds_whenever_it_was_gone_on_with(history, random, cut):
    days = [START + timedelta(days=n) for n in range(30)]
    rows = [(s, day, random.uniform(1, 99)) for s in ("AAPL", "MSFT") for day in days]
    prices = pl.DataFrame(
        rows, {"symbol": pl.String, "day": pl.Date, "close": pl.Float64}, orient="row"
    )
    whole = compute_equity(history, prices, dollars(), days, base="KRW")
    known = whole.head(cut).drop_nulls("value")
    if not known.is_empty():
        row = known.row(-1, named=True)
        last = Last(row["day"], row["value"], row["unit"], row["drawdown"])
        rest = compute_equity(history, prices, dollars(), days, base="KRW", last=last)
        stored = pl.concat([whole.filter(pl.col("day") <= last.day), rest])
        assert find_changed(stored, whole) is None
    assert find_odd_return(whole) is None


def told(*splits):
    days = [(s, date.fromisoformat(day), float(n), float(d)) for s, day, n, d in splits]
    names = ("symbol", "day", "numerator", "denominator")
    return pl.DataFrame(
        days,
        dict(zip(names, (pl.String, pl.Date, pl.Float64, pl.Float64), strict=True)),
        orient="row",
    )


SPLIT = "2021-02-01 SPLIT AAPL 4:1 +30"


@pytest.mark.parametrize(
    ("more", "splits", "found"),
    [
        (SPLIT, [("AAPL", "2021-02-01", 4, 1)], []),
        ("2021-02-03 SPLIT AAPL 4:1 +30", [("AAPL", "2021-02-01", 4, 1)], []),
        ("", [("AAPL", "2021-02-01", 4, 1)], ["AAPL"]),
        (SPLIT, [("AAPL", "2021-02-01", 5, 1)], ["AAPL"]),
        (SPLIT, [("AAPL", "2021-02-01", 4, 1), ("AAPL", "2021-03-01", 1, 50)], ["AAPL"]),
        ("2021-01-25 SPLIT AAPL 4:1 +30", [("AAPL", "2021-02-01", 4, 1)], []),
        ("2021-01-24 SPLIT AAPL 4:1 +30", [("AAPL", "2021-02-01", 4, 1)], ["AAPL"]),
        (f"{SPLIT}\n2021-02-08 SPLIT AAPL 2:1 +40", [("AAPL", "2021-02-01", 4, 1)], []),
        (
            f"{SPLIT}\n2021-02-03 SPLIT AAPL 2:1 +40",
            [("AAPL", "2021-02-01", 4, 1), ("AAPL", "2021-02-03", 2, 1)],
            [],
        ),
        ("2021-01-20 SELL AAPL 10 x 2 USD", [("AAPL", "2021-02-01", 4, 1)], []),
        ("", [("AAPL", "2021-01-05", 4, 1), ("MSFT", "2021-02-01", 2, 1)], []),
        ("2021-02-01 BONUS AAPL quantity=1", [("AAPL", "2021-02-01", 11, 10)], []),
    ],
)
def test_splits_of_the_source_that_the_ledger_does_not_have(more, splits, found):
    kept = entries(f"{HELD}\n{more}")
    assert [symbol for symbol, _ in list_other_splits(kept, told(*splits))] == found


def test_a_split_that_was_dismissed_silences_no_other():
    splits = told(("AAPL", "2021-02-01", 4, 1), ("AAPL", "2021-03-01", 2, 1))
    first, second = splits.select("symbol", "day").rows()
    kept = entries(HELD)
    assert list_other_splits(kept, splits) == [first]
    assert list_other_splits(kept, splits, {first}) == [second]
    assert list_other_splits(kept, splits, {first, second}) == []


def test_values_that_cannot_be_worked_out_any_more():
    right, unknown = equity(HELD, PRICES), equity(HELD)
    assert lacks_values(right, unknown)
    assert not lacks_values(unknown, right)
    assert not lacks_values(right, right.slice(1))
