"""Price bases, weeks and months, accepted bars: golden numbers, real splits, properties."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.bars import (
    COLUMNS,
    PRICES,
    Interval,
    PriceBasis,
    adjust,
    check_prices,
    resample,
    restore,
    split_factors,
    to_as_traded,
)
from app.errors import BadInput

REAL = Path(__file__).resolve().parents[3] / "shared" / "data"
NEEDS_REAL = pytest.mark.skipif(
    not REAL.is_dir(), reason="NO REAL PRICES: ../shared/data is absent"
)

AS_TRADED, SPLIT_ADJUSTED, TOTAL_RETURN = PriceBasis


def bars(*rows: str) -> pl.DataFrame:
    """`2024-01-02 10 12 9 11 100` a row: day, open, high, low, close, volume; `-` is null."""
    values = [
        [date.fromisoformat(day), *(None if n == "-" else float(n) for n in numbers)]
        for day, *numbers in (row.split() for row in rows)
    ]
    schema = dict.fromkeys(COLUMNS, pl.Float64) | {"day": pl.Date}
    return pl.DataFrame(values, schema=schema, orient="row").cast({"volume": pl.Int64})


def splits(*rows: str) -> pl.DataFrame:
    """`2020-08-31 4:1` a row."""
    values = [(date.fromisoformat(r[:10]), *map(float, r[11:].split(":"))) for r in rows]
    schema = {"day": pl.Date, "numerator": pl.Float64, "denominator": pl.Float64}
    return pl.DataFrame(values, schema=schema, orient="row")


def dividends(*rows: str) -> pl.DataFrame:
    """`2020-08-07 0.82` a row."""
    values = [(date.fromisoformat(r[:10]), float(r[11:])) for r in rows]
    return pl.DataFrame(values, schema={"day": pl.Date, "amount": pl.Float64}, orient="row")


def real(file: str, symbol: str) -> pl.DataFrame:
    """One instrument of the real prices."""
    frame = pl.read_parquet(REAL / file).filter(pl.col("ticker") == symbol)
    return frame.rename({"date": "day"}).sort("day")


def test_a_reverse_split_later_leaves_the_value_of_the_holding_as_it_was() -> None:
    """G01: 100 shares at $2, later 1:50; the source shows 100, the holding was worth $200."""
    shown = bars("2024-01-02 100 100 100 100 1000")
    traded = to_as_traded(shown, splits("2024-06-03 1:50"))
    assert 100 * traded["close"][0] == 200
    assert traded["volume"][0] == 50_000


def test_a_later_split_is_undone_to_the_cent() -> None:
    shown = bars("2020-08-28 126.0124969482422 126.442497 124.577500 124.80750274658203 187630000")
    traded = to_as_traded(shown, splits("2020-08-31 4:1"))
    assert traded.row(0) == (date(2020, 8, 28), 504.05, 505.77, 498.31, 499.23, 46_907_500)


def test_the_day_of_the_split_is_traded_in_new_shares_already() -> None:
    shown = bars("2020-08-28 1 1 1 1 4", "2020-08-31 1 1 1 1 4", "2020-09-01 1 1 1 1 4")
    assert split_factors(shown["day"], splits("2020-08-31 4:1")).tolist() == [4, 1, 1]


def test_several_splits_multiply_in_any_order_of_the_rows() -> None:
    days = pl.Series([date(1999, 1, 4), date(2001, 1, 2), date(2006, 1, 3)])
    events = splits("2005-02-28 2:1", "2000-06-21 2:1", "2003-01-02 1:3")
    assert split_factors(days, events).tolist() == pytest.approx([4 / 3, 2 / 3, 1])


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (123.45999908447266, 123.46),
        (3000.1201171875, 3000.12),
        (2655.280029296875, 2655.28),
        (0.12834799289703369, 0.1283),
        (10.0625, 10.0625),
        (700_123.5, 700_123.5),
    ],
)
def test_the_noise_of_32_bit_floats_vanishes(sent: float, meant: float) -> None:
    assert restore(pl.Series([sent]), np.ones(1), 4).tolist() == [meant]


def test_a_price_below_the_cent_stays_when_nothing_was_multiplied() -> None:
    assert restore(pl.Series([121.085, 99.9999]), np.ones(2), 4).tolist() == [121.085, 99.9999]


def test_the_won_has_no_decimals() -> None:
    shown = bars("2018-04-30 52940.0 53000.001 52939.999 53000.0 606216")
    traded = to_as_traded(shown, splits("2018-05-04 50:1"), digits=0)
    assert traded.select(PRICES).row(0) == (2_647_000, 2_650_000, 2_647_000, 2_650_000)


def test_a_missing_price_stays_missing() -> None:
    shown = bars("2024-01-02 - - - 11 -", "2024-01-03 10 12 9 - 100")
    traded = to_as_traded(shown, splits("2024-06-03 2:1"))
    assert traded["open"].to_list() == [None, 20]
    assert traded["close"].to_list() == [22, None]
    assert traded["volume"].to_list() == [None, 50]
    back = adjust(traded, splits("2024-06-03 2:1"), dividends(), TOTAL_RETURN)
    assert back["close"].to_list() == [11, None]


def test_as_traded_is_what_is_stored_in_order_of_day() -> None:
    stored = bars("2024-01-03 11 12 9 11 100", "2024-01-02 10 12 9 11 100")
    result = adjust(stored, splits("2024-02-01 2:1"), dividends("2024-01-03 1"), AS_TRADED)
    assert result.equals(stored.sort("day"))


def test_split_adjusted_divides_prices_and_multiplies_volume() -> None:
    stored = bars("2024-01-02 30 36 27 33 100", "2024-01-03 10 12 9 11 300")
    result = adjust(stored, splits("2024-01-03 3:1"), dividends(), SPLIT_ADJUSTED)
    assert result.row(0) == (date(2024, 1, 2), 10, 12, 9, 11, 300)
    assert result.row(1) == stored.row(1)


def test_total_return_takes_a_dividend_off_all_earlier_days() -> None:
    """$2 on a close of $40 leaves 95 %; $1 on $50 leaves 98 %; both: 93.1 %."""
    stored = bars(
        "2024-01-02 40 40 40 40 1",
        "2024-01-03 38 38 38 38 1",
        "2024-01-04 50 50 50 50 1",
        "2024-01-05 49 49 49 49 1",
    )
    paid = dividends("2024-01-03 2", "2024-01-05 1")
    result = adjust(stored, splits(), paid, TOTAL_RETURN)
    assert result["close"].to_list() == pytest.approx([40 * 0.931, 38 * 0.98, 50 * 0.98, 49])
    assert result["volume"].to_list() == [1, 1, 1, 1]


def test_a_dividend_on_the_day_of_a_split_is_compared_with_the_close_in_new_shares() -> None:
    """$1 per new share, two for one old share of $100: 1 - 1/50, not 1 - 1/100."""
    stored = bars("2024-01-02 100 100 100 100 1", "2024-01-03 49 49 49 49 1")
    paid = dividends("2024-01-03 1")
    result = adjust(stored, splits("2024-01-03 2:1"), paid, TOTAL_RETURN)
    assert result["close"].to_list() == pytest.approx([50 * 0.98, 49])


@pytest.mark.parametrize("paid", ["2024-01-09 1", "2024-01-02 1", "2023-12-01 1", "2024-01-03 500"])
def test_a_dividend_without_a_close_above_it_changes_nothing(paid: str) -> None:
    stored = bars("2024-01-02 40 40 40 40 1", "2024-01-03 38 38 38 38 1")
    result = adjust(stored, splits(), dividends(paid), TOTAL_RETURN)
    assert result["close"].to_list() == [40, 38]


def test_decimals_of_the_database_are_taken() -> None:
    stored = bars("2024-01-02 40 40 40 40 1", "2024-01-03 38 38 38 38 1").with_columns(
        pl.col(PRICES).cast(pl.Decimal(20, 6))
    )
    split = splits("2024-01-03 2:1").cast({"numerator": pl.Decimal(20, 6)})
    paid = dividends("2024-01-03 1").cast({"amount": pl.Decimal(20, 6)})
    assert stored["close"][0] == Decimal(40)
    result = adjust(stored, split, paid, TOTAL_RETURN)
    assert result["close"].to_list() == pytest.approx([20 * 0.95, 38])


@pytest.mark.parametrize("basis", PriceBasis)
def test_no_bars_give_no_bars(basis: PriceBasis) -> None:
    assert adjust(bars(), splits("2024-01-03 2:1"), dividends("2024-01-03 1"), basis).is_empty()


DAYS = st.lists(
    st.dates(date(2000, 1, 3), date(2030, 1, 1)), min_size=1, max_size=12, unique=True
).map(sorted)


@settings(max_examples=60, deadline=None)
@given(days=DAYS, data=st.data())
def test_quantity_times_price_is_the_same_on_both_bases(
    days: list[date], data: st.DataObject
) -> None:
    cents = data.draw(st.lists(st.integers(1, 10**7), min_size=len(days), max_size=len(days)))
    ratio = st.tuples(st.sampled_from(days), st.sampled_from([(2, 1), (3, 1), (1, 10), (7, 4)]))
    events = data.draw(st.lists(ratio, max_size=4, unique_by=lambda event: event[0]))
    split = splits(*(f"{day} {new}:{old}" for day, (new, old) in events))
    prices = [f"{c / 100} " * 4 for c in cents]
    stored = bars(*(f"{d} {p} 5600" for d, p in zip(days, prices, strict=True)))
    shown = adjust(stored, split, dividends(), SPLIT_ADJUSTED)
    quantity = split_factors(stored["day"], split)
    assert (shown["close"] * pl.Series(quantity)).to_list() == pytest.approx(
        stored["close"].to_list(), rel=1e-12
    )
    assert to_as_traded(shown, split).select(PRICES).equals(stored.select(PRICES))


@NEEDS_REAL
@pytest.mark.parametrize("symbol", ["AAPL", "TSLA", "NVDA", "MSFT", "SPY"])
def test_split_adjusted_prices_turned_back_are_what_another_vendor_saw_traded(symbol: str) -> None:
    """One close of 1,286 differs by more: the vendors disagree there, by 0.155 at most."""
    shown = real("small/bars.parquet", symbol)
    ours = to_as_traded(shown, real("small/splits.parquet", symbol))
    theirs = real("wide/bars_us_astraded_2016_2021.parquet", symbol)
    if symbol == "SPY":
        assert theirs.is_empty()
        return
    both = ours.join(theirs, on="day", suffix="_seen")
    off = (both["close"] - both["close_seen"]).abs()
    assert len(both) > 1250
    assert (off > 0.005).sum() <= 1
    assert off.max() < 0.16
    if symbol == "AAPL":
        seen = both.filter(pl.col("day") == date(2020, 8, 28))
        assert seen["close"].to_list() == seen["close_seen"].to_list() == [499.23]


@NEEDS_REAL
@pytest.mark.parametrize("symbol", ["AAPL", "MSFT", "NVDA", "SPY"])
def test_total_return_is_the_adjusted_close_of_the_source(symbol: str) -> None:
    shown = real("small/bars.parquet", symbol)
    split, paid = (real(f"small/{name}.parquet", symbol) for name in ("splits", "dividends"))
    stored = to_as_traded(shown, split)
    amount = restore(paid["amount"], split_factors(paid["day"], split), 6, 4)
    result = adjust(stored, split, paid.with_columns(amount=amount), TOTAL_RETURN)
    scale = shown["adj_close"][-1] / shown["close"][-1]
    assert ((result["close"] * scale / shown["adj_close"]) - 1).abs().max() < 2e-4


def test_weeks_begin_on_monday_and_carry_the_day_of_their_last_session() -> None:
    days = bars(
        "2024-01-11 10 15 9 14 1",  # Thursday
        "2024-01-12 14 16 13 15 2",  # Friday
        "2024-01-16 15 17 8 9 4",  # Tuesday: Monday was a holiday
        "2024-01-22 9 9.5 8.5 9 8",  # Monday
    )
    assert resample(days, Interval.WEEK).rows() == [
        (date(2024, 1, 12), 10, 16, 9, 15, 3),
        (date(2024, 1, 16), 15, 17, 8, 9, 4),
        (date(2024, 1, 22), 9, 9.5, 8.5, 9, 8),
    ]


def test_months_take_rows_in_any_order_and_pass_over_missing_prices() -> None:
    days = bars(
        "2024-02-01 20 21 19 20 8",
        "2024-01-31 - - - - -",
        "2024-01-02 - 12 9 11 1",
        "2024-01-30 11 18 10 12 2",
    )
    assert resample(days, Interval.MONTH).rows() == [
        (date(2024, 1, 31), 11, 18, 9, 12, 3),
        (date(2024, 2, 1), 20, 21, 19, 20, 8),
    ]


def test_a_month_without_any_price_has_none() -> None:
    result = resample(bars("2024-01-30 - - - - -", "2024-01-31 - - - - -"), Interval.MONTH)
    assert result.rows() == [(date(2024, 1, 31), None, None, None, None, None)]


def test_days_stay_days_and_minutes_are_refused() -> None:
    days = bars("2024-01-03 1 1 1 1 1", "2024-01-02 1 1 1 1 1")
    assert resample(days, Interval.DAY).equals(days.sort("day"))
    with pytest.raises(BadInput, match="MINUTE_5 cannot be made from daily bars"):
        resample(days, Interval.MINUTE_5)
    assert [interval.minutes for interval in Interval] == [5, 15, None, None, None]


def reasons(row: str, *, closes_only: bool = False) -> str | None:
    """Why a row is no bar."""
    frame = bars(f"2024-01-30 {row}")
    why: str | None = frame.select(check_prices(closes_only=closes_only)).item()
    return why


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("10 12 9 - 1", "incomplete: a price is missing"),
        ("10 - 9 11 1", "incomplete: a price is missing"),
        ("- - - 11 0", "halted: no open and no volume"),
        ("10 12 10.5 11 1", "the low is above another price"),
        ("10 10.5 9 11 1", "the high is below another price"),
        ("10 12 0 11 1", "a price is not a number above zero"),
        ("10 inf 9 11 1", "a price is not a number above zero"),
        ("nan 12 9 11 1", "a price is not a number above zero"),
        ("-10 12 9 11 1", "a price is not a number above zero"),
        ("10 12 9 11 -1", "the volume is below zero"),
    ],
)
def test_a_row_that_is_no_bar_has_a_reason(row: str, why: str) -> None:
    assert reasons(row) == why


def test_the_noise_of_floats_makes_no_bar_bad() -> None:
    assert reasons("10.000001 12 10.000002 11 1") is None


def test_a_rate_needs_its_close_alone() -> None:
    assert reasons("- - - 1390.5 -", closes_only=True) is None
    assert reasons("- - - - 0", closes_only=True) == "incomplete: a price is missing"
    assert reasons("- - - 0 -", closes_only=True) == "a price is not a number above zero"
